"""Trouble with API server or lease that befalls many objects: told once, counted, told when over.

An outage makes every turn fail, again and again. A line for each would bury the one line that
matters and whatever else is logged. So failures are put together by sort: the first is logged as it
is, then how many there were, once a minute, and the total when no more have come for a while. An
API server that does not answer is one sort, whatever was asked; every other refusal is a sort by
its error and the kind of object.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.kube.port import KubeError, UnavailableError

REPORT_SECONDS = 60.0  # between two counts
CHECK_SECONDS = 5.0  # while there is trouble
CALM_SECONDS = 10.0  # an outage is over after that, if the API server has answered since
# Other trouble is over after that: longer than the longest backoff, after which a turn is retried.
QUIET_SECONDS = 600.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Trouble:
    """Failures of one sort, since the first of them."""

    sort: str
    outage: bool
    began: float
    latest: float
    reported: float
    answers: int  # what the API server had answered by the latest failure
    failures: int = 1
    told: int = 1  # failures that a line has told of


class Troubles:
    """For one event loop; `run` reports. `answers` counts the API server's answers (Store)."""

    def __init__(self, *, clock: Clock, answers: Callable[[], int]) -> None:
        self._clock = clock
        self._answers = answers
        self._present: dict[str, _Trouble] = {}
        self._begun = asyncio.Event()

    def failed(self, error: KubeError | LeaseLostError, *, kind: str = "") -> None:
        """A turn of an object of the kind has failed; logs what is new about that."""
        now = self._clock.monotonic()
        outage = isinstance(error, UnavailableError)
        sort = "no answer" if outage else f"{type(error).__name__} {kind}".strip()
        trouble = self._present.get(sort)
        if trouble is not None:
            trouble.failures += 1
            trouble.latest, trouble.answers = now, self._answers()
            return
        self._present[sort] = _Trouble(
            sort, outage, began=now, latest=now, reported=now, answers=self._answers()
        )
        self._begun.set()
        text = f"{type(error).__name__}: {error}"
        if outage:
            _log.error("the API server does not answer; what fails is tried again", error=text)
        else:
            _log.error("turn failed; others like it are counted", error=text, sort=sort)

    async def run(self) -> None:
        """Report counts and ends, until cancelled. Sleeps for good while there is no trouble."""
        while True:
            await self._begun.wait()
            await self._clock.sleep(CHECK_SECONDS)
            self._check()
            if not self._present:
                self._begun.clear()

    def _check(self) -> None:
        now = self._clock.monotonic()
        for trouble in tuple(self._present.values()):
            seconds = round(trouble.latest - trouble.began, 1)
            if self._is_over(trouble, now):
                del self._present[trouble.sort]
                if trouble.outage:
                    _log.info(
                        "the API server answers again", failures=trouble.failures, seconds=seconds
                    )
                elif trouble.failures > 1:
                    _log.info("turns fail no longer", sort=trouble.sort, failures=trouble.failures)
            elif now - trouble.reported >= REPORT_SECONDS and trouble.failures > trouble.told:
                trouble.reported, trouble.told = now, trouble.failures
                words = "the API server still does not answer" if trouble.outage else "turns fail"
                _log.warning(words, sort=trouble.sort, failures=trouble.failures, seconds=seconds)

    def _is_over(self, trouble: _Trouble, now: float) -> bool:
        silent = now - trouble.latest
        if trouble.outage and self._answers() > trouble.answers:
            return silent >= CALM_SECONDS
        return silent >= QUIET_SECONDS
