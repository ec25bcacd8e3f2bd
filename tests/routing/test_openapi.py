"""The API documents: what was released is never taken away; a release copies them to contracts/openapi/released."""

import json
from pathlib import Path
from typing import Any

import pytest

import contracts
from services.intake.openapi import api_document as document_of_intake
from services.routing.openapi import api_document
from tests.openapi_diff import broken

RELEASED = Path(contracts.__file__).parent / "openapi" / "released"


@pytest.mark.parametrize(
    ("name", "document"), [("routing", api_document()), ("intake", document_of_intake("/"))]
)
def test_nothing_that_was_released_is_taken_away(name: str, document: Any) -> None:
    released = json.loads((RELEASED / f"{name}.json").read_text())
    assert broken(released, document) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d["paths"].pop("/v1/agencies/{agency}/inbox"), "GET /v1/agencies/{agency}/inbox is gone"),
        (
            lambda d: d["components"]["schemas"]["InboxCase"]["properties"].pop("ticket"),
            "InboxCase.ticket is gone",
        ),
        (
            lambda d: d["components"]["schemas"]["Move"]["required"].append("reason"),
            "Move.reason must be sent now",
        ),
        (
            lambda d: d["components"]["schemas"]["InboxCase"]["required"].remove("ticket"),
            "InboxCase.ticket may be missing now",
        ),
        (lambda d: d["components"]["schemas"]["MoveKind"]["enum"].remove("DONE"), "MoveKind lost ['DONE']"),
        (
            lambda d: d["paths"]["/v1/agencies/{agency}/inbox"]["get"]["parameters"].pop(),
            "GET /v1/agencies/{agency}/inbox takes header If-None-Match no more",
        ),
        (
            lambda d: d["paths"]["/v1/agencies/{agency}/events"]["get"]["parameters"][0].update(
                required=True
            ),
            "GET /v1/agencies/{agency}/events needs path agency now",
        ),
    ],
)
def test_a_breaking_change_is_noticed(change: Any, says: str) -> None:
    old, new = api_document(), json.loads(json.dumps(api_document()))
    if says.endswith("path agency now"):
        old["paths"]["/v1/agencies/{agency}/events"]["get"]["parameters"][0]["required"] = False
    change(new)
    assert says in broken(old, new)


def test_an_addition_is_free() -> None:
    new = json.loads(json.dumps(api_document()))
    new["paths"]["/v1/more"] = new["paths"]["/healthz"]
    new["components"]["schemas"]["InboxCase"]["properties"]["more"] = {"type": "string"}
    new["components"]["schemas"]["Move"]["properties"]["more"] = {"type": "string"}
    assert broken(api_document(), new) == []


def test_every_reference_leads_to_a_schema_of_the_document() -> None:
    text = json.dumps(api_document())
    names = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert names <= set(api_document()["components"]["schemas"])
