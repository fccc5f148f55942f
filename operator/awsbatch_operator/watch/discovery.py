"""Wait until the API server serves our kinds, so that the operator may start before its CRDs."""

import asyncio
from collections.abc import Callable, Collection

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.kube.port import KubeError, KubePort, only_leaving
from awsbatch_operator.waiting import first_of, until_set

POLL_SECONDS = 2.0
REMIND_SECONDS = 60.0  # between two equal log lines

_REMEDY = "kubectl apply --server-side -k deploy/crds"
_log = structlog.get_logger(__name__)


class Discovery:
    """Polls discovery, without limit. A namespaced Role can do this, too."""

    def __init__(self, *, kube: KubePort, kinds: Collection[str], clock: Clock) -> None:
        self._kube = kube
        self._kinds = frozenset(kinds)
        self._clock = clock
        self._said: tuple[str, float] = ("", float("-inf"))
        self._whole = False  # all kinds were served at some time, also before we began
        self._missing: frozenset[str] = frozenset()
        self._unasked = ""

    def trouble(self) -> str | None:
        """Which kinds are missing and what helps, as of the last look; None: all are served."""
        if self._unasked:
            return self._unasked
        if not self._missing:
            return None
        found = "has stopped serving" if self._whole else "does not serve"
        kinds = ", ".join(sorted(self._missing))
        return f"The API server {found} {kinds}: CRDs are missing. Apply them: {_REMEDY}"

    async def wait(self, stop: asyncio.Event) -> bool:
        """True once all kinds are served; False if `stop` was set before.

        While CRDs are being deleted, those that are left are enough: whoever begins just then must
        let their last objects go.
        """
        return await self._until(lambda served: bool(served) and self._whole, stop) is not None

    async def some(self, stop: asyncio.Event) -> frozenset[str]:
        """The kinds that are served, once there are any; none if `stop` was set before."""
        return await self._until(bool, stop) or frozenset()

    async def more(self, than: Collection[str], stop: asyncio.Event) -> None:
        """Return when others than these kinds are served, or `stop` is set."""
        await self._until(lambda served: not served <= frozenset(than), stop)

    async def _until(
        self, enough: Callable[[frozenset[str]], bool], stop: asyncio.Event
    ) -> frozenset[str] | None:
        """Those of our kinds that are served, once they are enough; None if stopped before."""
        while not stop.is_set():
            try:
                served = self._kinds & await self._kube.served_kinds()
                self._whole = (
                    self._whole or served == self._kinds or await only_leaving(self._kube, served)
                )
            except KubeError as error:
                self._unasked = str(error)
                self._say("cannot ask the API server which kinds it serves", error=str(error))
            else:
                self._tell(self._kinds - served)
                if enough(served):
                    return served
            await first_of(self._clock.sleep(POLL_SECONDS), until_set(stop))
        return None

    def _tell(self, missing: frozenset[str]) -> None:
        self._missing, self._unasked = missing, ""
        if not missing:
            return
        found = "does not serve all kinds yet"
        if self._whole:
            found = "has stopped serving kinds; what is left is watched on"
        self._say(
            f"waiting for CRDs: the API server {found}",
            missing=sorted(missing),
            remedy=_REMEDY,
        )

    def _say(self, event: str, **details: object) -> None:
        """Log it once, and again only when it has changed or a minute has passed."""
        text, now = f"{event} {details}", self._clock.monotonic()
        said, when = self._said
        if text != said or now - when >= REMIND_SECONDS:
            _log.warning(event, **details)
            self._said = (text, now)
