"""Runs the catalogue against a URL and says what its makers must mend."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

import httpx
from rich.table import Table
from rich.text import Text

from contracts.receiver.signing import BadKey, PrivateKey, PublicKey, key_of
from deploy.local.secrets import write_private
from services.cli.conforming.catalogue import CHALLENGED, Catalogue, Check, Shot, SigningKey, Wanted
from services.cli.console import complain, printable, tables, write_json
from services.cli.errors import BAD_INPUT, TROUBLE, Stop
from services.cli.web import base_url, through_proxy
from services.runtime.clock import now

PATIENCE = 15.0
"""Seconds in which a receiver must answer."""


@dataclass(frozen=True)
class Found:
    """How one check ended; `answers` are the statuses, or why there was none."""

    check: str
    good: bool
    wanted: str
    answers: tuple[str, ...]
    mend: str | None


def conform(url: str, key_file: str, *, as_json: bool) -> int:
    """Run every check; 1 if one fails. Raises Stop (2) for an address or a key that cannot be used."""
    address, key = base_url(url), _key(Path(key_file))
    found = asyncio.run(_all(address, Catalogue(key, now()).checks()))
    if as_json:
        write_json([asdict(one) for one in found])
    else:
        _print(found)
    return 0 if all(one.good for one in found) else TROUBLE


async def _all(url: httpx.URL, checks: list[Check]) -> list[Found]:
    limits = httpx.Limits(max_connections=50)
    async with httpx.AsyncClient(timeout=PATIENCE, limits=limits, trust_env=through_proxy(url)) as http:
        return [await _one(http, url, check) for check in checks]


async def _one(http: httpx.AsyncClient, url: httpx.URL, check: Check) -> Found:
    if check.together:
        answers = await asyncio.gather(*(_sent(http, url, shot, check.wanted) for shot in check.shots))
    else:
        answers = [await _sent(http, url, shot, check.wanted) for shot in check.shots]
    good = all(fine for fine, _ in answers)
    said = tuple(dict.fromkeys(text for _, text in answers))
    return Found(check.name, good, check.wanted, said, None if good else check.cure)


async def _sent(http: httpx.AsyncClient, url: httpx.URL, shot: Shot, wanted: Wanted) -> tuple[bool, str]:
    headers = {"content-type": "application/cloudevents+json; charset=utf-8", **shot.headers}
    content = _dripping(shot.body) if shot.slow else shot.body
    began = monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await http.post(url, content=content, headers=headers)
    except (httpx.HTTPError, TimeoutError) as problem:
        late = isinstance(problem, httpx.TimeoutException | TimeoutError)
        return wanted is Wanted.CALM and not late, _trouble(problem, late=late)
    took = monotonic() - began
    return _fits(answer, wanted), f"{answer.status_code} in {took:.0f} s" if took >= 3 else str(
        answer.status_code
    )


def _fits(answer: httpx.Response, wanted: Wanted) -> bool:
    kind = answer.status_code // 100
    match wanted:
        case Wanted.TAKEN:
            return kind == 2
        case Wanted.REFUSED:
            return kind == 4
        case Wanted.CALM:
            return kind in (2, 4)
    try:
        document = answer.json()
    except ValueError:
        return False
    return (
        answer.status_code == 200 and isinstance(document, dict) and document.get("challenge") == CHALLENGED
    )


async def _dripping(body: bytes) -> AsyncIterator[bytes]:
    size = len(body) // 4 + 1
    for start in range(0, len(body), size):
        yield body[start : start + size]
        await asyncio.sleep(0.5)


def _trouble(problem: Exception, *, late: bool) -> str:
    return f"no answer within {PATIENCE:.0f} s" if late else f"no answer ({type(problem).__name__})"


def _key(path: Path) -> SigningKey:
    """The key of the run; a new one is made where there is none. Raises Stop."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        new = PrivateKey(secrets.token_bytes(32))
        write_private(path, f"whsk_{base64.b64encode(new.seed).decode()}\n")
        raise Stop(
            f"{path}: made a new key for this. Give your receiver its public half {new.public} and run it again.",
            BAD_INPUT,
        ) from None
    try:
        key = key_of(text)
    except BadKey as problem:
        raise Stop(f"{path}: {problem}", BAD_INPUT) from None
    if isinstance(key, PublicKey):
        raise Stop(f"{path}: a public key cannot sign; put whsk_… or whsec_… there", BAD_INPUT)
    return key


def _print(found: list[Found]) -> None:
    table = Table("", "Check", "Wanted", "Answered", "What to mend")
    for one in found:
        mark = Text("ok", style="green") if one.good else Text("MEND", style="red")
        cells = [one.check, one.wanted, ", ".join(one.answers), one.mend or ""]
        table.add_row(mark, *(Text(printable(cell), overflow="fold") for cell in cells))
    tables().print(table)
    bad = [one for one in found if not one.good]
    if bad:
        complain(
            f"{len(bad)} of {len(found)} checks failed; docs/streams.md tells more, and the kit does it right."
        )
    else:
        tables().print(f"All {len(found)} checks are as they must be.")
