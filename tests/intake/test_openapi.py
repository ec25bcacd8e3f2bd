"""The API document is made of what is validated, and its examples work when pasted."""

import json


def references(node):
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else ())
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


async def test_the_example_is_accepted_as_it_stands(door):
    document = (await door.http.get("/openapi.json")).json()
    operation = document["paths"]["/v1/reports"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["example"]
    key = operation["parameters"][0]
    answer = await door.http.post("/v1/reports", json=example, headers={key["name"]: key["example"]})
    assert answer.status_code == 202
    shown = operation["responses"]["202"]["content"]["application/json"]["example"]
    assert list(answer.json()) == list(shown)


async def test_every_reference_leads_to_a_schema_of_the_document(door):
    document = (await door.http.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    found = set(references(document))
    assert "#/components/schemas/Report" in found
    assert found == {f"#/components/schemas/{name}" for name in schemas} & found


async def test_the_document_names_every_public_route_and_no_internal_one(door):
    text = (await door.http.get("/openapi.json")).text
    assert list(json.loads(text)["paths"]) == ["/v1/reports", "/v1/reports/{ticket}", "/healthz", "/readyz"]
    assert "/internal" not in text
