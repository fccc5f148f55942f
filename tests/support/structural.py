"""What an API server does with a CRD's structural schema, as far as the tests' memory needs it.

Defaults are filled in, and fields that the schema does not declare are found. Types, bounds and CEL
rules are not checked here: that is tested against the real API server.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

OPEN = "x-kubernetes-preserve-unknown-fields"


@dataclass(frozen=True, slots=True)
class Definition:
    """One kind as its CRD defines it. An empty schema declares everything."""

    kind: str
    namespaced: bool = True
    schema: Mapping[str, Any] | None = None

    @classmethod
    def from_crd(cls, crd: Mapping[str, Any]) -> Self:
        spec = crd["spec"]
        version = next(version for version in spec["versions"] if version["storage"])
        return cls(
            kind=spec["names"]["kind"],
            namespaced=spec["scope"] == "Namespaced",
            schema=version["schema"]["openAPIV3Schema"],
        )

    def defaulted(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body with the schema's defaults filled in."""
        if self.schema is None:
            return body
        filled: dict[str, Any] = _defaulted(body, self.schema)
        return filled

    def undeclared(self, part: str, value: Any) -> list[str]:
        """The paths in `spec` or `status` that the schema does not declare."""
        if self.schema is None:
            return []
        return list(_undeclared(value, self.schema["properties"].get(part, {}), part))


def _defaulted(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        filled = dict(value)
        for name, inner in properties.items():
            if name not in filled and "default" in inner:
                filled[name] = copy.deepcopy(inner["default"])
        further = schema.get("additionalProperties")
        further = further if isinstance(further, Mapping) else {}
        return {
            name: _defaulted(inner, properties.get(name, further)) for name, inner in filled.items()
        }
    if isinstance(value, list):
        return [_defaulted(inner, schema.get("items", {})) for inner in value]
    return value


def _undeclared(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if schema.get(OPEN):
        return
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        further = schema.get("additionalProperties")
        for name, inner in value.items():
            here = f"{path}.{name}"
            if name in properties:
                yield from _undeclared(inner, properties[name], here)
            elif isinstance(further, Mapping):
                yield from _undeclared(inner, further, here)
            elif not further:
                yield here
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _undeclared(inner, schema.get("items", {}), f"{path}[{index}]")
