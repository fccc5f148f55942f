"""The elector: takes the lease, keeps it, gives it back."""

import structlog

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.repeats import Repeats
from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.engine.fence import LeaseFence
from awsbatch_operator.engine.lease import (
    LeaseSettings,
    LeaseView,
    Standing,
    claim,
    evaluate,
    released,
    viewed,
)
from awsbatch_operator.kube.port import ConflictError, DeniedError, KubeError, KubePort
from awsbatch_operator.waiting import within

REMIND_SECONDS = 60.0  # between two equal log lines
RELEASE_SECONDS = 1.0  # SIGTERM leaves one second for this; the lease runs out by itself otherwise

_log = structlog.get_logger(__name__)


class Elector:
    """One candidate for one lease. For one event loop; the fence may be asked from any thread.

    `acquire`, then `keep` until it raises or is cancelled, then, when no call is in flight any
    more, `release`.
    """

    def __init__(
        self, *, kube: KubePort, clock: Clock, settings: LeaseSettings, fence: LeaseFence
    ) -> None:
        self._kube = kube
        self._clock = clock
        self._settings = settings
        self._fence = fence
        self._view: LeaseView | None = None
        self._read_at: float | None = None
        self._trouble = ""
        self._denied = ""  # what the API server said to the last attempt, if it was a no
        self._told = Repeats(clock, seconds=REMIND_SECONDS)
        self._waited_for = ""  # the holder of whom the log says that we wait for it
        self.won: Instant | None = None

    @property
    def leads(self) -> bool:
        """Whether this process holds the lease."""
        return self._fence.left > 0

    def not_ready(self) -> str | None:
        """Why this process does not count as ready, or None: it must be able to read its lease.

        Standby replicas are ready too, or a rolling update would wait for ever for one that leads.
        """
        if self._denied:
            return self._denied
        limit = self._settings.duration_seconds
        if self._read_at is not None and self._clock.monotonic() - self._read_at <= limit:
            return None
        place = f"{self._settings.namespace}/{self._settings.name}"
        return f"cannot read the lease {place}: {self._trouble or 'no answer yet'}"

    async def acquire(self) -> Instant:
        """Wait until the lease is ours, for ever if need be; returns when that was."""
        while not await self._attempt(self._settings.renew_seconds):
            self._say_who_leads()
            await self._clock.sleep(self._pause())
        self.won = self._clock.now()
        _log.info("lease won", identity=self._settings.identity)
        return self.won

    async def keep(self) -> None:
        """Renew the lease until cancelled. LeaseLostError once it has run out or is another's."""
        while self.leads:
            renewed = await self._attempt(min(self._fence.left, self._settings.renew_seconds))
            standing, _ = evaluate(self._view, self._settings.identity, self._clock.monotonic())
            if standing is Standing.THEIRS:
                self._fence.close()
                raise LeaseLostError(f"The lease is lost. {self._trouble}")
            pause = self._settings.renew_seconds if renewed else self._settings.retry_seconds
            await self._clock.sleep(min(pause, self._fence.left))
        raise LeaseLostError(f"The lease was not renewed in time. {self._trouble}".strip())

    async def release(self) -> None:
        """Give the lease back, so that another replica need not wait until it has run out.

        Only when no mutating call can be in flight. Never raises an Exception.
        """
        self._fence.close()
        try:
            await within(self._clock, RELEASE_SECONDS, self._give_back())
        except (KubeError, TimeoutError) as error:
            _log.warning("lease not released", error=str(error))

    def _say_who_leads(self) -> None:
        """Once for each leader: a standby that is well has nothing else to say."""
        holder = self._holder()
        standing, _ = evaluate(self._view, self._settings.identity, self._clock.monotonic())
        if standing is Standing.THEIRS and holder != self._waited_for:
            self._waited_for = holder
            _log.info(
                "standing by: another replica leads",
                holder=holder,
                lease=f"{self._settings.namespace}/{self._settings.name}",
                identity=self._settings.identity,
            )

    async def _give_back(self) -> None:
        lease = await self._read()
        if lease is not None and self._holder() == self._settings.identity:
            await self._kube.replace_lease(lease, released(lease, self._clock.now()))
            _log.info("lease released", identity=self._settings.identity)

    async def _attempt(self, seconds: float) -> bool:
        """Read the lease, and take or renew it if that is ours to do; whether it is ours now."""
        try:
            ours = await within(self._clock, seconds, self._read_and_claim())
        except ConflictError:
            return False  # another candidate was faster; the next read shows which
        except (KubeError, TimeoutError) as error:
            self._failed(error)
            return False
        self._denied = ""
        return ours

    def _failed(self, error: KubeError | TimeoutError) -> None:
        """Say it, and the same once a minute: it is tried every two seconds."""
        self._trouble = f"{type(error).__name__}: {error}"
        self._denied = str(error) if isinstance(error, DeniedError) else ""
        if self._told.is_news(self._trouble):
            words = "the lease is refused" if self._denied else "no answer about the lease"
            _log.warning(words, error=self._trouble)

    async def _read_and_claim(self) -> bool:
        lease = await self._read()
        began = self._clock.monotonic()
        standing, _ = evaluate(self._view, self._settings.identity, began)
        if standing is Standing.THEIRS:
            self._trouble = f"It is held by {self._holder()}."
            return False
        spec = claim(self._view, self._settings, self._clock.now())
        if lease is None:
            answer = await self._kube.create_lease(
                self._settings.namespace, self._settings.name, spec
            )
        else:
            answer = await self._kube.replace_lease(lease, spec)
        # Counted from before the write was sent: others count from when they have seen it.
        self._fence.open_until(began + self._settings.duration_seconds)
        self._see(answer)
        return True

    async def _read(self) -> Shape | None:
        lease = await self._kube.read_lease(self._settings.namespace, self._settings.name)
        self._see(lease)
        self._read_at = self._clock.monotonic()
        self._trouble = ""
        return lease

    def _see(self, lease: Shape | None) -> None:
        self._view = viewed(
            self._view,
            lease,
            now=self._clock.monotonic(),
            duration=self._settings.duration_seconds,
        )

    def _holder(self) -> str:
        return self._view.holder if self._view is not None else ""

    def _pause(self) -> float:
        """Until the next look: the usual time, or less when a foreign lease runs out before."""
        _, left = evaluate(self._view, self._settings.identity, self._clock.monotonic())
        return min(self._settings.retry_seconds, left) if left > 0 else self._settings.retry_seconds
