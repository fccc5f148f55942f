"""The lives of jobs, and of those around them, for the days on which they are deleted.

In each life one job, `target`, is led through its states. What is named `other` goes on meanwhile,
and has to whatever becomes of that one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from tests.integration.crash.job_day import (
    BRIEF,
    FOR_EVER,
    NODES,
    Body,
    fails,
    inside,
    is_over,
    named,
    retried,
    stands,
    then,
)
from tests.integration.crash.scenario import (
    DEFINITION,
    ENVIRONMENT,
    JOB,
    QUEUE,
    UNTIMED,
    Step,
    all_of,
    apply,
    has_condition,
    key,
    with_spec,
)
from tests.support.hard_world import WITHIN_SETTLING
from tests.support.one_process import World

from awsbatch_operator.kinds.batchjob.packing import MARK, nonce_of
from awsbatch_simulator.jobscript import JobScript

TARGET = "target"
OTHER = named(JOB, "other")
LASTING = (ENVIRONMENT, QUEUE, with_spec(DEFINITION, timeout=UNTIMED["timeout"]), NODES)
OTHERS_RUN = (
    JobScript(job_name="other-ends-*", duration_seconds=600),
    JobScript(job_name="other-*", duration_seconds=1e6),
)
# Child 0 of an array runs for long, so that there is a time in which some run and some have ended.
FIRST_RUNS_LONG = JobScript(duration_seconds=400, indexes=(0,))


@dataclass(frozen=True, slots=True)
class Life:
    """The steps of the target's life, after `others` are at work.

    AWS does not show a job for its first `lag` seconds.
    """

    steps: tuple[Step, ...]
    others: tuple[Body, ...] = (OTHER,)
    lag: float = WITHIN_SETTLING


def target(**spec: Any) -> Body:
    return named(JOB, TARGET, **spec)


def do_so(*scripts: JobScript) -> Callable[..., Callable[[World], None]]:
    """Apply these; jobs of theirs that start from now on do so, and those of others go on."""
    return lambda *bodies: then((*OTHERS_RUN, *scripts), *bodies)


def nothing(_: World) -> None:
    """The user waits."""


def runs(run: int) -> Callable[[World], bool]:
    return stands(target(), run=run, awsStatus="RUNNING")


def children_run(run: int) -> Callable[[World], bool]:
    """Whether some of an array run, and are told."""

    def do(world: World) -> bool:
        status = world.kube.see(key(target())).get("status", {})
        return bool(status.get("run") == run and status.get("array", {}).get("running"))

    return do


def waits(reason: str) -> Callable[[World], bool]:
    """Whether the target is said to wait for that."""

    def does(world: World) -> bool:
        status = world.kube.see(key(target())).get("status", {})
        return any(each["reason"] == reason for each in status.get("conditions", ()))

    return does


def changed() -> Life:
    """It runs, is changed while it runs, and once more after its end."""

    def as_of(year: str) -> Body:
        return target(rerunPolicy="OnChange", parameters={"year": year})

    return Life(
        (
            Step("it runs", do_so(FOR_EVER)(as_of("2024")), runs(1)),
            Step("change it", do_so(BRIEF)(as_of("2025")), is_over(target(), "Complete", 2)),
            Step("change it again", apply(as_of("2026")), is_over(target(), "Complete", 3)),
        )
    )


def seen_at_once() -> Life:
    """The same, and AWS shows what it has."""
    return replace(changed(), lag=0.0)


def array() -> Life:
    """Some of its indexes fail and run again, and so does the one of those that fails again."""

    def grid(of_run: int) -> Body:
        return target(arrayProperties={"size": 4}, **retried(of_run))

    return Life(
        (
            Step(
                "its children run", do_so(FIRST_RUNS_LONG, *fails(1, 3))(grid(0)), children_run(1)
            ),
            Step("two have failed", nothing, is_over(target(), "Failed", 1)),
            Step("two run again", do_so(FIRST_RUNS_LONG, *fails(1))(grid(1)), children_run(2)),
            Step("one has failed again", nothing, is_over(target(), "Failed", 2)),
            Step("it runs again", do_so(BRIEF)(grid(2)), is_over(target(), "Complete", 3)),
        )
    )


def packed() -> Life:
    """Of ten tasks in three jobs two fail, and run again as one job."""

    def tasks(of_run: int) -> Body:
        packing = {"arrayProperties": {"size": 10}, "packing": {"tasksPerJob": 4}}
        return target(**packing, **retried(of_run))

    def two_fail(world: World) -> None:
        apply(tasks(0))(world)
        nonce = nonce_of(world.kube.see(key(target()))["metadata"]["uid"], 1)
        failing = JobScript(exit_code=1, output=(f"{MARK} {nonce} DONE 5,7",), indexes=(1,))
        do_so(FIRST_RUNS_LONG, failing, BRIEF)()(world)

    return Life(
        (
            Step("its children run", two_fail, children_run(1)),
            Step("two tasks have failed", nothing, is_over(target(), "Failed", 1)),
            Step("they run again", do_so(BRIEF)(tasks(1)), is_over(target(), "Complete", 2)),
        )
    )


def multi_node() -> Life:
    """It is held while its nodes run, and let go."""

    def nodes(*, suspend: bool = False) -> Body:
        return target(jobDefinitionRef={"name": "nodes"}, suspend=suspend)

    held = has_condition(target(), "Suspended")
    return Life(
        (
            Step("its nodes run", do_so(FOR_EVER)(nodes()), runs(1)),
            Step("hold it", apply(nodes(suspend=True)), held),
            Step("let it go", do_so(BRIEF)(nodes()), is_over(target(), "Complete", 2)),
        )
    )


def held() -> Life:
    """It is held from the start, let go, held while it runs, and let go again."""
    hold, let_go = apply(target(suspend=True)), do_so(FOR_EVER)(target())
    is_held = has_condition(target(), "Suspended")
    return Life(
        (
            Step("hold it from the start", hold, is_held),
            Step("let it go", let_go, runs(1)),
            Step("hold it", hold, is_held),
            Step("let it go again", let_go, runs(2)),
        )
    )


def its_own_definition() -> Life:
    """Its definition stands in it and in no other job, and is changed while it runs."""

    def body(why: str) -> Body:
        return inside(TARGET, why, rerunPolicy="OnChange")

    return Life(
        (
            Step("it runs", do_so(FOR_EVER)(body("first")), runs(1)),
            Step("change it", do_so(BRIEF)(body("second")), is_over(target(), "Complete", 2)),
        )
    )


def a_shared_definition() -> Life:
    """Another job runs with the same definition inside."""
    return Life(
        (
            Step("it runs", do_so(FOR_EVER)(inside(TARGET, "both")), runs(1)),
            Step(
                "change it",
                do_so(BRIEF)(inside(TARGET, "another", rerunPolicy="OnChange")),
                is_over(target(), "Complete", 2),
            ),
        ),
        others=(inside("other", "both"),),
    )


def after_others() -> Life:
    """It waits for one that is not there yet, then in AWS for that one to end, and runs."""
    late = named(JOB, "other-ends")
    body = target(dependsOn=[{"jobRef": {"name": "other-ends"}}])
    return Life(
        (
            Step("it waits for another", apply(body), waits("ReferenceNotFound")),
            Step(
                "it waits in AWS", do_so(BRIEF)(late), stands(target(), run=1, awsStatus="PENDING")
            ),
            Step("it runs", nothing, is_over(target(), "Complete", 1)),
        )
    )


def in_a_full_queue() -> Life:
    """It waits for a place in its queue, and another waits behind it."""
    full = waits("QueueFull")
    behind = named(JOB, "other-behind")
    is_behind = all_of(full, lambda world: "status" in world.kube.see(key(behind)))
    return Life(
        (
            Step(
                "close the queue",
                apply(with_spec(QUEUE, maxInFlight=1)),
                has_condition(QUEUE, "Ready"),
            ),
            Step("it waits for a place", do_so(BRIEF)(target()), full),
            Step("another waits, too", apply(behind), is_behind),
            Step(
                "there is a place",
                apply(with_spec(QUEUE, maxInFlight=2)),
                is_over(target(), "Complete", 1),
            ),
        )
    )


LIVES: Mapping[str, Callable[[], Life]] = MappingProxyType(
    {
        "changed": changed,
        "seen at once": seen_at_once,
        "array": array,
        "packed": packed,
        "multi-node": multi_node,
        "held": held,
        "definition": its_own_definition,
        "shared definition": a_shared_definition,
        "dependency": after_others,
        "full queue": in_a_full_queue,
    }
)
