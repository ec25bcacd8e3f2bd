"""Who may come through a door: the key first, then the name in the path; a refusal never tells which was wrong."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from services.routing.keys import OPERATOR, Holder, Keys
from services.runtime.http import bearer, problem

Door = Callable[[Request, Holder], Awaitable[Response]]
NO_STORE = {"Cache-Control": "no-store"}


def guarded(keys: Keys, door: Door) -> Callable[[Request], Awaitable[Response]]:
    """A door that opens for the agency in its path, or for the operator where it names none."""

    async def through(request: Request) -> Response:
        holder = await keys.holder(bearer(request))
        if holder is None:
            refusal = problem(401, "Who are you?", "Send your API key as Authorization: Bearer …")
            refusal.headers["WWW-Authenticate"] = "Bearer"
            return refusal
        wanted = request.path_params.get("agency", OPERATOR)
        return await door(request, holder) if holder.agency == wanted else nothing_here()

    return through


def nothing_here() -> Response:
    """The one answer for a case that does not exist and for one that is not yours."""
    return problem(404, "Not here", "There is no such case for this key; check the address and the key.")
