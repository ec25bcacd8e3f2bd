"""Says once what is the same of several persons, so that a case of 56 reads as one story; pure."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

Document = dict[str, Any]
_ABOUT = re.compile(r"(p\d+) (.*)")


def persons_alike(persons: Iterable[Document], *without: str) -> Iterator[tuple[str, Document]]:
    """Persons of whom all is the same but their `ref` and `without`, in the order of the first of each group."""
    groups: dict[str, list[Document]] = {}
    for person in persons:
        told = {k: v for k, v in person.items() if k not in ("ref", *without)}
        groups.setdefault(json.dumps(told, sort_keys=True), []).append(person)
    for group in groups.values():
        yield in_words([str(person["ref"]) for person in group]), group[0]


def entries_alike(timeline: Iterable[Document]) -> Iterator[Document]:
    """The timeline with one entry for what was said of several persons to one body within one second."""
    groups: dict[tuple[str, ...], tuple[Document, list[str]]] = {}
    for entry in timeline:
        found = _ABOUT.fullmatch(entry["what"])
        ref, what = found.groups() if found else ("", entry["what"])
        key = (str(entry["at"])[:19], str(entry["who"]), what, str(entry["why"]))
        first, refs = groups.setdefault(key, (entry, []))
        if not ref and first is not entry:  # the same said twice of nobody stays twice
            groups[(*key, str(len(groups)))] = (entry, [])
        elif ref:
            refs.append(ref)
    for (_, _, what, *_), (entry, refs) in groups.items():
        yield {**entry, "what": f"{in_words(refs)} {what}"} if refs else entry


def in_words(refs: list[str]) -> str:
    """`p1-p3, p7 (4 persons)`; one person stays `p1`."""
    if len(refs) == 1:
        return refs[0]
    numbers = sorted({int(ref[1:]) for ref in refs if re.fullmatch(r"p\d+", ref)})
    if len(numbers) != len(refs):
        return f"{', '.join(refs)} ({len(refs)} persons)"
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    spans = [f"p{run[0]}-p{run[-1]}" if len(run) > 1 else f"p{run[0]}" for run in runs]
    return f"{', '.join(spans)} ({len(refs)} persons)"
