import asyncio
import contextlib
import threading
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from tests.support.clock import settle
from tests.support.stub_aws import ASSUMED, Refused

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.scope import LeaseLostError, NoTokenError, Scope
from awsbatch_operator.aws.aws_settings import AwsSettings
from awsbatch_operator.aws.calls import Priority, UnlistedCallError
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.in_flight import WithdrawnError
from awsbatch_operator.aws.runner import ThreadRunner
from awsbatch_operator.aws.sender import Sender

SCOPE = Scope("111122223333", "eu-central-1")
SUBMIT = {"jobName": "a", "jobQueue": "q", "jobDefinition": "d"}


def refuse(code: str, status: int = 400):
    def answer(_):
        raise Refused(code, status=status)

    return answer


def lose(error: BaseException):
    def answer(_):
        raise error

    return answer


async def failure(call) -> AwsError:
    with pytest.raises(AwsError) as caught:
        await call
    return caught.value


async def test_an_answer_comes_without_metadata(bench):
    bench.stub.answers["SubmitJob"] = lambda _: {"jobId": "j-1", "jobName": "a"}
    assert await bench.aws.batch.submit_job(SCOPE, SUBMIT) == {"jobId": "j-1", "jobName": "a"}
    assert bench.stub.sent == [("SubmitJob", SUBMIT)]


async def test_a_call_that_is_not_in_the_table_is_never_sent(bench):
    with pytest.raises(UnlistedCallError, match="is not in aws/call_table"):
        await bench.aws.sender.call(SCOPE, "batch:SubmitServiceJob", {})
    assert bench.stub.sent == []


@pytest.mark.parametrize(
    "answer",
    [
        refuse("TooManyRequestsException", 429),
        refuse("ServerException", 500),
        lose(ReadTimeoutError(endpoint_url="http://x")),
        lose(EndpointConnectionError(endpoint_url="http://x")),
    ],
)
async def test_a_call_that_changes_something_is_sent_once_whatever_happens(
    bench, answer, monkeypatch
):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    bench.stub.answers["SubmitJob"] = answer
    await failure(bench.aws.batch.submit_job(SCOPE, SUBMIT))
    assert bench.stub.operations() == ["SubmitJob"]


@pytest.mark.parametrize(
    ("answer", "kind", "unknown"),
    [
        (refuse("TooManyRequestsException", 429), ErrorKind.THROTTLED, False),
        (refuse("ServerException", 500), ErrorKind.TRANSIENT, True),
        (refuse("ClientException"), ErrorKind.INVALID, False),
        (lose(ReadTimeoutError(endpoint_url="http://x")), ErrorKind.TRANSIENT, True),
        (lose(ConnectTimeoutError(endpoint_url="http://x")), ErrorKind.TRANSIENT, False),
    ],
)
async def test_a_failed_submission_says_whether_it_may_have_happened(bench, answer, kind, unknown):
    bench.stub.answers["SubmitJob"] = answer
    error = await failure(bench.aws.batch.submit_job(SCOPE, SUBMIT))
    assert (error.kind, error.outcome_unknown) == (kind, unknown)


async def test_a_request_that_botocore_refuses_is_invalid_and_was_not_sent(bench):
    error = await failure(bench.aws.batch.submit_job(SCOPE, {"jobName": 7}))
    assert error.kind is ErrorKind.INVALID
    assert not error.outcome_unknown
    assert bench.stub.sent == []


async def test_a_read_of_a_turn_is_sent_once_for_the_engine_repeats_the_turn(bench):
    bench.stub.answers["DescribeJobs"] = refuse("ServerException", 500)
    error = await failure(bench.aws.batch.job(SCOPE, "j-1"))
    assert bench.stub.operations() == ["DescribeJobs"]
    assert error.kind is ErrorKind.TRANSIENT
    assert bench.clock.next_due() is None


