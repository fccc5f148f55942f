"""AWS's texts and the classes of failure that they belong to."""

import time

import pytest
from tests.unit.kinds.batchjob.failure_texts import ENDS
from tests.unit.kinds.batchjob.jobs import known
from tests.unit.kinds.batchjob.start_texts import STARTS

from awsbatch_operator.kinds.batchjob.failure import diagnose
from awsbatch_operator.kinds.batchjob.failure_causes import CAUSES, ENDINGS, REMEDIES, Failure

SAID = {**ENDS, **STARTS}


@pytest.mark.parametrize("name", SAID)
def test_a_failure_is_known_by_what_aws_says_and_told_with_what_mends_it(name):
    said = SAID[name]
    cause = diagnose(known("FAILED", **said.detail()))
    assert (cause.failure.value, said.mends in cause.remedy) == (said.failure, True), cause.remedy


def test_every_class_and_every_row_of_the_table_has_a_text_that_belongs_to_it():
    met = [diagnose(known("FAILED", **said.detail())) for said in SAID.values()]
    assert {cause.failure for cause in met} == set(Failure) == set(REMEDIES)
    assert [row for row in (*ENDINGS, *CAUSES) if row not in met] == []


def test_a_text_is_known_wherever_aws_puts_it():
    """In the attempt alone, in one of several containers of a task, or in a pod."""
    reason = "CannotPullContainerError: toomanyrequests"
    for detail in (
        {"container": {"reason": reason}},
        {"attempts": [{"container": {"reason": reason}}]},
        {"attempts": [{"taskProperties": [{"containers": [{}, {"reason": reason}]}]}]},
        {"eksAttempts": [{"initContainers": [{"reason": reason}]}]},
    ):
        assert diagnose(known("FAILED", **detail)).failure is Failure.IMAGE_PULL


@pytest.mark.parametrize(
    "word",
    [
        "CannotPull",
        "ErrImagePull ",
        "ResourceInitializationError ",
        "CannotStartContainer ",
        "Host EC2 ",
        "job queue ",
        "Canceled by JobStateTimeLimit action due to reason: a",
    ],
)
@pytest.mark.parametrize("place", ["reason", "status"])
def test_a_text_of_any_size_is_looked_through_in_no_time(word, place):
    """On the event loop, which serves all other objects as well."""
    text = word * (262_144 // len(word))
    said = {"container": {"reason": text}} if place == "reason" else {"statusReason": text}
    began = time.process_time()
    diagnose(known("FAILED", **said))
    assert time.process_time() - began < 0.25


def test_only_the_last_attempt_counts():
    attempts = [
        {"statusReason": "Host EC2 (instance i-0abc) terminated."},
        {"container": {"exitCode": 3}, "statusReason": "Essential container in task exited"},
    ]
    observed = known("FAILED", attempts=attempts, container={"exitCode": 3})
    assert diagnose(observed).failure is Failure.APPLICATION_EXIT


def test_a_job_whose_queue_we_delete_was_not_cancelled_by_somebody():
    """Whatever AWS's words for it are."""
    observed = known("FAILED", isTerminated=True, statusReason="Terminated", container={})
    assert "Somebody" in diagnose(observed).remedy
    told = diagnose(observed, queue_deleted=True)
    assert (told.failure, "queue was deleted" in told.remedy) == (Failure.CANCELLED, True)


def test_a_job_that_failed_by_itself_did_not_fail_because_its_queue_is_being_deleted():
    observed = known("FAILED", container={"exitCode": 3})
    assert diagnose(observed, queue_deleted=True).failure is Failure.APPLICATION_EXIT


ROUTER = {"name": "router", "exitCode": 0, "firelensConfiguration": {"type": "fluentbit"}}
HELPER = {"name": "helper", "exitCode": 7, "essential": False}


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_containers_the_essential_one_that_failed_tells(order):
    """ECS ends the others when it ends: a log router with 0, a helper with whatever it likes."""
    work = {"name": "work", "exitCode": 3, "logStreamName": "work/1"}
    containers = [ROUTER, HELPER, work][::order]
    for detail in (
        {"ecsProperties": {"taskProperties": [{"containers": containers}]}, "container": {}},
        {"eksProperties": {"podProperties": {"containers": [ROUTER, work][::order]}}},
    ):
        observed = known("FAILED", statusReason="Essential container in task exited", **detail)
        assert observed.container == work
        assert diagnose(observed).failure is Failure.APPLICATION_EXIT


def test_of_several_containers_that_succeeded_the_one_that_worked_is_shown():
    work = {"name": "work", "exitCode": 0, "logStreamName": "work/1"}
    task = {"containers": [HELPER, ROUTER, work]}
    observed = known("SUCCEEDED", ecsProperties={"taskProperties": [task]})
    assert observed.container == work
