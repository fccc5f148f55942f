"""AWS whose listings lag: what was made a moment ago is there, and not shown yet."""

import io
import json
from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSResponse

_ARNS = ("computeEnvironmentArn", "jobQueueArn", "jobDefinitionArn", "arn")
_READS = ("Describe", "List")
_MAKES = ("Create", "Register")


class _Raw(io.BytesIO):
    def stream(self, **_options: Any) -> Any:
        while chunk := self.read(65_536):
            yield chunk


class Lagging:
    """A botocore `before-send` handler around another one, for Batch's own objects.

    A thing is hidden for `seconds` from the moment at which it was made. Of one whose making got no
    answer, that is the last moment at which something was made without an answer.
    """

    def __init__(self, answer: Callable[..., Any], now: Callable[[], float]) -> None:
        self.seconds = 0.0
        self.hidden = 0  # how often something was left out
        self._answer = answer
        self._now = now
        self._made: dict[str, float] = {}
        self._unanswered = 0.0

    def connect(self, client: Any) -> None:
        """Take over all requests of a client."""
        client.meta.events.register("before-send", self, unique_id="lagging")

    def __call__(self, request: Any, event_name: str, **context: Any) -> Any:
        _, service, operation = event_name.split(".", maxsplit=2)
        makes = service == "batch" and operation.startswith(_MAKES)
        try:
            response = self._answer(request=request, event_name=event_name, **context)
        except Exception:
            if makes:
                self._unanswered = self._now()
            raise
        if makes and response.status_code == 200:
            return self._rewritten(request, response, self._note)
        if self.seconds and service == "batch" and operation.startswith(_READS):
            return self._rewritten(request, response, self._shown)
        return response

    def _rewritten(self, request: Any, response: Any, change: Callable[[Any], Any]) -> Any:
        """The body can be read once only, so a new answer is made of it."""
        text = json.dumps(change(json.loads(response.content))).encode()
        headers = {**response.headers, "Content-Length": str(len(text))}
        return AWSResponse(request.url, response.status_code, headers, _Raw(text))

    def _note(self, body: Any) -> Any:
        self._made[_arn(body)] = self._now()
        return body

    def _shown(self, body: Any) -> Any:
        shown = {}
        for name, value in body.items():
            if isinstance(value, list):
                shown[name] = [entry for entry in value if not self._young(entry)]
                self.hidden += len(value) - len(shown[name])
            else:
                shown[name] = value
        return shown

    def _young(self, entry: Any) -> bool:
        arn = _arn(entry)
        if not arn:
            return False
        made = self._made.setdefault(arn, self._unanswered)
        return self._now() - made < self.seconds


def _arn(entry: Any) -> str:
    if not isinstance(entry, dict):
        return ""
    return next((str(entry[name]) for name in _ARNS if name in entry), "")
