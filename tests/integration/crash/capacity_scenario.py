"""What a user does with an environment that launches instances: several days, as steps."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from tests.integration.crash.scenario import (
    NAMESPACE,
    Step,
    all_of,
    apply,
    delete,
    gone,
    has_condition,
    key,
)
from tests.support import manifests
from tests.support.capacity_world import CapacityWorld
from tests.support.instances import launching, pool
from tests.support.one_process import World

from awsbatch_operator.api.metadata import API_VERSION
from awsbatch_simulator.batch.model import JobStatus
from awsbatch_simulator.ec2 import incidents
from awsbatch_simulator.jobscript import JobScript

TYPE = "m7i.large"  # one job fills it
DRAIN_SECONDS = 60
BLOCK_SECONDS = 300
DAY_SECONDS = 86_400
SHORT, LONG = (
    JobScript(job_name="*-short-*", duration_seconds=20),
    JobScript(job_name="*-long-*", duration_seconds=1e6),
)
OWN_RESERVATION = {"owner": "somebody"}  # the tag of a reservation that is the user's
# Longer than anybody waits for an answer.
LATE_FLEET = {"effect": "delay", "service": "ec2", "operation": "CreateFleet", "seconds": 20.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One day: its steps, and what its launches may come to.

    `most` instances may live at a time, and `launched` is how many it takes in all: the one number
    or the other. `reservations` is how many are made at most. `block` says that instances are not
    for jobs alone. `faults` hold in AWS all day.
    """

    steps: tuple[Step, ...]
    most: int
    launched: Collection[int]
    reservations: int = 0
    block: bool = False
    faults: Sequence[dict[str, Any]] = field(default_factory=tuple)


