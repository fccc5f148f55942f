"""Wait until the API server serves our kinds, so that the operator may start before its CRDs."""

import asyncio
from collections.abc import Collection

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.kube.port import KubeError, KubePort
from awsbatch_operator.waiting import first_of, until_set

POLL_SECONDS = 2.0
REMIND_SECONDS = 60.0  # between two equal log lines

_log = structlog.get_logger()


class Discovery:
    """Polls discovery, without limit. A namespaced Role can do this, too."""

    def __init__(self, *, kube: KubePort, kinds: Collection[str], clock: Clock) -> None:
        self._kube = kube
        self._kinds = frozenset(kinds)
        self._clock = clock
        self._said: tuple[str, float] = ("", float("-inf"))
        self._served = False  # all kinds were, at some time

    async def wait(self, stop: asyncio.Event) -> bool:
        """True once all kinds are served; False if `stop` was set before."""
        while not stop.is_set():
            try:
                missing = self._kinds - await self._kube.served_kinds()
            except KubeError as error:
                self._say("cannot ask the API server which kinds it serves", error=str(error))
            else:
                if not missing:
                    self._served = True
                    return True
                found = "does not serve all kinds yet"
                if self._served:
                    found = "has stopped serving kinds; it goes on when they are back"
                self._say(
                    f"waiting for CRDs: the API server {found}",
                    missing=sorted(missing),
                    remedy="kubectl apply --server-side -k deploy/crds",
                )
            await first_of(self._clock.sleep(POLL_SECONDS), until_set(stop))
        return False

    def _say(self, event: str, **details: object) -> None:
        """Log it once, and again only when it has changed or a minute has passed."""
        text, now = f"{event} {details}", self._clock.monotonic()
        said, when = self._said
        if text != said or now - when >= REMIND_SECONDS:
            _log.warning(event, **details)
            self._said = (text, now)
