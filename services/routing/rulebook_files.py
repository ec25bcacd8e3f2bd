"""Reads the rulebook's files into rules, or says every mistake with file:line:column."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from contracts.codes import TRIGGERS, Agency, DeadlineUnit, ProgressEvent, Role, ViolationClass
from contracts.decision import Deadline
from services.routing.core.checks import faults_in
from services.routing.core.rules import Assign, Both, Citation, Note, Rule, Rulebook, Source, Version
from services.routing.core.vocabulary import FACTS, OFFICES
from services.routing.yaml_nodes import BrokenRulebook, Node, RuleFault, near, read

HERE = Path(__file__).parent / "rulebook"
COVER = "book.yaml"

_DEADLINE = re.compile(r"([1-9]\d{0,3}) (\w+) since (\w+)")
_SINCE = ("KNOWN", "REPORTED", "OPENED", *ProgressEvent)
_ENDS = (*ProgressEvent, *sorted(TRIGGERS - {"OPENED"}))
_NOTES = ("contested", "open-norm", "not-established")
_SPEECH = ("assign", "class", "review")


def load_rulebook(folder: Path = HERE) -> Rulebook:
    """The rulebook in `folder`: `book.yaml` and every other `*.yaml`. Raises BrokenRulebook."""
    return read_rulebook(files_of(folder), folder.name)


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a rulebook by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.yaml"))}


def read_rulebook(files: Mapping[str, bytes], where: str = "rulebook") -> Rulebook:
    """The rulebook in files by name: `book.yaml` first, the others in order of name. Raises BrokenRulebook.

    The same text is read once: it takes a third of a second, and a service meets what it brings along on the bus too.
    """
    return _read(tuple(sorted(files.items())), where)


@lru_cache(maxsize=4)
def _read(texts: tuple[tuple[str, bytes], ...], where: str) -> Rulebook:
    files, faults = dict(texts), list[RuleFault]()
    if COVER not in files:
        raise BrokenRulebook([RuleFault(where, "book.yaml is missing; every rulebook has one")])
    names = [COVER, *sorted(name for name in files if name != COVER)]
    cover = read(COVER, files[COVER], faults).entries(
        ("rulebook", "version", "checked_on", "sources", "groups"),
        ("rulebook", "version", "sources", "groups"),
    )
    if faults:
        raise BrokenRulebook(faults)
    reader = _Reader(_sources(cover["sources"]), _groups(cover["groups"]))
    rules = [rule for name in names[1:] for rule in reader.rules(read(name, files[name], faults))]
    faults += [RuleFault(where, says) for where, says in faults_in(rules)]
    if faults:
        raise BrokenRulebook(sorted(set(faults), key=_in_order))
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + files[name] for name in names)).hexdigest()
    return Rulebook(
        cover["rulebook"].text(), cover["version"].text(), f"sha256:{digest}", reader.sources, tuple(rules)
    )


class _Reader:
    """Reads rules against the sources and groups of the cover."""

    def __init__(self, sources: dict[str, Source], groups: dict[str, dict[str, frozenset[str]]]) -> None:
        self.sources = sources
        self.groups = groups

    def rules(self, root: Node) -> Iterable[Rule]:
        for node in root.entries(("rules",), ("rules",)).values():
            for item in node.items():
                yield self._rule(item)

    def _rule(self, node: Node) -> Rule:
        needed = ("id", "row", "title", "given", "by", "history")
        # What is missing is a fault already; the stand-in, whose own faults nobody hears, lets all others be found.
        missing = {name: Node(None, node.where, []) for name in needed}
        parts = missing | node.entries((*needed, "exception_to"), needed)
        history = tuple(self._version(item) for item in parts["history"].items())
        return Rule(
            id=parts["id"].text(),
            row=parts["row"].text(),
            title=_both(parts["title"]),
            given=self._given(parts["given"]),
            by="incident"
            if parts["by"].one_of(("incident", "handling"), "a clock") == "incident"
            else "handling",
            history=history,
            exception_to=tuple(n.text() for n in parts["exception_to"].items())
            if "exception_to" in parts
            else (),
            where=node.where,
        )

    def _given(self, node: Node) -> dict[str, frozenset[str]]:
        return {fact: self._values(fact, item) for fact, item in node.entries(FACTS).items() if fact in FACTS}

    def _values(self, fact: str, node: Node) -> frozenset[str]:
        groups = self.groups.get(fact, {})
        known = (*FACTS[fact], *groups)
        texts = [item.one_of(known, f"a value of {fact}") for item in node.several()]
        if not texts:
            node.fault(f"accepts no value of {fact}; name one, or leave {fact} out to accept any")
        return frozenset().union(*(groups.get(text, frozenset({text})) for text in texts))

    def _version(self, node: Node) -> Version:
        names = ("from", "basis", *_SPEECH, "note", "repealed", "expected")
        parts = node.entries(names, ("from",))
        silent = [
            name for name in ("repealed", "expected") if name in parts and parts[name].value is not False
        ]
        if len(silent) == 2:
            node.fault("is both repealed and expected; write one of the two")
        if not silent and not any(name in parts for name in _SPEECH):
            node.fault("says nothing; give it assign, class or review, or write repealed: true")
        if "basis" not in parts or parts["basis"].value == []:
            node.fault(
                f"version from {parts['from'].value if 'from' in parts else '?'} cites no legal basis; add basis"
            )
        return Version(
            since=parts["from"].day() if "from" in parts else _NEVER,
            basis=tuple(self._citation(item) for item in parts["basis"].items()) if "basis" in parts else (),
            assigns=tuple(_assign(item) for item in parts["assign"].several()) if "assign" in parts else (),
            class_=ViolationClass(parts["class"].one_of(ViolationClass, "a class"))
            if "class" in parts
            else None,
            review=_both(parts["review"]) if "review" in parts else None,
            note=_note(parts["note"]) if "note" in parts else None,
            repealed=parts["repealed"].flag() if "repealed" in parts else False,
            expected=parts["expected"].flag() if "expected" in parts else False,
            where=node.where,
        )

    def _citation(self, node: Node) -> Citation:
        key, _, article = node.text().partition("#")
        if key not in self.sources:
            node.fault(f"'{key}' is not a source of this rulebook; " + near(key, self.sources))
            return Citation(Source(key, key, "", _NEVER))
        return Citation(replace(self.sources[key]), article)


def _assign(node: Node) -> Assign:
    names = ("agency", "role", "office", "when", "deadline", "until", "manual", "repeated")
    parts = node.entries(names, names[:4])
    if any(name not in parts for name in names[:4]):
        return Assign(Agency.BAWASLU, Role.ACTION, "CENTRE", "OPENED")
    return Assign(
        agency=Agency(parts["agency"].one_of(Agency, "an agency")),
        role=Role(parts["role"].one_of(Role, "a role")),
        office=parts["office"].one_of(OFFICES, "an office"),
        when=parts["when"].one_of(sorted(TRIGGERS), "a trigger"),
        deadline=_deadline(parts["deadline"]) if "deadline" in parts else None,
        until=frozenset(n.one_of(_ENDS, "a progress event") for n in parts["until"].items())
        if "until" in parts
        else frozenset(),
        manual=parts["manual"].flag() if "manual" in parts else False,
        repeated=parts["repeated"].flag() if "repeated" in parts else False,
    )


def _deadline(node: Node) -> Deadline | None:
    match = _DEADLINE.fullmatch(node.text())
    if not match:
        node.fault("is not a deadline; write for example 14 WORKING_DAY since SUPERVISOR_CONCLUDED")
        return None
    count, unit, since = match.groups()
    unit = Node(unit, node.where, node.faults).one_of(DeadlineUnit, "a unit")
    since = Node(since, node.where, node.faults).one_of(_SINCE, "an event a deadline can start from")
    return Deadline(count=int(count), unit=DeadlineUnit(unit), since=since)


def _sources(node: Node) -> dict[str, Source]:
    items = node.entries()
    sources = {key: _source(key, item) for key, item in items.items()}
    for key, source in sources.items():
        if source.superseded_by and source.superseded_by not in sources:
            items[key].fault(
                f"is superseded by unknown '{source.superseded_by}'; " + near(source.superseded_by, sources)
            )
    return sources


def _source(key: str, node: Node) -> Source:
    parts = node.entries(("title", "iri", "from", "until", "superseded_by", "note"), ("title", "iri", "from"))
    return Source(
        key=key,
        title=parts["title"].text() if "title" in parts else key,
        iri=parts["iri"].text() if "iri" in parts else "",
        in_force_from=parts["from"].day() if "from" in parts else _NEVER,
        until=parts["until"].day() if "until" in parts else None,
        superseded_by=parts["superseded_by"].text() if "superseded_by" in parts else None,
        note=parts["note"].text() if "note" in parts else None,
    )


def _groups(node: Node) -> dict[str, dict[str, frozenset[str]]]:
    return {
        fact: {
            name: frozenset(value.one_of(FACTS[fact], f"a value of {fact}") for value in members.items())
            for name, members in item.entries().items()
        }
        for fact, item in node.entries(FACTS).items()
        if fact in FACTS
    }


def _both(node: Node) -> Both:
    parts = node.entries(("id", "en"), ("id", "en"))
    return Both(parts["id"].text() if "id" in parts else "", parts["en"].text() if "en" in parts else "")


def _note(node: Node) -> Note:
    parts = node.entries(("kind", "text"), ("kind", "text"))
    if len(parts) < 2:
        return Note("", "")
    return Note(parts["kind"].one_of(_NOTES, "a kind of note"), parts["text"].text())


def _in_order(fault: RuleFault) -> tuple[str, int, int, str]:
    name, _, place = fault.where.partition(":")
    line, _, column = place.partition(":")
    return name, int(line or 0), int(column or 0), fault.says


_NEVER = Node("0001-01-01", "", []).day()
