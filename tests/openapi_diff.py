"""What a client of an older OpenAPI document could no longer rely on."""

import json
from typing import Any


def broken(old: Any, new: Any) -> list[str]:
    """What a client of the old document could no longer rely on."""
    return [*_paths(old, new), *_schemas(old, new)]


def _paths(old: Any, new: Any) -> list[str]:
    found = []
    for path, methods in old["paths"].items():
        for method, door in methods.items():
            now, where = new["paths"].get(path, {}).get(method), f"{method.upper()} {path}"
            if now is None:
                found.append(f"{where} is gone")
                continue
            found += [f"{where} answers {status} no more" for status in _good(door) - _good(now)]
            before, after = _parameters(door), _parameters(now)
            found += [f"{where} takes {name} no more" for name in before.keys() - after.keys()]
            found += [
                f"{where} needs {name} now"
                for name, part in after.items()
                if part["required"] and not before.get(name, {"required": False})["required"]
            ]
            found += [
                f"{where}: {name} {what}"
                for name in before.keys() & after.keys()
                for what in _narrower(before[name]["schema"], after[name]["schema"])
            ]
            found += [f"{where} needs a key now"] if now["security"] and not door["security"] else []
            found += _moved(where, door, now)
    return found


def _moved(where: str, door: Any, now: Any) -> list[str]:
    """Bodies that are read or answered by another schema than before."""
    old, new = door["responses"], now["responses"]
    other = [f"the answer {n}" for n in _good(door) & _good(now) if _schema_of(old[n]) != _schema_of(new[n])]
    if _schema_of(door.get("requestBody")) != _schema_of(now.get("requestBody")):
        other.append("the body it takes")
    return [f"{where}: {what} is another" for what in other]


def _schemas(old: Any, new: Any) -> list[str]:
    """Only additions are free: to what is answered any field, to what is asked an optional one."""
    found = []
    asked = _asked(old)
    for name, schema in old["components"]["schemas"].items():
        now = new["components"]["schemas"].get(name)
        if now is None:
            found.append(f"schema {name} is gone")
            continue
        for field, part in schema.get("properties", {}).items():
            if field not in now.get("properties", {}):
                found.append(f"{name}.{field} is gone")
            else:
                found += [f"{name}.{field} {what}" for what in _narrower(part, now["properties"][field])]
        gone = set(schema.get("required", ())) - set(now.get("required", ()))
        fresh = set(now.get("required", ())) - set(schema.get("required", ()))
        found += [f"{name}.{field} must be sent now" for field in fresh if name in asked]
        found += [f"{name}.{field} may be missing now" for field in gone if name not in asked]
        found += [f"{name} {what}" for what in _narrower(schema, now)]
    return found


def _narrower(old: Any, new: Any) -> list[str]:
    keys = ("type", "format", "const", "$ref", "pattern", "maximum", "minimum", "maxLength", "minLength")
    found = [
        f"{key} was {old.get(key)}" for key in keys if key in {**old, **new} and old.get(key) != new.get(key)
    ]
    if "enum" in old and (lost := set(old["enum"]) - set(new.get("enum", old["enum"]))):
        found.append(f"lost {sorted(lost)}")
    return found


def _asked(document: Any) -> set[str]:
    """The schemas of request bodies."""
    refs = [
        _schema_of(door.get("requestBody"))
        for methods in document["paths"].values()
        for door in methods.values()
    ]
    return {json.loads(ref)["$ref"].rsplit("/", 1)[-1] for ref in refs if "$ref" in ref}


def _schema_of(part: Any) -> str:
    content = (part or {}).get("content", {})
    return json.dumps(next(iter(content.values()), {}).get("schema", {}), sort_keys=True)


def _good(door: Any) -> set[str]:
    return {status for status in door["responses"] if status < "400"}


def _parameters(door: Any) -> dict[str, Any]:
    return {f"{part['in']} {part['name']}": part for part in door.get("parameters", ())}
