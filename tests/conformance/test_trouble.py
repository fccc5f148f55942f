"""Conformance: AWS refuses, throttles, or has something of that name; accounts do not allow it."""

import itertools

import pytest
from tests.conformance.doing import (
    LONG,
    RESYNC,
    made,
    made_by_others,
    prepared,
    reached,
    refuse,
    running,
    script,
    tags_in_aws,
    things,
    times_made,
)
from tests.conformance.points import Point
from tests.conformance.subject import Subject
from tests.conformance.subjects import ACCOUNT, ENVIRONMENTS, JOB, LASTING
from tests.support import manifests
from tests.support.installation import ACCOUNT as NUMBER
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import DEFAULT_ACCOUNT
from tests.support.research import REFERRING, RESEARCH, research

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.metadata import ObjectKey

STORM_MINUTES = 10
CALLS_A_MINUTE = 60  # all reads and repeats, of all objects that are there
THEIRS = "222233334444"
REASONS = {reason.name for reason in catalogue.reasons()}


@pytest.mark.conforms(Point.HEALS)
async def test_what_a_person_mended_in_aws_goes_on_by_itself(subject: Subject):
    there = Installation()
    async with there.running():
        await prepared(there, subject)
        refuse(there, subject, "deny")
        there.apply(subject.key, subject.spec)
        await there.until(subject.key, "Stalled", "PermissionDenied", within=LONG)
        await there.clock.advance(30)
        there.mend()
        await reached(there, subject)
    assert times_made(there, subject) == bool(subject.makes)


