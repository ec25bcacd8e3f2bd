"""In which roles a body meets the persons of a case, now and before; and whether it said that it took note. Pure."""

import json
from collections import defaultdict
from datetime import datetime
from typing import Any

from contracts.steps import MoveKind
from services.routing.agencies.keyring import Holder
from services.routing.agencies.seeing import viewers

Row = dict[str, Any]


def groups_of(holder: Holder, persons: list[Row], offers: list[Row]) -> dict[str, frozenset[str]]:
    """The groups of the stakeholder matrix a body is in, for each person it has a part in now.

    What it was offered once it goes on seeing: a supervisor who concluded can still read what it concluded about.
    """
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in offers:
        data = json.loads(row["event"])["data"]
        parts[data["person"]] += data["assignments"]
    found = {}
    for person in persons:
        roles = {
            part["role"]
            for part in (*person["assignments"], *parts[person["ref"]])
            if part["active"] and holder.office in (None, part["office"])
        }
        found[person["ref"]] = frozenset(
            viewers()[holder.agency, role] for role in roles if (holder.agency, role) in viewers()
        )
    return found


def acknowledged(holder: Holder, steps: list[Row]) -> str | None:
    """When this body (of a key with an office: this office) first said that it took note; UTC."""
    for row in steps:
        data = json.loads(row["event"])["data"]
        mine = data["by"] == holder.agency and holder.office in (None, data["office"])
        if mine and data["said"]["event"] == MoveKind.ACKNOWLEDGE:
            at: datetime = row["at"]
            return at.isoformat()
    return None
