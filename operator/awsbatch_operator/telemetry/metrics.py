"""Prometheus metrics. Every label takes its values from a bounded set.

None names an object, but for those of capacity and of jobs: they name environments and queues,
which are few.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

PREFIX = "awsbatch_operator"
# From a turn that finds nothing to do to one that waits for a dozen slow calls, in seconds.
TURN_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0)
# From a small image to one that is slow to start, in seconds.
JOIN_BUCKETS = (30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1200.0)
# From a free instance to a queue that is full for a day, in seconds.
WAIT_BUCKETS = (10.0, 30.0, 60.0, 180.0, 600.0, 1800.0, 3600.0, 14400.0, 86400.0)
CODES = 100  # different error codes that are counted by name; AWS documents some dozens
OTHER = "Other"
CALL_BUCKETS = (0.005, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)

ReadAll = Callable[[], Iterable[tuple[Sequence[str], float]]]
"""The values of all labels, each with its value."""
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9._]{0,79}")


class Metrics:
    """All metrics of one operator, in the registry that it is given. Usable from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._turns = self._counter("reconciles", "Turns, by how they ended.", "kind", "result")
        self._retries = self._counter("retries", "Turns to be repeated with backoff.", "kind")
        self._writes = self._counter(
            "kube_writes", "Writes to the Kubernetes API.", "kind", "verb", "outcome"
        )
        self._undone = self._counter(
            "writes_undone", "Objects found written over by somebody else since our write.", "kind"
        )
        self._events = self._counter("events", "What became of Kubernetes Events.", "outcome")
        self._passes = self._counter(
            "resync_passes", "Passes that compared the cache with the live objects.", "outcome"
        )
        self._ghosts = self._counter(
            "ghosts_dropped", "Objects that had gone without the watch saying so.", "kind"
        )
        self._rewound = self._counter(
            "versions_gone_back", "Objects that an API server had in an older version.", "kind"
        )
        self._seen = self._counter("watch_events", "What the watch has brought.", "kind", "event")
        self._orphans_removed = self._counter(
            "orphans_removed", "Things of EC2 that nobody owned, and were removed.", "thing"
        )
        self._turn_seconds = self._histogram(
            "reconcile_seconds", "Duration of a turn.", TURN_BUCKETS, "kind"
        )
        self._make_aws()
        self._make_capacity()

    def _make_aws(self) -> None:
        self._calls = self._counter("aws_calls", "Calls to AWS.", "service", "operation", "outcome")
        self._errors = self._counter(
            "aws_errors", "Calls to AWS that failed, by its code.", "service", "operation", "code"
        )
        self._codes: set[str] = set()
        self._call_seconds = self._histogram(
            "aws_call_seconds", "Duration of a call to AWS.", CALL_BUCKETS, "service", "operation"
        )
        self._token_seconds = self._histogram(
            "token_wait_seconds",
            "For how long calls were put off, because the rate that AWS allows was used up.",
            CALL_BUCKETS,
            "service",
            "operation",
        )

    def _make_capacity(self) -> None:
        self._launches = self._counter(
            "capacity_launches", "Calls that launch instances.", "market", "result"
        )
        self._job_wait = self._histogram(
            "job_wait_seconds", "From the submission of a job until it started.", WAIT_BUCKETS
        )
        self._join_seconds = self._histogram(
            "capacity_join_seconds",
            "From the launch of an instance until it joined its ECS cluster.",
            JOIN_BUCKETS,
            "market",
        )
        self._notices = self._counter(
            "notices", "Messages of the interruption queue, by what they announce.", "kind"
        )
        self._notice_seconds = self._histogram(
            "notice_seconds", "From the sending of a message to its reading.", CALL_BUCKETS, "kind"
        )

        self._job_events = self._counter(
            "job_events", "Messages of the event queue, by what comes of them.", "kind"
        )
        self._job_event_seconds = self._histogram(
            "job_event_seconds", "From its sending to its reading.", CALL_BUCKETS, "kind"
        )

    def turn(self, kind: str, result: str, seconds: float) -> None:
        """One turn has ended: ok, retry, no-token, fenced, conflict, error or gone."""
        self._turns(kind, result).inc()
        self._turn_seconds(kind).observe(seconds)

    def retry(self, kind: str) -> None:
        """A turn will be repeated with backoff."""
        self._retries(kind).inc()

    def kube_write(self, kind: str, verb: str, outcome: str) -> None:
        """One write to the Kubernetes API: "ok", or the name of the KubeError."""
        self._writes(kind, verb, outcome).inc()

    def write_undone(self, kind: str) -> None:
        """Somebody else has written over what we had written into an object."""
        self._undone(kind).inc()

    def event(self, outcome: str) -> None:
        """What became of an Event: created, repeated, dropped or failed."""
        self._events(outcome).inc()

    def token_wait(self, service: str, operation: str, seconds: float) -> None:
        """A call was put off for so long, until there is a token of AWS's rate for it."""
        self._token_seconds(service, operation).observe(seconds)

    def aws_call(
        self, service: str, operation: str, outcome: str, code: str, seconds: float
    ) -> None:
        """One call to AWS. The outcome is "ok" or the name of an error class, never a message.

        The code is AWS's word for an error. It comes from outside, so it is looked at, and only so
        many different ones are counted by name.
        """
        self._calls(service, operation, outcome).inc()
        self._call_seconds(service, operation).observe(seconds)
        if code:
            self._errors(service, operation, self._known(code)).inc()

    def _known(self, code: str) -> str:
        if code not in self._codes:
            if len(self._codes) >= CODES or not _CODE.fullmatch(code):
                return OTHER
            self._codes.add(code)
        return code

    def notice(self, kind: str, seconds: float) -> None:
        """A message of the interruption queue: a kind of announcement, Unreadable or Foreign."""
        self._notices(kind).inc()
        self._notice_seconds(kind).observe(seconds)

    def job_event(self, kind: str, seconds: float) -> None:
        """A message of the event queue, by what comes of it: see aws/job_events.py."""
        self._job_events(kind).inc()
        self._job_event_seconds(kind).observe(seconds)

    def resync(self, outcome: str) -> None:
        """One pass over all objects has ended: ok or failed."""
        self._passes(outcome).inc()

    def ghost(self, kind: str) -> None:
        """An object of the cache turned out to be gone."""
        self._ghosts(kind).inc()

    def rewound(self, kind: str) -> None:
        """A live read showed an older version than was known: a backup has been restored."""
        self._rewound(kind).inc()

    def watched(self, kind: str, event: str) -> None:
        """The watch has brought an object: LISTED at its start, then ADDED, MODIFIED or DELETED."""
        self._seen(kind, event).inc()

    def orphan_removed(self, thing: str) -> None:
        """Something without an owner was removed in EC2: Instance, Volume, and so on."""
        self._orphans_removed(thing).inc()

    def launched(self, market: str, result: str) -> None:
        """One call that launches instances was answered: all, some, none, refused, throttled.

        Or its answer was lost, or its token had been used: unknown.
        """
        self._launches(market, result).inc()

    def job_started(self, seconds: float) -> None:
        """A job has started so long after its submission."""
        self._job_wait().observe(seconds)

    def joined(self, market: str, seconds: float) -> None:
        """An instance has joined its ECS cluster so long after its launch."""
        self._join_seconds(market).observe(seconds)

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """A value that is read whenever the metrics are, such as the depth of a queue."""
        Gauge(f"{PREFIX}_{name}", meaning, registry=self.registry).set_function(read)

    def gauges(self, name: str, meaning: str, labels: Sequence[str], read: ReadAll) -> None:
        """Values by label, read whenever the metrics are: what is not read is not there."""
        self.registry.register(_Table(GaugeMetricFamily, f"{PREFIX}_{name}", meaning, labels, read))

    def counts(self, name: str, meaning: str, labels: Sequence[str], read: ReadAll) -> None:
        """The same for what only grows, whose name gets `_total` at its end."""
        family = CounterMetricFamily
        self.registry.register(_Table(family, f"{PREFIX}_{name}", meaning, labels, read))

    def _counter(self, name: str, meaning: str, *labels: str) -> Callable[..., Counter]:
        made = Counter(f"{PREFIX}_{name}", meaning, labels, registry=self.registry)
        return cache(made.labels)  # which checks names and takes a lock at every call

    def _histogram(
        self, name: str, meaning: str, buckets: Sequence[float], *labels: str
    ) -> Callable[..., Histogram]:
        made = Histogram(
            f"{PREFIX}_{name}", meaning, labels, buckets=buckets, registry=self.registry
        )
        return cache(made.labels) if labels else lambda: made


Family = type[GaugeMetricFamily] | type[CounterMetricFamily]


class _Table(Collector):
    """A gauge or a counter whose samples are made when they are asked for."""

    def __init__(
        self, family: Family, name: str, meaning: str, labels: Sequence[str], read: ReadAll
    ) -> None:
        self._family, self._read = family, read
        self._name, self._meaning, self._labels = name, meaning, labels

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        family = self._family(self._name, self._meaning, labels=self._labels)
        for values, number in self._read():
            family.add_metric(values, number)
        return [family]
