"""What people do to an object while the operator's watch is silent, so that it sees only the end.

A held object cannot vanish before its finalizer is taken away. Either the operator does that, and
whoever waits for it makes the object anew at that very moment; or somebody does it by hand, and
then what the old object had in AWS is left to whoever did it.
"""

import copy
from collections.abc import Callable
from enum import Enum
from random import Random
from typing import Any

from tests.integration.crash.scenario import JOB, LASTING, LONG_JOB, key
from tests.support.hard_world import HardWorld
from tests.support.memory_objects import Body, key_of

from awsbatch_operator.api.metadata import ObjectKey

SILENT = (0.0, 40.0)  # seconds
KEYS = tuple(key(body) for body in (*LASTING, JOB, LONG_JOB))


class Change(Enum):
    """What is done meanwhile."""

    THERE_AND_BACK = "edited there and back"
    ANEW = "deleted and made anew"
    ANEW_BY_FORCE = "its finalizer taken by hand, deleted and made anew"
    ANNOTATIONS_GONE = "its annotations taken away"
    REPLACED = "replaced: annotations and finalizer taken away"


class Unobserved:
    """Does something to some object while the watch is silent; at most once."""

    def __init__(self, world: HardWorld, change: Change, dice: Random) -> None:
        self.target: ObjectKey | None = None  # None: there was nothing to do it to
        self.old_uid = ""
        self._world = world
        self._change = change
        self._dice = dice

    def happen(self) -> None:
        """Now; some seconds later the watch begins anew."""
        kube = self._world.kube
        there = [each for each in KEYS if _may_be(self._change, self._world, each)]
        if not there:
            return
        self.target = self._dice.choice(there)
        self.old_uid = kube.see(self.target)["metadata"]["uid"]
        server = self._world.server
        server.fall_silent()
        _DO[self._change](self._world, self.target)
        self._world.soon(self._dice.uniform(*SILENT), server.begin_anew)


def _there_and_back(world: HardWorld, target: ObjectKey) -> None:
    body = _manifest(world.kube.see(target))
    changed = copy.deepcopy(body)
    spec = changed["spec"]
    match target.kind:
        case "ComputeEnvironment":
            spec["computeResources"]["maxvCpus"] = 48
        case "JobQueue":
            spec["priority"] = 30
        case "SchedulingPolicy":
            spec["fairsharePolicy"] = {"shareDecaySeconds": 60}
        case _:
            spec["timeout"] = {"attemptDurationSeconds": 3600}
    world.kube.apply(changed)
    world.kube.apply(body)


def _anew(world: HardWorld, target: ObjectKey) -> None:
    body = _manifest(world.kube.see(target))
    stop: list[Callable[[], None]] = []

    def is_gone(kind: str, gone: Body) -> None:
        if kind == "DELETED" and key_of(gone) == target and stop:
            stop.pop()()
            if not _day_is_over(world):
                world.kube.apply(body)

    stop.append(world.kube.subscribe(is_gone))
    world.kube.remove(target)


def _anew_by_force(world: HardWorld, target: ObjectKey) -> None:
    _anew(world, target)
    if _deleting(world.kube.see(target)):
        world.kube.strip_finalizers(target)


def without_annotations(world: HardWorld, target: ObjectKey) -> None:
    """Take all annotations of the object away."""
    annotations = world.kube.see(target)["metadata"].get("annotations", {})
    world.kube.annotate(target, **dict.fromkeys(annotations))


def _replaced(world: HardWorld, target: ObjectKey) -> None:
    without_annotations(world, target)
    world.kube.strip_finalizers(target)


_DO: dict[Change, Callable[[HardWorld, ObjectKey], None]] = {
    Change.THERE_AND_BACK: _there_and_back,
    Change.ANEW: _anew,
    Change.ANEW_BY_FORCE: _anew_by_force,
    Change.ANNOTATIONS_GONE: without_annotations,
    Change.REPLACED: _replaced,
}


def _manifest(body: Body) -> dict[str, Any]:
    """What a user would apply: without all that is the server's or the operator's."""
    metadata = {name: body["metadata"][name] for name in ("name", "namespace")}
    return {**{name: body[name] for name in ("apiVersion", "kind", "spec")}, "metadata": metadata}


def _may_be(change: Change, world: HardWorld, target: ObjectKey) -> bool:
    """Whether that can be done to the object now, and comes to an end."""
    if not world.kube.exists(target):
        return False
    body = world.kube.see(target)
    if _deleting(body):
        return False
    # The deletion of what others use waits for them, and these others are there to stay.
    used = target.kind not in {"BatchJob", "SchedulingPolicy"}
    return not (change is Change.ANEW and used and body["metadata"].get("finalizers"))


def _day_is_over(world: HardWorld) -> bool:
    """Whether the user has deleted everything."""
    there = [key(body) for body in LASTING if world.kube.exists(key(body))]
    return all(_deleting(world.kube.see(each)) for each in there)


def _deleting(body: Body) -> bool:
    return "deletionTimestamp" in body["metadata"]
