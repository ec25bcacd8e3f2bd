"""The rulebook as tables a lawyer signs: Markdown to read, CSV to sort; generated, never edited."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Literal

from services.routing.core.rules import Assign, Both, Rule, Rulebook, Source, Version
from services.routing.core.vocabulary import FACTS
from services.routing.rules.sentences import Speaker, state

Language = Literal["id", "en"]

COLUMNS = (
    *("rule", "row", "conditions", "clock", "since", "until", "state", "agency", "role", "office", "when"),
    *("deadline", "class", "review", "basis", "note"),
)
"""The columns of both forms; CSV puts `chapter` before them and the sentences after them."""

_HEADS = {
    "id": dict(
        zip(
            COLUMNS,
            (
                *(
                    "aturan",
                    "baris",
                    "syarat",
                    "tanggal acuan",
                    "sejak",
                    "sampai sebelum",
                    "keadaan",
                    "lembaga",
                ),
                *("peran", "kantor", "saat", "batas waktu", "golongan", "pertanyaan", "dasar", "catatan"),
            ),
            strict=True,
        )
    ),
    "en": {name: name if name != "until" else "before" for name in COLUMNS},
}


@dataclass(frozen=True)
class Shown:
    """One version of one rule that is to be shown, with its sentences."""

    rule: Rule
    number: int
    sentence: Both

    @property
    def version(self) -> Version:
        return self.rule.history[self.number]

    @property
    def chapter(self) -> str:
        return self.rule.where.partition(":")[0]


def shown(book: Rulebook, on: date | None = None) -> tuple[Shown, ...]:
    """All versions, or those in force `on` a day; expected law of that day is shown too, marked as not in force."""
    speaker = Speaker(book)
    return tuple(
        Shown(rule, number, speaker.sentence(rule, number))
        for rule in book.rules
        for number in range(len(rule.history))
        if on is None or _shown_on(rule, number, on)
    )


def markdown(book: Rulebook, on: date | None = None, language: Language | None = None) -> str:
    """The whole rulebook: for each chapter a table, then a sentence for each version, in one language or both."""
    parts = [_cover(book, on), _sources(book)]
    for chapter, versions in groupby(shown(book, on), key=lambda item: item.chapter):
        parts.append(_chapter(chapter, list(versions), language))
    return "\n\n".join(parts) + "\n"


def comma_separated(book: Rulebook, on: date | None = None, language: Language | None = None) -> str:
    """The same rows as CSV (RFC 4180), one for each assignment, under one heading, with the sentences last."""
    languages = _languages(language)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("chapter", *COLUMNS, *(f"sentence_{name}" for name in languages)))
    for item in shown(book, on):
        for row in _rows(item, language):
            said = (getattr(item.sentence, name) for name in languages)
            writer.writerow((item.chapter, *row, *said))
    return out.getvalue()


def _shown_on(rule: Rule, number: int, on: date) -> bool:
    version = rule.history[number]
    return version.since <= on if version.expected else rule.version_on(on) is version


def _languages(language: Language | None) -> tuple[Language, ...]:
    return (language,) if language else ("id", "en")


def _cover(book: Rulebook, on: date | None) -> str:
    day = f"\n\nBerlaku pada / in force on: {on}" if on else ""
    return f"# {book.id} {book.version}\n\n`{book.digest}`{day}"


def _sources(book: Rulebook) -> str:
    head = (
        "kunci / key",
        "judul / title",
        "IRI",
        "sejak / from",
        "sampai sebelum / before",
        "diganti / superseded by",
    )
    rows = [_source(source) for source in book.sources.values()]
    return "## Sumber / Sources\n\n" + _table((*head, "catatan / note"), rows)


def _source(source: Source) -> tuple[str, ...]:
    ends = str(source.until or "")
    return (
        *(source.key, source.title, source.iri, str(source.in_force_from), ends),
        *(source.superseded_by or "", source.note or ""),
    )


def _chapter(chapter: str, versions: Sequence[Shown], language: Language | None) -> str:
    languages = _languages(language)
    head = [" / ".join(dict.fromkeys(_HEADS[name][column] for name in languages)) for column in COLUMNS]
    table = _table(head, [row for item in versions for row in _rows(item, language)])
    said = [_said(item, languages) for item in versions]
    return f"## {chapter}\n\n{table}\n\n" + "\n\n".join(said)


def _said(item: Shown, languages: Sequence[Language]) -> str:
    title = " / ".join(getattr(item.rule.title, name) for name in languages)
    lines = [f"**{item.rule.id}** ({item.rule.row}) {title}"]
    lines += [f"- {getattr(item.sentence, name)}" for name in languages]
    return "\n".join(lines)


def _rows(item: Shown, language: Language | None) -> Iterator[tuple[str, ...]]:
    """One row for each assignment of a version; a version without any has one."""
    for assign in item.version.assigns or (None,):
        yield _row(item, assign, language)


def _row(item: Shown, assign: Assign | None, language: Language | None) -> tuple[str, ...]:
    rule, version = item.rule, item.version
    since, until = rule.interval(item.number)
    return (
        *(rule.id, rule.row, _conditions(rule), rule.by, str(since), str(until or "")),
        *(_both(state(version), language), *_part(assign), version.class_ or ""),
        *(_both(version.review, language), ", ".join(map(str, version.basis))),
        f"{version.note.kind}: {version.note.text}" if version.note else "",
    )


def _part(assign: Assign | None) -> tuple[str, ...]:
    if assign is None:
        return ("",) * 5
    marks = [name for name in ("manual", "repeated") if getattr(assign, name)]
    when = assign.when + "".join(f" ({mark})" for mark in marks)
    limit = assign.deadline
    deadline = f"{limit.count} {limit.unit} since {limit.since}" if limit else ""
    return assign.agency, assign.role, assign.office, when, deadline


def _conditions(rule: Rule) -> str:
    """The conditions in the codes of the files; a group stands as its values."""
    return "; ".join(
        f"{fact}: {', '.join(str(value) for value in FACTS[fact] if value in values)}"
        for fact, values in rule.given.items()
    )


def _both(text: Both | None, language: Language | None) -> str:
    return " / ".join(getattr(text, name) for name in _languages(language)) if text else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    """A cell cannot hold a line break or a bar."""
    return " ".join(text.split()).replace("|", "\\|")
