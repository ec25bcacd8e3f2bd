"""A short mark of a JSON document, by which two that say the same are found to be the same."""

import hashlib
import json
from typing import Any

_EMPTY: tuple[Any, ...] = (None, False, 0, "", [], {})
"""What a field says that an earlier release did not know yet: it is not written, or with its default."""


def digest(document: Any) -> str:
    """Equal for documents that differ in the order of names and in empty fields only."""
    text = json.dumps(_bare(document), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        found = {name: _bare(one) for name, one in value.items()}
        return {name: one for name, one in found.items() if one not in _EMPTY}
    return [_bare(one) for one in value] if isinstance(value, list) else value
