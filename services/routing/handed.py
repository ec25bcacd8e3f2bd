"""What a body said about a case, and what came to it with the file: who, when, and the words meant for it. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from services.routing.keys import Holder

Row = dict[str, Any]


def handed(holder: Holder, steps: Sequence[Row], refs: Iterable[str]) -> list[Row]:
    """Of the steps about `refs` those this body said, and those that gave or offered it the file.

    Nobody else's words are shown: what one body writes to another may point to a reporter.
    """
    mine, before = set(refs), dict[str, Any]()
    found = []
    for step in steps:
        about = [
            p for p in step["persons"] if step["said"]["person"] in (None, p["ref"]) and p["ref"] in mine
        ]
        if about and (_spoke(holder, step) or any(_got(holder, step, about, before))):
            found.append(_shown(step))
        before |= {person["ref"]: person["owner"] for person in step["persons"]}
    return found


def _spoke(holder: Holder, step: Row) -> bool:
    return bool(step["by"] == holder.agency and _same(holder.office, step["office"]))


def _got(holder: Holder, step: Row, about: Iterable[Row], before: dict[str, Any]) -> Iterator[bool]:
    said = step["said"]
    yield (
        said.get("to") == holder.agency
        and said["event"] == "TRANSFER"
        and _same(holder.office, said.get("office"))
    )
    for person in about:
        owner = person["owner"]
        changed = owner is not None and owner != before.get(person["ref"])
        yield changed and owner["agency"] == holder.agency and _same(holder.office, owner["office"])


def _same(one: str | None, other: str | None) -> bool:
    """Whether two offices of one agency may be the same; None is the agency as a whole."""
    return None in (one, other) or one == other


def _shown(step: Row) -> Row:
    said = step["said"]
    names = ("event", "result", "person", "on", "to", "step")
    words = {name: step["words"].get(name) for name in ("reason", "article")}
    by = {"number": step["number"], "at": step["at"].isoformat(), "by": step["by"], "office": step["office"]}
    return {**by, **{name: said.get(name) for name in names}, **words}
