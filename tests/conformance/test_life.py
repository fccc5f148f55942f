"""Conformance: made once, at rest without a write, changed by exactly the calls that it takes."""

from typing import Any

import pytest
from tests.conformance.doing import (
    CALM_SECONDS,
    LONG,
    REPEATS_SECONDS,
    RESYNC,
    changed,
    made,
    nothing_written,
    prepared,
    reached,
    running,
    script,
    scripted,
    things,
    times_made,
)
from tests.conformance.image_subject import IMAGE
from tests.conformance.points import Point
from tests.conformance.subject import Subject
from tests.conformance.subjects import (
    ACCOUNT,
    ANOTHER_ROLE,
    EC2,
    ENVIRONMENTS,
    FARGATE,
    JOB,
    LASTING,
    SPOT,
)
from tests.support import manifests
from tests.support.installation import ACCOUNT as NUMBER
from tests.support.installation import Installation
from tests.support.manifests import SPECS, job
from tests.support.research import REFERRING, RESEARCH, research

from awsbatch_operator.api.metadata import ObjectKey

DELETING_SECONDS = 1.0


@pytest.mark.conforms(Point.CREATED)
async def test_it_is_made_by_one_call_and_says_so_for_its_generation(subject: Subject):
    there = Installation()
    async with there.running():
        await prepared(there, subject)
        there.apply(subject.key, subject.spec)
        await reached(there, subject)
    status, found = there.status(subject.key), there.condition(subject.key, subject.reached)
    assert changed(there) == subject.made_by
    assert times_made(there, subject) == bool(subject.makes)
    assert (status["observedGeneration"], found["observedGeneration"]) == (1, 1)
    assert status["accountId"] == NUMBER
    if subject.lasts:
        [thing] = things(there, subject.key)
        shown = status["imageId"] if subject is IMAGE else status["arn"]
        assert shown == (thing.id if subject is IMAGE else thing.arn)


