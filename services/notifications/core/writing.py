"""Writes the words of a letter from its template, in Indonesian and English, as text and as HTML. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from services.notifications.core.pens import HtmlPen, Pen, TextPen

RULE = "-" * 68
_PENS: dict[str, Pen] = {"text": TextPen(), "html": HtmlPen()}
_BLANK = re.compile(r"\n(?:[ \t]*\n){2,}")


class Written(NamedTuple):
    text: str
    html: str


def write(edition: str, letter: str, words: Mapping[str, Any]) -> Written:
    """A letter of an edition of the templates. Raises jinja2.TemplateError: a name is missing or misspelt."""
    parts = {form: _parts(edition, letter, form, words) for form in _PENS}
    text = f"{parts['text']['id']}\n\n{RULE}\n\n{parts['text']['en']}\n\nNetral\n"
    html = _environment("html").get_template(f"{edition}/frame.html").render(words, **parts["html"])
    return Written(text, html)


def _parts(edition: str, letter: str, form: str, words: Mapping[str, Any]) -> dict[str, Any]:
    template = _environment(form).get_template(f"{edition}/{letter}.jinja")
    pen = _PENS[form]
    tools: dict[str, Any] = {
        name: getattr(pen, name) for name in ("greet", "p", "small", "rows", "listed", "link")
    }
    tools |= {
        name: _environment(form).get_template(f"{edition}/{name}.jinja").module for name in ("say", "part")
    }
    found = {}
    for language in ("id", "en"):
        context = template.new_context({**words, **tools, "lang": language})
        content = "".join(template.blocks[language](context))
        # what the pen wrote is escaped already
        found[language] = Markup(content) if form == "html" else _tidy(content)  # noqa: S704
    return found


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return _BLANK.sub("\n\n", lines).strip()


@lru_cache(maxsize=2)
def _environment(form: str) -> Environment:
    return Environment(
        loader=PackageLoader("services.notifications"),
        autoescape=form == "html",  # noqa: S701 - plain text has nothing to escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
