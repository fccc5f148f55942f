"""The watch over all our kinds: begins when they are served, and begins again when it breaks."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace

import structlog
from kopf._cogs.clients.errors import APIError, APIForbiddenError
from kopf._core.engines.activities import ActivityError

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kube.errors import GRANT
from awsbatch_operator.kube.port import KubePort
from awsbatch_operator.telemetry.secrets import masked
from awsbatch_operator.waiting import first_of, until_set
from awsbatch_operator.watch.discovery import Discovery
from awsbatch_operator.watch.kopf_setup import ERROR_BACKOFFS, quieten
from awsbatch_operator.watch.stream import NotServedError, Stream, Target

FIRST_PAUSE = 1.0  # seconds before a broken watch begins again; doubled each time
LONGEST_PAUSE = 30.0
# After its lists. Who may list and not watch has been asked again by Kopf, and given up, by then.
SOUND_SECONDS = sum(ERROR_BACKOFFS) + 3.0
LISTED_SECONDS = 60.0  # for all objects to have come; 20,000 take a sixth of that
STEADY_SECONDS = 60.0  # a watch that lived that long has broken for a new reason
UNTOLD = 3  # times that a watch may find a kind not served before discovery says the same

_log = structlog.get_logger(__name__)


def _words(error: BaseException) -> str:
    if isinstance(error, ActivityError):
        cause: BaseException | None = error
        while cause is not None:
            error, cause = cause, cause.__cause__
        return f"Cannot log in: {type(error).__name__}: {masked(str(error))}"
    if isinstance(error, APIForbiddenError):
        return f"{str(error.message).rstrip('.')}. {GRANT}"
    # The text of Kopf's own repeats the whole answer.
    told = isinstance(error, APIError) and error.message
    # aiohttp's errors repeat the address of a proxy, in which a password may stand.
    return f"{type(error).__name__}: {masked(told or str(error))}"


class HandlerError(Exception):
    """`on_event` has failed: an event is lost, and whoever runs the watch must end."""


class Watch:
    """Calls `on_event(type, body)` for everything that happens to the objects of the kinds.

    The type is None for what a watch begins with, then "ADDED", "MODIFIED" or "DELETED". When a
    watch begins again, everything comes again with None; what has vanished meanwhile does not come.
    """

    def __init__(
        self,
        target: Target,
        *,
        kube: KubePort,
        clock: Clock,
        on_event: Callable[[str | None, Shape], None],
    ) -> None:
        self._target = target
        self._clock = clock
        self._handler = on_event
        self._discovery = Discovery(kube=kube, kinds=target.kinds, clock=clock)
        self._began = float("-inf")
        self._listing = self._listed = float("inf")  # since when; never
        self._broken = ""  # why it has broken last
        self.streaming = False

    def trouble(self) -> str | None:
        """Why nothing, or not all, is watched, and what helps; None if all is well.

        A watch that is refused begins again and again, and is refused a moment after each start.
        """
        missing, now = self._discovery.trouble(), self._clock.monotonic()
        if missing or now - self._listed >= SOUND_SECONDS:
            return missing
        why = self._broken
        if not why and now - self._listing >= LISTED_SECONDS:
            why = f"the API server has not listed them within {LISTED_SECONDS:.0f} s."
        return f"Changes of objects are not seen: {why}" if why else None

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set. HandlerError if `on_event` fails; nothing else ends it.

        The API server away, rights missing, CRDs deleted: all that is logged, and the watch begins
        again as soon as it can, meanwhile with those kinds that there are.
        """
        quieten()
        pause, untold = FIRST_PAUSE, 0
        if not await self._discovery.wait(stop):
            return
        while kinds := await self._discovery.some(stop):
            error = await self._once(kinds, stop)
            if error is None:
                continue
            words, unserved = _words(error), isinstance(error, NotServedError)
            self._broken = "" if unserved else words  # of the former, discovery tells
            if self._clock.monotonic() - self._began >= STEADY_SECONDS:
                pause, untold = FIRST_PAUSE, 0
            # Of CRDs that have gone, discovery tells, once the API server no longer lists them.
            untold = untold + 1 if unserved else 0
            if untold not in range(1, UNTOLD + 1):
                _log.error(
                    "the watch has broken and begins again",
                    error=words,
                    pause_seconds=pause,
                )
            await first_of(self._clock.sleep(pause), until_set(stop))
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _once(self, kinds: Collection[str], stop: asyncio.Event) -> Exception | None:
        """One run of the stream for these kinds: why it has broken.

        None if it was stopped, or others are served, too. While CRDs are being deleted, the objects
        of the last ones wait for us to let them go: so what is left is watched as long as it is.
        """
        self._began = self._listing = self._clock.monotonic()
        listed = [kind for kind in self._target.kinds if kind in kinds]
        stream = Stream(
            replace(self._target, kinds=listed),
            clock=self._clock,
            on_event=self._on_event,
            on_started=lambda: self._started(len(listed)),
        )
        ending = asyncio.Event()
        waiting = asyncio.ensure_future(self._until_others(listed, stop))
        waiting.add_done_callback(lambda _: ending.set())
        try:
            await stream.run(ending)
        except HandlerError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody must watch nothing
            return error
        finally:
            self.streaming = False
            self._listing = self._listed = float("inf")
            waiting.cancel()
        return None

    async def _until_others(self, watched: Collection[str], stop: asyncio.Event) -> None:
        if len(watched) == len(self._target.kinds):
            await stop.wait()
        else:
            await self._discovery.more(watched, stop)

    def _started(self, kinds: int) -> None:
        self.streaming = True
        self._listing, self._listed = float("inf"), self._clock.monotonic()
        _log.info("watching", kinds=kinds, namespaces=self._target.namespaces)

    def _on_event(self, event: str | None, body: Shape) -> None:
        try:
            self._handler(event, body)
        except Exception as error:
            name = body.get("metadata", {}).get("name")
            raise HandlerError(f"{event} {body.get('kind')} {name}: {error!r}") from error
