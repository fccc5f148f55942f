"""Log groups and streams, in bounded memory."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

STREAM_EVENTS = 10_000  # of a longer stream the oldest are forgotten
STORE_BYTES = 64 * 1024 * 1024  # beyond, the stream that was written to longest ago is emptied
EVENT_OVERHEAD = 26  # bytes that CloudWatch adds to each event when it counts


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line."""

    timestamp: int  # epoch milliseconds, as the writer says
    message: str
    ingestion_time: int


@dataclass(slots=True)
class Stream:
    """A log stream. Positions count from its very first event, forgotten ones included."""

    group: str
    name: str
    created: int
    events: list[LogEvent] = field(default_factory=list)
    forgotten: int = 0
    size: int = 0

    @property
    def end(self) -> int:
        """The position after the last event."""
        return self.forgotten + len(self.events)

    def between(self, start: int, end: int) -> Sequence[LogEvent]:
        """The events from one position to before another, as far as they are still there."""
        return self.events[max(0, start - self.forgotten) : max(0, end - self.forgotten)]

    def forget(self, count: int) -> int:
        """Drop the oldest events; returns the bytes that became free."""
        freed = sum(_size(event) for event in self.events[:count])
        del self.events[:count]
        self.forgotten += count
        self.size -= freed
        return freed


@dataclass(slots=True)
class Group:
    """A log group with its streams by name."""

    name: str
    created: int
    retention_days: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)


@dataclass(slots=True)
class LogStore:
    """All logs of one account and region."""

    groups: dict[str, Group] = field(default_factory=dict)
    size: int = 0
    _by_last_write: OrderedDict[tuple[str, str], Stream] = field(default_factory=OrderedDict)

    def append(self, stream: Stream, events: Sequence[tuple[int, str]], *, now: int) -> None:
        """Add events in the order of their timestamps, as CloudWatch returns them."""
        added = [LogEvent(timestamp, message, now) for timestamp, message in events]
        in_order = (
            not stream.events
            or not added
            or (min(event.timestamp for event in added) >= stream.events[-1].timestamp)
        )
        stream.events.extend(added)
        if not in_order or len(added) > 1:
            stream.events.sort(key=lambda event: event.timestamp)
        grown = sum(_size(event) for event in added)
        stream.size += grown
        self.size += grown
        key = (stream.group, stream.name)
        self._by_last_write[key] = stream
        self._by_last_write.move_to_end(key)
        if len(stream.events) > STREAM_EVENTS:
            self.size -= stream.forget(len(stream.events) - STREAM_EVENTS)
        while self.size > STORE_BYTES and len(self._by_last_write) > 1:
            _, oldest = self._by_last_write.popitem(last=False)
            self.size -= oldest.forget(len(oldest.events))

    def remove(self, group: Group, names: Sequence[str]) -> None:
        """Delete streams of a group."""
        for name in names:
            stream = group.streams.pop(name)
            if self._by_last_write.pop((group.name, name), None) is not None:
                self.size -= stream.size

    def matching(self, prefix: str) -> Iterator[Group]:
        """Groups by name prefix, in the order of their names."""
        return (group for name, group in sorted(self.groups.items()) if name.startswith(prefix))


def _size(event: LogEvent) -> int:
    return len(event.message) + EVENT_OVERHEAD
