"""Whether a job that AWS has failed because of another one has failed for good."""

from dataclasses import replace

import pytest
from tests.unit.kinds.batchjob.jobs import NOW, first_submission, known
from tests.unit.kinds.batchjob.test_dependencies import (
    COMPLETE,
    FAILED,
    ON_IT,
    OTHER,
    RUN,
    ended,
    other,
    waiting,
)

from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.kinds.batchjob.actions import DELETED_REASON
from awsbatch_operator.kinds.batchjob.dependencies import resolved
from awsbatch_operator.kinds.batchjob.dependency_ends import (
    PATIENCE_SECONDS,
    Find,
    Waited,
    strangers,
    waited,
    with_waited,
)
from awsbatch_operator.kinds.batchjob.run_causes import STOP_REASONS, Stop

WORDS = "Dependent Job failed"
OF = replace(first_submission(), needs=resolved(waiting(), {OTHER: other()}).needs)
FREE, OPEN, GONE_WRONG = Waited.SET_FREE, Waited.OPEN, Waited.FAILED


def found(target: Resource | None = None) -> Find:
    """The objects that are there."""

    def find(key: ObjectKey) -> Resource | None:
        return target if key == OTHER else None

    return find


def failed(*ids, **detail):
    depends_on = [{"jobId": each} for each in ids or ("job-2",)]
    detail.setdefault("of", OF)
    return known("FAILED", statusReason=WORDS, dependsOn=depends_on, **detail)


def recorded(**changes):
    return replace(other(), annotations=replace(RUN, **changes).annotation())


def state(name):
    return replace(other(), status={**other().status, "awsStatus": name})


CASES = {
    "runs": (state("RUNNING"), OPEN),
    "has failed": (other(FAILED), GONE_WRONG),
    "has failed, and is held abridged": (other(FAILED, spec={}), GONE_WRONG),
    "has failed, and a change of it is held": (
        other(FAILED, ended("Suspended")),
        GONE_WRONG,
    ),
    "has failed, and is being deleted": (other(FAILED, deleting=True), GONE_WRONG),
    "has succeeded": (other(COMPLETE), GONE_WRONG),
    "is being held": (recorded(stop=Stop.SUSPENDED), FREE),
    "is being changed": (recorded(stop=Stop.CHANGED), FREE),
    "was set free itself": (recorded(stop=Stop.DEPENDENCY), FREE),
    "is out of time, which its status does not say yet": (recorded(stop=Stop.DEADLINE), OPEN),
    "is held, and abridged": (other(ended("Suspended"), spec={}), FREE),
    "is being deleted": (other(deleting=True), FREE),
    "is between two runs": (state("FAILED"), FREE),
    "is in a run that its status does not show yet": (recorded(run=2), FREE),
    "has another newest run": (
        replace(other(), status={**other().status, "jobId": "job-9", "run": 2}),
        FREE,
    ),
}


@pytest.mark.parametrize(("target", "became"), CASES.values(), ids=CASES)
def test_what_a_job_has_waited_for_tells_whether_it_failed(target, became):
    assert waited(waiting(), failed(), found(target), {}) is became


STRANGERS = {
    "was deleted": ({"status": "FAILED", "statusReason": DELETED_REASON}, FREE),
    "was held, and its object deleted": (
        {"status": "FAILED", "statusReason": STOP_REASONS[Stop.SUSPENDED]},
        FREE,
    ),
    "was out of time": (
        {"status": "FAILED", "statusReason": STOP_REASONS[Stop.DEADLINE]},
        GONE_WRONG,
    ),
    "has failed, and its ttl has passed": (
        {"status": "FAILED", "statusReason": "Essential container in task exited"},
        GONE_WRONG,
    ),
    "has failed because of another one": ({"status": "FAILED", "statusReason": WORDS}, GONE_WRONG),
    "is not known to AWS": (None, GONE_WRONG),
}


@pytest.mark.parametrize("anew", [None, replace(other(), uid="uid-9", status={})])
@pytest.mark.parametrize(("detail", "became"), STRANGERS.values(), ids=STRANGERS)
def test_of_an_object_that_is_gone_or_made_anew_aws_tells_why_its_job_ended(detail, became, anew):
    find = found(anew)
    assert strangers(waiting(), failed(), find) == ("job-2",)
    assert waited(waiting(), failed(), find, {"job-2": detail}) is became


def test_nothing_is_asked_of_what_the_objects_tell_nor_of_another_end():
    for target, _ in CASES.values():
        assert strangers(waiting(), failed(), found(target)) == ()
    assert strangers(waiting(), known("RUNNING", of=OF), found()) == ()


def test_of_several_one_that_did_not_fail_is_enough_and_one_that_is_open_is_waited_for():
    depends_on = [*ON_IT, {"jobRef": {"jobId": "job-7"}}]
    lost = found(other(FAILED))
    assert waited(waiting(depends_on), failed("job-2", "job-7"), lost, {}) is GONE_WRONG
    assert waited(waiting(depends_on), failed("job-7"), lost, {}) is GONE_WRONG
    assert waited(waiting(depends_on), failed("job-2", "job-5"), lost, {}) is FREE
    still = found(state("RUNNING"))
    assert waited(waiting(depends_on), failed("job-2", "job-7"), still, {}) is OPEN


def test_only_an_end_that_aws_calls_so_is_looked_at():
    gone = found()
    by_others = known("FAILED", statusReason="enough", isTerminated=True)
    assert waited(waiting(), by_others, gone, {}) is None
    assert waited(waiting(), known("PENDING", dependsOn=[{"jobId": "job-2"}]), gone, {}) is None
    held = replace(first_submission(), stop=Stop.SUSPENDED)
    assert waited(waiting(), failed(of=held), gone, {}) is None


def test_what_is_open_is_waited_for_and_not_for_ever():
    still = found(state("RUNNING"))
    early = with_waited(waiting(), failed(), still, {}, NOW.plus(1))
    assert early.output.due == NOW.plus(6)
    late = with_waited(waiting(), failed(), still, {}, NOW.plus(PATIENCE_SECONDS))
    assert (late.output.due, late.set_free) == (None, False)


def test_what_is_set_free_says_so_in_the_record():
    free = with_waited(waiting(), failed(), found(other(ended("Suspended"))), {}, NOW)
    assert (free.set_free, free.submission.stop) == (True, Stop.DEPENDENCY)
