"""Builders of BatchJobs and of what AWS says about them, for the tests beside this file."""

from dataclasses import replace

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import SUBMISSION, ObjectKey, Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.batchjob.actions import Action, Terminate
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.resolving import desired_job
from awsbatch_operator.kinds.batchjob.submission import Submission

NOW = Instant(1_800_000_000.0)
SCOPE = Scope("111122223333", "eu-central-1")
KEY = ObjectKey("BatchJob", "climate", "simulate")
OWNER = Owner("test", KEY, "uid-1")
QUEUE_ARN = "arn:aws:batch:eu-central-1:111122223333:job-queue/main"
DEFINITION_ARN = "arn:aws:batch:eu-central-1:111122223333:job-definition/simulate:3"
SPEC = {
    "jobQueueRef": {"arn": QUEUE_ARN},
    "jobDefinitionRef": {"arn": DEFINITION_ARN},
    "containerOverrides": {"command": ["df", "-h"]},
}
TARGETS = Targets(aws_name="", account_id="111122223333", region="eu-central-1")


def job(*, submission: Submission | None = None, job_id: str = "", **changes) -> Resource:
    """A BatchJob, perhaps with a recorded submission and a known job id."""
    status = {}
    if submission and job_id:
        status = {"run": submission.run, "jobId": job_id, "jobName": submission.job_name}
        status |= {"jobQueueArn": QUEUE_ARN, "jobDefinitionArn": DEFINITION_ARN}
        status |= {"accountId": submission.account_id, "region": submission.region}
    resource = Resource(
        key=KEY,
        uid=OWNER.uid,
        generation=1,
        resource_version="7",
        created=NOW,
        annotations=submission.annotation() if submission else {},
        spec=SPEC,
        status=status,
    )
    return replace(resource, **changes)


def desired(resource: Resource) -> Desired:
    """What the object wants."""
    return desired_job(resource, TARGETS, OWNER)


def recorded(plan: Plan[Action]) -> Submission:
    """What the plan writes down: with a step, or without any."""
    records = [*(step.record for step in plan.steps if step.record), plan.record]
    return Submission.from_json(records[0][SUBMISSION])


def ended_jobs(plan: Plan[Action]) -> list[str]:
    """The ids of the jobs that the plan terminates."""
    return [step.action.job_id for step in plan.steps if isinstance(step.action, Terminate)]


def first_submission() -> Submission:
    """The intent of the first run."""
    return recorded(plan_job(desired(job()), None, NOW))


def known(state: str, *, of: Submission | None = None, **detail) -> Observed:
    """A job that AWS knows."""
    return Observed(
        Knowledge.FOUND,
        of or first_submission(),
        detail={"jobId": "job-1", "status": state, "createdAt": 1_800_000_000_000, **detail},
        since=NOW,
    )
