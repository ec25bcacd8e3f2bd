"""A published field is a promise: the committed schemas are what the models say, and fields are only ever added."""

import json
from typing import Any

import pytest

from tests.golden import DOCUMENTS, SCHEMAS, schema_of


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_committed_schema_is_the_model_s(name: str) -> None:
    committed = json.loads((SCHEMAS / f"{name}.json").read_text())
    assert committed == schema_of(name), "run `make schemas` and read the difference: is it an addition?"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_field_says_less_than_in_the_first_release(name: str) -> None:
    promised = json.loads((SCHEMAS / "released" / f"{name}.json").read_text())
    assert not list(_broken(promised, schema_of(name), name))


def _broken(old: Any, new: Any, where: str) -> Any:
    """Properties that vanished, changed type, or became required for a reader; enumerations that lost a value."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in ("type", "format", "const", "$ref"):
            if key in old and old[key] != new.get(key):
                yield f"{where}: {key} was {old[key]}"
        if lost := set(old.get("enum", ())) - set(new.get("enum", ())):
            yield f"{where}: lost {sorted(lost)}"
        for group in ("properties", "$defs"):
            for name, part in old.get(group, {}).items():
                if name not in new.get(group, {}):
                    yield f"{where}.{name}: is gone"
                else:
                    yield from _broken(part, new[group][name], f"{where}.{name}")
