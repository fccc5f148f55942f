"""JSON schemas for kubeconform, strict ones: of Kubernetes' own kinds and of CRDs."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]

# How kubeconform is to look for them; the group of what has none is its version there.
NAMES = "{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json"
_TEXT_OR_NUMBER = {"oneOf": [{"type": "string"}, {"type": "integer"}]}
_KINDS = "x-kubernetes-group-version-kind"
_REFERENCE = "#/definitions/"


def write_own(folder: Path, openapi: Schema, kinds: Iterable[tuple[str, str]]) -> None:
    """Schemas of these (apiVersion, kind) from what the API server says of itself."""
    definitions = openapi["definitions"]
    named = {
        (f"{each['group']}/{each['version']}".lstrip("/"), each["kind"]): name
        for name, body in definitions.items()
        for each in body.get(_KINDS, ())
    }
    for api_version, kind in kinds:
        if (api_version, kind) in named:
            name = named[api_version, kind]
            found = {each: strict(definitions[each]) for each in _reachable(name, definitions)}
            schema = {"$ref": _REFERENCE + name, "definitions": found}
            _write(folder, api_version, kind, schema)


def write_custom(folder: Path, crd: Schema) -> None:
    """The schema of what a CRD defines."""
    spec = crd["spec"]
    for version in spec["versions"]:
        schema = strict(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}
        _write(folder, f"{spec['group']}/{version['name']}", spec["names"]["kind"], schema)


def strict(schema: Any) -> Any:
    """The schema with nothing allowed that it does not name."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
        return dict(_TEXT_OR_NUMBER)
    made = {key: strict(value) for key, value in schema.items() if key != "format"}
    if isinstance(schema.get("properties"), Mapping):
        # A field may be named as a keyword is.
        made["properties"] = {name: strict(each) for name, each in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    if schema.get("nullable") and isinstance(schema.get("type"), str):
        made["type"] = [schema["type"], "null"]
    return made


def _reachable(name: str, definitions: Schema) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += _references(definitions[each])
    return found


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for each in schema for name in _references(each)]
    if not isinstance(schema, Mapping):
        return []
    if isinstance(reference := schema.get("$ref"), str):
        return [reference.removeprefix(_REFERENCE)]
    return [name for each in schema.values() for name in _references(each)]


def _write(folder: Path, api_version: str, kind: str, schema: Schema) -> None:
    group, version = api_version.partition("/")[0], api_version.rpartition("/")[2]
    path = folder / f"{kind}-{group}-{version}.json".lower()
    path.write_text(json.dumps(schema), encoding="utf-8")
