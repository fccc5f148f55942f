"""Job queues: plans that come to an end, environments that are not valid yet, and draining."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.models import Described, met, note
from tests.unit.kinds.values import ACCOUNT, NOW, RECORDED, REGION, owner, ready, resource, targets

from awsbatch_operator.api import catalogue
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.jobqueue.desired import (
    desired_queue,
    drain_timeout,
    waits_for_jobs,
)
from awsbatch_operator.kinds.jobqueue.observe import Observed
from awsbatch_operator.kinds.jobqueue.plan import (
    QueueRemoval,
    plan_queue,
    plan_removal,
    queue_removal,
)
from awsbatch_operator.kinds.lasting import ApiCall
from awsbatch_operator.kinds.tagging import TAGS

POOLS = ("a", "b", "c")
NAME = RECORDED.aws_name
FAIR, OTHER = (f"arn:aws:batch:{REGION}:{ACCOUNT}:scheduling-policy/{name}" for name in "pq")


def pool(name, *, valid=True):
    of = resource("ComputeEnvironment", name=name)
    if valid:
        return ready(of, arn=f"arn:{name}", awsStatus="VALID")
    return replace(of, status={"arn": f"arn:{name}", "awsStatus": "CREATING"})


def spec(*pools: str, **changes: Any) -> dict[str, Any]:
    order = [
        {"order": number, "computeEnvironmentRef": {"name": name}}
        for number, name in enumerate(pools or ("a",), start=1)
    ]
    return {"priority": 1, "computeEnvironmentOrder": order, **changes}


def desired(of_spec, *waiting, **changes):
    of = resource("JobQueue", of_spec, **changes)
    found = [pool(name, valid=name not in waiting) for name in POOLS]
    return desired_queue(of, targets(*found), owner(of))


class Model(Described):
    """AWS, as far as one queue goes."""

    def observed(self, **jobs):
        return None if self.detail is None else Observed(self.detail, jobs or None)

    def apply(self, call):
        match call:
            case ApiCall("CreateJobQueue", request):
                filled = {"jobQueueArn": "arn:q", "status": "VALID", "jobQueueType": "ECS"}
                self.detail = {**filled, **request}
            case ApiCall("UpdateJobQueue", request):
                changed = {key: value for key, value in request.items() if key != "jobQueue"}
                self.detail = {**self.detail, **changed}
            case _:
                super().apply(call)

    def plan(self, of_spec, *waiting, **changes):
        wanted = desired(of_spec, *waiting, annotations=self.annotations, **changes)
        return plan_queue(wanted, self.observed(), NOW)

    def converge(self, of_spec):
        return self.run(lambda: self.plan(of_spec))


def the_update(plan):
    """The request of the one step of the plan, which is an update."""
    (call,) = plan.actions
    assert call.operation == "UpdateJobQueue"
    return call.request


LIMIT = {"reason": "stuck", "state": "RUNNABLE", "maxTimeSeconds": 600, "action": "CANCEL"}
SPECS = st.builds(
    lambda pools, changes: spec(*pools, **changes),
    st.permutations(POOLS).flatmap(lambda found: st.integers(1, 3).map(lambda n: found[:n])),
    st.fixed_dictionaries(
        {"priority": st.integers(0, 9)},
        optional={
            "state": st.sampled_from(["ENABLED", "DISABLED"]),
            "jobStateTimeLimitActions": st.sampled_from([[], [LIMIT]]),
            "tags": st.dictionaries(st.sampled_from("ab"), st.sampled_from("12")),
        },
    ),
)


def assert_as_specified(detail, of_spec):
    """Each member that SPECS varies is the spec's, or AWS's default where the spec is silent."""
    assert detail["priority"] == of_spec["priority"]
    assert detail["state"] == of_spec.get("state", "ENABLED")
    limits = of_spec.get("jobStateTimeLimitActions", [])
    assert detail.get("jobStateTimeLimitActions", []) == limits
    assert detail["computeEnvironmentOrder"] == [
        {"order": entry["order"], "computeEnvironment": f"arn:{name}"}
        for entry in of_spec["computeEnvironmentOrder"]
        for name in entry["computeEnvironmentRef"].values()
    ]
    ours = owner(resource("JobQueue")).tags()
    assert detail["tags"] == of_spec.get("tags", {}) | ours


@given(specs=st.lists(SPECS, min_size=1, max_size=4))
def test_a_plan_applied_leaves_an_empty_plan_whatever_came_before(specs):
    model = Model()
    for of_spec in specs:
        plan = model.converge(of_spec)
        assert plan.findings == ()
        assert_as_specified(model.detail, of_spec)


@given(of_spec=SPECS, seed=st.integers(0, 99))
def test_the_order_in_which_environments_are_listed_is_no_change(of_spec, seed):
    model = Model()
    model.converge(of_spec)
    entries = list(of_spec["computeEnvironmentOrder"])
    random.Random(seed).shuffle(entries)
    shuffled = {**of_spec, "computeEnvironmentOrder": entries}
    assert not model.plan(shuffled).steps


def test_no_queue_is_made_over_an_environment_that_is_not_valid():
    plan = plan_queue(desired(spec("a", "b"), "b"), None, NOW)
    assert not plan.steps
    (finding,) = plan.findings
    assert finding.reason is catalogue.REFERENCE_NOT_READY
    assert "ComputeEnvironment b" in finding.message


def test_a_queue_that_waits_for_an_environment_is_changed_in_everything_else():
    model = Model()
    model.converge(spec("a"))
    plan = model.plan(spec("b", "a", priority=5), "b")
    assert the_update(plan) == {"jobQueue": NAME, "priority": 5}
    assert catalogue.REFERENCE_NOT_READY in {finding.reason for finding in plan.findings}


def test_an_environment_that_the_queue_has_already_may_be_out_of_order_for_a_while():
    model = Model()
    model.converge(spec("a", "b"))
    plan = model.plan(spec("b", "a"), "a", "b")
    assert "computeEnvironmentOrder" in the_update(plan)


@pytest.mark.parametrize(("before", "after"), [(None, FAIR), (FAIR, None)])
def test_a_policy_is_neither_added_nor_removed(before, after):
    model = Model()
    reference = {"schedulingPolicyRef": {"arn": before}} if before else {}
    model.converge(spec(**reference))
    reference = {"schedulingPolicyRef": {"arn": after}} if after else {}
    plan = model.plan(spec(**reference))
    assert not plan.steps
    assert plan.findings[0].reason is catalogue.POLICY_NOT_REMOVABLE


def test_a_policy_is_replaced():
    model = Model()
    model.converge(spec(schedulingPolicyRef={"arn": FAIR}))
    model.converge(spec(schedulingPolicyRef={"arn": OTHER}))
    assert model.detail["schedulingPolicyArn"] == OTHER


def test_a_kind_of_queue_that_differs_is_refused_and_one_left_open_is_awss():
    model = Model()
    model.converge(spec())
    plan = model.plan(spec(jobQueueType="EKS"))
    assert not plan.steps
    assert "jobQueueType" in plan.findings[0].message


def test_tags_go_in_a_lane_of_their_own_and_the_note_is_on_the_update_alone():
    model = Model()
    model.converge(spec(tags={"gone": "1"}))
    plan = model.plan(spec(priority=5, tags={"new": "1"}), generation=2)
    operations = {
        lane: [step.action.operation for step in steps] for lane, steps in plan.lanes().items()
    }
    assert operations == {TAGS: ["TagResource", "UntagResource"], "": ["UpdateJobQueue"]}
    assert [step.note and step.note.reason for step in plan.steps] == [
        None,
        None,
        catalogue.UPDATED,
    ]
    assert note(plan.steps[-1]).message == "Changed in place: priority."


@pytest.mark.parametrize(("before", "told"), [(False, "Created"), (True, "DriftRepaired")])
def test_a_creation_says_whether_the_queue_was_there_before(before, told):
    of = resource("JobQueue", spec())
    wanted = desired_queue(ready(of) if before else of, targets(pool("a")), owner(of))
    (step,) = plan_queue(wanted, None, NOW).steps
    assert note(step).reason.name == told
    assert NAME in note(step).message
    assert not met(step, None)


def removal(drain: dict[str, Any] | None = None, waited: float = 0) -> QueueRemoval:
    of = resource(
        "JobQueue",
        spec(drain=drain) if drain else spec(),
        deleting=True,
        deleted_at=NOW.plus(-waited),
        status={"arn": "arn:q"},
    )
    return queue_removal(of, Removal(owner(of), RECORDED))


def test_a_queue_with_jobs_is_disabled_first_and_then_waited_for():
    model = Model()
    model.converge(spec())
    plan = plan_removal(removal(), model.observed(RUNNING=17, RUNNABLE=3), NOW)
    assert the_update(plan) == {"jobQueue": NAME, "state": "DISABLED"}
    model.take_all(plan)
    plan = plan_removal(removal(), model.observed(RUNNING=17, RUNNABLE=3), NOW)
    assert not plan.steps
    assert "3 RUNNABLE, 17 RUNNING" in plan.findings[0].message
    plan = plan_removal(removal(), model.observed(), NOW)
    assert plan.actions == (ApiCall("DeleteJobQueue", {"jobQueue": NAME}),)
    model.take_all(plan)
    assert plan_removal(removal(), model.observed(), NOW).released


@pytest.mark.parametrize("operation", ["disable", "delete"])
def test_a_removal_that_aws_is_at_work_on_is_no_step_that_it_does_not_show(operation):
    model = Model()
    model.converge(spec(state="ENABLED" if operation == "disable" else "DISABLED"))
    (step,) = plan_removal(removal(), model.observed(), NOW).steps
    status = "UPDATING" if operation == "disable" else "DELETING"
    assert not met(step, model.observed())
    assert met(step, Observed({**model.detail, "status": status}))


@pytest.mark.parametrize(("waited", "deleted"), [(59, False), (60, True), (9999, True)])
def test_the_time_to_drain_ends(waited, deleted):
    model = Model()
    model.converge(spec(state="DISABLED"))
    drain = {"policy": "Wait", "timeoutSeconds": 60}
    plan = plan_removal(removal(drain, waited), model.observed(RUNNING=1), NOW)
    assert bool(plan.steps) is deleted


@pytest.mark.parametrize("drain", [None, 7, {}, {"policy": 3}, {"timeoutSeconds": "x"}])
def test_a_drain_that_is_not_sound_waits_as_long_as_it_takes(drain):
    of = resource("JobQueue", {"drain": drain})
    assert waits_for_jobs(of)
    assert drain_timeout(of) == 0.0
    assert queue_removal(of, Removal(owner(of), RECORDED)).drain_seconds is None
