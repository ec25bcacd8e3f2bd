"""The page on which the mails of the local inbox are read: this machine only, no script, HTML shut in a sandbox."""

import email
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from html import escape
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

NEWEST = 200
"""Mails the list shows."""
_COMMON = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_FRAME = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root{{color-scheme:light dark;--line:#8885}}body{{font:16px/1.5 system-ui,sans-serif;margin:0 auto;
max-width:60rem;padding:1rem}}
a{{color:inherit}}h1{{font-size:1.3rem}}ul{{list-style:none;padding:0}}li{{border-bottom:1px solid var(--line)}}
li a{{display:block;padding:.6rem 0;text-decoration:none;min-height:44px}}li a:hover strong,
a:focus-visible strong{{text-decoration:underline}}
small,th{{opacity:.75}}th{{text-align:left;vertical-align:top;padding-right:1rem;font-weight:400}}td{{overflow-wrap:anywhere}}
iframe{{width:100%;height:70vh;border:1px solid var(--line);border-radius:6px;background:#fff}}
pre{{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line);padding:1rem;border-radius:6px}}
</style></head><body>{body}</body></html>"""
_SHOWN = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "X-Envelope-From",
    "X-Netral-Letter",
    "X-Netral-Possible-Duplicate",
    "List-Unsubscribe",
)


@dataclass(frozen=True)
class InboxPage:
    """Reads `folder` anew for each request; nothing can be changed here."""

    folder: Path

    def app(self) -> Starlette:
        """The application; bind it to the loopback interface only."""
        return Starlette(
            routes=[
                Route("/", self.listing),
                Route("/mail/{name}", self.mail),
                Route("/mail/{name}/html", self.html),
                Route("/mail/{name}/source", self.source),
            ]
        )

    async def listing(self, _request: Request) -> Response:
        """The newest mails, newest first."""
        rows = []
        for path in self._newest():
            mail = _read(path)
            rows.append(
                f'<li><a href="/mail/{escape(path.name)}"><strong>{_of(mail, "Subject")}</strong><br>'
                f"<small>{_of(mail, 'To')} · {_of(mail, 'Date')}</small></a></li>"
            )
        body = "<h1>Netral inbox</h1>" + (f"<ul>{''.join(rows)}</ul>" if rows else "<p>No mail yet.</p>")
        return _page("Netral inbox", body)

    async def mail(self, request: Request) -> Response:
        """One mail: its headers, its HTML in a frame without rights, and its text."""
        path = self._path(request)
        if path is None:
            return _page("Not found", "<p>There is no such mail.</p>", 404)
        mail = _read(path)
        heads = "".join(
            f"<tr><th>{name}</th><td>{_of(mail, name)}</td></tr>" for name in _SHOWN if mail[name] is not None
        )
        link = f"/mail/{escape(path.name)}"
        text = mail.get_body(("plain",))
        body = (
            f'<p><a href="/">All mails</a> · <a href="{link}/source">Source</a></p><table>{heads}</table>'
            f'<iframe sandbox="" src="{link}/html" title="The letter as HTML"></iframe>'
            f"<h1>Text</h1><pre>{escape(str(text.get_content())) if text else '-'}</pre>"
        )
        return _page(str(mail["Subject"] or "-"), body)

    async def html(self, request: Request) -> Response:
        """The HTML of a mail as a mail program would show it: no script, no form, nothing loaded."""
        path = self._path(request)
        part = _read(path).get_body(("html",)) if path else None
        if part is None:
            return HTMLResponse("<p>No HTML.</p>", 404, {**_COMMON, "Content-Security-Policy": _MAIL_POLICY})
        headers = {**_COMMON, "Content-Security-Policy": _MAIL_POLICY}
        return HTMLResponse(str(part.get_content()), headers=headers)

    async def source(self, request: Request) -> Response:
        """The file as it was stored."""
        path = self._path(request)
        if path is None:
            return PlainTextResponse("There is no such mail.", 404, _COMMON)
        return PlainTextResponse(path.read_text("utf-8", "replace"), headers=_COMMON)

    def _newest(self) -> list[Path]:
        files = [(path.stat().st_mtime_ns, path) for path in self.folder.glob("*.eml")]
        return [path for _, path in sorted(files, reverse=True)[:NEWEST]]

    def _path(self, request: Request) -> Path | None:
        """The file a request names, if it is one of the inbox; a name never leaves the folder."""
        name = request.path_params["name"]
        known = name.endswith(".eml") and "/" not in name and not name.startswith(".")
        path = self.folder / name
        return path if known and path.is_file() else None


def _read(path: Path) -> EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=policy.default)


def _of(mail: EmailMessage, name: str) -> str:
    return escape(str(mail[name] or "-"))


def _page(title: str, body: str, status: int = 200) -> Response:
    content = _FRAME.format(title=escape(title), body=body)
    return HTMLResponse(content, status, {**_COMMON, "Content-Security-Policy": _PAGE_POLICY})
