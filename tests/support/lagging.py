"""AWS whose listings lag: what was made a moment ago is there, and not shown yet."""

import io
import json
from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSResponse

_ARNS = ("computeEnvironmentArn", "jobQueueArn", "jobDefinitionArn", "arn")
_READS = ("Describe", "List")


class _Raw(io.BytesIO):
    def stream(self, **_options: Any) -> Any:
        while chunk := self.read(65_536):
            yield chunk


class Lagging:
    """A botocore `before-send` handler around another one, for Batch's own objects.

    A thing is hidden for `seconds` from the first look that would have shown it.
    """

    def __init__(self, answer: Callable[..., Any], now: Callable[[], float]) -> None:
        self.seconds = 0.0
        self.hidden = 0  # how often something was left out
        self._answer = answer
        self._now = now
        self._first: dict[str, float] = {}

    def connect(self, client: Any) -> None:
        """Take over all requests of a client."""
        client.meta.events.register("before-send", self, unique_id="lagging")

    def __call__(self, request: Any, event_name: str, **context: Any) -> Any:
        response = self._answer(request=request, event_name=event_name, **context)
        _, service, operation = event_name.split(".", maxsplit=2)
        if service != "batch" or not operation.startswith(_READS) or not self.seconds:
            return response
        body = json.loads(response.content)
        shown = {name: self._shown(value) for name, value in body.items()}
        text = json.dumps(shown).encode()
        headers = {**response.headers, "Content-Length": str(len(text))}
        return AWSResponse(request.url, response.status_code, headers, _Raw(text))

    def _shown(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        kept = [entry for entry in value if not self._young(entry)]
        self.hidden += len(value) - len(kept)
        return kept

    def _young(self, entry: Any) -> bool:
        arn = next((str(entry[name]) for name in _ARNS if name in entry), None)
        if arn is None:
            return False
        first = self._first.setdefault(arn, self._now())
        return self._now() - first < self.seconds