async def test_a_read_of_a_feed_is_repeated_a_few_times(bench):
    bench.stub.answers["DescribeJobs"] = refuse("ServerException", 500)
    call = bench.aws.sender.call(SCOPE, "batch:DescribeJobs", {"jobs": ["j"]}, polling=True)
    asked = asyncio.create_task(failure(call))
    await bench.clock.run_until(asked.done)
    assert bench.stub.operations() == ["DescribeJobs"] * 3
    assert (await asked).kind is ErrorKind.TRANSIENT


async def test_without_a_token_a_call_is_not_sent_and_says_when_to_come_again(bench):
    for _ in range(40):
        await bench.aws.sender.call(SCOPE, "batch:DescribeJobs", {"jobs": ["j"]})
    bench.stub.sent.clear()
    with pytest.raises(NoTokenError) as caught:
        await bench.aws.sender.call(SCOPE, "batch:DescribeJobs", {"jobs": ["j"]})
    assert caught.value.seconds == pytest.approx(1 / 50, abs=0.01)
    assert bench.stub.sent == []


async def test_a_read_that_aws_refuses_for_a_reason_is_not_repeated(bench):
    bench.stub.answers["DescribeJobs"] = refuse("AccessDeniedException", 403)
    error = await failure(bench.aws.batch.job(SCOPE, "j-1"))
    assert error.kind is ErrorKind.DENIED
    assert error.action == "batch:DescribeJobs"
    assert len(bench.stub.sent) == 1


async def test_a_change_goes_out_only_while_the_lease_outlasts_the_call(bench):
    bench.lease.rest = 13.0  # exactly the two timeouts: not longer
    with pytest.raises(LeaseLostError):
        await bench.aws.batch.submit_job(SCOPE, SUBMIT)
    assert bench.stub.sent == []
    assert bench.lease.asked == [13.0]


async def test_reading_needs_no_lease(bench):
    bench.lease.rest = 0.0
    bench.stub.answers["DescribeJobs"] = lambda _: {"jobs": []}
    assert await bench.aws.batch.job(SCOPE, "j-1") is None
    assert bench.lease.asked == []


async def test_the_lease_is_checked_after_credentials_were_fetched(bench):
    """Fetching them takes as long as a call: the lease may run out meanwhile."""
    role = Scope("111122223333", "eu-central-1", "arn:aws:iam::111122223333:role/r")

    def assume(_):
        bench.lease.rest = 0.0
        expires = Instant(bench.clock.now().epoch + 3600).rfc3339()
        return ASSUMED.format(
            account="111122223333", name="r", session="s", number=1, expires=expires
        )

    bench.stub.answers["AssumeRole"] = assume
    with pytest.raises(LeaseLostError):
        await bench.aws.batch.submit_job(role, SUBMIT)
    assert bench.stub.operations() == ["AssumeRole"]


async def test_a_dead_process_is_not_taken_for_an_error(bench):
    class ProcessDied(BaseException):
        pass

    bench.stub.answers["SubmitJob"] = lose(ProcessDied())
    with pytest.raises(ProcessDied):
        await bench.aws.batch.submit_job(SCOPE, SUBMIT)
    assert bench.aws.in_flight == 0


async def test_calls_on_the_wire_that_change_something_are_counted(bench):
    during = []

    def answer(_):
        during.append(bench.aws.in_flight)
        return {"jobs": [], "jobId": "j", "jobName": "a"}

    bench.stub.answers |= {"SubmitJob": answer, "DescribeJobs": answer}
    await bench.aws.batch.submit_job(SCOPE, SUBMIT)
    await bench.aws.batch.job(SCOPE, "j")
    assert during == [1, 0]
    assert bench.aws.in_flight == 0


async def test_every_call_is_observed_with_its_outcome(bench):
    bench.stub.answers["SubmitJob"] = lambda _: {"jobId": "j", "jobName": "a"}
    await bench.aws.batch.submit_job(SCOPE, SUBMIT)
    bench.stub.answers["SubmitJob"] = refuse("AccessDeniedException", 403)
    await failure(bench.aws.batch.submit_job(SCOPE, SUBMIT))
    assert bench.observed == [("batch", "SubmitJob", "ok"), ("batch", "SubmitJob", "Denied")]


