"""From an action to one AWS call."""

from typing import Any, assert_never

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import LeaseLostError, Scope
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.ports import BatchPort, JobFeed
from awsbatch_operator.kinds.batchjob.memory import SubmissionMemory
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.plan import Action, Submit, Terminate


async def act_on_job(
    action: Action,
    scope: Scope,
    *,
    batch: BatchPort,
    feed: JobFeed,
    memory: SubmissionMemory,
    clock: Clock,
) -> Observed | None:
    """Send it. Raises AwsError or LeaseLostError; what this process saw of it is remembered."""
    match action:
        case Submit():
            observed = await _submit(action, scope, batch=batch, memory=memory, clock=clock)
            queue, detail = action.request["jobQueue"], observed.detail
            feed.follow(scope, observed.job_id, queue, action.key, detail=detail)
            return observed
        case Terminate():
            await batch.terminate_job(scope, action.job_id, action.reason)
            return None
        case never:
            assert_never(never)


async def _submit(
    action: Submit, scope: Scope, *, batch: BatchPort, memory: SubmissionMemory, clock: Clock
) -> Observed:
    key, submission = action.key, action.submission
    memory.sending(key, submission, clock.now())
    try:
        answer = await batch.submit_job(scope, action.request)
    except LeaseLostError:
        memory.refused(key)
        raise
    except AwsError as error:
        if not error.outcome_unknown:
            memory.refused(key)
        raise
    now = clock.now()
    memory.is_job(key, submission, str(answer["jobId"]))
    since = memory.since(key, submission, "SUBMITTED", now)
    detail = _as_detail(action, answer, now.epoch)
    return Observed(Knowledge.KNOWN, submission, sent=now, detail=detail, since=since)


def _as_detail(action: Submit, answer: Any, epoch: float) -> dict[str, Any]:
    """What DescribeJobs would say now; it may not know the job yet."""
    return {
        "jobId": answer["jobId"],
        "jobName": action.request["jobName"],
        "jobQueue": action.request["jobQueue"],
        "jobDefinition": action.request["jobDefinition"],
        "status": "SUBMITTED",
        "createdAt": int(epoch * 1000),
        "tags": action.request["tags"],
    }
