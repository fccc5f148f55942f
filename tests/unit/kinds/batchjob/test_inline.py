"""The definition in a job: its name, what records say of it, and who still needs it."""

import re
from dataclasses import replace

import pytest
from tests.support.clock import SteppedClock
from tests.unit.kinds.batchjob.inlines import (
    CONTENT,
    OTHER,
    arn,
    definitions,
    described,
    named,
    place,
    with_inline,
)
from tests.unit.kinds.batchjob.jobs import (
    DEFINITION_ARN,
    KEY,
    NOW,
    OWNER,
    QUEUE_ARN,
    SCOPE,
    TARGETS,
    first_submission,
    job,
    recorded,
)

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import DEFINITIONS, FINALIZER, SUBMISSION
from awsbatch_operator.api.names import AWS_NAME_LIMIT
from awsbatch_operator.api.plans import Step
from awsbatch_operator.api.scope import NoTokenError
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.kinds.batchjob import inline
from awsbatch_operator.kinds.batchjob.actions import Deregister, Register, Submit
from awsbatch_operator.kinds.batchjob.definition_types import DefinitionTypes
from awsbatch_operator.kinds.batchjob.in_flight import InFlight
from awsbatch_operator.kinds.batchjob.inline_plans import with_definitions
from awsbatch_operator.kinds.batchjob.inline_users import DefinitionUsers
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.resolving import desired_job
from awsbatch_operator.kinds.batchjob.sending import Looks, Way

# --- names ---


def test_the_name_says_where_the_definition_comes_from_and_is_that_of_its_content():
    assert re.fullmatch(r"climate-inline-[0-9a-f]{32}", named())
    assert named({**CONTENT, "parameters": {}}) == named(), "an empty map says nothing"
    others = [named(OTHER), named(cluster="second"), named(namespace="ocean")]
    assert len({named(), *others}) == 4
    assert len(named(namespace="n" * 63)) <= AWS_NAME_LIMIT
    assert inline.place_of(arn(revision=":7")) == inline.place_of(arn()) == place()


@pytest.mark.parametrize(
    "other",
    [
        DEFINITION_ARN,
        "",
        arn().replace("-inline-", "-online-"),
        f"{arn()}0",
        arn().replace("job-definition", "job-queue"),
    ],
)
def test_no_other_arn_is_taken_for_one_of_a_definition_in_jobs(other):
    assert inline.place_of(other) is None


def test_what_a_job_is_recorded_with_is_read_from_record_status_and_what_it_let_go():
    submission = replace(first_submission(), definition=arn())
    resource = job(submission=submission)
    assert inline.used_by(resource) == {place()}
    shown = job(status={"jobDefinitionArn": arn(OTHER, ":3")})
    assert inline.used_by(shown) == {place(OTHER)}
    owed = job(annotations=inline.letting_go([place()], QUEUE_ARN))
    assert inline.used_by(owed) == frozenset()
    assert inline.recorded_at(owed, SCOPE.account_id, SCOPE.region) == {place()}
    assert inline.recorded_at(owed, "999999999999", SCOPE.region) == frozenset()
    assert inline.recorded_with(owed) == inline.recorded_with(resource) == (place().key,)
    assert inline.recorded_with(job()) == ()


# --- plans ---


def plan(resource, observed, known):
    wanted = desired_job(resource, TARGETS, OWNER)
    looks = Looks(_done={wanted.owner.key})
    way = Way(wanted, looks, InFlight(), known, DefinitionTypes(known))
    return with_definitions(plan_job(wanted, observed, NOW, way), wanted, observed, known)


async def test_the_definition_is_registered_in_the_lane_and_with_the_record_of_its_run():
    known, batch = definitions()
    wanted = desired_job(with_inline(), TARGETS, OWNER)
    assert wanted.inline is not None
    await known.learn(SCOPE, wanted.inline, fresh=True)
    first, second = plan(with_inline(), None, known).steps
    assert isinstance(first.action, Register)
    assert isinstance(second.action, Submit)
    assert (first.lane, first.record) == (second.lane, second.record)
    assert recorded(plan(with_inline(), None, known)).definition == arn()
    await known.register(first.action, SCOPE)
    await known.register(first.action, SCOPE)
    assert batch.sent == ["RegisterJobDefinition"]
    (only,) = plan(with_inline(), None, known).steps
    assert isinstance(only.action, Submit)
    assert known.pinned(only.action).request["jobDefinition"] == arn(revision=":1")


async def test_what_a_look_for_definitions_let_go_has_found_is_not_registered_again():
    known, batch = definitions()
    wanted = desired_job(with_inline(), TARGETS, OWNER)
    assert wanted.inline is not None
    batch.listed = [
        {
            **wanted.inline.request(),
            "jobDefinitionArn": arn(revision=":1"),
            "revision": 1,
            "status": "ACTIVE",
        }
    ]
    await known.learn_all(SCOPE, [place()], KEY, fresh=True)
    await known.learn(SCOPE, wanted.inline, fresh=True)
    assert known.standing(place()).arn == arn(revision=":1")


