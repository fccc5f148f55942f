"""Jobs of several containers, on ECS and on EKS: what is passed on, and what is told of them."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.one_process import aws_models
from tests.unit.kinds.batchjob.jobs import NOW, desired, first_submission, job, known

from awsbatch_operator.kinds.batchjob.log_place import log_place
from awsbatch_operator.kinds.batchjob.observed import Output
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.request import PASSED_THROUGH
from awsbatch_operator.kinds.batchjob.status import job_status
from awsbatch_operator.kinds.contract import Seen

OURS = {"jobName", "jobQueue", "jobDefinition", "dependsOn", "tags"}  # made by us, or of its own
HOST = "arn:aws:ecs:eu-central-1:111122223333:container-instance/c/1"


def test_every_member_of_a_submission_that_is_not_ours_is_passed_on():
    shapes = aws_models().load_service_model("batch", "service-2")["shapes"]
    assert set(shapes["SubmitJobRequest"]["members"]) == {*PASSED_THROUGH, *OURS}


@pytest.mark.parametrize(
    "fields",
    [
        {"ecsPropertiesOverride": {"taskProperties": [{"containers": [{"name": "main"}]}]}},
        {"eksPropertiesOverride": {"podProperties": {"containers": [{"name": "main"}]}}},
        {"nodeOverrides": {"numNodes": 3, "nodePropertyOverrides": [{"targetNodes": "0:"}]}},
        {"arrayProperties": {"size": 3}},
        {"consumableResourcePropertiesOverride": {"consumableResourceList": [
            {"consumableResource": "licence", "quantity": 2}]}},
    ],
)  # fmt: skip
def test_overrides_and_consumable_resources_reach_aws_as_they_are_written(fields):
    spec = {name: value for name, value in job().spec.items() if name != "containerOverrides"}
    plan = plan_job(desired(job(spec=spec | fields)), None, NOW)
    (step,) = plan.steps
    request: Any = step.action
    assert fields.items() <= request.request.items()


def status_of(**detail: Any) -> dict[str, Any]:
    """The fields of a job that has failed."""
    run = first_submission()
    observed = replace(known("FAILED", of=run, **detail), output=Output(lines=()))
    seen: Any = Seen(None, observed, None, (), None, None, NOW)
    return dict(job_status(job(submission=run, job_id="job-1"), seen).fields)


def test_attempts_of_several_containers_are_told_by_the_one_that_failed():
    def task(code: int) -> dict[str, Any]:
        containers = [
            {"name": "router", "exitCode": 0, "logStreamName": "router/1"},
            {"name": "main", "exitCode": code, "reason": "no", "logStreamName": f"main/{code}"},
        ]
        return {"containers": containers, "containerInstanceArn": HOST}

    detail = [{"name": "router"}, {"name": "main", "exitCode": 4}]
    attempts = [
        {"startedAt": 1_800_000_000_000, "taskProperties": [task(3)]},
        {"startedAt": 1_800_000_100_000, "taskProperties": [task(4)]},
    ]
    fields = status_of(
        container={}, ecsProperties={"taskProperties": [{"containers": detail}]}, attempts=attempts
    )
    assert [each["exitCode"] for each in fields["attempts"]] == [3, 4]
    assert fields["attempts"][1]["logStreamName"] == "main/4"
    assert fields["attempts"][1]["containerInstanceArn"] == HOST
    assert (fields["exitCode"], fields["attemptCount"]) == (4, 2)
    assert fields["logs"]["stream"] == "main/4"  # AWS has it in the attempt alone


def test_attempts_of_a_pod_are_told_as_well():
    fields = status_of(
        container={},
        eksProperties={"podProperties": {"containers": [{"name": "main"}]}},
        eksAttempts=[
            {
                "startedAt": 1_800_000_000_000,
                "stoppedAt": 1_800_000_010_000,
                "statusReason": "Pod failed",
                "containers": [{"name": "main", "exitCode": 9, "reason": "Error"}],
            }
        ],
    )
    (attempt,) = fields["attempts"]
    assert (attempt["exitCode"], attempt["reason"]) == (9, "Error")
    assert (fields["exitCode"], fields["attemptCount"]) == (9, 1)


def test_the_attempt_before_says_nothing_of_a_container_that_runs():
    observed = known(
        "RUNNING", container={}, attempts=[{"container": {"exitCode": 1, "logStreamName": "a"}}]
    )
    assert observed.container == {}
    assert log_place(observed).stream == ""
