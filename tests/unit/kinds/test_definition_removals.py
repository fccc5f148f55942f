"""Job definitions that are deleted: only ours is touched, and nothing that a job still runs."""

import json
from typing import Any

import pytest
from tests.unit.kinds.definition_model import Model, spec
from tests.unit.kinds.values import NOW, RECORDED, owner, resource

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.metadata import PAUSED, SUBMISSION, Resource
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.jobdefinition.desired import DefinitionRemoval, definition_removal
from awsbatch_operator.kinds.jobdefinition.plan import plan_removal
from awsbatch_operator.kinds.lasting import ApiCall

DEFINITION = "arn:aws:batch:r:1:job-definition/pool:2"


def removal(*users: Resource) -> DefinitionRemoval:
    shown = [{"arn": arn, "revision": number} for number, arn in ((1, "arn:1"), (2, DEFINITION))]
    status = {"arn": "arn:1", "revisions": shown}
    of = resource("JobDefinition", status=status, deleting=True, deleted_at=NOW.plus(-9))
    return definition_removal(of, Removal(owner(of), RECORDED, users, since=of.deleted_at))


def test_a_removal_deregisters_ours_and_no_others():
    model = Model()
    model.converge(spec("one"))
    model.register({}, {}, by_us=False)
    plan = plan_removal(removal(), model.observed(), NOW)
    assert plan.actions == (ApiCall("DeregisterJobDefinition", {"jobDefinition": "arn:1"}),)
    model.take_all(plan)
    assert not plan_removal(removal(), model.observed(), NOW).actions


def job(**more: Any) -> Resource:
    """A job that was submitted with the second revision."""
    status = {"jobId": "j", "jobDefinitionArn": DEFINITION}
    return resource("BatchJob", **({"status": status} | more))


def record(seconds: float) -> dict[str, str]:
    """Of a job that was sent so long ago."""
    body = {"queue": "q", "definition": DEFINITION, "time": NOW.plus(-seconds).rfc3339()}
    return {SUBMISSION: json.dumps(body)}


@pytest.mark.parametrize(
    ("user", "waits"),
    [
        (job(), True),
        (job(deleting=True), False),
        (job(deleting=True, annotations={PAUSED: "true"}), True),
        (job(status={}, annotations=record(9)), True),
        (job(status={}, annotations=record(90)), False),
        (job(status={"jobId": "j", "jobDefinitionArn": "arn:7"}), False),
        (job(status={}, spec={"jobDefinitionRef": {"name": "pool", "revision": 2}}), False),
    ],
    ids=["runs", "goes", "paused", "just sent", "refused", "another's", "not submitted"],
)
def test_a_removal_waits_for_jobs_that_run_a_revision_and_stay(user, waits):
    model = Model()
    model.converge(spec("one"))
    plan = plan_removal(removal(user), model.observed(), NOW)
    assert bool(plan.steps) is not waits
    reasons = [finding.reason for finding in plan.findings]
    assert reasons == ([catalogue.STILL_IN_USE] if waits else [])


def test_a_removal_names_a_few_of_many_jobs_and_reads_no_more_than_it_needs():
    read = []

    class Users(tuple[Resource, ...]):
        __slots__ = ()

        def __iter__(self):
            for number in range(100_000):
                read.append(number)
                yield job(name=f"run-{number}")

    model = Model()
    model.converge(spec("one"))
    of = resource("JobDefinition", status={"revisions": [{"arn": DEFINITION, "revision": 2}]})
    wanted = definition_removal(of, Removal(owner(of), RECORDED, Users(), since=NOW.plus(-9)))
    (finding,) = plan_removal(wanted, model.observed(), NOW).findings
    assert "science/run-0, science/run-1" in finding.message
    assert finding.message.endswith("science/run-4 and more.")
    assert len(read) < 10