async def test_an_empty_answer_of_something_else_than_aws_is_not_taken_for_absence(bench):
    bench.stub.answers["DescribeJobs"] = lambda _: {}
    error = await failure(bench.aws.batch.job(SCOPE, "j-1"))
    assert error.kind is ErrorKind.UNKNOWN
    assert "'jobs'" in error.message


async def test_throttling_makes_the_calls_that_follow_slower(bench):
    bench.stub.answers["SubmitJob"] = refuse("TooManyRequestsException", 429)
    await failure(bench.aws.batch.submit_job(SCOPE, SUBMIT))
    with pytest.raises(NoTokenError) as caught:
        await bench.aws.batch.submit_job(SCOPE, SUBMIT)
    assert caught.value.seconds == pytest.approx(1 / 25, abs=0.006)


async def test_a_permitted_call_goes_out_at_once(bench):
    bench.stub.answers["SubmitJob"] = lambda _: {"jobId": "j", "jobName": "a"}
    bench.aws.batch.permit(SCOPE, "SubmitJob", "a")
    for other in range(100):
        with contextlib.suppress(NoTokenError):
            bench.aws.batch.permit(SCOPE, "SubmitJob", other)
    await bench.aws.batch.submit_job(SCOPE, SUBMIT)
    assert bench.stub.operations() == ["SubmitJob"]


class LateRunner:
    """Runs each work only when the test says so, whether or not anybody still waits for it."""

    def __init__(self) -> None:
        self.works: list[Any] = []

    async def run(self, work, *, priority, account):
        done = asyncio.get_running_loop().create_future()
        self.works.append((work, done))
        return await done


async def test_a_call_that_nobody_waits_for_any_more_is_not_sent_later(bench):
    runner = LateRunner()
    sender = Sender(AwsSettings("c1", "eu-central-1"), replace(bench.context, runner=runner))
    asked = asyncio.create_task(sender.call(SCOPE, "batch:SubmitJob", SUBMIT))
    await settle()
    assert sender.in_flight == 1
    asked.cancel()
    await settle()
    assert sender.in_flight == 0
    with pytest.raises(WithdrawnError):
        runner.works[0][0]()
    assert bench.stub.sent == []
    assert sender.in_flight == 0


async def test_a_call_that_has_begun_is_in_flight_until_it_is_over_whoever_gives_up(bench):
    started, answered = threading.Event(), threading.Event()

    def answer(_):
        started.set()
        answered.wait(10)
        return {"jobId": "j", "jobName": "a"}

    bench.stub.answers["SubmitJob"] = answer
    runner = ThreadRunner(1)
    sender = Sender(AwsSettings("c1", "eu-central-1"), replace(bench.context, runner=runner))
    asked = asyncio.create_task(sender.call(SCOPE, "batch:SubmitJob", SUBMIT))
    await asyncio.to_thread(started.wait, 10)
    asked.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asked
    assert sender.in_flight == 1
    answered.set()
    await runner.run(lambda: None, priority=Priority.READING, account="")
    assert sender.in_flight == 0
    runner.close()


async def test_a_change_that_waited_longer_than_a_call_may_take_is_not_sent(bench):
    """Whoever asked may have looked what became of it: it must not come after."""
    runner = LateRunner()
    sender = Sender(AwsSettings("c1", "eu-central-1"), replace(bench.context, runner=runner))
    asked = asyncio.create_task(sender.call(SCOPE, "batch:SubmitJob", SUBMIT))
    await settle()
    bench.clock.skip(13.1)
    with pytest.raises(AwsError, match="was not sent") as caught:
        runner.works[0][0]()
    assert (caught.value.kind, caught.value.outcome_unknown) == (ErrorKind.TRANSIENT, False)
    assert bench.stub.sent == []
    asked.cancel()
