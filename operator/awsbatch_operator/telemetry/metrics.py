"""Prometheus metrics. Every label takes its values from a bounded set; none names an object."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

PREFIX = "awsbatch_operator"
# From a turn that finds nothing to do to one that waits for a dozen slow calls, in seconds.
TURN_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0)
CALL_BUCKETS = (0.005, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


class Metrics:
    """All metrics of one operator, in the registry that it is given. Usable from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._turns = Counter(
            f"{PREFIX}_reconciles",
            "Turns of reconciliation, by kind and by how they ended.",
            ("kind", "result"),
            registry=registry,
        )
        self._turn_seconds = Histogram(
            f"{PREFIX}_reconcile_seconds",
            "Duration of a turn.",
            ("kind",),
            buckets=TURN_BUCKETS,
            registry=registry,
        )
        self._retries = Counter(
            f"{PREFIX}_retries",
            "Turns that will be repeated with backoff.",
            ("kind",),
            registry=registry,
        )
        self._kube_writes = Counter(
            f"{PREFIX}_kube_writes",
            "Writes to the Kubernetes API, by kind, verb and outcome.",
            ("kind", "verb", "outcome"),
            registry=registry,
        )
        self._events = Counter(
            f"{PREFIX}_events",
            "Kubernetes Events, by outcome: created, repeated, dropped, failed.",
            ("outcome",),
            registry=registry,
        )
        self._aws_calls = Counter(
            f"{PREFIX}_aws_calls",
            "Calls to AWS, by service, operation and outcome.",
            ("service", "operation", "outcome"),
            registry=registry,
        )
        self._aws_seconds = Histogram(
            f"{PREFIX}_aws_call_seconds",
            "Duration of a call to AWS.",
            ("service", "operation"),
            buckets=CALL_BUCKETS,
            registry=registry,
        )
        self._passes = Counter(
            f"{PREFIX}_resync_passes",
            "Passes that compared the cache with the live objects, by outcome.",
            ("outcome",),
            registry=registry,
        )
        self._ghosts = Counter(
            f"{PREFIX}_ghosts_dropped",
            "Objects dropped from the cache because a pass found that they had gone.",
            ("kind",),
            registry=registry,
        )
        self._leader = Gauge(
            f"{PREFIX}_leader",
            "1 while this process holds the lease.",
            registry=registry,
        )

    def turn(self, kind: str, result: str, seconds: float) -> None:
        """One turn has ended."""
        self._turns.labels(kind, result).inc()
        self._turn_seconds.labels(kind).observe(seconds)

    def retry(self, kind: str) -> None:
        """A turn will be repeated with backoff."""
        self._retries.labels(kind).inc()

    def kube_write(self, kind: str, verb: str, outcome: str) -> None:
        """One write to the Kubernetes API."""
        self._kube_writes.labels(kind, verb, outcome).inc()

    def event(self, outcome: str) -> None:
        """What became of an Event."""
        self._events.labels(outcome).inc()

    def aws_call(self, service: str, operation: str, outcome: str, seconds: float) -> None:
        """One call to AWS; the outcome is "ok" or the name of an error class, not a message."""
        self._aws_calls.labels(service, operation, outcome).inc()
        self._aws_seconds.labels(service, operation).observe(seconds)

    def resync(self, outcome: str) -> None:
        """One pass over all objects has ended."""
        self._passes.labels(outcome).inc()

    def ghost(self, kind: str) -> None:
        """An object of the cache turned out to be gone."""
        self._ghosts.labels(kind).inc()

    def leads(self, leads: bool) -> None:  # noqa: FBT001 - the one fact it states
        """Whether this process holds the lease."""
        self._leader.set(1 if leads else 0)

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """A value that is read when the metrics are, e.g. the depth of a queue."""
        Gauge(f"{PREFIX}_{name}", meaning, registry=self.registry).set_function(read)
