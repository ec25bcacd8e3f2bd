"""HTTP from the command line: our own services, and the sentence for when they do not answer."""

import json
from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from services.cli.errors import BAD_INPUT, Stop, Unknown
from services.cli.story import matters_lines
from services.runtime.addresses import listening_at
from services.runtime.settings import BadSettings, Settings, load

S = TypeVar("S", bound=Settings)

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def settings_of(kind: type[S]) -> S:
    """The settings of one process. Raises Stop (2)."""
    try:
        return load(kind)
    except BadSettings as problem:
        raise Stop(str(problem), BAD_INPUT) from None


def address(host: str, port: int) -> str:
    """The address under which this machine reaches a service that listens on `host`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - read, not bound
    return listening_at(host, port)


def through_proxy(url: httpx.URL) -> bool:
    """Whether the proxies of the environment apply; never to this machine itself."""
    return url.host not in _LOOPBACK


def base_url(text: str) -> httpx.URL:
    """The address a person typed. Raises Stop (2)."""
    try:
        parts = urlsplit(text.rstrip("/"))
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return httpx.URL(parts.geturl())
    except (ValueError, httpx.InvalidURL):
        pass
    raise Stop(f"--url: {text[:100]!r} is not an address; write it as http://host:port", BAD_INPUT)


def get(url: str, headers: dict[str, str], *, what: str, params: dict[str, str] | None = None) -> Any:
    """The JSON answer of one of our services. Raises Stop naming `what` was asked for."""
    return call("GET", url, headers, what=what, params=params)


def call(
    method: str,
    url: str,
    headers: dict[str, str],
    *,
    what: str,
    params: dict[str, str] | None = None,
    body: Any = None,
    patience: float = 30,
) -> Any:
    """The JSON answer within `patience` seconds to a JSON body. Raises Stop naming `what` was asked for or done."""
    try:
        with httpx.Client(timeout=patience, trust_env=through_proxy(httpx.URL(url))) as client:
            response = client.request(method, url, headers=headers, params=params, json=body)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise _silent(url, problem) from None
    if response.status_code in (httpx.codes.OK, httpx.codes.CREATED):
        return json_of(response, what)
    raise _refusal(response, what)


def lines_of(url: str, headers: dict[str, str], *, what: str, body: Any) -> Iterator[Any]:
    """The lines of JSON that answer a POST, as they come. Raises Stop."""
    client = httpx.Client(timeout=httpx.Timeout(30, read=600), trust_env=through_proxy(httpx.URL(url)))
    try:
        with client, client.stream("POST", url, headers=headers, json=body) as response:
            if response.status_code != httpx.codes.OK:
                response.read()
                raise _refusal(response, what)
            for line in response.iter_lines():
                yield json.loads(line)
    except (httpx.HTTPError, httpx.InvalidURL, json.JSONDecodeError) as problem:
        raise Stop(f"{what}: the connection broke ({type(problem).__name__}); run it again") from None


def json_of(response: httpx.Response, what: str) -> Any:
    """The body of an answer as JSON. Raises Stop."""
    try:
        return response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise Stop(f"{what}: the answer is not JSON; is this the address of Netral?") from None


def _silent(url: str, problem: Exception) -> Stop:
    where = str(httpx.URL(url).copy_with(raw_path=b"/")).rstrip("/")
    hangs = isinstance(problem, httpx.ReadTimeout)
    cure = "it hangs: restart it (docs/operations.md, Restart)" if hangs else "start it with `netral up`"
    return Stop(f"{where}: does not answer ({type(problem).__name__}); {cure}")


def _refusal(response: httpx.Response, what: str) -> Stop:
    told = problem_of(response)
    now = matters_lines(told.get("persons", ()))
    said = [told.get("detail") or response.reason_phrase, *told.get("faults", ()), *now]
    detail = "\n".join(map(str, said))
    match response.status_code:
        case 401 | 403:
            cure = "the key in secrets/agency-keys.json is not the one routing knows; restart `netral up`"
            return Stop(f"{what}: {cure}")
        case 404:
            return Unknown(f"{what}: is not known; check the spelling", BAD_INPUT)
        case 400 | 409 | 413 | 422:
            return Stop(f"{what}: {detail}", BAD_INPUT)
    return Stop(f"{what}: the service answered {response.status_code}: {detail}")


def problem_of(response: httpx.Response) -> dict[str, Any]:
    """The problem document (RFC 9457) of an answer, or an empty one."""
    try:
        document = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return document if isinstance(document, dict) else {}
