"""Whatever a stranger sends, the door reads a report or names every fault; it never fails in another way."""

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.door import read_json, read_progress, read_report
from contracts.faults import Fault, InvalidDocument
from tests.builders import TODAY, a_report

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.dates().map(str)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a document that can be replaced."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


@st.composite
def bent(draw: st.DrawFn) -> Any:
    """A good report in which up to three places hold something else, or nothing, or more."""
    document: Any = {"whole": copy.deepcopy(a_report())}
    for _ in range(draw(st.integers(1, 3))):
        *path, last = ("whole", *draw(st.sampled_from(places(document["whole"]))))
        holder = document
        for step in path:
            holder = holder[step]
        match draw(st.sampled_from(("replace", "remove", "add"))):
            case "remove" if isinstance(holder, dict) and last != "whole":
                del holder[last]
            case "add" if isinstance(holder[last], dict):
                holder[last][draw(st.text(max_size=12))] = draw(VALUES)
            case _:
                holder[last] = draw(VALUES)
    return document["whole"]


def faults(read: Callable[[], Any]) -> tuple[Fault, ...] | None:
    """What reading says is wrong; None if it read something."""
    try:
        read()
    except InvalidDocument as invalid:
        return tuple(invalid.faults)
    return None


@settings(max_examples=200, deadline=None)
@given(bent() | VALUES)
def test_a_document_is_a_report_or_every_fault_says_what_is_wrong(document: Any) -> None:
    found = faults(lambda: read_report(document, TODAY))
    assert found is None or (found and all(fault.says.strip() for fault in found))
    json.dumps([fault.pointer for fault in found or ()])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | bent().map(lambda document: json.dumps(document).encode()))
def test_bytes_are_json_or_a_fault(raw: bytes) -> None:
    found = faults(lambda: read_json(raw))
    assert found is None or found[0].says


@settings(max_examples=200, deadline=None)
@given(VALUES | st.lists(st.dictionaries(st.sampled_from(("event", "on", "person", "by")), VALUES)))
def test_progress_is_read_or_every_fault_says_what_is_wrong(raw: Any) -> None:
    found = faults(lambda: read_progress(raw))
    assert found is None or all(fault.says for fault in found)
