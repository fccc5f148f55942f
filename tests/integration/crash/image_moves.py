"""What users have images for, as days: environments and pools move to another one, and back.

In each day there is an image and what uses it; then there is another one; and the one before goes
when nothing uses it any more, with its snapshots and with its copy in a further region.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.integration.crash.capacity_scenario import DEFINITION, body, environment, job, nothing
from tests.integration.crash.image_day import (
    OUTWARD,
    THEIRS,
    at,
    image,
    newest_is_told,
    of_environments,
    of_pools,
    one_is_left,
    passed,
    published,
    there,
)
from tests.integration.crash.scenario import (
    Step,
    all_of,
    apply,
    delete,
    gone,
    has_condition,
    key,
    with_spec,
)
from tests.support import manifests
from tests.support.image_world import ImageWorld
from tests.support.one_process import World, aws_models

from awsbatch_simulator.inprocess import session
from awsbatch_simulator.jobscript import JobScript

JOB_SECONDS = 700.0  # longer than it takes to build another image
AT_WORK = JobScript(duration_seconds=JOB_SECONDS)
NAMED = [{"imageType": "ECS_AL2023", "amiRef": {"name": "atmos"}}]
KEPT = {"retention": {"keep": 2, "minAgeDays": 0}}
PROFILE, ROLE = manifests.PROFILE, manifests.ROLE

# AWS exchanges the instances of the first; of the second it cannot, so that is replaced.
EXCHANGED = body(
    "ComputeEnvironment",
    "pool",
    manifests.environment(ec2Configuration=NAMED)
    | {"updatePolicy": {"terminateJobsOnUpdate": False, "jobExecutionTimeoutMinutes": 360}},
)
REPLACED = body(
    "ComputeEnvironment", "best", manifests.best_fit(ec2Configuration=NAMED, maxvCpus=2)
)
POOLED = environment(
    most=3, image={"amiRef": {"name": "atmos"}}, minInstances=1, idleSeconds=86_400
)
BOTH = body("JobQueue", "main", manifests.queue("best", "pool", drain={"policy": "Terminate"}))
ALONE = body("JobQueue", "main", manifests.queue(drain={"policy": "Terminate"}))
JOBS = job("first-run"), job("second-run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A day. In the steps that are `struck` everything may go wrong.

    With `after` that begins when another image than the first has passed. `calls` are struck in
    each way, and the steps take them at least; the others in one way after another. `built` is how
    many images are made, in how many builds (`builds`), `made` how many environments, and `pooled`
    how many instances pools may have.
    """

    steps: tuple[Step, ...]
    struck: tuple[str, ...]
    calls: frozenset[str]
    after: bool = True
    built: int = 2
    builds: int = 2
    made: int = 1
    pooled: int = 0
    jobs: tuple[dict[str, Any], ...] = ()


def runs(*bodies: dict[str, Any]) -> Callable[[World], bool]:
    """Whether all of these jobs run."""
    return lambda world: all(
        world.kube.see(key(each)).get("status", {}).get("awsStatus") == "RUNNING" for each in bodies
    )


def completed(*bodies: dict[str, Any]) -> Callable[[World], bool]:
    """Whether all of these jobs have ended well."""
    return all_of(*(has_condition(each, "Complete") for each in bodies))


def ready(*bodies: dict[str, Any]) -> Callable[[World], bool]:
    """Whether all of these are."""
    return all_of(*(has_condition(each, "Ready") for each in bodies))


def others(world: World, service: str = "batch") -> Any:
    """Somebody else's client."""
    wire = World.wire(world)  # without a witness
    return session(world.simulator, wire, loader=aws_models()).client(service)


def make_theirs(world: World) -> None:
    """Somebody else makes an environment that names the image."""
    [name] = passed(there(world))
    entry = {"imageType": "ECS_AL2023", "imageIdOverride": name}
    spec = manifests.environment(ec2Configuration=[entry])
    others(world).create_compute_environment(
        computeEnvironmentName=THEIRS, serviceRole=ROLE, **spec
    )


def disable_theirs(world: World) -> None:
    """The first half of its deletion."""
    others(world).update_compute_environment(computeEnvironment=THEIRS, state="DISABLED")


def delete_theirs(world: World) -> None:
    """The second half."""
    others(world).delete_compute_environment(computeEnvironment=THEIRS)


def is_settled(world: ImageWorld) -> bool:
    """Whether AWS has done what their owner asked for."""
    theirs = world.batch.environments.get(THEIRS)
    return theirs is None or theirs.status.value == "VALID"


