"""When hosts boot: few at a time, and what comes out the same only once.

On a stepped clock a boot runs at once and the clock waits for it, so that tests repeat. In a live
simulator boots have threads of their own, which also tie their processes to the simulator's life.
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from awsbatch_simulator.host import baking, execution
from awsbatch_simulator.host.execution import Order
from awsbatch_simulator.host.interpret import interpret
from awsbatch_simulator.host.outcome import Outcome
from awsbatch_simulator.hosting import Hosts, UserDataMode

Done = Callable[[Outcome], None]
Post = Callable[..., object]
KEPT = 256  # outcomes
LARGEST_KEPT = 262_144  # bytes of the files of one


class NoNamespacesError(RuntimeError):
    """User data is to be executed, and this machine cannot."""


def executes(mode: UserDataMode, *, ci: bool = False) -> bool:
    """Whether user data is executed. Raises NoNamespacesError where it must be and cannot.

    A CI that only interprets would pass without having tried, so there it must be asked for.
    """
    if mode is UserDataMode.INTERPRET:
        return False
    if not (trouble := execution.trouble()):
        return True
    if mode is UserDataMode.EXECUTE or ci:
        raise NoNamespacesError(
            f"User data cannot be executed here: {trouble}. Allow user namespaces, or have it "
            "interpreted only: --user-data interpret"
        )
    return False


def report(settings: Hosts) -> dict[str, str]:
    """What the state page shows: the mode, and why it is not the other one."""
    if settings.user_data is UserDataMode.INTERPRET:
        return {"mode": "interpret", "why": "The setting hosts.userData says so"}
    if trouble := execution.trouble():
        return {"mode": "interpret", "why": trouble}
    return {"mode": "execute", "why": ""}


@dataclass(slots=True)
class _Wish:
    order: Order
    done: Done


@dataclass(slots=True)
class Boots:
    """All boots of a world. Callers of `start` hold its lock."""

    post: Post  # runs a callback as soon as the clock can; from any thread
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _outcomes: dict[str, Outcome] = field(default_factory=dict)
    _waiting: list[_Wish] = field(default_factory=list)
    _followers: dict[str, list[_Wish]] = field(default_factory=dict)  # of one that runs now
    _running: int = 0
    booted: int = 0  # how many boots there were, those left out that came out like another
    executed: int = 0  # of these, those that have really run

    def start(self, order: Order, done: Done, *, now: bool) -> None:
        """Boot, and tell what came of it: before this returns if `now`, else by the clock."""
        if now:
            done(self._outcome(order))
            return
        with self._lock:
            self._admit(_Wish(order, done))

    def _admit(self, wish: _Wish) -> None:
        """Answer from what is known, follow one that runs already, or run. Holds the lock."""
        key = _key(wish.order)
        if (known := self._known(wish.order)) is not None:
            self.post(wish.done, known)
        elif _keeps(wish.order) and key in self._followers:
            self._followers[key].append(wish)
        elif self._running >= wish.order.settings.at_once:
            self._waiting.append(wish)
        else:
            self._running += 1
            self._followers.setdefault(key, [])
            threading.Thread(target=self._run, args=(wish,), name="boot", daemon=True).start()

    def _run(self, wish: _Wish) -> None:
        try:
            self.post(wish.done, self._outcome(wish.order))
        finally:
            with self._lock:
                self._running -= 1
                again = self._followers.pop(_key(wish.order), []) + self._waiting
                self._waiting = []
                for each in again:
                    self._admit(each)

    def _known(self, order: Order) -> Outcome | None:
        if not _keeps(order):
            return None
        return self._outcomes.get(_key(order)) or self._outcomes.get(_key(order, order.now))

    def _outcome(self, order: Order) -> Outcome:
        if (known := self._known(order)) is not None:
            return known
        outcome = self._booted(order)
        if (
            _keeps(order)
            and not outcome.reads_metadata
            and not _names_itself(order)
            and _size(outcome) <= LARGEST_KEPT
        ):
            key = _key(order, order.now) if outcome.reads_clock else _key(order)
            if len(self._outcomes) >= KEPT:
                self._outcomes.clear()
            self._outcomes[key] = outcome
        return outcome

    def _booted(self, order: Order) -> Outcome:
        if not order.runs:
            return interpret(order)
        executes = report(order.settings)["mode"] == UserDataMode.EXECUTE
        with self._lock:
            self.booted += 1
            self.executed += executes
        if not executes:
            return interpret(order)
        try:
            return execution.execute(order)
        except OSError as error:
            return Outcome(f"{error}\n", stuck=str(error))


def _names_itself(order: Order) -> bool:
    """Whether a script may ask cloud-init's environment for the instance's id."""
    return any("INSTANCE_ID" in step.get("content", "") for step in order.plan.steps)


def _keeps(order: Order) -> bool:
    """Whether another boot may have the same outcome; a fault strikes each for itself."""
    return order.settings.cache and not order.faults


def _size(outcome: Outcome) -> int:
    files = () if outcome.disk is None else outcome.disk.files.values()
    return sum(len(each.content) for each in files)


def _key(order: Order, now: float | None = None) -> str:
    """Equal for boots that come out the same: of volumes their sizes count, not their ids."""
    volumes = [(each["device"], each["gib"]) for each in order.machine["volumes"]]
    about = (
        order.plan.steps,
        order.settings.model_dump_json(),
        None if now is None else int(now),
        sorted((key, value) for key, value in order.machine.items() if key != "volumes"),
        volumes,
        baking.digest(order.baked),
    )
    return hashlib.sha256(repr(about).encode()).hexdigest()
