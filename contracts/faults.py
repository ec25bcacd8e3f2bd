"""What is wrong with a document: the field, the cause and the cure, without repeating what was written there."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

Path = tuple[str | int, ...]
MISSING = object()

MOST = 1000
"""Faults explained of one document; a hostile one could have as many as it has bytes."""

NOUNS = {
    "status": "a status",
    "code": "an act",
    "kind": "a kind",
    "post_kind": "a kind of post",
    "office": "an office",
    "beneficiary": "a beneficiary",
    "channel": "a channel",
    "event": "a progress event",
    "schema": "a schema this door reads",
}
TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "uuid_type": "a UUID",
    "uuid_parsing": "a UUID",
    "tuple_type": "a list",
}


@dataclass(frozen=True)
class Fault:
    """One fault; `got` is what was written, shown to the person at a terminal and not sent back to whoever sent it."""

    path: Path
    says: str
    got: Any = field(default=MISSING, compare=False, repr=False)

    @property
    def pointer(self) -> str:
        """The field as a JSON pointer (RFC 6901); the whole document is the empty string."""
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.path)

    @property
    def plain(self) -> str:
        """Field, cause and cure, without what was written: it may be a name or a number of somebody."""
        return f"{self._where or 'body'}: {self.says}"

    @property
    def _where(self) -> str:
        return ".".join(str(part) for part in self.path)

    def __str__(self) -> str:
        shown = "" if self.got is MISSING else f"{_short(self.got)} "
        return f"{self._where or 'report'}: {shown}{self.says}"


class InvalidDocument(ValueError):
    """A document with faults; `faults` holds all of them, in the order of the document."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"{len(self.faults)} faults")


def faults_of(error: ValidationError, model: type[BaseModel], raw: Any) -> list[Fault]:
    """Pydantic's errors in our words; `raw` is the document they are about."""
    items = error.errors(include_url=False, include_input=False)[:MOST]
    return [_translated(item, model, raw) for item in items if not _echo(item, raw)]


def _echo(error: Any, raw: Any) -> bool:
    """Pydantic calls a list too short when its items were faulty; those faults are named already."""
    return error["type"] == "too_short" and bool(_at(raw, tuple(error["loc"])))


def _translated(error: Any, model: type[BaseModel], raw: Any) -> Fault:
    path: Path = tuple(error["loc"])
    says = _says(error, path, model, raw)
    shows = error["type"] in {"enum", "literal_error"} and isinstance(_at(raw, path), str)
    return Fault(path, says, _at(raw, path) if shows else MISSING)


def _says(error: Any, path: Path, model: type[BaseModel], raw: Any) -> str:
    kind, context = error["type"], error.get("ctx", {})
    last = str(path[-1]) if path else ""
    if kind == "missing":
        return "is required; add it"
    if kind == "extra_forbidden":
        return "is not a field here; " + _nearest(last, _fields_at(model, path[:-1]), "remove it")
    if kind in {"enum", "literal_error"}:
        return _not_in(last, str(context["expected"]), _at(raw, path))
    if kind == "value_error":
        return str(context["error"])
    return (
        _limit(kind, context)
        or f"is not {TYPES.get(kind, 'an object')}; write {TYPES.get(kind, 'an object')}"
    )


_LIMITS = {
    "string_too_long": "is longer than {max_length} characters; shorten it",
    "string_too_short": "is empty; write something or leave it out",
    "too_long": "has more than {max_length} items; split the report",
    "too_short": "is empty; it needs at least one item",
    "greater_than_equal": "is below {ge}; write a larger number",
    "less_than_equal": "is above {le}; write a smaller number",
    "string_pattern_mismatch": "does not have the form this field needs; see the schema",
    "string_unicode": "is not valid Unicode text; remove the broken characters",
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware"),
        "is not an instant with its zone; write one like 2026-11-24T10:00:00+07:00",
    ),
}


def _limit(kind: str, context: dict[str, Any]) -> str | None:
    text = _LIMITS.get(kind)
    return text.format(**context) if text else None


def _not_in(name: str, expected: str, got: Any) -> str:
    known = [part.strip("'") for part in expected.replace(" or ", ", ").split(", ")]
    cure = (
        _nearest(got, known, "write one of " + ", ".join(known))
        if isinstance(got, str)
        else "write one of " + ", ".join(known)
    )
    return f"is not {NOUNS.get(name, 'a code of this field')}; {cure}"


def _nearest(got: str, known: Iterable[str], otherwise: str) -> str:
    known = list(known)
    near = get_close_matches(got, known, 1, 0.6) or get_close_matches(got.upper(), known, 1, 0.5)
    return f"did you mean '{near[0]}'?" if near else otherwise


def _fields_at(model: type[BaseModel], path: Path) -> list[str]:
    """The field names allowed at `path` inside `model`, found through the model's JSON Schema."""
    schema = _schema(model)
    here: Any = schema
    for part in path:
        here = _resolved(here, schema)
        here = here.get("items", {}) if isinstance(part, int) else here.get("properties", {}).get(part, {})
    return list(_resolved(here, schema).get("properties", {}))


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for option in (node, *node.get("anyOf", ())):
        if "$ref" in option:
            return dict(schema["$defs"][option["$ref"].rsplit("/", 1)[-1]])
        if "items" in option or "properties" in option:
            return dict(option)
    return node


def _at(raw: Any, path: Path) -> Any:
    for part in path:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return raw


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…'"
