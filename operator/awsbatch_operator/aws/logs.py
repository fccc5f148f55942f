"""LogsPort on boto3's CloudWatch Logs client."""

from collections.abc import Sequence
from typing import Any

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.sender import Sender

# GetLogEvents may answer an empty page although there are events further back; the same token twice
# means the end (API reference). A job with this many empty pages has nothing new to show.
_EMPTY_PAGES = 3


class LogsAdapter:
    """CloudWatch Logs through the Sender."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def last_lines(
        self, scope: Scope, group: str, stream: str, *, count: int
    ) -> Sequence[str]:
        request: dict[str, Any] = {
            "logGroupName": group,
            "logStreamName": stream,
            "limit": count,
            "startFromHead": False,
        }
        for _ in range(_EMPTY_PAGES):
            try:
                answer = await self._sender.call(scope, "logs:GetLogEvents", request)
            except AwsError as error:
                if error.kind is ErrorKind.NOT_FOUND:
                    return ()
                raise
            events = answer.get("events", ())
            if events:
                return tuple(str(event["message"]) for event in events)
            before = answer.get("nextBackwardToken")
            if not before or before == request.get("nextToken"):
                break
            request["nextToken"] = before
        return ()
