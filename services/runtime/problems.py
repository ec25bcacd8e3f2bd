"""Refusals over HTTP, after RFC 9457; none tells anything from inside."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response


class _Problem(JSONResponse):
    media_type = "application/problem+json"


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    type: str = "about:blank",  # noqa: A002 - the member is called so
    **extra: Any,
) -> Response:
    """An answer that no cache keeps; `extra` are further members, JSON values."""
    content = {"type": type, "title": title, "status": status, "detail": detail, **extra}
    return _Problem(content, status, {"Cache-Control": "no-store"})


def internal_error() -> Response:
    """The one answer to everything that went wrong on our side."""
    return problem(500, "Internal error", "This failed on our side and has been noted; try again later.")


def cut_off() -> Response:
    """The one answer to whoever was not answered before we had to stop; what was asked may have been done."""
    answer = problem(
        503, "Stopping", "This process had to stop before it could answer; send the request again."
    )
    answer.headers["Retry-After"] = "5"
    return answer


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return internal_error()
    headers = error.headers or {}
    answer = problem(
        error.status_code, HTTPStatus(error.status_code).phrase, _detail(error.status_code, headers)
    )
    answer.headers.update(headers)
    return answer


async def _left(_request: Request, _error: Exception) -> Response:
    return problem(
        400, "Incomplete", "The connection ended before the whole body had arrived; send it again."
    )


async def _failed(_request: Request, _error: Exception) -> Response:
    return internal_error()


def _detail(status: int, headers: Mapping[str, str]) -> str:
    match status:
        case 404:
            return "There is nothing at this address; check it against the API document."
        case 405:
            return f"This address takes {headers.get('Allow', 'other methods')}; use that."
        case _:
            return "The request was refused; check it against the API document."


exception_handlers: dict[Any, Callable[[Request, Exception], Any]] = {
    HTTPException: _refused,
    ClientDisconnect: _left,
    Exception: _failed,
}
"""For Starlette: unknown addresses, wrong methods and our own failures as problem+json."""
