"""The door at which a reader ends optional mail: one click for mail programs (RFC 8058), a page that asks for people."""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.notifications.commits import LedgerAway
from services.notifications.core.refusing import reader_of
from services.notifications.ledger import Ledger
from services.notifications.refusals import subscribe, unsubscribe
from services.runtime.clock import Clock
from services.runtime.http import TooLarge, TooSlow, body_within, problem
from services.runtime.logs import log

PATH = "/mail/unsubscribe/{token}"
_MOST = 2_000
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_PAGE = """<!DOCTYPE html><html lang="id"><head><meta charset="utf-8"><title>Netral</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root{{color-scheme:light dark}}body{{font:18px/1.5 system-ui,sans-serif;max-width:34rem;
margin:3rem auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 1.2rem;min-height:44px}}p.en{{opacity:.8}}</style></head>
<body><main><h1>{title}</h1><p>{id}</p><p class="en" lang="en">{en}</p>{form}</main></body></html>"""
_BUTTON = '<form method="post"><input type="hidden" name="do" value="{do}"><button type="submit">{words}</button></form>'


class RefusingDoor:
    """Says neither who the reader is nor what is stored; both ways can be repeated."""

    def __init__(self, ledger: Ledger, clock: Clock, key: bytes) -> None:
        self._ledger = ledger
        self._clock = clock
        self._key = key

    def route(self) -> Route:
        return Route(PATH, self.handle, methods=["GET", "POST"])

    async def handle(self, request: Request) -> Response:
        reader = reader_of(request.path_params["token"], self._key)
        if reader is None:
            return _page(
                "Tautan tidak dikenal",
                "Salin tautan lengkap dari surat.",
                "This link is not ours; copy the whole link from the letter.",
                status=404,
            )
        if request.method != "POST":
            return _asking()
        try:
            body = (await body_within(request, _MOST)).decode("ascii", "replace")
        except (TooLarge, TooSlow):
            return problem(413, "Too large", "A mail program sends one short line here; send that.")
        try:
            return await self._done(reader, body)
        except LedgerAway:
            return problem(503, "Try later", "This cannot be stored now; try again in a minute.")

    async def _done(self, reader: str, body: str) -> Response:
        if "do=resume" in body:
            await subscribe(self._ledger, reader)
            log("mail.subscribed", audience=reader.partition("/")[0])
            return _page("Terima kasih", "Surel perkembangan dikirim lagi.", "News is mailed again.")
        if "List-Unsubscribe=One-Click" in body or "do=stop" in body:
            await unsubscribe(self._ledger, reader, self._clock())
            log("mail.unsubscribed", audience=reader.partition("/")[0])
            return _page(
                "Sudah dihentikan",
                "Surel perkembangan tidak dikirim lagi. Surat resmi tentang kewajiban dan batas waktu tetap dikirim.",
                "No more news by e-mail. Official letters about duties and time limits are still sent.",
                _BUTTON.format(do="resume", words="Kirim lagi / Send again"),
            )
        return _asking()


def _asking() -> Response:
    return _page(
        "Berhenti menerima surel perkembangan?",
        "Hanya surel perkembangan yang dihentikan. Surat resmi tentang kewajiban dan batas waktu tetap dikirim.",
        "Stop news by e-mail? Official letters about duties and time limits are still sent.",
        _BUTTON.format(do="stop", words="Ya, hentikan / Yes, stop"),
    )


def _page(title: str, indonesian: str, english: str, form: str = "", status: int = 200) -> Response:
    words = {"title": escape(title), "id": escape(indonesian), "en": escape(english), "form": form}
    return HTMLResponse(_PAGE.format(**words), status, _HEADERS)
