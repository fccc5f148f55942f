"""Scope and references: what lets a turn pass, and what is said when it does not."""

from dataclasses import replace

import pytest
from tests.unit.kinds.values import ACCOUNT, RECORDED, REGION, ready, resource

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.metadata import RESOLVED, ObjectKey
from awsbatch_operator.api.references import Need, Reference
from awsbatch_operator.kinds import gates
from awsbatch_operator.kinds.recording import RecordError, annotation, recorded_in, recorded_time

TARGET = ObjectKey("ComputeEnvironment", "science", "pool")
PATH = "spec.computeEnvironmentOrder[0].computeEnvironmentRef"


def waits(target, need=Need.READY):
    finding = gates.unresolved(Reference(PATH, TARGET, need), target)
    return None if finding is None else (finding.reason, finding.message)


def test_a_target_that_is_not_there_is_waited_for_by_name():
    assert waits(None) == (
        catalogue.REFERENCE_NOT_FOUND,
        f"{PATH}: ComputeEnvironment science/pool does not exist yet.",
    )


def test_a_ready_target_with_an_arn_passes():
    assert waits(ready(resource("ComputeEnvironment"), arn="arn:1")) is None


def test_ready_for_an_older_generation_is_not_ready():
    target = replace(ready(resource("ComputeEnvironment"), arn="arn:1"), generation=2)
    reason, message = waits(target)
    assert reason is catalogue.REFERENCE_NOT_READY
    assert "is not Ready yet" in message


def test_what_stands_already_needs_its_target_only_to_be_known():
    target = replace(resource("ComputeEnvironment"), status={"arn": "arn:1"})
    assert waits(target) is not None
    assert waits(target, Need.KNOWN) is None
    assert waits(resource("ComputeEnvironment"), Need.KNOWN) is not None


def test_a_target_that_is_being_deleted_is_not_used_for_anything_new():
    target = replace(ready(resource("ComputeEnvironment"), arn="arn:1"), deleting=True)
    assert "is being deleted" in waits(target)[1]
    assert waits(target, Need.KNOWN) is None


def test_a_stalled_target_is_said_to_need_help():
    condition = {"type": "Stalled", "status": "True", "reason": "EnvironmentInvalid", "message": ""}
    target = replace(resource("ComputeEnvironment"), status={"conditions": [condition]})
    assert waits(target)[1].endswith("does not go on by itself: EnvironmentInvalid.")


@pytest.mark.parametrize(
    ("field", "value"), [("account_id", "9"), ("region", "us-east-1"), ("aws_name", "other")]
)
def test_another_account_region_or_name_is_a_changed_scope(field, value):
    finding = gates.scope_changed(RECORDED, replace(RECORDED, **{field: value}))
    assert finding is not None
    assert finding.reason is catalogue.SCOPE_CHANGED
    assert value in finding.message


def test_another_identity_in_the_same_account_is_no_change():
    assert gates.scope_changed(RECORDED, replace(RECORDED, account="research")) is None


@pytest.mark.parametrize(
    ("arn", "elsewhere"),
    [
        (f"arn:aws:batch:{REGION}:{ACCOUNT}:job-queue/q", False),
        (f"arn:aws:batch:us-east-1:{ACCOUNT}:job-queue/q", True),
        (f"arn:aws:batch:{REGION}:999900001111:job-queue/q", True),
        ("arn:aws:iam::999900001111:role/no-region", False),
        ("nonsense", False),
    ],
)
def test_an_arn_of_another_place_is_refused(arn, elsewhere):
    findings = gates.elsewhere((), {}, (("spec.jobQueueRef", arn),), RECORDED)
    assert bool(findings) is elsewhere


def test_a_record_is_read_back_as_it_was_written():
    made = annotation(RECORDED, ready(resource("JobQueue")).created)
    held = resource("JobQueue", annotations=made)
    assert recorded_in(held) == RECORDED
    assert recorded_time(held) == held.created


def test_a_lost_record_is_made_up_for_by_the_status():
    status = {"accountId": ACCOUNT, "region": REGION, "awsName": RECORDED.aws_name}
    assert recorded_in(resource("JobQueue", status=status)) == RECORDED
    assert recorded_in(resource("JobQueue", status=status, finalizers=())) is None
    assert recorded_in(resource("JobQueue")) is None


@pytest.mark.parametrize("text", ["", "7", "{}", '{"account": "a", "accountId": 5}', "[1]"])
def test_a_record_that_we_cannot_have_written_is_an_error(text):
    with pytest.raises(RecordError):
        recorded_in(resource("JobQueue", annotations={RESOLVED: text}))
