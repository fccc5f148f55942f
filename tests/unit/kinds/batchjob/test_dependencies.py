"""What dependsOn comes to, for each way in which another job may stand."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from tests.unit.kinds.batchjob.jobs import (
    KEY,
    NOW,
    OWNER,
    SPEC,
    TARGETS,
    first_submission,
    job,
    recorded,
)

from awsbatch_operator.api.metadata import SUBMISSION, ObjectKey, Resource
from awsbatch_operator.api.references import Need
from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.kinds import gates
from awsbatch_operator.kinds.batchjob.actions import Submit
from awsbatch_operator.kinds.batchjob.dependencies import Dependencies, resolved
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.request import request_hash
from awsbatch_operator.kinds.batchjob.resolving import desired_job, needed_references
from awsbatch_operator.kinds.batchjob.run_causes import Stop

OTHER = ObjectKey("BatchJob", KEY.namespace, "prepare")
ON_IT = [{"jobRef": {"name": "prepare"}}]
RUN = replace(first_submission(), uid="uid-2")


def ended(name: str, *, generation: int = 1, reason: str = "Succeeded") -> dict[str, Any]:
    return {
        "type": name,
        "status": "True",
        "reason": reason,
        "observedGeneration": generation,
        "lastTransitionTime": NOW.rfc3339(),
    }


def other(*conditions: dict[str, Any], **changes: Any) -> Resource:
    """The job that is waited for: its run is in AWS, and perhaps it has ended."""
    status = {
        "run": 1,
        "jobId": "job-2",
        "observedGeneration": 1,
        "conditions": list(conditions),
    }
    made = job(key=OTHER, uid="uid-2", status=status)
    return replace(made, annotations={SUBMISSION: RUN.annotation()[SUBMISSION]}, **changes)


def unsubmitted(*conditions: dict[str, Any], **changes: Any) -> Resource:
    status = {"observedGeneration": 1, "conditions": list(conditions)}
    return replace(job(key=OTHER, uid="uid-2", status=status), **changes)


def waiting(depends_on: list[dict[str, Any]] = ON_IT, **spec: Any) -> Resource:
    return job(spec=SPEC | {"dependsOn": depends_on} | spec)


def of(resource: Resource, *others: Resource) -> Dependencies:
    return resolved(resource, {each.key: each for each in others})


FALLBACK: dict[str, Any] = {"fallback": {"jobQueueRef": {"name": "safe"}, "when": ["HostLost"]}}
RETRY: dict[str, Any] = {"retryFailedIndexes": {"ofRun": 1, "indexMapVariable": "SHARDS"}}
ON_CHANGE = SPEC | {"rerunPolicy": "OnChange"}
COMPLETE, FAILED = ended("Complete"), ended("Failed", reason="OutOfMemory")
STALLED = ended("Stalled", reason="NotAllowed")
FALLING_BACK = SPEC | {"fallback": {"jobQueueRef": {"name": "safe"}, "when": ["HostLost"]}}
RETRY = {"retryFailedIndexes": {"ofRun": 1, "indexMapVariable": "SHARDS"}}
LEFT_OUT = {
    "complete": other(COMPLETE),
    "complete, and being deleted": other(COMPLETE, deleting=True, generation=2),
    "complete, its spec not held any more": other(COMPLETE, spec={}),
}
WAITED_FOR = {
    "being deleted": (other(deleting=True), "is being deleted"),
    "failed, and being deleted": (other(FAILED, deleting=True), "is being deleted"),
    "held": (other(spec=SPEC | {"suspend": True}), "is held by spec.suspend"),
    "not submitted": (unsubmitted(), "has not been submitted yet."),
    "stalled": (unsubmitted(STALLED), "does not go on by itself (NotAllowed)"),
    "edited since it was complete": (other(COMPLETE, generation=2), "was changed after"),
    "edited since it has failed": (other(FAILED, generation=2), "was changed after"),
    "about to run once more": (
        other(COMPLETE | {"observedGeneration": 0}, spec=ON_CHANGE),
        "was changed after",
    ),
    "in a run that the status does not show yet": (
        replace(other(), annotations=replace(RUN, run=2).annotation()),
        "has not been submitted yet",
    ),
    "being ended": (
        replace(other(), annotations=replace(RUN, stop=Stop.SUSPENDED).annotation()),
        "is being ended",
    ),
    "forgotten by AWS": (other(ended("Stalled", reason="JobNotFound")), "not known to AWS"),
    "between two runs": (
        replace(other(), status={**other().status, "awsStatus": "FAILED"}),
        "has ended a run, and another one follows",
    ),
    "able to go on in another queue": (other(spec=SPEC | FALLBACK), "may go on in the queue"),
    "about to run what fails of it again": (other(spec=SPEC | RETRY), "runs again what fails"),
    "of a damaged record": (
        replace(other(), annotations={SUBMISSION: "{"}, status={}),
        "damaged record",
    ),
}


def test_the_last_run_that_there_can_be_is_awaited_by_its_id():
    in_fallback = replace(RUN, in_fallback=True).annotation()
    retried = replace(RUN, run=2).annotation()
    second = {**other().status, "run": 2}
    for target in (
        replace(other(spec=SPEC | FALLBACK), annotations=in_fallback),
        replace(other(spec=SPEC | RETRY, status=second), annotations=retried),
    ):
        assert of(waiting(), target).sent == ({"jobId": "job-2"},)
    # Who retries what failed of it itself follows index by index.
    assert of(waiting(**RETRY), other(spec=SPEC | RETRY)).sent == ({"jobId": "job-2"},)


@pytest.mark.parametrize("target", LEFT_OUT.values(), ids=LEFT_OUT)
def test_one_that_has_succeeded_is_left_out(target):
    found = of(waiting(), target)
    assert (found.ready, found.sent, found.open) == (True, (), ())


@pytest.mark.parametrize(("target", "words"), WAITED_FOR.values(), ids=WAITED_FOR)
def test_one_that_has_no_id_to_wait_for_is_waited_for(target, words):
    found = of(waiting(), target)
    assert (found.ready, found.failure) == (False, "")
    assert found.held is not None
    assert found.held.reason.name == "WaitingForJob"
    assert words in found.held.message


def test_one_that_does_not_exist_is_waited_for_by_its_name():
    found = of(waiting())
    assert found.held is not None
    assert found.held.reason.name == "ReferenceNotFound"
    assert str(OTHER) in found.held.message


def test_ids_are_sent_in_the_order_of_the_spec_each_once_with_their_types():
    listed: list[dict[str, Any]] = [
        {"jobRef": {"jobId": "job-9"}},
        {"jobRef": {"name": "prepare"}, "type": "SEQUENTIAL"},
        {"jobRef": {"jobId": "job-9"}},
        {"type": "SEQUENTIAL"},
    ]
    found = of(waiting(listed, arrayProperties={"size": 2}), other())
    assert found.sent == (
        {"jobId": "job-9"},
        {"jobId": "job-2", "type": "SEQUENTIAL"},
        {"type": "SEQUENTIAL"},
    )


@pytest.mark.parametrize(
    ("own", "theirs", "fits"),
    [
        ({"arrayProperties": {"size": 4}}, {"arrayProperties": {"size": 4}}, True),
        ({"arrayProperties": {"size": 4}}, {"arrayProperties": {"size": 5}}, False),
        ({"arrayProperties": {"size": 4}}, {}, False),
        ({"arrayValues": {"values": ["a", "b"]}}, {"arrayProperties": {"size": 2}}, True),
        (
            {"arrayProperties": {"size": 5}, "packing": {"tasksPerJob": 2}},
            {"arrayProperties": {"size": 3}},
            True,
        ),
    ],
)
def test_n_to_n_is_refused_before_it_is_sent_unless_both_arrays_have_one_size(own, theirs, fits):
    depends = [{"jobRef": {"name": "prepare"}, "type": "N_TO_N"}]
    found = of(waiting(depends, **own), other(spec=SPEC | theirs))
    assert found.ready == fits
    if not fits:
        assert found.held is not None
        assert found.held.reason.name == "DependencyMismatch"


def test_n_to_n_waits_for_the_end_of_a_run_of_failed_indexes():
    depends = [{"jobRef": {"name": "prepare"}, "type": "N_TO_N"}]
    size = {"arrayProperties": {"size": 4}}
    target = other(spec=SPEC | size)
    again = replace(target, annotations=replace(RUN, indexes="1,3").annotation())
    assert of(waiting(depends, **size), target).ready
    assert not of(waiting(depends, **size), again).ready


@pytest.mark.parametrize(
    "target",
    [
        replace(other(spec=FALLING_BACK), annotations=replace(RUN, in_fallback=True).annotation()),
        replace(
            other(spec=SPEC | RETRY, status={"run": 2, "jobId": "job-2", "observedGeneration": 1}),
            annotations=replace(RUN, run=2, indexes="1,3").annotation(),
        ),
    ],
)
def test_the_last_run_of_one_that_has_run_again_is_waited_for_in_aws(target):
    assert of(waiting(), target).sent == ({"jobId": "job-2"},)


def test_a_failed_one_fails_what_has_not_run_and_only_holds_back_what_has():
    fresh = of(waiting(), other(FAILED))
    assert "BatchJob prepare (OutOfMemory)" in fresh.failure
    assert (fresh.ready, fresh.held) == (False, None)
    ran = replace(waiting(), status={"jobId": "job-1", "run": 1})
    held = of(ran, other(FAILED)).held
    assert held is not None
    assert held.reason.name == "FailedDependency"


def test_other_objects_of_the_same_names_are_other_needs_and_their_progress_is_not():
    before = of(waiting(), unsubmitted()).needs
    assert before.startswith("v1:")
    assert of(waiting(), other()).needs == of(waiting(), other(COMPLETE)).needs == before
    assert of(waiting(), replace(other(), uid="uid-3")).needs != before
    assert of(waiting()).needs != before
    assert of(waiting([{"jobRef": {"jobId": "job-9"}}])).needs == ""


def planned(resource: Resource, *others: Resource, observed: Observed | None = None):
    found = replace(TARGETS, found={each.key: each for each in others})
    return plan_job(desired_job(resource, found, OWNER), observed, NOW)


def test_an_absent_attempt_is_repeated_with_todays_body_while_it_needs_the_same_objects():
    first = recorded(planned(waiting(), other()))
    absent = Observed(Knowledge.ABSENT, first)
    (step,) = planned(waiting(), other(COMPLETE), observed=absent).steps
    assert isinstance(step.action, Submit)
    assert (step.action.submission.run, step.action.submission.attempt) == (1, 2)
    assert "dependsOn" not in step.action.request


def test_an_absent_attempt_is_closed_when_an_object_that_it_needs_was_made_anew():
    first = recorded(planned(waiting(), other()))
    absent = Observed(Knowledge.ABSENT, first)
    anew = replace(other(), uid="uid-3", annotations=replace(RUN, uid="uid-3").annotation())
    plan = planned(waiting(), anew, observed=absent)
    made = recorded(plan)
    assert (made.run, [each.run for each in made.earlier]) == (2, [1])
    (step,) = plan.steps
    assert step.action.request["dependsOn"] == [{"jobId": "job-2"}]
    assert not planned(waiting(), observed=absent).steps


def test_the_hash_of_a_spec_without_dependencies_is_what_it_always_was():
    plain, on_it = request_hash(job()), request_hash(waiting())
    assert request_hash(waiting([])) == plain != on_it
    assert request_hash(waiting([{"jobRef": {"name": "mesh"}}])) not in {plain, on_it}


def shown_as(status: dict[str, Any], _: ObjectKey) -> Resource:
    return replace(other(), status=status)


def test_one_in_another_account_is_refused_and_nothing_else_waits_for_references_to_jobs():
    names = needed_references(waiting())
    assert [(each.target, each.need) for each in names] == [(OTHER, Need.OPTIONAL)]
    here = ScopeRecord("", "111122223333", "eu-central-1", "")
    for account, elsewhere in (("111122223333", False), ("999999999999", True)):
        status = {**other().status, "accountId": account, "region": "eu-central-1"}
        found, missing = gates.targets(names, partial(shown_as, status))
        assert missing == ()
        assert bool(gates.elsewhere(names, found, (), here)) == elsewhere
