"""Death at a chosen external call: before it, after it, or with its answer lost.

`Points` numbers every external call of a run, AWS and Kubernetes alike. When the n-th is reached,
ProcessDied is raised before or after the call is carried out, or the call is carried out and its
answer is lost while the process lives on. A dead process makes no further call: each raises.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NoReturn

import yaml
from botocore.exceptions import ConnectionClosedError
from tests.support.one_process import Process, World

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.kube.port import KubePort, UnavailableError

SIX_HOURS = 6 * 3600.0


class ProcessDied(BaseException):
    """The process is killed here. No handler for errors may catch it."""


class Mode(Enum):
    """What happens at the chosen call."""

    BEFORE = "before"
    AFTER = "after"
    LOST = "lost answer"


@dataclass
class Points:
    """Counts the external calls of a run, and strikes once."""

    strike_at: int = 0  # 0: never
    mode: Mode = Mode.BEFORE
    passed: int = 0
    struck: str = ""  # the call that was struck
    took_effect: bool = False  # the process died there, or saw that the answer was lost
    dead: bool = False
    names: list[str] = field(default_factory=list)

    def begin(self, name: str) -> bool:
        """Count a call that is about to be made; whether it is the one to be struck."""
        if self.dead:
            raise ProcessDied
        self.passed += 1
        self.names.append(name)
        if self.passed != self.strike_at:
            return False
        self.struck = name
        if self.mode is Mode.BEFORE:
            self.die()
        return True

    def carried_out(self, lost: Exception) -> NoReturn:
        """The struck call is done: the process dies, or sees `lost` in the place of the answer."""
        if self.mode is Mode.AFTER:
            self.die()
        self.took_effect = True
        raise lost

    def die(self) -> NoReturn:
        """End the process."""
        self.dead = self.took_effect = True
        raise ProcessDied

    def revive(self) -> None:
        """A new process has started."""
        self.dead = False


class CrashingWire:
    """A botocore `before-send` handler around another one."""

    def __init__(self, points: Points, answer: Callable[..., Any]) -> None:
        self._points = points
        self._answer = answer

    def connect(self, client: Any) -> None:
        """Take over all requests of a client."""
        client.meta.events.register("before-send", self, unique_id="crashing-wire")

    def __call__(self, request: Any, event_name: str, **context: Any) -> Any:
        _, service, operation = event_name.split(".", maxsplit=2)
        struck = self._points.begin(f"{service}:{operation}")
        answer = self._answer(request=request, event_name=event_name, **context)
        if struck:
            self._points.carried_out(ConnectionClosedError(endpoint_url=request.url))
        return answer


class CrashingKube:
    """A KubePort around another one."""

    def __init__(self, points: Points, kube: KubePort) -> None:
        self._points = points
        self._kube = kube

    async def list(self, kind: str) -> AsyncIterator[Shape]:
        struck = self._points.begin("kube:list")
        async for body in self._kube.list(kind):
            yield body
            if struck:
                break  # a list breaks off in its midst
        if struck:
            self._points.carried_out(UnavailableError("list: the answer broke off"))

    async def list_metadata(self, kind: str) -> AsyncIterator[Sequence[Shape]]:
        struck = self._points.begin("kube:list_metadata")
        async for page in self._kube.list_metadata(kind):
            yield page
            if struck:
                break
        if struck:
            self._points.carried_out(UnavailableError("list: the answer broke off"))

    async def get(self, key: ObjectKey) -> Shape | None:
        answer: Shape | None = await self._call("get", key)
        return answer

    async def apply_status(self, key: ObjectKey, status: Shape, *, resource_version: str) -> Shape:
        answer: Shape = await self._call(
            "apply_status", key, status, resource_version=resource_version
        )
        return answer

    async def patch(self, key: ObjectKey, operations: Sequence[Shape]) -> Shape:
        answer: Shape = await self._call("patch", key, operations)
        return answer

    async def delete(self, key: ObjectKey, *, uid: str) -> None:
        await self._call("delete", key, uid=uid)

    async def namespace_labels(self, name: str) -> dict[str, str]:
        answer: dict[str, str] = await self._call("namespace_labels", name)
        return answer

    async def create_event(self, namespace: str, body: dict[str, Any]) -> Shape:
        return await self._kube.create_event(namespace, body)  # events decide nothing

    async def patch_event(self, namespace: str, name: str, body: dict[str, Any]) -> Shape:
        return await self._kube.patch_event(namespace, name, body)

    async def read_lease(self, namespace: str, name: str) -> Shape | None:
        return await self._kube.read_lease(namespace, name)

    async def create_lease(self, namespace: str, name: str, spec: Shape) -> Shape:
        return await self._kube.create_lease(namespace, name, spec)

    async def replace_lease(self, lease: Shape, spec: Shape) -> Shape:
        return await self._kube.replace_lease(lease, spec)

    async def served_kinds(self) -> frozenset[str]:
        return await self._kube.served_kinds()

    async def _call(self, method: str, *arguments: Any, **named: Any) -> Any:
        struck = self._points.begin(f"kube:{method}")
        answer = await getattr(self._kube, method)(*arguments, **named)
        if struck:
            self._points.carried_out(UnavailableError(f"{method}: the answer was lost"))
        return answer


class Life(Process):
    """One process of the operator, from its start to its death."""

    def __init__(self, world: World, points: Points) -> None:
        self._points = points
        super().__init__(
            world,
            on_client=CrashingWire(points, world.wire()).connect,
            kube=CrashingKube(points, world.kube),
            workers=4,
        )

    async def kill(self) -> None:
        """Be gone at once, with all memory. What is under way makes no further call."""
        self._points.dead = True
        await super().kill()
        self._points.revive()

    async def run_until(self, condition: Callable[[], bool], *, within: float = SIX_HOURS) -> bool:
        """Let time pass until the condition holds (True) or the process dies (False).

        AssertionError if neither comes to pass within that many seconds.
        """
        try:
            await self._world.clock.run_until(lambda: self._died() or condition(), within=within)
        except AssertionError as error:
            kube = self._world.kube
            bodies = [body for kind in kube.definitions for body in kube.objects.of_kind(kind)]
            error.add_note(yaml.safe_dump(bodies))
            raise
        return not self._died()

    def _died(self) -> bool:
        """Whether the process was killed. Any other end of a part is a fault of the operator."""
        try:
            self.check()
        except ProcessDied:
            return True
        return False
