"""Checks what the offices of a case were told: each what began, changed or is due for it, and nobody what is not theirs."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from services.cli.verify.digests import same
from services.cli.verify.findings import Finding
from services.cli.verify.history import Case, Person, Version
from services.cli.verify.told_words import seen

Bodies = set[tuple[str, str | None]]
"""Agencies with the office of each that is meant."""


class News(NamedTuple):
    """One thing to tell an office about one person; `what` is the number of a step, or a limit's last day and level."""

    agency: str
    office: str | None
    kind: str
    what: str
    ref: str

    def __str__(self) -> str:
        return f"{self.agency}/{self.office or '-'}: {self.kind} {self.what} of {self.ref}"


def check_told(case: Case) -> Iterator[Finding]:
    """Each news was told, and nothing else; of a step that changed nothing an office may see it need not hear, but may.

    Not for a case that goes on meanwhile: what was told may be ahead of what was read of the case.
    """
    if len(case.of("decided")) != 1 or any(p.get("old") for p in case.versions[0].persons.values()):
        return
    told = {news for fact in case.of("told") for news in _read(fact.data)}
    offered, due, stepped = set(_offered(case.versions)), set(_due(case)), dict(_stepped(case.versions))
    must = {news for news, changed in stepped.items() if changed}
    for news in sorted((offered | due | must) - told, key=str):
        yield Finding("not-told", case.case_id, f"{news} was not told")
    vain = told - offered - due - stepped.keys()
    concerned = {
        (ref, *body) for version in case.versions for ref, p in version.persons.items() for body in _bodies(p)
    }
    last = case.versions[-1].number
    for news in sorted(vain, key=str):
        late = news.kind != "due" and int(news.what) > last  # of a step that a damaged stream lost for good
        was_due = (
            news.kind == "due" and (news.ref, news.agency, news.office) in concerned
        )  # so was the record
        if not (late or was_due):
            yield Finding("told-in-vain", case.case_id, f"{news} was told, which is not theirs")


def _read(data: dict[str, Any]) -> Iterator[News]:
    for ref in data["about"]:
        yield News(data["agency"], data["office"], data["kind"], data["what"], ref)


def _offered(versions: list[Version]) -> Iterator[News]:
    held: dict[str, Bodies] = {}
    for version in versions:
        now = {ref: _bodies(person) for ref, person in version.persons.items()}
        for ref, bodies in now.items():
            for agency, office in bodies - held.get(ref, set()):
                yield News(agency, office, "offered", str(version.number), ref)
        held = now


def _stepped(versions: list[Version]) -> Iterator[tuple[News, bool]]:
    """What whoever has a part may be told of a step, and whether it must: something that it may see is another."""
    for before, after in pairwise(versions):
        for ref, was in before.persons.items():
            person = after.persons.get(ref)
            for body in _bodies(was):
                changed = person is None or not same(seen(was, body), seen(person, body))
                yield News(*body, "stepped", str(after.number), ref), changed


def _due(case: Case) -> Iterator[News]:
    for fact in case.of("due"):
        data = fact.data
        what = f"{data['last_day']} {data['level']}"
        yield News(data["agency"], data.get("office"), "due", what, data["person"])


def _bodies(person: Person) -> Bodies:
    return {(part["agency"], part["office"]) for part in person["parts"] if part["active"]}