async def test_a_run_of_other_content_keeps_the_one_before_in_mind_with_its_own_record():
    known, _ = definitions()
    wanted = desired_job(with_inline(OTHER), TARGETS, OWNER)
    assert wanted.inline is not None
    await known.learn(SCOPE, wanted.inline, fresh=True)
    before = replace(first_submission(), definition=arn(), request_hash="v1:of-before")
    resource = with_inline(OTHER, submission=before)
    made = plan(resource, Observed(Knowledge.REFUSED, before), known)
    records = [step.record for step in made.steps]
    assert [inline.places_in(record[DEFINITIONS]) for record in records]
    for record in records:
        assert set(inline.places_in(record[DEFINITIONS])) == {place()}
        assert set(inline.places_in(record[SUBMISSION])) == {place(OTHER)}


async def test_what_was_let_go_is_deregistered_and_then_forgotten():
    known, batch = definitions()
    batch.listed = [described(":1"), described(":2")]
    resource = with_inline(OTHER, annotations=inline.letting_go([place()], QUEUE_ARN))
    running = replace(first_submission(), definition=arn(OTHER))
    observed = Observed(Knowledge.FOUND, running, detail={"jobId": "j", "status": "RUNNING"})
    await known.learn_all(SCOPE, [place()], KEY, fresh=True)
    steps = plan(resource, observed, known).steps
    gone = [step.action.arn for step in steps if isinstance(step.action, Deregister)]
    assert gone == [arn(revision=":2"), arn(revision=":1")]
    for step in steps:
        assert isinstance(step.action, Deregister)
        await known.deregister(step.action, SCOPE)
    after = plan(resource, observed, known)
    assert (after.steps, after.record) == ((), {DEFINITIONS: ""})


# --- who needs it ---


def body(name, *, deleting=False, status=None):
    submission = replace(first_submission(), definition=arn())
    metadata = {
        "name": name,
        "namespace": "climate",
        "uid": f"uid-{name}",
        "resourceVersion": "1",
        "creationTimestamp": NOW.rfc3339(),
        "annotations": submission.annotation(),
        "finalizers": [FINALIZER],
    }
    if deleting:
        metadata["deletionTimestamp"] = NOW.rfc3339()
    return {"kind": "BatchJob", "metadata": metadata, "spec": {}, "status": status or {}}


def among(*bodies):
    clock = SteppedClock(start=NOW.epoch)
    cache, index = Cache(clock=clock), ReferenceIndex()
    keys = []
    for each in bodies:
        change = cache.put(each)
        assert change is not None
        keys.append(change.key)
        index.put(change.key, [place().key])
    return DefinitionUsers(cache, index, "test"), keys


def test_of_two_jobs_that_leave_at_once_the_later_one_takes_the_definition_along():
    users, (first, second) = among(body("first", deleting=True), body("second", deleting=True))
    users.leaves(first, leaving=True)
    assert users.need(place(), first), "what AWS runs of the second is not known yet"
    users.leaves(second, leaving=True)
    assert not users.need(place(), second)
    users.leaves(first, leaving=False)
    assert users.need(place(), second)


def test_a_finished_job_that_is_being_deleted_needs_nothing():
    ended = {"conditions": [{"type": "Complete", "status": "True"}]}
    users, (first, _) = among(body("first"), body("second", deleting=True, status=ended))
    assert not users.need(place(), first)
    users, (first, _) = among(body("first"), body("second", status=ended))
    assert users.need(place(), first)


# --- calls side by side ---


async def test_nothing_is_submitted_while_the_definition_is_being_ended():
    known, batch = definitions()
    batch.listed = [described(":1")]
    wanted = desired_job(with_inline(), TARGETS, OWNER)
    assert wanted.inline is not None
    await known.learn(SCOPE, wanted.inline, fresh=True)
    (step,) = plan(with_inline(), None, known).steps
    submit = step.action
    assert isinstance(submit, Submit)
    met = []

    async def ended(*_):
        with pytest.raises(NoTokenError):
            known.pinned(submit)
        met.append(known.standing(place()).waits)
        return {}

    batch.change = ended
    await known.deregister(Deregister(KEY, arn(revision=":1")), SCOPE)
    assert isinstance(met[0], Finding)
    with pytest.raises(NoTokenError):
        known.pinned(submit)


async def test_nothing_is_ended_that_a_job_was_recorded_with_meanwhile():
    index = ReferenceIndex()
    known, batch = definitions(index)
    batch.listed = [described(":1")]
    await known.learn_all(SCOPE, [place()], KEY, fresh=True)
    other = body("other")
    change = known.users.cache.put(other)
    assert change is not None
    index.put(change.key, [place().key])
    with pytest.raises(NoTokenError):
        await known.deregister(Deregister(KEY, arn(revision=":1")), SCOPE)
    assert batch.sent == []


def test_the_step_of_a_job_without_a_definition_inside_is_told_as_it_is():
    known, _ = definitions()
    (step,) = plan_job(desired_job(job(), TARGETS, OWNER), None, NOW).steps
    assert known.told(step) is step.note
    assert isinstance(step, Step)
