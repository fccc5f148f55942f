"""The operations of CloudWatch Logs that a job's output needs, and the sink that jobs write to."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from awsbatch_simulator.context import Caller, Place
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.logs import reading
from awsbatch_simulator.logs.store import Group, LogStore, Stream
from awsbatch_simulator.ports import Handler
from awsbatch_simulator.world import World


class Logs:
    """Log groups, streams and events. It is also the LogSink that the world offers to jobs."""

    def __init__(self, world: World, stores: Mapping[Place, LogStore] | None = None) -> None:
        self._world = world
        self._stores: dict[Place, LogStore] = dict(stores or {})

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {
            "CreateLogGroup": self.create_log_group,
            "CreateLogStream": self.create_log_stream,
            "DeleteLogGroup": self.delete_log_group,
            "DeleteLogStream": self.delete_log_stream,
            "DescribeLogGroups": self.describe_log_groups,
            "DescribeLogStreams": self.describe_log_streams,
            "FilterLogEvents": self.filter_log_events,
            "GetLogEvents": self.get_log_events,
            "PutLogEvents": self.put_log_events,
            "PutRetentionPolicy": self.put_retention_policy,
        }

    def store(self, place: Place) -> LogStore:
        """All logs of a place."""
        return self._stores.setdefault(place, LogStore())

    def report(self, place: Place) -> dict[str, Any]:
        """What `/_simulator/state` shows."""
        store = self.store(place)
        streams = sum(len(group.streams) for group in store.groups.values())
        return {"groups": len(store.groups), "streams": streams, "bytes": store.size}

    def write(
        self, place: Place, *, group: str, stream: str, events: Sequence[tuple[int, str]]
    ) -> None:
        store = self.store(place)
        found = store.groups.setdefault(group, Group(group, self._now()))
        target = found.streams.setdefault(stream, Stream(group, stream, self._now()))
        store.append(target, events, now=self._now())

    def create_log_group(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """A new group."""
        groups, name = self.store(caller.place).groups, request["logGroupName"]
        if name in groups:
            raise _exists("log group")
        groups[name] = Group(name, self._now(), tags=dict(request.get("tags", {})))
        return {}

    def create_log_stream(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """A new stream in a group."""
        group, name = self._group(caller, request), request["logStreamName"]
        if name in group.streams:
            raise _exists("log stream")
        group.streams[name] = Stream(group.name, name, self._now())
        return {}

    def delete_log_group(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a group with all that is in it."""
        group, store = self._group(caller, request), self.store(caller.place)
        store.remove(group, tuple(group.streams))
        del store.groups[group.name]
        return {}

    def delete_log_stream(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a stream."""
        group = self._group(caller, request)
        self.store(caller.place).remove(group, [self._stream(group, request).name])
        return {}

    def put_retention_policy(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """Kept and shown; nothing is deleted by age."""
        self._group(caller, request).retention_days = request["retentionInDays"]
        return {}

    def put_log_events(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """Append events, which must be in the order of their time."""
        group = self._group(caller, request)
        stream = self._stream(group, request)
        events = [(event["timestamp"], event["message"]) for event in request["logEvents"]]
        if any(later[0] < earlier[0] for earlier, later in pairwise(events)):
            message = "Log events in a single PutLogEvents request must be in chronological order."
            raise AwsFailure("InvalidParameterException", message)
        self.store(caller.place).append(stream, events, now=self._now())
        return {"nextSequenceToken": f"{stream.end:056d}"}

    def get_log_events(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """A page of a stream, forwards or backwards."""
        return reading.page(self._stream(self._group(caller, request), request), request)

    def filter_log_events(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """Events of many streams that contain all terms of the pattern."""
        return reading.filtered(self._group(caller, request), request)

    def describe_log_groups(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """Groups by name prefix."""
        groups = self.store(caller.place).matching(request.get("logGroupNamePrefix", ""))
        return reading.listed(
            "logGroups", [reading.group_view(caller.place, group) for group in groups], request
        )

    def describe_log_streams(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """Streams of a group by name prefix or last event."""
        streams = reading.ordered(self._group(caller, request), request)
        return reading.listed(
            "logStreams", [reading.stream_view(caller.place, one) for one in streams], request
        )

    def _group(self, caller: Caller, request: dict[str, Any]) -> Group:
        """By name, or by the ARN that logGroupIdentifier may be."""
        name = request.get("logGroupName") or request.get("logGroupIdentifier", "")
        if name.startswith("arn:"):
            name = name.split(":log-group:", 1)[-1].removesuffix(":*")
        group = self.store(caller.place).groups.get(name)
        if group is None:
            raise _absent("log group")
        return group

    def _stream(self, group: Group, request: dict[str, Any]) -> Stream:
        stream = group.streams.get(request["logStreamName"])
        if stream is None:
            raise _absent("log stream")
        return stream

    def _now(self) -> int:
        return int(self._world.clock.now() * 1000)


def _exists(what: str) -> AwsFailure:
    return AwsFailure("ResourceAlreadyExistsException", f"The specified {what} already exists")


def _absent(what: str) -> AwsFailure:
    return AwsFailure("ResourceNotFoundException", f"The specified {what} does not exist.")
