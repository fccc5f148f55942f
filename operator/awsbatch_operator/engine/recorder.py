"""The recorder of Kubernetes Events: series instead of repeats, and never in anybody's way."""

from collections import OrderedDict
from dataclasses import dataclass
from random import Random

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.engine.backoff import Backoff
from awsbatch_operator.engine.queue import WorkQueue
from awsbatch_operator.engine.rate import TokenBucket
from awsbatch_operator.engine.series import Series, SeriesKey, event_body
from awsbatch_operator.engine.waiting import first_of
from awsbatch_operator.kube.port import (
    ConflictError,
    KubePort,
    NotFoundError,
    UnavailableError,
)
from awsbatch_operator.telemetry.metrics import Metrics

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Times in seconds."""

    rate: float = 50.0  # requests a second
    burst: int = 100
    waiting: int = 2000  # events not sent yet; more are dropped
    remembered: int = 4000  # series
    series_seconds: float = 600.0  # what happens again within this time belongs to the series
    report_seconds: float = 60.0  # repeats are reported this often
    attempts: int = 3  # for one request, when the API server does not answer


class Recorder:
    """Events about our objects. For one event loop; `run` sends them."""

    def __init__(
        self,
        *,
        kube: KubePort,
        clock: Clock,
        random: Random,
        metrics: Metrics,
        instance: str,
        settings: RecorderSettings | None = None,
    ) -> None:
        self._kube = kube
        self._clock = clock
        self._random = random
        self._metrics = metrics
        self._instance = instance
        self._settings = settings or RecorderSettings()
        self._series: OrderedDict[SeriesKey, Series] = OrderedDict()  # latest repeat last
        self._failures: dict[SeriesKey, int] = {}
        self._outbox = WorkQueue[SeriesKey](
            clock=clock, random=random, backoff=Backoff(base_seconds=1.0, cap_seconds=10.0)
        )
        self._bucket = TokenBucket(clock, rate=self._settings.rate, burst=self._settings.burst)

    def event(
        self, resource: Resource, *, reason: str, message: str, warning: bool, action: str
    ) -> None:
        """Report something about the resource. Never raises, never waits, may drop it.

        `reason` says why in a CamelCase word, `action` what was done or tried ("Submit"). The same
        again within the time of a series is counted, with the message of the first.
        """
        key = SeriesKey(resource.uid, reason, action, warning)
        now = self._clock.now()
        self._forget_old()
        series = self._series.get(key)
        if series is not None:
            series.count += 1
            series.last = now
            self._series.move_to_end(key)
            if series.sent_count:
                self._outbox.add_after(key, self._settings.report_seconds)
            return
        if self._outbox.depth >= self._settings.waiting:
            self._metrics.event("dropped")
            return
        body = event_body(
            resource,
            key,
            message=message,
            instance=self._instance,
            now=now,
            suffix=self._suffix(),
        )
        self._series[key] = Series(body=body, count=1, last=now)
        self._outbox.add(key)

    async def run(self) -> None:
        """Send events until cancelled. No Exception ends it."""
        await first_of(self._outbox.run_timers(), self._send_all())

    async def drain(self, seconds: float) -> None:
        """Wait until all that waits to be sent has been, but not longer than that."""
        deadline = self._clock.monotonic() + seconds
        while not self._outbox.idle and self._clock.monotonic() < deadline:
            await self._clock.sleep(0.05)

    async def _send_all(self) -> None:
        while (key := await self._outbox.take()) is not None:
            try:
                wait = self._bucket.take()
                if wait > 0:
                    await self._clock.sleep(wait)
                await self._send(key)
            finally:
                self._outbox.done(key)

    async def _send(self, key: SeriesKey) -> None:
        series = self._series.get(key)
        if series is None or series.sent_count == series.count:
            return
        count = series.count
        try:
            await self._create_or_patch(key, series)
        except UnavailableError as error:
            self._failed(key, error)
        except Exception as error:  # noqa: BLE001 - events are an aid: nothing may depend on them
            self._give_up(key, error)
        else:
            series.sent_count = count
            if series.count > count:  # it happened again while the request was on its way
                self._outbox.add_after(key, self._settings.report_seconds)
            self._failures.pop(key, None)
            self._outbox.succeeded(key)

    async def _create_or_patch(self, key: SeriesKey, series: Series) -> None:
        if series.sent_count:
            try:
                await self._kube.patch_event(series.namespace, series.name, series.patch_body())
            except NotFoundError:
                # It has outlived its time to live (an hour by default): begin a new one.
                metadata = {**series.body["metadata"], "name": self._renamed(series)}
                series.body = {**series.body, "metadata": metadata}
                await self._kube.create_event(series.namespace, series.created_body())
            self._metrics.event("repeated")
            return
        try:
            await self._kube.create_event(series.namespace, series.created_body())
        except ConflictError:
            _log.debug("event exists", reason=key.reason)  # an attempt without answer got through
        self._metrics.event("created")

    def _failed(self, key: SeriesKey, error: UnavailableError) -> None:
        failures = self._failures.get(key, 0) + 1
        if failures >= self._settings.attempts:
            self._give_up(key, error)
            return
        self._failures[key] = failures
        self._outbox.retry(key)

    def _give_up(self, key: SeriesKey, error: Exception) -> None:
        self._metrics.event("failed")
        self._series.pop(key, None)
        self._failures.pop(key, None)
        self._outbox.forget(key)
        # Without its namespace there is no place for an event, and nobody to read it.
        log = _log.debug if isinstance(error, NotFoundError) else _log.warning
        log("event not recorded", reason=key.reason, error=f"{type(error).__name__}: {error}")

    def _forget_old(self) -> None:
        """Drop series that ended, and the oldest ones when there are too many."""
        oldest = self._clock.now().plus(-self._settings.series_seconds)
        while self._series:
            key, series = next(iter(self._series.items()))
            ended = series.last < oldest and series.sent_count == series.count
            if not ended and len(self._series) < self._settings.remembered:
                return
            del self._series[key]
            self._outbox.forget(key)

    def _renamed(self, series: Series) -> str:
        return f"{series.name.rpartition('.')[0]}.{self._suffix()}"

    def _suffix(self) -> str:
        return f"{self._random.getrandbits(64):016x}"
