"""Assembles an OpenAPI 3.1 document from pydantic models, so that what is published is what is validated."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

Json = Any
_REFS = "#/components/schemas/{model}"
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


class ProblemError(BaseModel):
    """One fault: where (JSON pointer, RFC 6901) and what to do; what was written there is never repeated."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """An answer that says no (RFC 9457). `errors` names every fault of a document that was refused."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[ProblemError] | None = None


@dataclass(frozen=True)
class Parameter:
    """A header or query parameter; those of the path are found in the path itself."""

    name: str
    description: str
    where: Literal["header", "query", "path"] = "header"
    required: bool = False
    schema: Mapping[str, Json] = field(default_factory=lambda: {"type": "string"})
    example: Json = None


@dataclass(frozen=True)
class Answer:
    """One response; from 400 on a Problem unless a model says otherwise. `headers`: name to description."""

    description: str
    model: type[BaseModel] | None = None
    example: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


@dataclass(frozen=True)
class Operation:
    """`security` names one of the schemes given to `document`; None means open to everybody.

    `media_type` is that of the request.
    """

    method: str
    path: str
    summary: str
    description: str
    answers: Mapping[int, Answer]
    request: type[BaseModel] | None = None
    example: Json = None
    parameters: Sequence[Parameter] = ()
    security: str | None = None
    media_type: str = "application/json"


def document(
    title: str,
    version: str,
    servers: Sequence[str],
    operations: Sequence[Operation],
    *,
    description: str = "",
    security_schemes: Mapping[str, Mapping[str, Json]] | None = None,
) -> dict[str, Json]:
    """The OpenAPI 3.1 document as a JSON value."""
    references, components = _schemas(operations)
    paths: dict[str, dict[str, Json]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, references)
    found: dict[str, Json] = {"schemas": components}
    if security_schemes:
        found["securitySchemes"] = {name: dict(scheme) for name, scheme in security_schemes.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [{"url": url} for url in servers],
        "paths": paths,
        "components": found,
    }


_References = Mapping[tuple[Any, JsonSchemaMode], dict[str, Json]]


def _schemas(operations: Sequence[Operation]) -> tuple[_References, dict[str, Json]]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for operation in operations:
        if operation.request:
            wanted[operation.request, "validation"] = None
        wanted |= {(a.model, "serialization"): None for a in operation.answers.values() if a.model}
    references, schemas = models_json_schema(list(wanted), ref_template=_REFS)
    return references, schemas.get("$defs", {})


def _operation(operation: Operation, references: _References) -> dict[str, Json]:
    found: dict[str, Json] = {
        "operationId": _operation_id(operation),
        "summary": operation.summary,
        "description": operation.description,
        "responses": {str(status): _answer(status, a, references) for status, a in operation.answers.items()},
        "security": [{operation.security: []}] if operation.security else [],
    }
    parameters = [
        _parameter(parameter) for parameter in (*_path_parameters(operation), *operation.parameters)
    ]
    if parameters:
        found["parameters"] = parameters
    if operation.request:
        content = _content(references[operation.request, "validation"], operation.example)
        found["requestBody"] = {"required": True, "content": {operation.media_type: content}}
    return found


def _operation_id(operation: Operation) -> str:
    words = re.findall(r"[A-Za-z0-9]+", operation.path)
    return operation.method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _path_parameters(operation: Operation) -> list[Parameter]:
    given = {parameter.name for parameter in operation.parameters if parameter.where == "path"}
    names = [name for name in _PATH_PARAMETER.findall(operation.path) if name not in given]
    return [Parameter(name, f"The {name.replace('_', ' ')}.", where="path", required=True) for name in names]


def _parameter(parameter: Parameter) -> dict[str, Json]:
    found: dict[str, Json] = {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "required": parameter.required or parameter.where == "path",
        "schema": dict(parameter.schema),
    }
    return found if parameter.example is None else {**found, "example": parameter.example}


def _answer(status: int, answer: Answer, references: _References) -> dict[str, Json]:
    found: dict[str, Json] = {"description": answer.description}
    if answer.headers:
        found["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in answer.headers.items()
        }
    if answer.model:
        content = _content(references[answer.model, "serialization"], answer.example)
        found["content"] = {answer.media_type: content}
    elif status >= 400:
        example = answer.example or _problem_example(status, answer.description)
        content = _content(references[Problem, "serialization"], example)
        found["content"] = {"application/problem+json": content}
    return found


def _content(schema: Mapping[str, Json], example: Json) -> dict[str, Json]:
    found: dict[str, Json] = {"schema": dict(schema)}
    return found if example is None else {**found, "example": example}


def _problem_example(status: int, description: str) -> dict[str, Json]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": description,
    }
