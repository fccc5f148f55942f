"""The query protocols (EC2, STS, IAM), through moto's parser and, but for EC2, its serializer.

moto is imported when first needed: that takes most of a second. Results are plain dicts in the
model's member names, which moto's default picker takes as they are.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.protocol.ec2_xml import Ec2Xml
from awsbatch_simulator.protocol.models import Operation
from awsbatch_simulator.wire import WireRequest

# What XML 1.0 can neither contain nor escape.
NO_CHARACTER = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# What moto and botocore raise at texts that are no numbers, moments or members.
UNREADABLE = (ValueError, AttributeError, KeyError, TypeError, ArithmeticError, RuntimeError)


def legible(document: str) -> bytes:
    """XML as bytes that every parser takes; what is no character there becomes U+FFFD."""
    return NO_CHARACTER.sub("\ufffd", document).encode()


class QueryProtocol:
    """Forms in, XML out. moto's shapes know more than botocore's, so it has models of its own."""

    def __init__(self) -> None:
        self._models: dict[str, Any] = {}
        self._ec2 = Ec2Xml()

    def parse(self, operation: Operation, wire: WireRequest) -> dict[str, Any]:
        """The parameters, by the model's names. Raises AwsFailure MalformedQueryString."""
        from moto.core.parse import PROTOCOL_PARSERS  # noqa: PLC0415 - see the module's docstring

        form = parse_qsl(wire.body.decode("utf-8", "replace") or wire.query, keep_blank_values=True)
        if any(NO_CHARACTER.search(value) for pair in form for value in pair):
            message = f"The parameters of {operation.name} have characters that XML does not have"
            raise AwsFailure("MalformedQueryString", message)
        parser = PROTOCOL_PARSERS[operation.protocol](self._operation(operation))
        try:
            parsed: dict[str, Any] = parser.parse({"values": dict(form)})
        except UNREADABLE as error:
            message = f"The parameters of {operation.name} cannot be read: {error}"
            raise AwsFailure("MalformedQueryString", message) from None
        return parsed

    def serialize(self, operation: Operation, result: Mapping[str, Any], request_id: str) -> bytes:
        """A result as XML."""
        if operation.protocol == "ec2":
            return legible(self._ec2.document(operation, result, request_id))
        from moto.core.serialize import (  # noqa: PLC0415 - see the module's docstring
            SERIALIZERS,
            SerializationContext,
        )

        serializer = SERIALIZERS[operation.protocol](
            self._operation(operation), context=SerializationContext(request_id)
        )
        body: str = serializer.serialize(result)["body"]
        return legible(body)

    def _operation(self, operation: Operation) -> Any:
        from moto.core.utils import (  # noqa: PLC0415 - see the module's docstring
            get_service_model,
        )

        model = self._models.get(operation.service)
        if model is None:
            model = self._models[operation.service] = get_service_model(operation.service)
        return model.operation_model(operation.name)
