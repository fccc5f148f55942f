"""One turn: ask the reconciler, and turn its answer or its failure into what is due next."""

import asyncio
from dataclasses import dataclass

import structlog

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import LeaseLostError, NoTokenError
from awsbatch_operator.engine.cache import Change
from awsbatch_operator.engine.parts import Parts
from awsbatch_operator.engine.reconciler import Again, Reconciler
from awsbatch_operator.engine.troubles import Troubles
from awsbatch_operator.kube.port import ConflictError, KubeError
from awsbatch_operator.telemetry.logs import about

FENCED_SECONDS = 1.0  # the next renewal may have come by then
NO_TOKEN_SECONDS = 0.01  # the least wait for a rate token, so that a rounded-off 0 does not spin

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Turn:
    """A turn under way: who takes it, and the newest version that it has seen or written."""

    task: "asyncio.Task[None] | None"
    seen: int


class Turns:
    """The turns under way, at most one of a key."""

    def __init__(self, parts: Parts, reconciler: Reconciler, troubles: Troubles) -> None:
        self._reconciler = reconciler
        self._cache = parts.cache
        self._queue = parts.queue
        self._store = parts.store
        self._clock = parts.clock
        self._random = parts.random
        self._metrics = parts.metrics
        self._settings = parts.settings
        self._troubles = troubles
        self._under_way: dict[ObjectKey, _Turn] = {}
        self._cut_short: set[ObjectKey] = set()
        self._conflicts: dict[ObjectKey, int] = {}

    @property
    def under_way(self) -> bool:
        """Whether a worker is in a turn now."""
        return bool(self._under_way)

    @property
    def in_flight(self) -> tuple[ObjectKey, ...]:
        """Objects for which a call may be on its way: turns under way, and turns cut short."""
        return tuple(sorted({*self._under_way, *self._cut_short}))

    def sees(self, change: Change) -> bool:
        """Whether a turn under way takes care of this change of its own object.

        The answers of its own writes are no news to it. They are guarded by the version that they
        were made from, so nothing foreign hides in them. Anything else is found at the end of the
        turn, when the object is newer than what the turn has seen.
        """
        turn = self._under_way.get(change.key)
        if turn is None or change.resource is None:
            return False
        if change.own and turn.task is asyncio.current_task():
            turn.seen = max(turn.seen, change.version)
        return True

    async def take(self, key: ObjectKey) -> None:
        """One turn. Raises what ends the whole run: a BaseException that is no Exception."""
        began = self._clock.monotonic()
        turn = _Turn(asyncio.current_task(), self._version(key))
        self._under_way[key] = turn
        with about(kind=key.kind, namespace=key.namespace, name=key.name):
            try:
                result = await self._attempt(key)
                # After a conflict the object was read afresh, and when it is due has been decided.
                # A version that is not the one seen is news even if lower: a backup was restored.
                known = self._cache.version(key)
                news = result != "conflict" and known not in {None, turn.seen}
                if news and not self._cache.settled(key):
                    self._queue.add(key)
            except asyncio.CancelledError:
                self._cut_short.add(key)
                raise
            finally:
                del self._under_way[key]
                self._queue.done(key)
        self._metrics.turn(key.kind, result, self._clock.monotonic() - began)

    async def _attempt(self, key: ObjectKey) -> str:
        try:
            again = await self._reconciler.reconcile(key)
        except LeaseLostError as error:
            return self._fenced(key, error)
        except NoTokenError as error:
            self._queue.add_after(key, max(error.seconds, NO_TOKEN_SECONDS))
            return "no-token"
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            return self._failure(key, error)  # somebody else's: a call that was given up
        except ConflictError:
            return await self._conflict(key)
        except Exception as error:  # noqa: BLE001 - one object's trouble is not the others'
            return self._failure(key, error)
        self._conflicts.pop(key, None)
        if key not in self._cache:
            return self._gone(key)
        if again.failed:
            self._metrics.retry(key.kind)
            self._queue.retry(key, floor=again.after or 0.0)
            return "retry"
        self._queue.succeeded(key)
        if not self._cache.settled(key):
            self._queue.add_after(key, self._next_look(again))
        return "ok"

    def _next_look(self, again: Again) -> float:
        """Seconds until the object is due again: whatever it says, it is looked at now and then.

        Counted from its own last turn, and jittered, so that objects do not all come at once.
        """
        settings = self._settings
        jitter = self._random.uniform(-settings.resync_jitter, settings.resync_jitter)
        latest = settings.resync_seconds * (1 + jitter)
        return latest if again.after is None else min(again.after, latest)

    async def _conflict(self, key: ObjectKey) -> str:
        """Somebody else has written: read the object afresh and take the turn again."""
        conflicts = self._conflicts.get(key, 0) + 1
        self._conflicts[key] = conflicts
        try:
            await self._store.refresh(key)
        except Exception as error:  # noqa: BLE001 - as of the turn itself
            return self._failure(key, error)
        if key not in self._cache:
            return self._gone(key)
        if conflicts > self._settings.conflicts_in_a_row:
            self._metrics.retry(key.kind)
            self._queue.retry(key)
        else:
            self._queue.add_after(key, self._random.uniform(0, self._settings.conflict_seconds))
        return "conflict"

    def _failure(self, key: ObjectKey, error: BaseException) -> str:
        if key not in self._cache:  # it went away under the turn, which therefore failed
            return self._gone(key)
        delay = self._queue.retry(key)
        self._metrics.retry(key.kind)
        if isinstance(error, KubeError):
            self._troubles.failed(error, kind=key.kind)
        else:
            _log.error(
                "turn failed",
                error=f"{type(error).__name__}: {error}",
                retry_seconds=round(delay, 1),
                exc_info=error,
            )
        return "error"

    def _fenced(self, key: ObjectKey, error: LeaseLostError) -> str:
        """The lease was too short for a call, which was not sent.

        Whether it is lost, the elector says: a renewal that comes late under load is no reason to
        end the process.
        """
        self._metrics.retry(key.kind)
        self._queue.retry(key, floor=FENCED_SECONDS)
        self._troubles.failed(error, kind=key.kind)
        return "fenced"

    def _gone(self, key: ObjectKey) -> str:
        self._conflicts.pop(key, None)
        self._queue.forget(key)
        return "gone"

    def _version(self, key: ObjectKey) -> int:
        return self._cache.version(key) or 0


def _is_cancelled() -> bool:
    """Whether it is this very task that somebody wants to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
