"""Writes the published JSON Schemas anew (`make schemas`); the golden tests compare with what is committed."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from contracts.agency_events import AGENCY_EVENTS
from contracts.asyncapi import asyncapi_document
from contracts.decision import Decision
from contracts.events import EVENTS
from contracts.progress import Progress
from contracts.report import Report
from contracts.webhooks import WEBHOOK_MESSAGES

SCHEMAS = Path(__file__).parents[1] / "contracts" / "schemas"
ASYNCAPI = "netral.agencies.asyncapi.v1"
DOCUMENTS: dict[str, Any] = {
    "netral.report.v1": Report,
    "netral.decision.v1": Decision,
    "netral.progress.v1": Progress,
    **{event.model_fields["type"].default: event for event in (*EVENTS, *AGENCY_EVENTS, *WEBHOOK_MESSAGES)},
}


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a published document, as it is written."""
    schema = TypeAdapter(DOCUMENTS[name]).json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:netral:{name}", **schema}


def main() -> None:
    SCHEMAS.mkdir(exist_ok=True)
    for name in DOCUMENTS:
        _write(name, schema_of(name))
    _write(ASYNCAPI, asyncapi_document())


def _write(name: str, document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
    (SCHEMAS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
