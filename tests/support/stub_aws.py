"""AWS as one function an operation, without sockets: for tests of the adapters themselves."""

import io
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from botocore.awsrequest import AWSResponse

from awsbatch_simulator.protocol.ec2_xml import Ec2Xml
from awsbatch_simulator.protocol.models import Models

Parameters = dict[str, Any]
Answer = Callable[[Parameters], Any]

ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><Arn>arn:aws:sts::{account}:assumed-role/{name}/{session}</Arn>
<AssumedRoleId>AROAEXAMPLE:{session}</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>ASIA{number:016d}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
<SessionToken>t</SessionToken><Expiration>{expires}</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""
CALLER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/u</Arn><UserId>AIDAEXAMPLE</UserId>
<Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
REFUSED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender
</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"""
EC2_REFUSED = """<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error>
</Errors><RequestID>r</RequestID></Response>"""


class Refused(Exception):  # noqa: N818 - it is AWS's answer, not an error of the test
    """Raised by an answer: AWS refuses."""

    def __init__(self, code: str, message: str = "no", status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class StubAws:
    """Answers every request of the clients that it is attached to, and remembers the requests.

    `answers` maps an operation to a function of its parameters that returns the answer (a mapping;
    for STS the text of the XML), or raises: Refused, or what botocore raises.

    The parameters of EC2's operations are those that the client was called with.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.sent: list[tuple[str, Parameters]] = []
        self.requests: list[Any] = []
        self._called: Parameters = {}

    def attach(self, client: Any) -> None:
        client.meta.events.register("provide-client-params.ec2", self._call)
        client.meta.events.register("before-send", self)

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.sent]

    def _call(self, params: Parameters, **_: Any) -> None:
        self._called = dict(params)

    def __call__(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        service, operation = event_name.split(".")[1:]
        parameters: Parameters = self._called
        if service != "ec2":
            body = request.body or b"{}"
            parameters = _form(body) if service == "sts" else json.loads(body)
        self.sent.append((operation, parameters))
        self.requests.append(request)
        try:
            answer = self.answers.get(operation, lambda _: {})(parameters)
        except Refused as refused:
            return self._refusal(request, refused, service)
        if service == "ec2":
            answer = _ec2_xml().document(_models().operation("ec2", operation), answer, "r")
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return AWSResponse(request.url, 200, {}, _Raw(text.encode()))

    def _refusal(self, request: Any, refused: Refused, service: str) -> AWSResponse:
        if service in {"sts", "ec2"}:
            form = REFUSED if service == "sts" else EC2_REFUSED
            text = form.format(code=refused.code, message=refused.message)
        else:
            text = json.dumps({"__type": refused.code, "message": refused.message})
        headers = {"x-amzn-errortype": refused.code}
        return AWSResponse(request.url, refused.status, headers, _Raw(text.encode()))


@cache
def _models() -> Models:
    return Models()


@cache
def _ec2_xml() -> Ec2Xml:
    return Ec2Xml()


def _form(body: Any) -> Parameters:
    text = body.decode() if isinstance(body, bytes) else str(body)
    return {name: values[0] for name, values in parse_qs(text).items()}