def exchanged_and_replaced() -> Move:
    """Two environments under a queue move while jobs run; the old image goes when theirs is gone.

    AWS exchanges the instances of one of them, the other one is replaced.
    """
    old, new = image("htop", **OUTWARD), image("htop", "jq", **OUTWARD)
    lasting = (old, EXCHANGED, REPLACED, BOTH, DEFINITION)

    def moved(world: ImageWorld) -> bool:
        return of_environments(world) == {passed(world)[-1]} and len(passed(world)) == 2

    return Move(
        steps=(
            Step("an image in use", apply(*lasting), all_of(ready(*lasting), at(newest_is_told))),
            Step("somebody else's, too", make_theirs, at(is_settled)),
            Step("jobs run", apply(*JOBS), runs(*JOBS)),
            Step("another image", apply(new), all_of(at(moved), ready(*lasting))),
            Step("the jobs have ended", nothing, completed(*JOBS)),
            Step("theirs is disabled", disable_theirs, at(is_settled)),
            Step(
                "the old image goes",
                delete_theirs,
                all_of(at(one_is_left), at(newest_is_told), ready(*lasting)),
            ),
            Step("delete everything", delete(*JOBS, *lasting), gone(*JOBS, *lasting)),
        ),
        struck=("another image", "the jobs have ended", "the old image goes"),
        calls=frozenset(
            {
                *("batch:UpdateComputeEnvironment", "batch:CreateComputeEnvironment"),
                *("batch:UpdateJobQueue", "batch:DeleteComputeEnvironment"),
                "ec2:DeregisterImage",
            }
        ),
        made=4,
        jobs=JOBS,
    )


def pooled() -> Move:
    """A pool moves to another image, with one new instance first; its job has its end in peace."""
    old, new = image("htop"), image("htop", "jq")
    [work, _] = JOBS
    lasting = (old, POOLED, ALONE, DEFINITION)

    def joined(world: ImageWorld) -> bool:
        region = world.simulator.world.region(world.simulator.place)
        return bool([each for each, found in region.ecs.by_ec2_id.items() if found])

    def moved(world: ImageWorld) -> bool:
        return of_pools(world) == passed(world)[-1:] and joined(world)

    return Move(
        steps=(
            Step("an image in use", apply(*lasting), all_of(ready(*lasting), at(joined))),
            Step("a job runs", apply(work), runs(work)),
            Step(
                "another image",
                apply(new),
                all_of(completed(work), at(moved), at(one_is_left), ready(*lasting)),
            ),
            Step("delete everything", delete(work, *lasting), gone(work, *lasting)),
        ),
        struck=("another image",),
        calls=frozenset(
            {
                *("ec2:CreateLaunchTemplate", "ec2:CreateFleet", "ec2:TerminateInstances"),
                *("ec2:DeleteLaunchTemplate", "ec2:DeregisterImage"),
                "ecs:UpdateContainerInstancesState",
            }
        ),
        pooled=3,
        jobs=(work,),
    )


def pinned_back() -> Move:
    """An environment goes back to the image before, and forward again; then that one goes."""
    old, new = image("htop", **OUTWARD, **KEPT), image("htop", "jq", **OUTWARD, **KEPT)
    lasting = (old, EXCHANGED)

    def pin(world: World) -> None:
        apply(with_spec(new, pin=passed(there(world))[0]))(world)

    def uses(which: int) -> Callable[[World], bool]:
        def look(world: ImageWorld) -> bool:
            wanted = passed(world)[which:][:1]
            deprecated = any(world.ec2.images[each].deprecated_at for each in wanted)
            told = published(world) == wanted and not deprecated
            return of_environments(world) == set(wanted) and told

        return all_of(at(look), ready(*lasting))

    last = image("htop", "jq", **OUTWARD)
    return Move(
        steps=(
            Step("an image in use", apply(*lasting), all_of(ready(*lasting), at(newest_is_told))),
            Step("another image", apply(new), all_of(uses(1), at(newest_is_told))),
            Step("back to the first", pin, uses(0)),
            Step("forward again", apply(new), uses(1)),
            Step("the first goes", apply(last), all_of(uses(-1), at(one_is_left))),
            Step("delete everything", delete(*lasting), gone(*lasting)),
        ),
        struck=("back to the first", "forward again", "the first goes"),
        after=False,
        calls=frozenset(
            {
                *("batch:UpdateComputeEnvironment", "ssm:PutParameter"),
                *("ec2:DisableImageDeprecation", "ec2:EnableImageDeprecation"),
                "ec2:DeregisterImage",
            }
        ),
    )


def removed_by_hand() -> Move:
    """Somebody deregisters the image in use and leaves its snapshot: it is made anew."""
    one = image("htop", **OUTWARD)
    lasting = (one, EXCHANGED)

    def remove(world: World) -> None:
        [name] = passed(there(world))
        there(world).by_hand.add(name)
        others(world, "ec2").deregister_image(ImageId=name)

    def anew(world: ImageWorld) -> bool:
        found = passed(world)
        fresh = len(found) == 1 and found[0] not in world.by_hand
        return fresh and of_environments(world) == set(found) and newest_is_told(world)

    return Move(
        steps=(
            Step("an image in use", apply(*lasting), all_of(ready(*lasting), at(newest_is_told))),
            Step("it is gone", remove, all_of(at(anew), at(one_is_left), ready(*lasting))),
            Step("delete everything", delete(*lasting), gone(*lasting)),
        ),
        struck=("it is gone", "delete everything"),
        calls=frozenset(
            {
                *("batch:UpdateComputeEnvironment", "ssm:PutParameter", "ec2:DeleteSnapshot"),
            }
        ),
        builds=1,
    )


MOVES: dict[str, Callable[[], Move]] = {
    "exchanged and replaced": exchanged_and_replaced,
    "pooled": pooled,
    "pinned back": pinned_back,
    "removed by hand": removed_by_hand,
}
