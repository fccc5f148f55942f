"""Death at chosen external calls: before it, after it, or with its answer lost.

`Points` numbers every external call of a run, AWS and Kubernetes alike, over all lives of the
operator. At chosen numbers something happens: ProcessDied is raised before or after the call is
carried out; or the process dies while the call is on its way, and it is carried out later; or its
answer is lost while the process lives on; or something else in the world happens just then. A dead
process makes no further call: each raises.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any, NoReturn, cast

from botocore.exceptions import ConnectionClosedError
from tests.support.cheap_clients import unburden

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.kube.port import KubePort, UnavailableError

MUTATING = frozenset(f"{call.service}:{call.operation}" for call in CALLS if call.mutating)
CAPACITY = frozenset(name for name in MUTATING if name.startswith(("ec2:", "ecs:")))
# Of machine images: tests/integration/crash/test_images.py.
PARAMETERS = frozenset(name for name in MUTATING if name.startswith("ssm:"))
# A message that is not deleted comes again: tests/unit/aws/test_notice_failures.py.
MESSAGES = frozenset(name for name in MUTATING if name.startswith("sqs:"))
KUBE_WRITES = frozenset({"kube:apply_status", "kube:patch"})
DELETIONS = frozenset({"kube:delete"})  # tests/integration/crash/test_gates.py
WRITES = MUTATING | KUBE_WRITES | DELETIONS

# Decide nothing about AWS: events are only told, and the lease is simulated.
_UNCOUNTED = frozenset(
    {*("create_event", "patch_event"), *("read_lease", "create_lease", "replace_lease")}
    | {"served_kinds", "leaving_kinds"}
)

Later = Callable[[Callable[[], Any]], None]  # what it is given may be awaitable


class ProcessDied(BaseException):
    """The process is killed here. No handler for errors may catch it."""


class Mode(Enum):
    """What happens at a chosen call."""

    BEFORE = "before"
    AFTER = "after"
    LOST = "lost answer"
    LATE = "dies, and the call arrives later"
    MEANWHILE = "something else happens"


@dataclass(frozen=True, slots=True)
class Struck:
    """A call at which something happened."""

    number: int
    name: str
    mode: Mode


@dataclass
class Points:
    """Counts the external calls of a run, and strikes at some of them.

    `strikes` are by number, `upcoming` strike the next call of a name. `then` are struck one after
    another at the writes that follow the first strike: after a death, at the first one of the next
    life. `meanwhile` is what else happens in the world at strikes of that mode, right after the
    call. `before_each` is called before each call, once it has its number and name.
    """

    strikes: Mapping[int, Mode] = field(default_factory=dict)
    upcoming: dict[str, Mode] = field(default_factory=dict)
    then: Sequence[Mode] = ()
    meanwhile: Callable[[], None] = lambda: None
    before_each: Callable[[], None] = lambda: None
    passed: int = 0
    dead: bool = False
    names: list[str] = field(default_factory=list)
    struck: list[Struck] = field(default_factory=list)

    def begin(self, name: str) -> Mode | None:
        """Count a call that is about to be made; what is to happen at it."""
        if self.dead:
            raise ProcessDied
        self.passed += 1
        self.names.append(name)
        self.before_each()
        mode = self._mode(name)
        if mode is None:
            return None
        self.struck.append(Struck(self.passed, name, mode))
        if mode is Mode.BEFORE:
            self.die()
        return mode

    def carried_out(self, mode: Mode, lost: Exception) -> None:
        """The struck call is done: the process dies, or sees `lost` in the place of the answer."""
        match mode:
            case Mode.AFTER:
                self.die()
            case Mode.LOST:
                raise lost
            case Mode.MEANWHILE:
                self.meanwhile()
            case _:
                raise AssertionError(f"{mode} is over before the call")

    def strike_now(self, mode: Mode) -> None:
        """Strike the call that is about to be made, and no other one."""
        self.strikes = {self.passed: mode}

    def die(self) -> NoReturn:
        """End the process."""
        self.dead = True
        raise ProcessDied

    def revive(self) -> None:
        """A new process has started."""
        self.dead = False

    def _mode(self, name: str) -> Mode | None:
        chosen = self.upcoming.pop(name, None) or self.strikes.get(self.passed)
        if chosen is not None:
            return chosen
        done = len(self.struck) - 1  # of `then`
        if name in WRITES and 0 <= done < len(self.then):
            return self.then[done]
        return None


class CrashingWire:
    """A botocore `before-send` handler around another one, for one life of the operator.

    Once the life is `over`, only a frozen process can still get here, and its calls do not count.
    """

    def __init__(self, points: Points, answer: Callable[..., Any], later: Later) -> None:
        self.over = False
        self._points = points
        self._answer = answer
        self._later = later

    def connect(self, client: Any) -> None:
        """Take over all requests of a client."""
        unburden(client)
        client.meta.events.register("before-send", self, unique_id="crashing-wire")

    def __call__(self, request: Any, event_name: str, **context: Any) -> Any:
        answering = partial(self._answer, request=request, event_name=event_name, **context)
        if self.over:
            return answering()
        _, service, operation = event_name.split(".", maxsplit=2)
        mode = self._points.begin(f"{service}:{operation}")
        if mode is Mode.LATE:
            self._later(answering)
            self._points.die()
        answer = answering()
        if mode is not None:
            self._points.carried_out(mode, ConnectionClosedError(endpoint_url=request.url))
        return answer


class _CrashingKube:
    """Every method of a KubePort, counted."""

    def __init__(self, points: Points, kube: KubePort, later: Later) -> None:
        self._points = points
        self._kube = kube
        self._later = later

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._kube, name)
        if name in _UNCOUNTED:
            return method
        lists = inspect.isasyncgenfunction(method)
        return partial(self._list if lists else self._call, name, method)

    async def _list(
        self, name: str, method: Any, *arguments: Any, **named: Any
    ) -> AsyncIterator[Shape]:
        mode = self._points.begin(f"kube:{name}")
        if mode is Mode.LATE:
            self._points.die()
        async for body in method(*arguments, **named):
            yield body
            if mode in (Mode.AFTER, Mode.LOST):
                break  # a list breaks off in its midst
        if mode is not None:
            self._points.carried_out(mode, UnavailableError(f"{name}: the answer broke off"))

    async def _call(self, name: str, method: Any, *arguments: Any, **named: Any) -> Any:
        mode = self._points.begin(f"kube:{name}")
        if mode is Mode.LATE:
            self._later(partial(method, *arguments, **named))
            self._points.die()
        answer = await method(*arguments, **named)
        if mode is not None:
            self._points.carried_out(mode, UnavailableError(f"{name}: the answer was lost"))
        return answer


def crashing_kube(points: Points, kube: KubePort, later: Later) -> KubePort:
    """A KubePort around another one."""
    return cast("KubePort", _CrashingKube(points, kube, later))
