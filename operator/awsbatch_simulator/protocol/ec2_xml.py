"""Answers of EC2 as XML, ten times faster than by a walk over the model for each of them.

How a shape is written is worked out once. A test compares the documents with moto's.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, Shape, StructureShape

from awsbatch_simulator.ports import Shown
from awsbatch_simulator.protocol.models import Operation

Writes = Callable[[Any, list[str]], None]


class Ec2Xml:
    """Keeps how shapes are written, by their names."""

    def __init__(self) -> None:
        self._writers: dict[str, Writes] = {}

    def document(self, operation: Operation, result: Mapping[str, Any], request_id: str) -> str:
        """A result in model names, as EC2 sends it. What the model does not know is left out."""
        version = operation.model.service_model.api_version
        name = f"{operation.name}Response"
        parts = [
            f'<{name} xmlns="http://ec2.amazonaws.com/doc/{version}/">',
            f"<requestId>{escape(request_id)}</requestId>",
        ]
        if operation.model.output_shape is not None:
            self._writer(operation.model.output_shape)(result, parts)
        parts.append(f"</{name}>")
        return "".join(parts)

    def _writer(self, shape: Shape) -> Writes:
        found = self._writers.get(shape.name)
        if found is None:
            found = self._writers[shape.name] = self._made(shape)
        return found

    def _made(self, shape: Shape) -> Writes:
        match shape:
            case StructureShape():
                return self._kept(self._structure(shape))
            case ListShape():
                return self._list(shape)
            case _:
                text = _TEXTS.get(shape.type_name, _string)
                return lambda value, parts: parts.append(text(value))

    def _kept(self, write: Writes) -> Writes:
        """Write what is `Shown` once, and keep the text with it."""

        def write_once(value: Mapping[str, Any], parts: list[str]) -> None:
            if not isinstance(value, Shown):
                write(value, parts)
                return
            if value.text is None:
                own: list[str] = []
                write(value, own)
                value.text = "".join(own)
            parts.append(value.text)

        return write_once

    def _structure(self, shape: StructureShape) -> Writes:
        # Filled as members come: shapes may contain themselves.
        known: dict[str, tuple[str, str, Writes]] = {}

        def write(value: Mapping[str, Any], parts: list[str]) -> None:
            for name, each in value.items():
                if each is None:
                    continue
                found = known.get(name)
                if found is None:
                    member = shape.members.get(name)
                    if member is None:
                        continue
                    tags = _tags(member.serialization.get("name", name))
                    found = known[name] = (*tags, self._writer(member))
                opening, closing, writer = found
                parts.append(opening)
                writer(each, parts)
                parts.append(closing)

        return write

    def _list(self, shape: ListShape) -> Writes:
        opening, closing = _tags(shape.member.serialization.get("name", "item"))
        member = shape.member

        def write(value: list[Any], parts: list[str]) -> None:
            writer = self._writer(member)
            for each in value:
                parts.append(opening)
                writer(each, parts)
                parts.append(closing)

        return write


def _tags(name: str) -> tuple[str, str]:
    return f"<{name}>", f"</{name}>"


def _string(value: Any) -> str:
    return escape(str(value))


def _boolean(value: Any) -> str:
    return "true" if value else "false"


def _timestamp(value: datetime) -> str:
    moment = value.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _blob(value: Any) -> str:
    return base64.b64encode(value).decode()


_TEXTS: Mapping[str, Callable[[Any], str]] = {
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}