@pytest.mark.conforms(Point.AT_REST)
async def test_at_rest_nothing_is_written_not_by_the_next_operator_either(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        await there.clock.advance(CALM_SECONDS)
        with nothing_written(there):
            await there.clock.advance(RESYNC)
    async with there.running():
        with nothing_written(there):
            await there.clock.advance(RESYNC / 2)


@pytest.mark.conforms(Point.EDITED, *LASTING, IMAGE)
async def test_an_edit_takes_exactly_the_calls_that_it_needs(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        there.apply(subject.key, subject.edited)
        await reached(there, subject)
        await there.clock.advance(REPEATS_SECONDS)
        with nothing_written(there):
            await there.clock.advance(RESYNC / 2)
    assert changed(there) == subject.edit_calls
    assert there.status(subject.key)["observedGeneration"] == 2


@pytest.mark.conforms(Point.EDITED, ACCOUNT)
async def test_an_edited_account_acts_by_its_new_role_and_changes_nothing(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        there.apply(subject.key, subject.edited)
        await reached(there, subject)
    assert there.calls[0] == "sts:AssumeRole"
    assert there.changes() == []
    assert there.status(subject.key)["identity"] == ANOTHER_ROLE


@pytest.mark.conforms(Point.EDITED, JOB)
async def test_a_job_is_corrected_until_it_is_submitted_and_then_not_sent_again(subject: Subject):
    there = Installation()
    async with there.running():
        await prepared(there, subject)
        there.apply(subject.key, job(jobDefinitionRef={"name": "missing"}))
        await there.until(subject.key, "Reconciling", "ReferenceNotFound")
        there.apply(subject.key, subject.spec)
        await reached(there, subject)
        there.apply(subject.key, subject.edited)
        await reached(there, subject)
        await there.clock.advance(RESYNC)
    assert there.changes() == ["batch:SubmitJob"]
    assert there.status(subject.key)["observedGeneration"] == 3


@pytest.mark.conforms(Point.INFRASTRUCTURE)
async def test_an_infrastructure_update_is_one_announced_call(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        arn = there.status(subject.key)["arn"]
        plans: list[str] = []
        there.kube.subscribe(
            lambda _, body: plans.append(body.get("status", {}).get("plan", {}).get("action", ""))
        )
        there.apply(subject.key, subject.heavy)
        await there.clock.run_until(lambda: bool(there.changes()), within=60)
        assert plans[-1] == "Infrastructure"
        await reached(there, subject)
        await there.clock.advance(RESYNC / 2)
    assert tuple(there.changes()) == subject.edit_calls
    assert there.status(subject.key)["arn"] == arn
    assert there.status(subject.key)["plan"]["action"] == "None"


@pytest.mark.conforms(Point.REPLACED, EC2, SPOT, FARGATE)
async def test_what_cannot_be_changed_comes_anew_and_a_queue_follows(subject: Subject):
    there = Installation()
    queue = manifests.QUEUE
    async with there.running():
        await made(there, subject)
        there.apply(queue, SPECS[queue])
        await there.until_ready(queue)
        there.calls.clear()
        before = there.status(subject.key)["arn"]
        there.apply(subject.key, subject.beyond)
        await there.clock.run_until(lambda: bool(there.changes()), within=60)
        assert there.status(subject.key)["plan"]["action"] == "Replacement"
        await there.clock.run_until(lambda: there.ready(subject.key, queue), within=LONG)
        await there.clock.run_until(lambda: len(things(there, subject.key)) == 1, within=LONG)
        await there.clock.advance(RESYNC / 2)
    after = there.status(subject.key)["arn"]
    assert after != before
    assert [each.arn for each in things(there, subject.key)] == [after]
    changes = there.changes()
    assert sorted(changes) == [
        "batch:CreateComputeEnvironment",
        "batch:DeleteComputeEnvironment",
        "batch:UpdateComputeEnvironment",
        "batch:UpdateJobQueue",
    ]
    order = ["CreateComputeEnvironment", "UpdateJobQueue", "DeleteComputeEnvironment"]
    assert [changes.index(f"batch:{each}") for each in order] == sorted(
        changes.index(f"batch:{each}") for each in order
    )


class Leaving:
    """What AWS still had of objects at the moment at which each of them went."""

    def __init__(self, there: Installation, *keys: ObjectKey) -> None:
        self.left: dict[str, list[Any]] = {}

        def see(change: str, body: Any) -> None:
            if change == "DELETED":
                self.left[body["kind"]] = [each for key in keys for each in things(there, key)]

        there.kube.subscribe(see)


@pytest.mark.conforms(Point.GONE, *LASTING, IMAGE, JOB)
async def test_a_deletion_waits_until_aws_has_nothing_of_it(subject: Subject):
    there = Installation()
    service, _, operation = subject.unmakes.partition(":")
    async with there.running():
        await (running(there) if subject is JOB else made(there, subject))
        leaving = Leaving(there, subject.key)
        there.fault(effect="error", service=service, operation=operation)
        there.remove(subject.key)
        await there.clock.advance(120)
        assert there.kube.exists(subject.key)
        assert len(things(there, subject.key)) == 1
        there.mend()
        await there.until_gone(subject.key)
        await there.clock.advance(1)
    assert leaving.left == {subject.kind: []}
    assert there.changes()[-1] == subject.unmakes
    assert subject is JOB or there.events(subject.key)[-1][0] == "Deleted"


@pytest.mark.conforms(Point.GONE, ACCOUNT)
async def test_the_deletion_of_an_account_waits_until_nothing_lives_in_it(subject: Subject):
    there = Installation()
    policy = manifests.POLICY
    async with there.running():
        await made(there, subject)
        there.apply(policy, manifests.policy(**REFERRING))
        await there.until_ready(policy)
        leaving = Leaving(there, policy)
        there.remove(subject.key)
        assert str(policy) in await there.until(subject.key, "DeletionBlocked", "StillInUse")
        there.remove(policy)
        await there.until_gone(policy, subject.key)
    assert leaving.left == {"SchedulingPolicy": [], "AWSAccount": []}


@pytest.mark.conforms(Point.RETAINED, *LASTING, IMAGE)
async def test_what_is_retained_stays_in_aws_as_it_is(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject, {**subject.spec, "deletionPolicy": "Retain"})
        assert there.status(subject.key)["deletionPolicy"] == "Retain"
        there.remove(subject.key)
        await there.until_gone(subject.key, within=DELETING_SECONDS)
        await there.clock.advance(RESYNC / 2)
    assert there.changes() == []
    assert len(things(there, subject.key)) == 1
    assert there.events(subject.key)[-1][0] == "Retained"


@pytest.mark.conforms(Point.RETAINED, JOB)
async def test_a_job_that_is_retained_runs_on(subject: Subject):
    there = Installation()
    async with there.running():
        await running(there)
        there.apply(subject.key, job(deletionPolicy="Retain"))
        await there.clock.advance(5)
        there.remove(subject.key)
        await there.until_gone(subject.key, within=DELETING_SECONDS)
        await there.clock.advance(RESYNC / 2)
    assert there.changes() == []
    assert [each.status.value for each in things(there, subject.key)] == ["RUNNING"]


def all_orders(subject: Subject) -> list[list[ObjectKey]]:
    """With each of them first: in both directions, all others after it."""
    keys = [RESEARCH, *subject.needs, subject.key]
    turned = [[*keys[at:], *keys[:at]] for at in range(len(keys))]
    return turned if len(keys) == 2 else [*turned, keys[::-1]]


@pytest.mark.conforms(Point.ANY_ORDER)
async def test_it_may_be_applied_before_or_after_all_that_it_refers_to(subject: Subject):
    specs = {
        **{key: {**spec, **REFERRING} for key, spec in SPECS.items()},
        subject.key: {**subject.spec, **REFERRING},
        RESEARCH: research(allowedExternalArns=list(subject.external)),
    }
    for order in all_orders(subject):
        there = Installation()
        script(there, 1)
        scripted(there, subject)
        async with there.running():
            for key in order:
                there.apply(key, specs[key])
                await there.clock.advance(1)
            await reached(there, subject)
        made_for = [each for each in there.changes() if each == subject.makes]
        assert made_for == [subject.makes], order
        others = len(order) - 2
        assert len(changed(there)) == others + len(subject.made_by), order


def test_the_environments_are_of_all_types_that_behave_differently():
    shown = {
        (each.spec["type"], each.spec.get("computeResources", {}).get("type"))
        for each in ENVIRONMENTS
    }
    assert shown == {
        ("MANAGED", "EC2"),
        ("MANAGED", "SPOT"),
        ("MANAGED", "FARGATE"),
        ("UNMANAGED", None),
    }
