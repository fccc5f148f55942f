"""One place that knows which protocol parses, serializes and refuses in which way."""

import json
from typing import Any
from xml.sax.saxutils import escape

from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser

from awsbatch_simulator.calls import OK
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.ports import RawJson
from awsbatch_simulator.protocol import jsonish
from awsbatch_simulator.protocol.models import Identified, Models, Operation
from awsbatch_simulator.protocol.query import QueryProtocol, legible
from awsbatch_simulator.wire import WireAnswer, WireRequest

JSON_TYPES = {"json": "application/x-amz-json-1.1", "rest-json": "application/json"}
CLIENT_ERRORS = range(400, 500)


class Codec:
    """Requests to parameters, results and failures to answers.

    It keeps nothing but service models, so that any number of worlds may share one.
    """

    def __init__(self) -> None:
        self.models = Models()
        self._query = QueryProtocol()

    def parse(self, identified: Identified, wire: WireRequest) -> dict[str, Any]:
        """The parameters of a request. Raises AwsFailure for a body that cannot be read."""
        if identified.operation.protocol in JSON_TYPES:
            return jsonish.parse(identified, wire)
        return self._query.parse(identified.operation, wire)

    def answer(
        self, operation: Operation, result: dict[str, Any] | RawJson, request_id: str
    ) -> WireAnswer:
        """A result on the wire."""
        content_type = JSON_TYPES.get(operation.protocol)
        if content_type is None:
            if isinstance(result, RawJson):
                raise TypeError(f"{operation.name} answers XML; its handler gave JSON")
            body = self._query.serialize(operation, result, request_id)
        else:
            body = result.body if isinstance(result, RawJson) else jsonish.serialize(result)
        return WireAnswer(200, _headers(content_type or "text/xml", request_id), body)

    def outcome(self, operation: Operation, answer: WireAnswer) -> str:
        """The error code in an answer that we did not make, or OK."""
        if answer.status < CLIENT_ERRORS.start:
            return OK
        shape = operation.model.output_shape
        headers = HeadersDict(answer.headers)
        parsed = create_parser(operation.protocol).parse(
            {"status_code": answer.status, "headers": headers, "body": answer.body}, shape
        )
        code: str = parsed.get("Error", {}).get("Code") or str(answer.status)
        return code

    def refusal(self, protocol: str, failure: AwsFailure, request_id: str) -> WireAnswer:
        """A failure on the wire, in the shape that AWS's clients parse."""
        headers = _headers(JSON_TYPES.get(protocol, "text/xml"), request_id)
        match protocol:
            case "rest-json":
                headers["x-amzn-ErrorType"] = failure.code
                body = json.dumps({"message": failure.message})
            case "json":
                headers["x-amzn-ErrorType"] = failure.code
                body = json.dumps({"__type": failure.code, "message": failure.message})
            case "ec2":
                body = (
                    f"<Response><Errors><Error><Code>{escape(failure.code)}</Code>"
                    f"<Message>{escape(failure.message)}</Message></Error></Errors>"
                    f"<RequestID>{request_id}</RequestID></Response>"
                )
            case _:
                blame = "Sender" if failure.status in CLIENT_ERRORS else "Receiver"
                body = (
                    f"<ErrorResponse><Error><Type>{blame}</Type><Code>{escape(failure.code)}</Code>"
                    f"<Message>{escape(failure.message)}</Message></Error>"
                    f"<RequestId>{request_id}</RequestId></ErrorResponse>"
                )
        return WireAnswer(failure.status, headers, legible(body))


def _headers(content_type: str, request_id: str) -> dict[str, str]:
    return {"Content-Type": content_type, "x-amzn-RequestId": request_id}
