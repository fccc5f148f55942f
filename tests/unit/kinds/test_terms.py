"""driftPolicy and adoptionPolicy in the plans of every lasting kind: what is sent, what is told."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.kinds import environments
from tests.unit.kinds.definition_model import Model as Definition
from tests.unit.kinds.definition_model import spec as definition
from tests.unit.kinds.test_queue_plans import POOLS, pool
from tests.unit.kinds.test_queue_plans import spec as queue
from tests.unit.kinds.values import NOW, RECORDED, at_home, owner, ready, resource, targets

from awsbatch_operator.api.metadata import RESOLVED
from awsbatch_operator.kinds.computeenvironment.desired import desired_environment
from awsbatch_operator.kinds.computeenvironment.observed import Observed as Environment
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment
from awsbatch_operator.kinds.computeenvironment.status import shown_plan
from awsbatch_operator.kinds.contract import Seen
from awsbatch_operator.kinds.jobdefinition.desired import desired_definition
from awsbatch_operator.kinds.jobdefinition.observe import Observed as Revisions
from awsbatch_operator.kinds.jobdefinition.plan import plan_definition
from awsbatch_operator.kinds.jobdefinition.status import definition_status
from awsbatch_operator.kinds.jobqueue.desired import desired_queue
from awsbatch_operator.kinds.jobqueue.observe import Observed as Queue
from awsbatch_operator.kinds.jobqueue.plan import plan_queue
from awsbatch_operator.kinds.schedulingpolicy.desired import desired_policy
from awsbatch_operator.kinds.schedulingpolicy.observe import Observed as Policy
from awsbatch_operator.kinds.schedulingpolicy.plan import plan_policy
from awsbatch_operator.kinds.scope_record import annotation

SPECS: dict[str, dict[str, Any]] = {
    "ComputeEnvironment": environments.managed(),
    "JobQueue": queue(),
    "JobDefinition": definition("one"),
    "SchedulingPolicy": {"fairsharePolicy": {"shareDecaySeconds": 3}},
}
KINDS = pytest.mark.parametrize("kind", SPECS)
PLANS: dict[str, tuple[Any, Any]] = {
    "ComputeEnvironment": (desired_environment, plan_environment),
    "JobQueue": (desired_queue, plan_queue),
    "JobDefinition": (desired_definition, plan_definition),
    "SchedulingPolicy": (desired_policy, plan_policy),
}


def planned(kind, observed, *, reached=True, generation=1, pools=(), **spec):
    """The plan of an object with that spec, whose generation was reached, or was not yet."""
    of = resource(kind, SPECS[kind] | spec, generation=generation)
    of = ready(of) if reached else of
    desire, plan_for = PLANS[kind]
    found = pools or [pool(name) for name in POOLS]
    return plan_for(desire(of, targets(*found), owner(of)), observed, NOW)


def in_aws(kind, **changes):
    """What AWS has: as SPECS says, but for the changes, with our tags and one of others."""
    of = resource(kind)
    tags = {**owner(of).tags(), "billing": "42"} | changes.pop("tags", {})
    if kind == "JobDefinition":
        revisions = Definition()
        spec = definition("one")
        wanted = desired_definition(resource(kind, spec), targets(), owner(of))
        marks = {**tags, "awsbatch.dev/content": wanted.content_hash}
        revisions.register(marks, spec)
        if changes:
            revisions.register({}, {**spec, **changes}, by_us=False)
        return revisions.observed()
    if kind == "ComputeEnvironment":
        model = environments.Model()
        model.converge(SPECS[kind])
        resources = {**model.detail["computeResources"], **changes.pop("resources", {})}
        more = {"tags": tags, "computeEnvironmentName": RECORDED.aws_name, **changes}
        return Environment({**model.detail, **more, "computeResources": resources})
    if kind == "JobQueue":
        order = [{"order": 1, "computeEnvironment": "arn:a"}]
        detail = {"jobQueueName": "q", "jobQueueArn": "arn:q", "state": "ENABLED", "priority": 1}
        detail |= {"status": "VALID", "computeEnvironmentOrder": order, "jobQueueType": "ECS"}
        return Queue({**detail, "tags": tags, **changes})
    fair = {"shareDecaySeconds": 3}
    return Policy({"arn": "arn:p", "name": "p", "fairsharePolicy": fair, "tags": tags, **changes})


DRIFTS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("ComputeEnvironment", {"resources": {"maxvCpus": 99}}, ("computeResources.maxvCpus",)),
    ("ComputeEnvironment", {"resources": {"minvCpus": 4}}, ("computeResources.minvCpus",)),
    ("ComputeEnvironment", {"state": "DISABLED"}, ("state",)),
    (
        "ComputeEnvironment",
        {"resources": {"instanceTypes": ["c7i"]}},
        ("computeResources.instanceTypes",),
    ),
    (
        "ComputeEnvironment",
        {"resources": {"spotIamFleetRole": "arn:x"}, "status": "INVALID"},
        ("computeResources.spotIamFleetRole",),
    ),
    ("JobQueue", {"priority": 9}, ("priority",)),
    ("JobQueue", {"state": "DISABLED"}, ("state",)),
    ("JobQueue", {"schedulingPolicyArn": "arn:p"}, ("schedulingPolicyArn",)),
    (
        "JobQueue",
        {"computeEnvironmentOrder": [{"order": 1, "computeEnvironment": "arn:b"}]},
        ("computeEnvironmentOrder",),
    ),
    ("JobQueue", {"jobStateTimeLimitActions": [{"x": 1}]}, ("jobStateTimeLimitActions",)),
    (
        "JobDefinition",
        {"containerProperties": {"image": "busybox", "command": ["theirs"]}},
        ("containerProperties.command (revision 2)",),
    ),
    (
        "SchedulingPolicy",
        {"fairsharePolicy": {"shareDecaySeconds": 9}},
        ("fairsharePolicy.shareDecaySeconds",),
    ),
]


@pytest.mark.parametrize(("kind", "changes", "fields"), DRIFTS)
def test_what_was_changed_elsewhere_is_listed_and_left_as_it_is(kind, changes, fields):
    plan = planned(kind, in_aws(kind, **changes), driftPolicy="Report")
    assert (plan.drift, plan.steps, plan.record) == (fields, (), {})
    reasons = {finding.reason.name for finding in plan.findings}
    assert reasons <= {"EnvironmentInvalid"}


@pytest.mark.parametrize(("kind", "changes", "fields"), DRIFTS)
def test_a_generation_that_was_not_reached_yet_is_applied(kind, changes, fields):
    """An edit of the spec applies the spec; only what comes after it is a drift."""
    del fields
    observed = in_aws(kind, **changes)
    plan = planned(kind, observed, reached=False, driftPolicy="Report")
    usual = planned(kind, observed, reached=False)
    assert plan.drift is None
    assert (plan.steps, plan.findings) == (usual.steps, usual.findings)
    assert plan.steps or plan.findings


@KINDS
def test_what_is_as_specified_has_not_drifted(kind):
    plan = planned(kind, in_aws(kind), driftPolicy="Report")
    assert (plan.drift, plan.steps) == ((), ())


@KINDS
def test_tags_drift_too_and_those_of_others_do_not(kind):
    tags = {"awsbatch.dev/name": "edited"}
    plan = planned(kind, in_aws(kind, tags=tags), driftPolicy="Report", tags={"team": "climate"})
    assert (plan.drift, plan.steps) == (("tags.awsbatch.dev/name", "tags.team"), ())


@KINDS
def test_what_somebody_has_deleted_is_told_and_not_made_anew(kind):
    plan = planned(kind, None, driftPolicy="Report")
    assert plan.steps == ()
    assert [finding.reason.name for finding in plan.findings] == ["DeletedInAWS"]
    assert planned(kind, None, reached=False, driftPolicy="Report").steps


@KINDS
@pytest.mark.parametrize("reached", [True, False])
def test_adopt_makes_nothing(kind, reached):
    plan = planned(kind, None, reached=reached, adoptionPolicy="Adopt")
    assert plan.steps == ()
    assert [finding.reason.name for finding in plan.findings] == ["NothingToAdopt"]
    assert planned(kind, None, reached=reached, adoptionPolicy="AdoptOrCreate").steps


@pytest.mark.parametrize("status", ["CREATING", "UPDATING", "DELETING"])
@pytest.mark.parametrize("kind", ["ComputeEnvironment", "JobQueue"])
def test_while_aws_is_at_work_nothing_is_known_of_a_drift(kind, status):
    plan = planned(kind, in_aws(kind, status=status), driftPolicy="Report")
    assert plan.drift is None
    assert plan.findings


def test_the_plan_in_the_status_says_that_nothing_is_changed():
    of = ready(resource("ComputeEnvironment", environments.managed() | {"driftPolicy": "Report"}))
    desired = desired_environment(of, targets(), owner(of))
    observed = in_aws("ComputeEnvironment", resources={"instanceTypes": ["c7i"]})
    shown = shown_plan(desired, observed)
    assert shown["action"] == "None"
    assert "driftPolicy is Report" in shown["reason"]
    assert shown["fields"] == ["computeResources.instanceTypes"]


def replaced(name, *before):
    """An environment that has taken over from others."""
    of = at_home(resource("ComputeEnvironment", name=name), name, awsStatus="VALID")
    recorded = replace(RECORDED, aws_name=before[0], current=name, predecessors=before)
    return replace(of, annotations={RESOLVED: annotation(recorded, NOW)[RESOLVED]})


def test_an_environment_that_was_replaced_is_followed_and_the_rest_is_told():
    """Nobody has changed the queue then, and the old environment cannot go before it follows."""
    new = replaced("a", "a-0")
    old = str(new.status["arn"]).replace("/a", "/a-0")
    order = [{"order": 1, "computeEnvironment": old}]
    observed = in_aws("JobQueue", computeEnvironmentOrder=order, priority=7)
    plan = planned("JobQueue", observed, driftPolicy="Report", pools=[new])
    assert plan.drift == ("priority",)
    (step,) = plan.steps
    entries = [{"order": 1, "computeEnvironment": new.status["arn"]}]
    assert step.action.request == {
        "jobQueue": RECORDED.aws_name,
        "computeEnvironmentOrder": entries,
    }
    assert step.note is not None
    assert step.note.reason.name == "Updated"


def test_a_queue_does_not_follow_to_an_environment_that_is_not_valid():
    new = replaced("a", "a-0")
    new = replace(new, status={**new.status, "awsStatus": "CREATING"})
    order = [{"order": 1, "computeEnvironment": str(new.status["arn"]).replace("/a", "/a-0")}]
    observed = in_aws("JobQueue", computeEnvironmentOrder=order)
    assert planned("JobQueue", observed, driftPolicy="Report", pools=[new]).steps == ()


def test_revisions_that_are_too_many_still_go_where_a_drift_is_only_told():
    model = Definition()
    for command in ("one", "two", "one"):
        model.converge(definition(command, 3))
    of = model.resource(definition("one", 1, driftPolicy="Report"))
    wanted = desired_definition(ready(of), targets(), owner(of))
    plan = plan_definition(wanted, model.observed(), NOW.plus(900))
    assert [each.operation for each in plan.actions] == ["DeregisterJobDefinition"] * 2
    assert plan.drift == ()


def test_a_revision_of_ours_that_somebody_deregistered_is_told_as_gone():
    observed = in_aws("JobDefinition")
    theirs = replace(observed.revisions[0], arn="arn:9", number=9, tags={}, content={"type": "x"})
    plan = planned("JobDefinition", Revisions((theirs,), observed.recorded), driftPolicy="Report")
    assert [finding.reason.name for finding in plan.findings] == ["DeletedInAWS"]


def test_a_revision_that_aws_may_only_list_late_is_not_told_as_gone():
    late = Revisions((), hidden=frozenset({"arn:9"}))
    plan = planned("JobDefinition", late, driftPolicy="Report")
    assert [finding.reason.name for finding in plan.findings] == ["OutcomeUnknown"]
    of = ready(resource("JobDefinition", definition("one", 1, driftPolicy="Report")))
    of = replace(of, status={**of.status, "arn": "arn:9"})
    wanted = desired_definition(of, targets(), owner(of))
    seen = Seen(wanted, late, plan, plan.findings, None, None, NOW)
    assert definition_status(of, seen).fields["arn"] == "arn:9"