def body(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A manifest."""
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def environment(*, most: int, **members: Any) -> dict[str, Any]:
    """An environment with one pool."""
    usual = {"instanceTypes": [TYPE], "drainTimeoutSeconds": DRAIN_SECONDS}
    spec = launching(pool(**(usual | members)), maxInstances=most)
    return body("ComputeEnvironment", "pool", spec)


def definition() -> dict[str, Any]:
    """Of jobs that fill an instance."""
    spec = manifests.definition()
    sizes = [{"type": "VCPU", "value": "2"}, {"type": "MEMORY", "value": "4096"}]
    spec["containerProperties"]["resourceRequirements"] = sizes
    return body("JobDefinition", "simulate", spec)


def job(name: str, **members: Any) -> dict[str, Any]:
    """A job."""
    return body("BatchJob", name, manifests.job(**members))


QUEUE = body("JobQueue", "main", manifests.queue(drain={"policy": "Terminate"}))
DEFINITION = definition()
ELSEWHERE = body("ComputeEnvironment", "elsewhere", manifests.unmanaged())
MOVED = body("JobQueue", "main", manifests.queue("elsewhere", drain={"policy": "Terminate"}))
FIRST, SECOND = job("first-short-run"), job("second-short-run")
PATIENT = job("first-long-run", retryStrategy={"attempts": 3})
LASTING, WAITING = job("first-long-run"), job("second-long-run")


def now(look: Callable[[CapacityWorld], object]) -> Callable[[World], bool]:
    """A condition on what AWS has."""
    return lambda world: bool(look(cast("CapacityWorld", world)))


def nothing(world: World) -> None:
    """The user only waits."""
    del world


def runs(manifest: dict[str, Any], *, attempt: int = 1) -> Callable[[World], bool]:
    """Whether so manieth an attempt of the job runs."""

    def look(world: CapacityWorld) -> bool:
        found = world.job_of(manifest["metadata"]["name"])
        begun = found is not None and len(found.attempts) + 1 >= attempt
        return bool(begun and found.status is JobStatus.RUNNING)

    return now(look)


def is_runnable(manifest: dict[str, Any]) -> Callable[[World], bool]:
    """Whether the job waits for room."""

    def look(world: CapacityWorld) -> bool:
        found = world.job_of(manifest["metadata"]["name"])
        return found is not None and found.status is JobStatus.RUNNABLE

    return now(look)


def interrupt(world: World) -> None:
    """EC2 takes the instance back on which the job runs, and whose agent ECS has just lost.

    So ECS keeps the container instance until somebody deregisters it.
    """
    there = cast("CapacityWorld", world)
    [busy] = [each for each in there.living() if there.tasks(each)]
    lost = {"name": "agent_disconnected", "match": {"instanceId": busy.id}}
    there.fault(effect="world", service="*", **lost)
    assert incidents.interrupt(there.region, busy)


def reserve(world: World) -> None:
    """The user makes a reservation of their own."""
    cast("CapacityWorld", world).reserve(TYPE, 2, OWN_RESERVATION)


NO_INSTANCES = now(lambda world: not world.alive() and not world.members())


def block_is_over(world: World) -> bool:
    """Whether the status says so, and nothing is left of it."""
    status = world.kube.see(key(environment(most=2))).get("status", {})
    rows = (status.get("capacity") or {}).get("pools") or ()
    return any("is over" in (row.get("block") or {}).get("decision", "") for row in rows)


def from_zero() -> Story:
    """Jobs wait, instances come, the jobs run, the instances are idle, and go."""
    there = environment(most=2)
    every = (there, QUEUE, DEFINITION, FIRST, SECOND)
    done = all_of(has_condition(FIRST, "Complete"), has_condition(SECOND, "Complete"))
    return Story(
        steps=(
            Step("apply everything", apply(*every), done),
            Step("wait until the instances are gone", nothing, NO_INSTANCES),
            Step("delete everything", delete(*every), gone(*every)),
        ),
        most=2,
        launched={1, 2},  # the second job may come when the first is done
    )


def interruption() -> Story:
    """EC2 takes a Spot Instance back; then all is deleted while one runs, and a job waits."""
    there = environment(most=1, market="Spot")
    every = (there, QUEUE, DEFINITION, PATIENT)
    return Story(
        steps=(
            Step("apply everything", apply(*every), runs(PATIENT)),
            Step("an interruption", interrupt, runs(PATIENT, attempt=2)),
            Step("a job more than there is room for", apply(WAITING), is_runnable(WAITING)),
            Step("delete everything", delete(*every, WAITING), gone(*every, WAITING)),
        ),
        most=1,
        launched={2},
    )


def drained() -> Story:
    """An environment is deleted whose job does not end: that has until the drain deadline.

    Its fleet comes so late that nobody hears the answer.
    """
    there = environment(most=1)
    every = (ELSEWHERE, QUEUE, DEFINITION, LASTING)
    return Story(
        steps=(
            Step("apply everything", apply(there, *every), runs(LASTING)),
            Step(
                "take the environment out of the queue", apply(MOVED), has_condition(QUEUE, "Ready")
            ),
            Step("delete the environment", delete(there), gone(there)),
            Step("delete everything", delete(*every), gone(*every)),
        ),
        most=1,
        launched={1},
        faults=(LATE_FLEET,),
    )


def reserved(world: CapacityWorld) -> bool:
    """Whether a reservation was ever made for us."""
    return any(world.witness.reserved.values())


def none_reserved(world: CapacityWorld) -> bool:
    """Whether no reservation of ours is paid for."""
    return not any(each.active for each in world.reservations_of_ours())


def block(*rungs: str, seconds: int = BLOCK_SECONDS, **members: Any) -> dict[str, Any]:
    """An environment with a block of two instances for a time, by this ladder."""
    wanted = {"durationSeconds": seconds, "instanceCount": 2, "fallback": list(rungs), **members}
    return environment(most=2, market="SpotBlock", spotBlock=wanted)


def until_its_end(*rungs: str) -> Story:
    """A block by this ladder, until its end."""
    there = block(*rungs)
    every = (there, QUEUE, DEFINITION, FIRST)
    begin = apply(*every)

    def begin_beside_ones_own(world: World) -> None:
        reserve(world)
        begin(world)

    return Story(
        steps=(
            Step(
                "apply everything",
                begin_beside_ones_own if rungs[0] == "OwnReservation" else begin,
                has_condition(FIRST, "Complete"),
            ),
            Step("wait for the end", nothing, all_of(block_is_over, NO_INSTANCES)),
            Step("delete everything", delete(*every), gone(*every)),
        ),
        most=2,
        launched={2},
        block=True,
        reservations=int(rungs[0] == "NewReservation"),
    )


def released() -> Story:
    """A block of a day in a reservation, which is given back as soon as it is idle."""
    there = block("NewReservation", seconds=DAY_SECONDS, releaseWhenIdle=True)
    every = (there, QUEUE, DEFINITION, FIRST)
    over = all_of(block_is_over, NO_INSTANCES, now(none_reserved))
    return Story(
        steps=(
            Step("apply everything", apply(*every), has_condition(FIRST, "Complete")),
            Step("wait until it is given back", nothing, over),
            Step("delete everything", delete(*every), gone(*every)),
        ),
        most=2,
        launched={2},
        block=True,
        reservations=1,
    )


def cut_short() -> Story:
    """All is deleted while a block of a day is being made."""
    there = block("NewReservation", seconds=DAY_SECONDS)
    every = (there, QUEUE, DEFINITION, FIRST)
    return Story(
        steps=(
            Step("apply everything", apply(*every), now(reserved)),
            Step("delete everything", delete(*every), gone(*every)),
        ),
        most=2,
        launched={0, 2},
        block=True,
        reservations=1,
    )


def never_joining() -> Story:
    """Three instances in a row do not join: the pool stops."""
    there = environment(most=1, registrationTimeoutSeconds=60)
    every = (there, QUEUE, DEFINITION, FIRST)
    return Story(
        steps=(
            Step(
                "apply everything",
                apply(*every),
                all_of(has_condition(there, "Stalled"), NO_INSTANCES),
            ),
            Step("delete everything", delete(*every), gone(*every)),
        ),
        most=1,
        launched={3},
        faults=({"effect": "world", "service": "*", "name": "agent_never_joins"},),
    )
