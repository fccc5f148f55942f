"""Pages, filters and orders of log events, as CloudWatch Logs gives them."""

import re
from collections.abc import Sequence
from typing import Any

from awsbatch_simulator.context import Place
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.logs.store import Group, LogEvent, Stream

PAGE = 10_000  # events
LISTED = 50
TOKEN = re.compile(r"(?P<way>[fb])/(?P<position>\d{1,56})")
OFFSET = re.compile(r"[0-9]{1,18}")
TERM = re.compile(r'"([^"]*)"|(\S+)')


def page(stream: Stream, request: dict[str, Any]) -> dict[str, Any]:
    """GetLogEvents: without a token the newest page, or the oldest with startFromHead.

    Both tokens are always there; at an end the same token comes back.
    """
    limit = request.get("limit", PAGE)
    start, end = _range(stream, request, limit)
    events = [event for event in stream.between(start, end) if _within(event, request)]
    return {
        "events": [_event(event) for event in events],
        "nextForwardToken": f"f/{end:056d}",
        "nextBackwardToken": f"b/{start:056d}",
    }


def filtered(group: Group, request: dict[str, Any]) -> dict[str, Any]:
    """FilterLogEvents: events of the chosen streams, by time, with all terms of the pattern."""
    terms = _terms(request.get("filterPattern", ""))
    found = sorted(
        (
            (event.timestamp, stream.name, stream.forgotten + index, event)
            for stream in _chosen(group, request)
            for index, event in enumerate(stream.events)
            if _within(event, request) and all(term in event.message for term in terms)
        ),
        key=lambda one: one[:3],
    )
    limit = request.get("limit", PAGE)
    first = _offset(request)
    answer: dict[str, Any] = {
        "events": [
            {**_event(event), "logStreamName": name, "eventId": f"{timestamp:020d}{position:036d}"}
            for timestamp, name, position, event in found[first : first + limit]
        ],
        "searchedLogStreams": [],
    }
    if first + limit < len(found):
        answer["nextToken"] = str(first + limit)
    return answer


def ordered(group: Group, request: dict[str, Any]) -> list[Stream]:
    """The streams of a group in the order that is asked for."""
    by_time = request.get("orderBy") == "LastEventTime"
    prefix = request.get("logStreamNamePrefix", "")
    if by_time and prefix:
        message = "Cannot order by LastEventTime with a logStreamNamePrefix."
        raise AwsFailure("InvalidParameterException", message)
    return sorted(
        (stream for name, stream in group.streams.items() if name.startswith(prefix)),
        key=(lambda one: (_last(one), one.name)) if by_time else (lambda one: (0, one.name)),
        reverse=request.get("descending", False),
    )


def listed(name: str, items: Sequence[dict[str, Any]], request: dict[str, Any]) -> dict[str, Any]:
    """A page of a listing."""
    first, limit = _offset(request), request.get("limit", LISTED)
    answer: dict[str, Any] = {name: list(items[first : first + limit])}
    if first + limit < len(items):
        answer["nextToken"] = str(first + limit)
    return answer


def group_view(place: Place, group: Group) -> dict[str, Any]:
    """A group as DescribeLogGroups shows it."""
    view: dict[str, Any] = {
        "logGroupName": group.name,
        "creationTime": group.created,
        "metricFilterCount": 0,
        "arn": f"{_arn(place, group.name)}:*",
        "storedBytes": sum(stream.size for stream in group.streams.values()),
        "logGroupClass": "STANDARD",
        "logGroupArn": _arn(place, group.name),
    }
    return view | ({"retentionInDays": group.retention_days} if group.retention_days else {})


def stream_view(place: Place, stream: Stream) -> dict[str, Any]:
    """A stream as DescribeLogStreams shows it."""
    view: dict[str, Any] = {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "arn": f"{_arn(place, stream.group)}:log-stream:{stream.name}",
        "storedBytes": 0,  # AWS reports 0 for streams since 2019
        "uploadSequenceToken": f"{stream.end:056d}",
    }
    if stream.events:
        view["firstEventTimestamp"] = stream.events[0].timestamp
        view["lastEventTimestamp"] = stream.events[-1].timestamp
        view["lastIngestionTime"] = stream.events[-1].ingestion_time
    return view


def _range(stream: Stream, request: dict[str, Any], limit: int) -> tuple[int, int]:
    token = request.get("nextToken")
    if token is None:
        if request.get("startFromHead"):
            return stream.forgotten, min(stream.end, stream.forgotten + limit)
        return max(stream.forgotten, stream.end - limit), stream.end
    found = TOKEN.fullmatch(token)
    if found is None:
        raise AwsFailure("InvalidParameterException", "The specified nextToken is invalid.")
    position = min(int(found["position"]), stream.end)
    if found["way"] == "f":
        return position, min(stream.end, position + limit)
    return max(stream.forgotten, position - limit), max(stream.forgotten, position)


def _offset(request: dict[str, Any]) -> int:
    token = request.get("nextToken", "0")
    if OFFSET.fullmatch(token) is None:
        raise AwsFailure("InvalidParameterException", "The specified nextToken is invalid.")
    return int(token)


def _chosen(group: Group, request: dict[str, Any]) -> list[Stream]:
    names = request.get("logStreamNames")
    prefix = request.get("logStreamNamePrefix", "")
    return [
        stream
        for name, stream in group.streams.items()
        if name.startswith(prefix) and (names is None or name in names)
    ]


def _terms(pattern: str) -> list[str]:
    """The terms of a filter pattern; JSON and space-delimited patterns are refused, not ignored."""
    if pattern.lstrip().startswith(("{", "[", "%")):
        message = f"The simulator knows filter patterns of plain terms only, not {pattern!r}."
        raise AwsFailure("InvalidParameterException", message)
    return [quoted or plain for quoted, plain in TERM.findall(pattern)]


def _within(event: LogEvent, request: dict[str, Any]) -> bool:
    start, end = request.get("startTime"), request.get("endTime")
    return (start is None or event.timestamp >= start) and (end is None or event.timestamp < end)


def _last(stream: Stream) -> int:
    return stream.events[-1].timestamp if stream.events else 0


def _event(event: LogEvent) -> dict[str, Any]:
    return {
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingestion_time,
    }


def _arn(place: Place, group: str) -> str:
    return f"arn:aws:logs:{place.region}:{place.account}:log-group:{group}"
