"""AWS as one function an operation, without sockets: for tests of the adapters themselves."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

from botocore.awsrequest import AWSResponse

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
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.sent: list[tuple[str, Parameters]] = []
        self.requests: list[Any] = []

    def attach(self, client: Any) -> None:
        client.meta.events.register("before-send", self)

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.sent]

    def __call__(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        xml = ".sts." in event_name
        parameters = _form(request.body) if xml else json.loads(request.body or b"{}")
        self.sent.append((operation, parameters))
        self.requests.append(request)
        try:
            answer = self.answers.get(operation, lambda _: {})(parameters)
        except Refused as refused:
            return self._refusal(request, refused, xml=xml)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return AWSResponse(request.url, 200, {}, _Raw(text.encode()))

    def _refusal(self, request: Any, refused: Refused, *, xml: bool) -> AWSResponse:
        if xml:
            text = REFUSED.format(code=refused.code, message=refused.message)
        else:
            text = json.dumps({"__type": refused.code, "message": refused.message})
        headers = {"x-amzn-errortype": refused.code}
        return AWSResponse(request.url, refused.status, headers, _Raw(text.encode()))


def _form(body: Any) -> Parameters:
    text = body.decode() if isinstance(body, bytes) else str(body)
    return {name: values[0] for name, values in parse_qs(text).items()}
