from dataclasses import replace

import pytest
from tests.unit.kinds.batchjob.jobs import NOW, desired, first_submission, job, known

from awsbatch_operator.api.conditions import MESSAGE_LIMIT, Situation
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.batchjob.failure import diagnose
from awsbatch_operator.kinds.batchjob.masking import LIMIT_BYTES, masked_lines
from awsbatch_operator.kinds.batchjob.observed import Output
from awsbatch_operator.kinds.batchjob.report import BatchJobStatus
from awsbatch_operator.kinds.batchjob.status import job_status
from awsbatch_operator.kinds.contract import Seen
from awsbatch_operator.kinds.statuses import COMMON_FIELDS

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
    read = replace(ended, output=Output(("done",)))
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
    skipped = replace(ended, output=Output((), skipped=True))
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


def test_a_failure_is_told_with_its_class_and_what_mends_it():
    ended = known(
        "FAILED", container={"exitCode": 137}, statusReason="Your Spot Task was interrupted."
    )
    status = status_of(submitted("RUNNING"), replace(ended, output=Output(())))
    assert status.fields["failure"] == status.verdict.reason == "HostLost"
    assert status.verdict.message == (
        "AWS says: Your Spot Task was interrupted. Exit code 137. "
        "Set retryStrategy.attempts, so that a lost host costs an attempt only."
    )


def test_a_job_ends_with_its_queue_where_the_queue_object_is_being_deleted():
    ended = known("FAILED", isTerminated=True, statusReason="terminated", container={})
    resource = submitted("RUNNING")
    wants = replace(desired(resource), queue_deleted=True)
    seen: Seen = Seen(wants, replace(ended, output=Output(())), Plan(), (), None, None, NOW)
    assert "Its job queue was deleted" in job_status(resource, seen).verdict.message


def test_an_end_says_where_the_output_went_if_it_is_not_in_cloudwatch():
    configuration = {"logDriver": "splunk", "options": {"splunk-url": "https://s:8088"}}
    ended = known("SUCCEEDED", container={"exitCode": 0, "logConfiguration": configuration})
    status = status_of(submitted("RUNNING"), replace(ended, output=Output(())))
    assert "went to the log driver splunk (splunk-url: https://s:8088)." in status.verdict.message
    assert status.fields["logs"] == {
        "driver": "splunk",
        "destination": "splunk-url: https://s:8088",
    }


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


def test_log_lines_in_status_stay_within_two_kib_and_none_is_dropped():
    lines = masked_lines([f"{number:04d} " + "x" * 500 for number in range(10)])
    assert sum(len(line.encode()) for line in lines) <= LIMIT_BYTES
    assert [line[:4] for line in lines] == [f"{number:04d}" for number in range(10)]
    assert len(masked_lines(["é" * 3000])[0].encode()) <= LIMIT_BYTES


LONG = "x" * 5000
DRIVERS = [
    {"logDriver": "splunk", "options": {"splunk-url": LONG}},
    {"logDriver": LONG},
    {"options": {"awslogs-group": LONG, "awslogs-region": LONG}},
]


@pytest.mark.parametrize("configuration", DRIVERS)
@pytest.mark.parametrize("words", ["", "ResourceInitializationError: dial tcp ", "OutOfMemory "])
def test_however_long_the_words_are_the_remedy_is_shown_and_the_status_can_be_written(
    configuration, words
):
    container = {
        "reason": words + LONG,
        "logConfiguration": configuration,
        "logStreamName": LONG,
        "exitCode": 137,
    }
    attempt = {"container": container, "startedAt": 1_800_000_010_000}
    ended = known(
        "FAILED",
        statusReason=words + LONG,
        container=container,
        attempts=[attempt, attempt],
        startedAt=1_800_000_010_000,
        stoppedAt=1_800_000_013_000,
    )
    status = status_of(submitted("RUNNING"), replace(ended, output=Output(())))
    assert diagnose(ended).remedy in status.verdict.message[:MESSAGE_LIMIT]
    told = {name: value for name, value in status.fields.items() if name not in COMMON_FIELDS}
    read = BatchJobStatus.model_validate(told).model_dump(by_alias=True, exclude_unset=True)
    assert read == {name: value for name, value in told.items() if value is not None}
