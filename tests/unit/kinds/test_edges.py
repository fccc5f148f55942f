"""The thin edges of the rooms: what a call's answer is taken for."""

from typing import Any

import pytest
from tests.unit.kinds.values import ACCOUNT, NOW, RECORDED, REGION, owner, resource, targets

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.kinds.computeenvironment.changes import update_request
from awsbatch_operator.kinds.computeenvironment.desired import desired_environment
from awsbatch_operator.kinds.computeenvironment.observe import observe_environment
from awsbatch_operator.kinds.jobdefinition.act import act_on_definition
from awsbatch_operator.kinds.jobdefinition.desired import desired_definition
from awsbatch_operator.kinds.jobdefinition.observe import Observed, Revision
from awsbatch_operator.kinds.jobdefinition.plan import Register, plan_definition
from awsbatch_operator.kinds.jobqueue.observe import observe_queue

SCOPE = Scope(ACCOUNT, REGION)


class Answers:
    """A BatchPort that gives one answer whatever it is asked."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def __getattr__(self, name: str) -> Any:
        async def call(*_: Any, **__: Any) -> Any:
            return self._answer

        return call


@pytest.mark.parametrize("answer", [None, {"status": "DELETED"}])
async def test_what_aws_calls_deleted_is_gone(answer):
    batch: Any = Answers(answer)
    assert await observe_environment(batch, RECORDED, SCOPE, deleting=True) is None
    assert await observe_queue(batch, RECORDED, SCOPE, draining=True) is None


async def test_a_registered_revision_is_known_before_aws_lists_it():
    earlier = Revision("arn:1", 1, {})
    batch: Any = Answers({"jobDefinitionArn": "arn:2", "revision": 2, "jobDefinitionName": "x"})
    action = Register({"tags": {"a": "b"}}, Observed((earlier,)))
    seen = await act_on_definition(batch, action, SCOPE)
    assert seen is not None
    assert [(one.arn, one.number) for one in seen.revisions] == [("arn:2", 2), ("arn:1", 1)]
    assert seen.revisions[0].tags == {"a": "b"}


def test_an_update_of_a_managed_environment_always_names_a_member_of_compute_resources():
    spec = {"type": "MANAGED", "computeResources": {"type": "EC2", "maxvCpus": 9}}
    of = resource("ComputeEnvironment", spec | {"serviceRole": "Batch"})
    desired = desired_environment(of, targets(), owner(of))
    assert update_request(desired, ("serviceRole",))["computeResources"] == {"maxvCpus": 9}
    assert "computeResources" not in update_request(desired, ("state",))


def test_revisions_that_the_status_does_not_show_yet_are_looked_at_again_before_one_goes():
    spec = {"type": "container", "containerProperties": {"image": "x"}, "keepRevisions": 1}
    of = resource("JobDefinition", spec)
    desired = desired_definition(of, targets(), owner(of))
    tags = {**desired.tags.all, "awsbatch.dev/content": desired.content_hash}
    found = tuple(Revision(f"arn:{number}", number, tags) for number in (3, 2, 1))
    plan = plan_definition(desired, Observed(found), NOW)
    assert not plan.actions
    assert plan.look_again_seconds == 1.0
