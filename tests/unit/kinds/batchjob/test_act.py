"""What this process remembers of a submission: that alone may spare the look-up."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.unit.kinds.batchjob.jobs import KEY, NOW, QUEUE_ARN, SCOPE, desired, job

from awsbatch_operator.api.scope import LeaseLostError, Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kinds.batchjob.act import SubmissionMemory, act_on_job
from awsbatch_operator.kinds.batchjob.actions import Submit, Terminate
from awsbatch_operator.kinds.batchjob.observed import Knowledge
from awsbatch_operator.kinds.batchjob.plan import plan_job


def submit() -> Submit:
    (action,) = plan_job(desired(job()), None, NOW).actions
    assert isinstance(action, Submit)
    return action


class Act:
    """Batch and feed, as far as actions use them, and what is remembered."""

    def __init__(self) -> None:
        self.memory = SubmissionMemory()
        self.fails: Exception | None = None
        self.sent: list[Any] = []
        self.followed: list[tuple[str, str]] = []

    async def submit_job(self, _scope: Scope, request: Any) -> dict[str, str]:
        assert self.memory.submission(KEY, "uid-1"), "sent before it was remembered"
        self.sent.append(request)
        if self.fails is not None:
            raise self.fails
        return {"jobId": "job-1"}

    async def terminate_job(self, _scope: Scope, job_id: str, reason: str) -> None:
        self.sent.append((job_id, reason))

    def follow(self, _scope: Scope, job_id: str, queue: str, *_: Any, **__: Any) -> None:
        self.followed.append((job_id, queue))

    async def on(self, action: Submit | Terminate) -> Any:
        ports: Any = self
        clock = SteppedClock(start=NOW.epoch)
        return await act_on_job(
            action, SCOPE, batch=ports, feed=ports, memory=self.memory, clock=clock
        )


@pytest.fixture
def act() -> Act:
    return Act()


async def test_a_submitted_job_is_known_at_once_and_followed(act):
    action = submit()
    observed = await act.on(action)
    assert act.sent == [action.request]
    assert (observed.knowledge, observed.job_id) == (Knowledge.FOUND, "job-1")
    assert act.followed == [("job-1", QUEUE_ARN)]
    assert act.memory.job_id(KEY, action.submission) == "job-1"
    assert act.memory.sent(KEY, action.submission) == NOW


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (AwsError(ErrorKind.THROTTLED, operation="SubmitJob", message="slow"), True),
        (AwsError(ErrorKind.DENIED, operation="SubmitJob", message="no"), True),
        (LeaseLostError("too short"), True),
        (
            AwsError(
                ErrorKind.TRANSIENT, operation="SubmitJob", message="cut", outcome_unknown=True
            ),
            False,
        ),
        (RuntimeError("a bug"), False),
    ],
)
async def test_only_what_certainly_did_nothing_counts_as_refused(act, error, refused):
    action = submit()
    act.fails = error
    with pytest.raises(type(error)):
        await act.on(action)
    assert act.memory.was_refused(KEY, action.submission) is refused
    assert act.followed == []


async def test_what_is_sent_again_is_no_longer_refused(act):
    action = submit()
    act.memory.sending(KEY, action.submission, NOW)
    act.memory.refused(KEY)
    act.fails = RuntimeError("a bug")
    with pytest.raises(RuntimeError):
        await act.on(action)
    assert not act.memory.was_refused(KEY, action.submission)


async def test_what_is_remembered_of_one_run_says_nothing_about_another(act):
    first = submit().submission
    act.memory.sending(KEY, first, NOW)
    act.memory.is_job(KEY, first, "job-1")
    act.memory.refused(KEY)
    assert act.memory.job_id(KEY, replace(first, attempt=2)) == "job-1"
    for other in (replace(first, run=2), replace(first, uid="another")):
        assert act.memory.job_id(KEY, other) is None
        assert not act.memory.was_refused(KEY, other)
        assert act.memory.sent(KEY, other) is None


async def test_a_termination_gives_its_reason(act):
    assert await act.on(Terminate("job-1", "enough")) is None
    assert act.sent == [("job-1", "enough")]


class Later:
    """A port whose call takes a minute before it ends with an error."""

    def __init__(self, error: BaseException, clock: SteppedClock) -> None:
        self._error = error
        self._clock = clock

    async def submit_job(self, *_: Any) -> Any:
        self._clock.skip(61)
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        AwsError(ErrorKind.TRANSIENT, operation="SubmitJob", message="cut", outcome_unknown=True),
        RuntimeError("a bug"),
        asyncio.CancelledError(),
        KeyboardInterrupt(),
    ],
)
async def test_a_call_without_an_answer_was_on_the_wire_until_it_ended(error):
    """It may have waited for a token and a thread for longer than an outcome takes to settle."""
    action, memory, clock = submit(), SubmissionMemory(), SteppedClock(start=NOW.epoch)
    ports: Any = Later(error, clock)
    with pytest.raises(type(error)):
        await act_on_job(action, SCOPE, batch=ports, feed=ports, memory=memory, clock=clock)
    assert memory.sent(KEY, action.submission) == NOW.plus(61)
    assert not memory.was_refused(KEY, action.submission)
