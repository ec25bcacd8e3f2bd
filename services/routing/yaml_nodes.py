"""YAML read strictly, with the place of every value, so that each fault can say file:line:column."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, NodeEvent
from ruamel.yaml.parser import Parser
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.scalarstring import ScalarString
from ruamel.yaml.scanner import Scanner


@dataclass(frozen=True)
class RuleFault:
    """One authoring mistake: where it stands and what to do about it."""

    where: str
    says: str

    def __str__(self) -> str:
        return f"{self.where}: {self.says}"


class BrokenRulebook(Exception):
    """The rulebook cannot be used; `faults` are all mistakes found."""

    def __init__(self, faults: Iterable[RuleFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(frozen=True)
class Node:
    """A value and its place; the readers note a fault and give a harmless stand-in, so that all faults are found."""

    value: Any
    where: str
    faults: list[RuleFault]

    def fault(self, says: str) -> None:
        self.faults.append(RuleFault(self.where, says))

    def entries(
        self, allowed: Iterable[str] | None = None, required: Iterable[str] = ()
    ) -> "dict[str, Node]":
        """The entries of a mapping. Unknown and missing names are faults."""
        if not isinstance(self.value, CommentedMap):
            self.fault("is not a mapping; write name: value")
            return {}
        found = {str(key): Node(item, self._at_key(key), self.faults) for key, item in self.value.items()}
        names = list(allowed) if allowed is not None else list(found)
        for name in found:
            if name not in names:
                Node(None, self._at_key(name), self.faults).fault(
                    f"'{name}' is not known here; " + near(name, names)
                )
        for name in required:
            if name not in found:
                self.fault(f"'{name}' is missing; add it")
        return found

    def items(self) -> "list[Node]":
        """The items of a list."""
        if not isinstance(self.value, CommentedSeq):
            self.fault("is not a list; write [a, b]")
            return []
        return [Node(item, self._at_item(number), self.faults) for number, item in enumerate(self.value)]

    def several(self) -> "list[Node]":
        """The items of a list, or the one value where no list is written."""
        return self.items() if isinstance(self.value, CommentedSeq) else [self]

    def text(self) -> str:
        if isinstance(self.value, date):
            return str(self.value)
        if not isinstance(self.value, str | ScalarString) or not self.value:
            self.fault("is not text; put it in quotes")
            return ""
        return str(self.value)

    def day(self) -> date:
        try:
            return date.fromisoformat(str(self.value))
        except ValueError:
            self.fault(f"'{self.value}' is not a day of the calendar; write YYYY-MM-DD")
            return date.min

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            self.fault("is neither true nor false")
        return bool(self.value)

    def one_of(self, known: Iterable[str], what: str) -> str:
        """The value as one of the known ones; anything else is a fault with the nearest one named."""
        known, text = list(known), self.text()
        if text in known:
            return text
        if text:
            self.fault(f"'{text}' is not {what}; " + near(text, known))
        return known[0]

    def _at_key(self, key: Any) -> str:
        try:
            line, column = self.value.lc.key(key)
        except (KeyError, AttributeError, TypeError):
            return self.where
        return _moved(self.where, line, column)

    def _at_item(self, number: int) -> str:
        line, column = self.value.lc.item(number)
        return _moved(self.where, line, column)


def near(text: str, known: Iterable[str]) -> str:
    """The cure for a misspelt name: the nearest known one, or all of them."""
    known = list(known)
    found = [name for name in known if _same_letters(name, text)] or get_close_matches(text, known, 1, 0.6)
    return f"did you mean '{found[0]}'?" if found else "write one of " + ", ".join(known)


def _same_letters(one: str, other: str) -> bool:
    """Whether two names differ in the order of their letters only; that is the likelier slip."""
    return sorted(one.casefold()) == sorted(other.casefold())


def read(name: str, raw: bytes, faults: list[RuleFault]) -> Node:
    """The root of a YAML 1.2 file; what cannot be read is one fault with its place."""
    yaml = YAML(typ="rt")
    yaml.constructor.yaml_constructors = {**yaml.constructor.yaml_constructors}
    yaml.constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: node.value)
    yaml.Scanner, yaml.Parser = Scanner, Parser  # those for round trips gather comments as well
    yaml.Composer = _Composer
    nothing = Node(CommentedMap(), f"{name}:1:1", [])
    try:
        value = yaml.load(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        faults.append(RuleFault(_at_offset(name, raw[: error.start]), "is not UTF-8; save the file as UTF-8"))
        return nothing
    except YAMLError as error:
        faults.append(_not_yaml(name, raw, error))
        return nothing
    except (ValueError, LookupError, RecursionError):
        # What the library does not foresee in a tag or a number.
        says = "holds a tag such as !!int, a number or a depth that cannot be read; write plain values"
        faults.append(RuleFault(f"{name}:1:1", says))
        return nothing
    return Node(value if value is not None else CommentedMap(), f"{name}:1:1", faults)


class _Composer(Composer):  # type: ignore[misc] # untyped
    """An anchor that stands twice is a mistake here, where YAML lets the later one hold."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if (
            isinstance(event, NodeEvent)
            and not isinstance(event, AliasEvent)
            and event.anchor in self.anchors
        ):
            raise ComposerError(None, None, f"found duplicate anchor {event.anchor!r}", event.start_mark)
        return super().compose_node(parent, index)


def _not_yaml(name: str, raw: bytes, error: YAMLError) -> RuleFault:
    if isinstance(error, ReaderError):
        before = raw.decode("utf-8")[: error.position].encode("utf-8")
        return RuleFault(_at_offset(name, before), "holds a character that is not text; delete it")
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
    problem = error.problem if isinstance(error, MarkedYAMLError) else None
    return RuleFault(where, f"{(problem or 'is not YAML').splitlines()[0]}; mend the line")


def _at_offset(name: str, before: bytes) -> str:
    """The place after the bytes `before` of a file."""
    lines = before.decode("utf-8").split("\n")
    return f"{name}:{len(lines)}:{len(lines[-1]) + 1}"


def _moved(where: str, line: int, column: int) -> str:
    return f"{where.split(':', 1)[0]}:{line + 1}:{column + 1}"
