"""The schemas of the OpenAPI document, made fit for those who generate clients from it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

PREFIX: Final = "#/components/schemas/"


def tidied(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without unused schemas, and with answers open to new members.

    What we take stays closed: an unknown member is a mistake that we name. What we answer may gain
    members without breaking a client that validates. A default of null says nothing.
    """
    schemas = document["components"]["schemas"]
    bodies = [operation.get("requestBody", {}) for operation in _operations(document)]
    taken = _reachable(bodies, schemas)
    rest = {key: value for key, value in document["components"].items() if key != "schemas"}
    used = _reachable([document["paths"], rest], schemas)
    kept = {
        name: _without_null_default(schema if name in taken else _opened(schema))
        for name, schema in sorted(schemas.items())
        if name in used
    }
    return {
        **document,
        "paths": _without_null_default(document["paths"]),
        "components": {"schemas": kept, **rest},
    }


def _operations(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for item in document["paths"].values():
        yield from (part for part in item.values() if isinstance(part, Mapping))


def _reachable(parts: list[Any], schemas: Mapping[str, Any]) -> set[str]:
    """Return the names of all schemas that the parts refer to, directly or through others."""
    found: set[str] = set()
    pending = list(parts)
    while pending:
        part = pending.pop()
        if isinstance(part, Mapping):
            pending += part.values()
            name = str(part.get("$ref", "")).removeprefix(PREFIX)
            if name in schemas and name not in found:
                found.add(name)
                pending.append(schemas[name])
        elif isinstance(part, list):
            pending += part
    return found


def _opened(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in schema.items()
        if not (key == "additionalProperties" and value is False)
    }


def _without_null_default(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {
            key: _without_null_default(value)
            for key, value in part.items()
            if not (key == "default" and value is None)
        }
    return [_without_null_default(value) for value in part] if isinstance(part, list) else part