@pytest.mark.conforms(Point.HEALS, *ENVIRONMENTS)
async def test_an_environment_whose_role_comes_back_is_ready_again(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        there.apply(manifests.QUEUE, manifests.queue())  # what a queue uses is not made anew
        await there.until_ready(manifests.QUEUE)
        there.fault(effect="world", name="role_vanished")
        await there.until(subject.key, "Stalled", "EnvironmentInvalid", within=LONG)
        there.mend()
        await reached(there, subject)
    assert times_made(there, subject) == 1


@pytest.mark.conforms(Point.THROTTLED)
async def test_a_storm_of_throttling_costs_few_calls_and_ends_in_one_object(subject: Subject):
    there = Installation()
    async with there.running():
        await prepared(there, subject)
        service = subject.enters.partition(":")[0]
        there.fault(effect="throttle", service=service)
        there.apply(subject.key, subject.spec)
        for _ in range(STORM_MINUTES):
            before = len(there.calls)
            await there.clock.advance(60)
            assert len(there.calls) - before <= CALLS_A_MINUTE
        assert not there.is_true(subject.key, "Stalled"), "nobody has to do anything"
        there.mend()
        await reached(there, subject)
        await there.clock.advance(RESYNC / 2)
    assert times_made(there, subject) == bool(subject.makes)
    if subject.lasts:
        assert len(things(there, subject.key)) == 1


FAILURES = {
    "denied": ("deny", {}, "Stalled", "PermissionDenied"),
    "refused": (
        "error",
        {"code": "ClientException", "status": 400, "message": "It is not to be had"},
        "Stalled",
        "InvalidRequest",
    ),
    "throttled": ("throttle", {}, "Reconciling", "Throttled"),
    "answered by a failure of AWS's": ("error", {}, "Reconciling", "OutcomeUnknown"),
}


def told(there: Installation, subject: Subject, reason: str) -> list[tuple[str, str]]:
    """Type and text of the events for that reason."""
    return [
        (event["type"], event["note"])
        for event in there.kube.events.values()
        if event["regarding"]["name"] == subject.key.name and event["reason"] == reason
    ]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.conforms(Point.TOLD)
async def test_a_failure_has_a_reason_and_a_warning_that_says_the_same(subject, failure):
    effect, more, condition, reason = FAILURES[failure]
    if subject is ACCOUNT and reason == "OutcomeUnknown":
        reason = "AWSUnavailable"  # to enter an account changes nothing
    there = Installation()
    there.kube.namespaces["default"] = {}  # where events go about what is in no namespace
    async with there.running():
        await prepared(there, subject)
        refuse(there, subject, effect, **more)
        there.apply(subject.key, subject.spec)
        message = await there.until(subject.key, condition, reason, within=LONG)
        await there.clock.advance(1)
    assert reason in REASONS
    assert told(there, subject, reason) == [("Warning", message)]


@pytest.mark.conforms(Point.TOLD, JOB)
async def test_a_job_that_fails_says_why_and_warns_of_it(subject: Subject):
    there = Installation()
    async with there.running():
        await prepared(there, subject)
        script(there, 5, exit_code=3)
        there.apply(subject.key, subject.spec)
        message = await there.until(subject.key, "Failed", "ApplicationExit", within=LONG)
        await there.clock.advance(1)
    assert told(there, subject, "ApplicationExit") == [("Warning", message)]
    assert there.status(subject.key)["failure"] == "ApplicationExit"


NOT_ALLOWED = {
    "namespace": (
        {"allowedNamespaces": {"names": ["other"]}},
        {},
        f"AWSAccount {RESEARCH.name} does not serve the namespace {NAMESPACE}",
    ),
    "region": ({}, {"region": "us-east-1"}, "does not allow the region us-east-1"),
}


@pytest.mark.parametrize("what", NOT_ALLOWED)
@pytest.mark.conforms(Point.NOT_ALLOWED)
async def test_what_its_account_does_not_allow_is_refused_without_a_call(subject, what):
    allows, asks, says = NOT_ALLOWED[what]
    there = Installation()
    async with there.running():
        for key in subject.needs:
            there.apply(key, manifests.SPECS[key])
        there.apply(RESEARCH, research(**allows))
        await there.until_ready(RESEARCH, *subject.needs, within=LONG)
        await there.clock.advance(60)
        there.calls.clear()
        there.apply(subject.key, {**subject.spec, **REFERRING, **asks})
        message = await there.until(subject.key, "Stalled", "NotAllowed")
        assert says in message
        assert there.calls == []
        await there.clock.advance(RESYNC / 2)
    assert there.changes() == []
    assert things(there, subject.key) == []
    assert ("NotAllowed", message) in there.events(subject.key)


@pytest.mark.conforms(Point.STAYS_WHERE_IT_IS)
async def test_another_account_or_region_later_is_refused_without_a_call(subject: Subject):
    there = Installation()
    role = {"roleArn": f"arn:aws:iam::{THEIRS}:role/batch-operator"}
    elsewhere = {
        f"account {NUMBER}, today it would be {THEIRS}": role,
        "region eu-central-1, today it would be us-east-1": {"region": "us-east-1"},
    }
    async with there.running():
        if subject is JOB:
            await running(there)
        else:
            await made(there, subject)
        for said, spec in elsewhere.items():
            there.apply(DEFAULT_ACCOUNT, {**spec, "allowedExternalArns": list(subject.external)})
            message = await there.until(subject.key, "Stalled", "ScopeChanged")
            assert said in message
            await there.clock.advance(RESYNC / 2)
            assert there.changes() == []
            there.remove(DEFAULT_ACCOUNT)
            going = "Reconciling" if subject is JOB else "Ready"
            await there.until(subject.key, going)
        assert len(things(there, subject.key)) == 1
        assert there.changes() == []


@pytest.mark.conforms(Point.SECOND_OWNER)
async def test_a_second_owner_is_refused_with_the_name_of_the_first(subject: Subject):
    there = Installation()
    second = ObjectKey(subject.kind, NAMESPACE, "second")
    async with there.running():
        await made(there, subject, {**subject.spec, "awsName": "shared"})
        there.apply(second, {**subject.edited, "awsName": "shared"})
        message = await there.until(second, "Stalled", "AlreadyExists")
        assert f"it belongs to {subject.key}" in message
        await there.clock.advance(RESYNC / 2)
        assert there.changes() == []
        there.remove(second)
        await there.until_gone(second)
        await there.clock.advance(60)
        assert there.ready(subject.key)
    assert there.changes() == []
    assert len(things(there, subject.key)) == 1


ADOPTING = {**REFERRING, "awsName": "theirs"}


@pytest.mark.parametrize("policy", ["AdoptOrCreate", "Adopt"])
@pytest.mark.conforms(Point.ADOPTED, *LASTING)
async def test_what_exists_is_adopted_where_allowed_and_nothing_but_tags_changed(subject, policy):
    there = Installation()
    async with there.running():
        await prepared(there, subject)
        arn = await made_by_others(there, subject, "theirs")
        before = tags_in_aws(there, arn)
        there.apply(RESEARCH, research())
        there.apply(subject.key, {**subject.spec, **ADOPTING, "adoptionPolicy": policy})
        await there.until(subject.key, "Stalled", "NotAllowed", within=LONG)
        assert there.changes() == []
        there.apply(RESEARCH, research(allowAdoption=True))
        await reached(there, subject)
        await there.clock.advance(RESYNC / 2)
        assert there.changes() == ["batch:TagResource"]
        status = there.status(subject.key)
        assert (status["arn"], status["deletionPolicy"]) == (arn, "Retain")
        assert before.items() < tags_in_aws(there, arn).items()
        there.remove(subject.key)
        await there.until_gone(subject.key, within=5)
        await there.clock.advance(RESYNC / 2)
    assert there.changes() == ["batch:TagResource", "batch:UntagResource"]
    assert tags_in_aws(there, arn) == before, "it is as it was before"


@pytest.mark.conforms(Point.ADOPTED_ONLY, *LASTING)
async def test_what_is_only_to_be_adopted_is_never_made(subject: Subject):
    there = Installation()
    async with there.running():
        await prepared(there, subject)
        there.apply(RESEARCH, research(allowAdoption=True))
        there.apply(subject.key, {**subject.spec, **ADOPTING, "adoptionPolicy": "Adopt"})
        await there.clock.advance(RESYNC / 2)
        assert not there.ready(subject.key)
        assert there.changes() == []
        await made_by_others(there, subject, "theirs")
        await reached(there, subject)
    assert there.changes() == ["batch:TagResource"]


@pytest.mark.conforms(Point.REBUILT, *LASTING)
async def test_a_cluster_rebuilt_from_git_owns_it_again_and_changes_only_whose_it_is(subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
    arn = there.status(subject.key)["arn"]
    anew = Installation(simulator=there.simulator)
    anew.kube.objects._uids = itertools.count(100)  # nobody gives the same one twice
    anew.clock.skip(there.clock.monotonic() - anew.clock.monotonic())
    async with anew.running():
        for key in subject.needs:
            anew.apply(key, manifests.SPECS[key])
        anew.apply(subject.key, subject.spec)
        await reached(anew, subject)
        await anew.clock.advance(RESYNC / 2)
    assert anew.status(subject.key)["arn"] == arn
    assert set(anew.changes()) == {"batch:TagResource"}
    assert "Reowned" in [reason for reason, _ in anew.events(subject.key)]
