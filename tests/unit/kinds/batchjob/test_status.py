from dataclasses import replace

import pytest
from tests.unit.kinds.batchjob.jobs import NOW, desired, first_submission, job, known

from awsbatch_operator.api.conditions import Situation
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.batchjob.failure import classify
from awsbatch_operator.kinds.batchjob.masking import LIMIT_BYTES, masked_lines
from awsbatch_operator.kinds.batchjob.observed import Output
from awsbatch_operator.kinds.batchjob.status import job_status
from awsbatch_operator.kinds.contract import Seen

SUBMISSION_1 = first_submission()


def status_of(resource, observed, now=NOW):
    seen: Seen = Seen(desired(resource), observed, Plan(), (), None, None, now)
    return job_status(resource, seen)


def submitted(shown: str = "SUBMITTED"):
    resource = job(submission=SUBMISSION_1, job_id="job-1")
    return replace(resource, status={**resource.status, "awsStatus": shown})


def test_the_first_status_names_the_job_and_its_state():
    status = status_of(job(submission=SUBMISSION_1), known("SUBMITTED"))
    assert status.fields["jobId"] == "job-1"
    assert status.fields["run"] == 1
    assert status.fields["submittedTime"] == "2027-01-15T08:00:00Z"
    assert status.verdict.situation is Situation.WORKING


@pytest.mark.parametrize("state", ["PENDING", "RUNNABLE", "STARTING"])
def test_a_passing_state_is_shown_only_after_a_minute_in_it(state):
    resource = submitted()
    early = status_of(resource, known(state), NOW.plus(59))
    assert early.fields["awsStatus"] == "SUBMITTED"
    late = status_of(resource, known(state), NOW.plus(61))
    assert late.fields["awsStatus"] == state


def test_running_is_shown_at_once():
    assert status_of(submitted(), known("RUNNING")).fields["awsStatus"] == "RUNNING"


def test_the_end_is_written_once_with_its_log_lines():
    ended = known(
        "SUCCEEDED",
        startedAt=1_800_000_010_000,
        stoppedAt=1_800_000_013_000,
        container={"exitCode": 0, "logStreamName": "simulate/default/1"},
        attempts=[{"container": {"exitCode": 0}, "startedAt": 1_800_000_010_000}],
    )
    waiting = status_of(submitted("RUNNING"), ended)
    assert waiting.fields["awsStatus"] == "RUNNING"
    read = replace(ended, output=Output(("done",), "/aws/batch/job"))
    status = status_of(submitted("RUNNING"), read)
    assert status.verdict.situation is Situation.COMPLETE
    assert status.verdict.message == "The job ended with exit code 0 after 3 s."
    assert status.fields["exitCode"] == 0
    assert status.fields["logs"] == {
        "group": "/aws/batch/job",
        "stream": "simulate/default/1",
        "lastLines": ["done"],
    }


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED"])
def test_an_end_that_is_told_without_log_lines_says_why(state):
    ended = known(state, container={"exitCode": 0, "logStreamName": "simulate/default/1"})
    skipped = replace(ended, output=Output((), "/aws/batch/job", skipped=True))
    status = status_of(submitted("RUNNING"), skipped)
    assert "so its last lines were not read" in status.verdict.message
    assert status.fields["logs"] == {"group": "/aws/batch/job", "stream": "simulate/default/1"}


def test_what_aws_said_before_is_kept_when_it_changes_its_words():
    resource = submitted("RUNNABLE")
    resource = replace(
        resource,
        status={
            **resource.status,
            "statusReasons": [{"time": "t", "awsStatus": "RUNNABLE", "reason": "no capacity"}],
        },
    )
    ended = replace(known("FAILED", statusReason="terminated by hand"), output=Output(()))
    reasons = [entry["reason"] for entry in status_of(resource, ended).fields["statusReasons"]]
    assert reasons == ["no capacity", "terminated by hand"]


@pytest.mark.parametrize(
    ("detail", "failure"),
    [
        ({"container": {"exitCode": 1}}, "ApplicationExit"),
        (
            {"container": {"exitCode": 137, "reason": "OutOfMemoryError: Container killed"}},
            "OutOfMemory",
        ),
        (
            {"container": {"reason": "CannotPullContainerError: pull image manifest failed"}},
            "ImagePull",
        ),
        (
            {"container": {"reason": "CannotPullContainerError: no space left on device"}},
            "DiskFull",
        ),
        (
            {"statusReason": "Job attempt duration exceeded timeout", "isTerminated": True},
            "TimedOut",
        ),
        ({"statusReason": "Host EC2 (instance i-0abc) terminated."}, "HostLost"),
        ({"statusReason": "stop it", "isTerminated": True}, "Cancelled"),
        ({"statusReason": "Task failed to start"}, "Infrastructure"),
    ],
)
def test_a_failure_is_classified_by_what_aws_says(detail, failure):
    assert classify(known("FAILED", **detail)).value == failure


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("password=hunter2 next", "password=*** next"),
        ('{"api_key": "abc def"}', '{"api_key": "***"}'),
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer ***"),
        ("key AKIAABCDEFGHIJKLMNOP used", "key *** used"),
        ("fetch https://me:s3cret@example.com/x", "fetch https://***@example.com/x"),
        ("ghp_abcdefghijklmnopqrstuvwx", "***"),
        ("plain line: 12 tokens per second", "plain line: 12 tokens per second"),
        ("colour \x1b[31mred", "colour [31mred"),
    ],
)
def test_secrets_are_masked_in_log_lines(line, shown):
    assert masked_lines([line]) == (shown,)


def test_log_lines_in_status_stay_within_two_kib_and_keep_the_newest():
    lines = masked_lines([f"{number:04d} " + "x" * 500 for number in range(10)])
    assert sum(len(line.encode()) for line in lines) <= LIMIT_BYTES
    assert lines[-1].startswith("0009")
    assert len(masked_lines(["é" * 3000])[0].encode()) <= LIMIT_BYTES
