"""Who may come through a door: the key first, then the name in the path; a refusal never tells which was wrong."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from services.routing.agencies.keyring import Scope
from services.routing.agencies.rates import Spent
from services.routing.bodies import later
from services.routing.keys import OPERATOR, Holder, Keys
from services.runtime.http import bearer, problem

Door = Callable[[Request, Holder], Awaitable[Response]]
NOT_COUNTED = Spent(True, {})
NO_STORE = {"Cache-Control": "no-store"}


def guarded(keys: Keys, door: Door, scope: Scope | None = None) -> Callable[[Request], Awaitable[Response]]:
    """A door that opens for the agency in its path, or for the operator where it names none.

    The key needs `scope`; where none is named, reading needs `read` and everything else `act`. Requests of agencies
    are counted for each key; the operator's are not.
    """

    async def through(request: Request) -> Response:
        if not keys.opened:
            return later("Netral is starting and does not know every key yet; try again soon.")
        holder = await keys.holder(bearer(request))
        if holder is None:
            return who_are_you()
        spent = await keys.rates.spend(str(holder.key_id)) if holder.agency != OPERATOR else NOT_COUNTED
        answer = await _inside(request, holder) if spent.allowed else too_often()
        answer.headers.update(spent.headers)
        return answer

    async def _inside(request: Request, holder: Holder) -> Response:
        if holder.agency != request.path_params.get("agency", OPERATOR):
            return nothing_here()
        if "\0" in request.url.path or "\0" in "".join(request.query_params.values()):
            return nothing_here()  # no id or name of ours has it, and PostgreSQL cannot even be asked
        needed = scope or (Scope.READ if request.method in ("GET", "HEAD") else Scope.ACT)
        return await door(request, holder) if needed in holder.scopes else not_with_this_key(needed)

    return through


def who_are_you() -> Response:
    """The one answer to no key and to one that is unknown, expired or revoked."""
    refusal = problem(401, "Who are you?", "Send your API key as Authorization: Bearer …")
    refusal.headers["WWW-Authenticate"] = "Bearer"
    return refusal


def not_with_this_key(scope: Scope) -> Response:
    """Said only to a body at its own address, so it tells nothing of anybody else."""
    refusal = problem(403, "Not with this key", f"This needs a key with the scope {scope}; ask the operator.")
    refusal.headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{scope}"'
    return refusal


def too_often() -> Response:
    """Its headers say when to come again."""
    return problem(429, "Too many requests", "This key asks too often; wait as Retry-After says.")


def nothing_here() -> Response:
    """The one answer for a case that does not exist and for one that is not yours."""
    return problem(404, "Not here", "There is no such case for this key; check the address and the key.")
