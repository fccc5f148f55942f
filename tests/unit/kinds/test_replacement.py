"""Replacement of a compute environment: whatever happens, in any order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.replacement_aws import WRONG, Queue, arn, is_ours
from tests.unit.kinds.replacement_model import World, spec
from tests.unit.kinds.values import RECORDED

from awsbatch_operator.api.metadata import REPLACING, RESOLVED

FIRST = RECORDED.aws_name


def standing(**changes: Any) -> World:
    """An environment as specified, with a queue that follows it."""
    world = World(**changes)
    world.settle()
    world.queues.append(Queue("main", [arn(FIRST)]))
    world.calls.clear()
    world.told.clear()
    return world


def edit(world: World, new: dict[str, Any]) -> None:
    world.spec = new
    world.generation += 1


def as_specified(world: World) -> None:
    """One environment of the object, as the spec says, and every queue has it."""
    (name,) = owned(world)
    resources = world.environments[name]["computeResources"]
    assert resources["subnets"] == world.spec["computeResources"]["subnets"]
    assert resources["maxvCpus"] == world.spec["computeResources"]["maxvCpus"]
    assert world.recorded.names == (name,)
    for queue in world.queues:
        assert queue.order == [arn(name)]


def owned(world: World) -> list[str]:
    """The environments that are the object's by their tags; others were let go, to be kept."""
    return [name for name, have in world.environments.items() if is_ours(have)]


def test_a_change_that_aws_cannot_make_leads_to_a_new_environment_in_the_same_queue():
    world = standing()
    edit(world, spec("subnet-2"))
    world.settle()
    as_specified(world)
    assert world.recorded.serving != FIRST
    assert world.calls == [
        "CreateComputeEnvironment",
        "UpdateComputeEnvironment",
        "DeleteComputeEnvironment",
    ]


SWAP = {"foreignQueues": "Swap"}
THINGS = st.one_of(
    st.tuples(
        st.just("edit"),
        st.builds(
            spec,
            st.sampled_from(["subnet-1", "subnet-2", WRONG]),
            st.sampled_from([16, 32]),
            replacement=st.sampled_from([{}, SWAP, {"policy": "Refuse"}]),
            deletionPolicy=st.sampled_from(["Delete", "Delete", "Retain"]),
        ),
    ),
    st.tuples(st.just("turn"), st.integers(0, 3)),
    st.tuples(st.just("time"), st.none()),
    st.tuples(st.just("job"), st.none()),
    st.tuples(st.just("job ends"), st.none()),
    st.tuples(st.just("record is lost"), st.none()),
    st.tuples(st.just("deleted by hand"), st.integers(0, 5)),
    st.tuples(st.just("status is lost"), st.none()),
    st.tuples(st.just("an older record is put back"), st.integers(0, 9)),
    st.tuples(st.just("a queue of somebody else"), st.none()),
    st.tuples(st.just("no queue of somebody else"), st.none()),
)


def happens(world: World, what: str, how: Any) -> None:
    """Something happens, in AWS, in Kubernetes, or in the operator."""
    match what:
        case "edit":
            edit(world, how)
        case "turn":
            world.turn(ends_after=how)
        case "time":
            world.tick()
        case "job":
            world.start_job(world.queues[0])
        case "job ends":
            world.end_jobs()
        case "deleted by hand":
            delete_by_hand(world, how)
        case "an older record is put back":
            world.annotations = dict(world.records[how % len(world.records)])
        case "a queue of somebody else":
            take_for_another(world)
        case "no queue of somebody else":
            del world.queues[1:]
        case _:
            lose(world, what)


def lose(world: World, what: str) -> None:
    """What `kubectl replace` takes away, or whoever can write the status."""
    if what == "status is lost":
        world.status = {}
    else:
        for name in (RESOLVED, REPLACING):
            world.annotations.pop(name, None)


def take_for_another(world: World) -> None:
    """Somebody puts what serves into a queue of their own."""
    name = world.recorded.serving
    if len(world.queues) == 1 and world.environments.get(name, {}).get("status") == "VALID":
        world.queues.append(Queue("theirs", [arn(name)], follows=False, owner=""))


def delete_by_hand(world: World, which: int) -> None:
    """As far as AWS lets a person who wants no jobs to end."""
    unused = [name for name in sorted(world.environments) if not world.users(name)]
    if unused and not world.tasks.get(unused[which % len(unused)]):
        del world.environments[unused[which % len(unused)]]


@given(story=st.lists(THINGS, max_size=14), last=st.sampled_from(["subnet-1", "subnet-2"]))
def test_whatever_happens_no_queue_is_without_its_environment_and_no_job_is_ended(story, last):
    """The model asserts both at each call; at the end AWS is as the spec says."""
    world = standing()
    for what, how in story:
        happens(world, what, how)
    edit(world, spec(last, replacement=SWAP))
    world.settle()
    as_specified(world)


@given(story=st.lists(THINGS, max_size=12))
def test_a_deletion_in_any_state_leaves_nothing(story):
    world = standing()
    for what, how in story:
        happens(world, what, how)
    world.delete()
    world.spec = spec()
    assert world.settle().released
    assert not owned(world)
