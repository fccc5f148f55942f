"""The recorder of Kubernetes Events: series instead of repeats, and never in anybody's way."""

from collections import OrderedDict
from dataclasses import dataclass
from random import Random

import structlog

from awsbatch_operator.api.bucket import Bucket, Rate
from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.engine.backoff import Backoff
from awsbatch_operator.engine.queue import WorkQueue
from awsbatch_operator.engine.series import NOTE_BYTES, Series, SeriesKey, cut, event_body
from awsbatch_operator.kube.port import (
    ConflictError,
    KubePort,
    NotFoundError,
    UnavailableError,
)
from awsbatch_operator.telemetry.metrics import Metrics
from awsbatch_operator.waiting import first_of

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Times in seconds."""

    rate: float = 50.0  # requests a second
    burst: int = 100
    waiting: int = 2000  # events not sent yet; of more the oldest are dropped
    remembered: int = 4000  # series
    series_seconds: float = 600.0  # what happens again within this time belongs to the series
    report_seconds: float = 60.0  # repeats are reported this often
    attempts: int = 3  # for one event, while others can be sent


class EventRecorder:
    """Events about our objects. For one event loop; `run` sends them.

    While the API server does not answer, nothing is given up: events wait, up to a bound, and are
    sent when it is back. An event that gets no answer although others do is its own
    trouble, and is given up after a few attempts.

    The text of an Event that exists cannot be changed (events.k8s.io/v1 refuses it). So a series
    whose text has changed goes on in a new Event, the first time after `report_seconds` and then
    after twice as long each time: a number that ticks makes a handful of Events an hour.
    """

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
        self._unsent: OrderedDict[SeriesKey, None] = OrderedDict()  # oldest first
        self._failures: dict[SeriesKey, int] = {}
        self._outbox = WorkQueue[SeriesKey](clock=clock, random=random)
        self._backoff = Backoff(base_seconds=1.0, cap_seconds=10.0)
        self._silence = 0  # requests in a row without an answer
        rate = Rate(self._settings.rate, self._settings.burst)
        self._bucket = Bucket(rate, clock.monotonic())

    def event(
        self, resource: Resource, *, reason: str, message: str, warning: bool, action: str
    ) -> None:
        """Report something about the resource. Never raises, never waits, may drop it.

        `reason` says why in a CamelCase word, `action` what was done or tried ("Submit"). The same
        again within the time of a series is counted.
        """
        key = SeriesKey.of(resource, reason=reason, action=action, warning=warning, message=message)
        now = self._clock.now()
        self._forget_old()
        series = self._series.get(key)
        if series is not None:
            self._repeat(key, series, cut(message, NOTE_BYTES), now)
            return
        body = event_body(
            resource,
            key,
            message=message,
            instance=self._instance,
            now=now,
            suffix=self._suffix(),
        )
        self._series[key] = Series(body=body, note=body["note"], count=1, last=now)
        self._unsent[key] = None
        if len(self._unsent) > self._settings.waiting:
            self._drop(next(iter(self._unsent)))
        self._outbox.add(key)

    async def run(self) -> None:
        """Send events until cancelled. No Exception ends it."""
        await first_of(self._outbox.run_timers(), self._send_all())

    async def drain(self, seconds: float) -> None:
        """Wait until all that waits to be sent has been, but not longer than that."""
        deadline = self._clock.monotonic() + seconds
        while not self._outbox.idle and self._clock.monotonic() < deadline:
            await self._clock.sleep(0.05)

    def _repeat(self, key: SeriesKey, series: Series, note: str, now: Instant) -> None:
        series.count += 1
        series.last, series.note = now, note
        self._series.move_to_end(key)
        if series.sent_count:
            self._report_later(key, series)

    def _report_later(self, key: SeriesKey, series: Series) -> None:
        settings = self._settings
        delay = settings.report_seconds
        if not series.shows_latest:
            delay = min(delay * 2.0 ** (series.events - 1), settings.series_seconds)
        self._outbox.add_after(key, delay)

    async def _send_all(self) -> None:
        while (key := await self._outbox.take()) is not None:
            try:
                while (wait := self._bucket.wait(self._clock.monotonic())) > 0:
                    await self._clock.sleep(wait)
                self._bucket.take(self._clock.monotonic())
                pause = await self._send(key)
                if pause > 0:
                    await self._clock.sleep(pause)
            finally:
                self._outbox.done(key)

    async def _send(self, key: SeriesKey) -> float:
        """Send what is new of the series; seconds to wait before the next is sent."""
        series = self._series.get(key)
        if series is None or series.sent_count == series.count:
            return 0.0
        count = series.count
        try:
            await self._create_or_patch(key, series)
        except UnavailableError as error:
            return self._no_answer(key, error)
        except Exception as error:  # noqa: BLE001 - events are an aid: nothing may depend on them
            self._give_up(key, error)
        else:
            series.sent_count = count
            self._unsent.pop(key, None)
            if series.count > count:  # it happened again while the request was on its way
                self._report_later(key, series)
            self._failures.pop(key, None)
        self._silence = 0
        return 0.0

    async def _create_or_patch(self, key: SeriesKey, series: Series) -> None:
        if not series.sent_count:
            try:
                await self._kube.create_event(series.namespace, series.created_body())
            except ConflictError:
                _log.debug("event exists", reason=key.reason)  # an attempt without answer got there
            self._metrics.event("created")
            return
        if series.shows_latest:
            try:
                await self._kube.patch_event(series.namespace, series.name, series.patch_body())
            except NotFoundError:
                # It has outlived its time to live (an hour by default): begin a new one.
                series.renew(self._renamed(series))
                await self._kube.create_event(series.namespace, series.created_body())
        else:
            series.renew(self._renamed(series))
            series.events += 1
            await self._kube.create_event(series.namespace, series.created_body())
        self._metrics.event("repeated")

    def _no_answer(self, key: SeriesKey, error: UnavailableError) -> float:
        """Keep the event for later; seconds to wait before anything is sent.

        A failure counts against the event only if another one has been answered since its last:
        else it is an outage, which is nobody's fault and may take hours.
        """
        if not self._silence:
            self._failures[key] = self._failures.get(key, 0) + 1
        if self._failures.get(key, 0) >= self._settings.attempts:
            self._give_up(key, error)
            return 0.0
        self._silence += 1
        self._outbox.add(key)
        delay = self._backoff.delay(self._silence, self._random)
        return max(delay, error.retry_after or 0.0)

    def _give_up(self, key: SeriesKey, error: Exception) -> None:
        self._metrics.event("failed")
        self._forget(key)
        # Without its namespace there is no place for an event, and nobody to read it.
        log = _log.debug if isinstance(error, NotFoundError) else _log.warning
        log("event not recorded", reason=key.reason, error=f"{type(error).__name__}: {error}")

    def _drop(self, key: SeriesKey) -> None:
        self._metrics.event("dropped")
        self._forget(key)

    def _forget(self, key: SeriesKey) -> None:
        self._series.pop(key, None)
        self._unsent.pop(key, None)
        self._failures.pop(key, None)
        self._outbox.discard(key)

    def _forget_old(self) -> None:
        """Drop series that ended, and the oldest ones when there are too many."""
        oldest = self._clock.now().plus(-self._settings.series_seconds)
        while self._series:
            key, series = next(iter(self._series.items()))
            ended = series.last < oldest and series.sent_count == series.count
            if not ended and len(self._series) < self._settings.remembered:
                return
            if series.sent_count:
                self._forget(key)
            else:
                self._drop(key)

    def _renamed(self, series: Series) -> str:
        return f"{series.name.rpartition('.')[0]}.{self._suffix()}"

    def _suffix(self) -> str:
        return f"{self._random.getrandbits(64):016x}"
