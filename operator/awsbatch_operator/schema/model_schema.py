"""From our own pydantic models to a structural OpenAPI v3 schema.

pydantic's JSON schema uses what the API server forbids ($ref, null, const, titles); this rewrites
it, and refuses what would be left without description or bounds.
"""

from typing import Any

from awsbatch_operator.schema.fields import Fields
from awsbatch_operator.schema.rules import RULES

Schema = dict[str, Any]

_DROPPED = ("title", "$defs", "additionalProperties", "const", "anyOf", "allOf", "$ref")


def own_schema(model: type[Fields]) -> Schema:
    """The object schema of a model; ValueError naming the field that is not fit for a CRD."""
    raw = model.model_json_schema(by_alias=True, mode="validation")
    definitions = raw.get("$defs", {})
    rules = {cls.__name__: cls.RULES for cls in _models(model)}
    return _Flattener(definitions, rules, model.__name__).flatten(raw, model.__name__)


def _models(model: type[Fields]) -> set[type[Fields]]:
    """The model and all that its fields contain."""
    found: set[type[Fields]] = {model}
    pending: list[Any] = [info.annotation for info in model.model_fields.values()]
    while pending:
        annotation = pending.pop()
        pending.extend(getattr(annotation, "__args__", ()))
        if isinstance(annotation, type) and issubclass(annotation, Fields):
            found |= _models(annotation)
    return found


class _Flattener:
    """One pass over one model's JSON schema."""

    def __init__(self, definitions: Schema, rules: dict[str, Any], root: str) -> None:
        self._definitions = definitions
        self._rules = rules
        self._root = root

    def flatten(self, node: Schema, name: str) -> Schema:
        """The node without references, unions and titles; `name` is of the model it is, if any."""
        node, name = self._resolve(node, name)
        kept = {key: value for key, value in node.items() if key not in _DROPPED}
        if "const" in node:
            kept["enum"] = [node["const"]]
        if kept.get("default", ...) is None or "default_factory" in kept:
            kept.pop("default", None)
        match kept.get("type"):
            case "object":
                self._object(kept, node, name)
            case "array":
                kept["items"] = self.flatten(node["items"], "")
                if kept.get("default") == []:
                    del kept["default"]
            case "integer":
                kept.setdefault("format", "int64" if kept.get("maximum", 0) >= 2**31 else "int32")
        self._bounded(kept, name or node.get("title", ""))
        return kept

    def _resolve(self, node: Schema, name: str) -> tuple[Schema, str]:
        siblings = {key: value for key, value in node.items() if key not in ("anyOf", "$ref")}
        if "$ref" in node:
            name = node["$ref"].rsplit("/", 1)[1]
            return self._resolve({**self._definitions[name], **siblings}, name)
        if "anyOf" in node:
            choices = [choice for choice in node["anyOf"] if choice.get("type") != "null"]
            if len(choices) != 1:
                raise ValueError(f"{self._root}: a union of several types has no structural schema")
            return self._resolve({**choices[0], **siblings}, name)
        return node, name

    def _object(self, kept: Schema, node: Schema, name: str) -> None:
        if "properties" in node:
            kept["properties"] = {
                key: self._described(key, self.flatten(value, ""))
                for key, value in sorted(node["properties"].items())
            }
        elif isinstance(node.get("additionalProperties"), dict):
            kept["additionalProperties"] = self.flatten(node["additionalProperties"], "")
        if "maxLength" in kept:
            kept["maxProperties"] = kept.pop("maxLength")
        rules = [rule.as_schema() for rule in self._rules.get(name, ())]
        if rules:
            kept[RULES] = rules

    def _described(self, key: str, schema: Schema) -> Schema:
        if not schema.get("description"):
            raise ValueError(f"{self._root}: {key} has no description")
        return schema

    def _bounded(self, schema: Schema, name: str) -> None:
        needed = {
            "string": "maxLength",
            "array": "maxItems",
            "integer": "maximum",
        }.get(schema.get("type", ""), "type")
        if schema.get("type") == "object" and "additionalProperties" in schema:
            needed = "maxProperties"
        if needed not in schema and "enum" not in schema:
            raise ValueError(f"{self._root}: {name} has no {needed}")
