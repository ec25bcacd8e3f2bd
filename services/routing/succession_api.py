"""The operator's door to a change of competence: a trial first, then the act itself, page after page."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.codes import Agency
from contracts.door import read_json
from contracts.faults import Fault, InvalidDocument, faults_of
from contracts.report import ONE_LINE, Day, Part
from services.routing.core.rules import Rulebook
from services.routing.core.succeeding import Act
from services.routing.guarding import NO_STORE, guarded
from services.routing.keys import Holder, Keys
from services.routing.law import Law
from services.routing.paging import read_cursor, write_cursor
from services.routing.succession import Succession, document
from services.runtime.bus import BrokerAway
from services.runtime.clock import Clock
from services.runtime.http import TooLarge, TooSlow, body_within, problem

PATH = "/v1/operator/succession"
MAX_BYTES = 5_000
_CAPITAL = ZoneInfo("Asia/Jakarta")

Text = Annotated[str, Field(strict=True, min_length=1, max_length=200), ONE_LINE]


class SuccessionBody(Part):
    """`old` is the body that ended, `new` who is competent since `on`. `rule` is a source or rule of the rulebook in force;
    where there is none, `article` names the text. Only with `apply` are steps said."""

    old: Annotated[Agency, Field(alias="from")]
    new: Annotated[Agency, Field(alias="to")]
    on: Day
    rule: Text | None = None
    article: Text | None = None
    apply: bool = False
    cursor: Annotated[str, Field(max_length=200)] | None = None


class SuccessionDoors:
    """`succession` gives what does the work, None while the broker is not connected yet."""

    def __init__(
        self, keys: Keys, law: Law, succession: Callable[[], Succession | None], clock: Clock
    ) -> None:
        self._keys, self._law, self._succession, self._clock = keys, law, succession, clock

    def routes(self) -> list[Route]:
        return [Route(PATH, guarded(self._keys, self.succeed), methods=["POST"])]

    async def succeed(self, request: Request, _holder: Holder) -> Response:
        """`POST /v1/operator/succession`: one page of cases; ask again with its `next_cursor` until there is none."""
        succession = self._succession()
        try:
            body = _read(await body_within(request, MAX_BYTES))
            today = self._clock().astimezone(_CAPITAL).date()
            if faults := _faults(body, self._law.judge.reasoner.book, today):
                raise InvalidDocument(faults)
            after = read_cursor(body.cursor)
            if succession is None:
                return _away()
            act = Act(body.old, body.new, body.on, body.rule)
            page = await succession.page(act, body.article, after, apply=body.apply)
        except InvalidDocument as invalid:
            said = [fault.plain for fault in invalid.faults]
            return problem(422, "Not a change of competence", "Mend every fault.", faults=said)
        except TooLarge as large:
            return problem(413, "Too large", f"The body is at most {large.limit} bytes.")
        except TooSlow:
            return problem(408, "Too slow", "The body did not arrive in time; send it again.")
        except ValueError:
            return problem(400, "Not a cursor of ours", "Send the next_cursor of the page before, or none.")
        except BrokerAway:
            return _away()
        cursor = write_cursor(*page.after) if page.after else None
        return JSONResponse(document(page, cursor), headers=NO_STORE)


def _read(raw: bytes) -> SuccessionBody:
    """Raises InvalidDocument."""
    given: Any = read_json(raw)
    try:
        return SuccessionBody.model_validate(given)
    except ValidationError as error:
        raise InvalidDocument(faults_of(error, SuccessionBody, given)) from None


def _faults(body: SuccessionBody, book: Rulebook, today: date) -> list[Fault]:
    found = []
    if body.old == body.new:
        found.append(Fault(("to",), f"is {body.old} itself; name the body that is competent now"))
    if body.on > today:
        found.append(
            Fault(("on",), f"lies in the future (today is {today}); run it when the change has come")
        )
    if body.rule is None and body.article is None:
        found.append(Fault(("rule",), "is missing and article too; name what moves the competence"))
    if body.rule and body.rule not in book.sources and body.rule not in {rule.id for rule in book.rules}:
        cure = f"write a source ({', '.join(list(book.sources)[-6:])}, …) or a rule id, or use article"
        found.append(Fault(("rule",), f"is not in the rulebook in force; {cure}"))
    return found


def _away() -> Response:
    refusal = problem(503, "Not available", "The broker does not answer; send the same again later.")
    refusal.headers["Retry-After"] = "5"
    return refusal
