"""Two pens that write the same letter: one as plain text of 72 columns, one as HTML that needs no image and no script."""

import re
import textwrap
from collections.abc import Sequence
from typing import Protocol

from markupsafe import Markup, escape

_WIDTH = 72
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_LINK = re.compile(r"(?i)(?:\b[a-z][a-z0-9+.-]{1,15}:(?=/|[^\s])|\bwww\.)")
MOST = 600
"""Characters of a word that comes from elsewhere."""

Rows = Sequence[tuple[str, str]]


def plain(text: str) -> str:
    """A word from elsewhere as it may stand in a letter: one line, no control, no direction, nothing to click on.

    No text of a reporter gets here at all; this is for codes and names that came over the bus.
    """
    flat = " ".join(_UNSEEN.sub(" ", text).split())
    return _LINK.sub(lambda found: found.group().replace(":", " ").replace(".", " "), flat)[:MOST]


class Pen(Protocol):
    """What a template can write; every method gives one block of the letter."""

    def greet(self, text: str) -> str: ...
    def p(self, text: str) -> str: ...
    def small(self, text: str) -> str: ...
    def rows(self, rows: Rows) -> str: ...
    def listed(self, title: str, items: Sequence[str]) -> str: ...
    def link(self, words: str, url: str) -> str: ...


class TextPen:
    """Lines of at most 72 characters, but never a broken link."""

    def greet(self, text: str) -> str:
        return self.p(text)

    def p(self, text: str) -> str:
        return _filled(text) + "\n\n"

    def small(self, text: str) -> str:
        return self.p(text)

    def rows(self, rows: Rows) -> str:
        wide = max(len(label) for label, _ in rows)
        return "\n".join(_filled(value, f"  {label:<{wide}} : ", wide + 5) for label, value in rows) + "\n\n"

    def listed(self, title: str, items: Sequence[str]) -> str:
        if not items:
            return ""
        lines = [_filled(item, "  - ", 4) for item in items]
        return "\n".join([_filled(title), *lines]) + "\n\n"

    def link(self, words: str, url: str) -> str:
        return f"{_filled(words)}\n  {url}\n\n"


class HtmlPen:
    """Styles stand at each element, because readers of mail drop style sheets; the sheet only adds dark and narrow."""

    def greet(self, text: str) -> str:
        return Markup('<p class="greet" style="margin:0 0 16px;font-weight:600">{}</p>').format(text)

    def p(self, text: str) -> str:
        return Markup('<p style="margin:0 0 16px">{}</p>').format(text)

    def small(self, text: str) -> str:
        return Markup(
            '<p class="small" style="margin:0 0 12px;font-size:14px;line-height:1.45;color:#4a5560">{}</p>'
        ).format(text)

    def rows(self, rows: Rows) -> str:
        row = Markup(
            '<tr><th scope="row" class="label" style="text-align:left;vertical-align:top;font-weight:400;'
            'padding:3px 16px 3px 12px;width:1%;color:#4a5560;white-space:nowrap">{}</th>'
            '<td class="value" style="vertical-align:top;padding:3px 0;overflow-wrap:anywhere">{}</td></tr>'
        )
        body = Markup("").join(row.format(label, value) for label, value in rows)
        return Markup(
            '<table role="presentation" class="rows" style="border-collapse:collapse;margin:0 0 16px;'
            'border-left:3px solid #1f5f8b;width:100%"><tbody>{}</tbody></table>'
        ).format(body)

    def listed(self, title: str, items: Sequence[str]) -> str:
        if not items:
            return ""
        lines = Markup("").join(Markup('<li style="margin:0 0 6px">{}</li>').format(item) for item in items)
        return Markup(
            '<p style="margin:0 0 6px">{}</p><ul style="margin:0 0 16px;padding-left:22px">{}</ul>'
        ).format(title, lines)

    def link(self, words: str, url: str) -> str:
        return Markup(
            '<p style="margin:0 0 16px">{words}<br><a class="link" href="{url}" '
            'style="color:#1f5f8b;overflow-wrap:anywhere;word-break:break-word">{shown}</a></p>'
        ).format(words=words, url=url, shown=escape(url))


def _filled(text: str, first: str = "", indent: int = 0) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
