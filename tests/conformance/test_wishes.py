"""Conformance: drift, pausing, looking again, tags, and the times of conditions."""

import pytest
from tests.conformance.doing import (
    LONG,
    PAUSE,
    REPEATS_SECONDS,
    RESUME,
    RESYNC,
    changed,
    made,
    nothing_written,
    prepared,
    reached,
    refuse,
    running,
    slow_updates,
    tags_in_aws,
    things,
    times_made,
)
from tests.conformance.image_subject import IMAGE
from tests.conformance.points import Point
from tests.conformance.subject import Subject
from tests.conformance.subjects import ACCOUNT, JOB, LASTING, UNSEEN_SECONDS
from tests.support.installation import Installation

from awsbatch_operator.api.metadata import RECONCILE_AT

REPAIRED_SECONDS = 300.0
AT_ONCE = 0.5
LINES_SECONDS = 5.0  # that the last lines of a job's output are given to come
LATER = "2027-01-01T00:00:00Z"


@pytest.mark.conforms(Point.DRIFT)
async def test_what_somebody_changes_in_aws_is_changed_back(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        subject.drift(there)
        await there.clock.run_until(
            lambda: changed(there) == subject.drift_calls, within=REPAIRED_SECONDS
        )
        await there.clock.advance(REPEATS_SECONDS)
        await reached(there, subject)
        with nothing_written(there):
            await there.clock.advance(RESYNC / 2)


@pytest.mark.conforms(Point.DRIFT)
async def test_what_somebody_deletes_in_aws_is_made_again_once(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        subject.goes(there)
        there.simulator.world.advance(UNSEEN_SECONDS)
        assert things(there, subject.key) == []
        await there.clock.run_until(lambda: bool(there.changes()), within=REPAIRED_SECONDS)
        await reached(there, subject)
        await there.clock.advance(RESYNC / 2)
    made_again = set(there.changes()) - {"ec2:DeleteSnapshot"}  # of the image that is gone
    assert made_again == set(subject.made_by)
    assert there.changes().count(subject.makes) == 1
    assert len(things(there, subject.key)) == 1


@pytest.mark.conforms(Point.DRIFT_TOLD, *LASTING)
async def test_what_was_changed_back_is_told_as_such(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        slow_updates(there, UNSEEN_SECONDS)  # so that AWS is seen at work on their change, too
        before = [reason for reason, _ in there.events(subject.key)]
        subject.drift(there)
        await there.clock.advance(REPAIRED_SECONDS + 2 * UNSEEN_SECONDS)
    told = [reason for reason, _ in there.events(subject.key)]
    assert set(told[len(before) :]) <= {"DriftRepaired", "Ready"}
    assert "DriftRepaired" in told


@pytest.mark.conforms(Point.DRIFT_REPORTED)
async def test_what_is_only_reported_is_listed_until_the_spec_is_edited(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject, {**subject.spec, "driftPolicy": "Report"})
        subject.drift(there)
        message = await there.until(subject.key, "Drifted", within=REPAIRED_SECONDS + 60)
        assert message
        with nothing_written(there):
            await there.clock.advance(RESYNC / 2)
        assert there.changes() == []
        there.apply(subject.key, {**subject.edited, "driftPolicy": "Report"})
        await there.clock.run_until(
            lambda: not there.is_true(subject.key, "Drifted") and there.ready(subject.key),
            within=LONG,
        )
        await there.clock.advance(subject.ends_within)
    assert set(there.changes()) == {*subject.edit_calls}


@pytest.mark.conforms(Point.LOOKED_AT, *LASTING, IMAGE)
async def test_a_new_reconcile_at_has_aws_looked_at_at_once(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        subject.drift(there)
        there.simulator.world.advance(UNSEEN_SECONDS)
        there.kube.annotate(subject.key, **{RECONCILE_AT: LATER})
        await there.clock.advance(AT_ONCE)
    assert changed(there) == subject.drift_calls


@pytest.mark.conforms(Point.LOOKED_AT, JOB)
async def test_a_job_is_looked_at_at_once_and_shows_its_end_with_its_last_lines(subject: Subject):
    there = Installation()
    async with there.running():
        await running(there)
        job_id = there.status(subject.key)["jobId"]
        there.aws().terminate_job(jobId=job_id, reason="enough")
        there.simulator.world.advance(UNSEEN_SECONDS)
        there.kube.annotate(subject.key, **{RECONCILE_AT: LATER})
        await there.clock.advance(AT_ONCE)
        assert there.calls[0] == "batch:DescribeJobs"
        await there.until(subject.key, "Failed", "Cancelled", within=LINES_SECONDS)


@pytest.mark.conforms(Point.LOOKED_AT, ACCOUNT)
async def test_an_account_that_is_asked_for_is_entered_at_once(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        refuse(there, subject, "deny")
        there.kube.annotate(subject.key, **{RECONCILE_AT: LATER})
        await there.clock.advance(AT_ONCE)
        assert there.is_true(subject.key, "Stalled", "PermissionDenied")


@pytest.mark.conforms(Point.PAUSED, *LASTING, IMAGE, ACCOUNT)
async def test_what_is_paused_keeps_what_it_says_and_catches_up_afterwards(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        before = there.condition(subject.key, "Ready")
        there.kube.annotate(subject.key, **PAUSE)
        await there.until(subject.key, "Paused")
        there.apply(subject.key, subject.edited)
        await there.clock.advance(RESYNC / 2)
        assert there.changes() == []
        assert there.condition(subject.key, "Ready") == before
        assert there.status(subject.key)["observedGeneration"] == 1
        there.kube.annotate(subject.key, **RESUME)
        await reached(there, subject)
        assert there.condition(subject.key, "Paused")["status"] == "False"
        assert changed(there) == subject.edit_calls
        there.kube.annotate(subject.key, **PAUSE)
        there.remove(subject.key)
        await there.clock.advance(RESYNC / 2)
        assert there.kube.exists(subject.key)
        assert changed(there) == subject.edit_calls
        there.kube.annotate(subject.key, **RESUME)
        await there.until_gone(subject.key)
    assert things(there, subject.key) == []


@pytest.mark.conforms(Point.PAUSED, JOB)
async def test_a_paused_job_is_not_submitted_and_a_paused_deletion_ends_nothing(subject: Subject):
    there = Installation()
    async with there.running():
        await prepared(there, subject)
        there.apply(subject.key, subject.spec, annotations=dict(PAUSE))
        await there.clock.advance(RESYNC / 2)
        assert there.changes() == []
        there.kube.annotate(subject.key, **RESUME)
        await reached(there, subject)
        there.remove(subject.key)
        await there.until_gone(subject.key)
        await running(there)
        there.kube.annotate(subject.key, **PAUSE)
        there.remove(subject.key)
        await there.clock.advance(RESYNC / 2)
        assert there.changes() == []
        assert [each.status.value for each in things(there, subject.key)] == ["RUNNING"]
        there.kube.annotate(subject.key, **RESUME)
        await there.until_gone(subject.key)
    assert there.changes() == ["batch:TerminateJob"]
    assert times_made(there, subject) == 2


@pytest.mark.conforms(Point.TAGGED, *LASTING)
async def test_tags_come_change_and_go_in_place(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject, {**subject.spec, "tags": {"team": "climate", "stage": "test"}})
        arn = there.status(subject.key)["arn"]
        ours = tags_in_aws(there, arn)
        there.aws().tag_resource(resourceArn=arn, tags={"billing": "42"})
        there.aws().untag_resource(resourceArn=arn, tagKeys=["awsbatch.dev/owner-uid"])
        there.apply(subject.key, {**subject.spec, "tags": {"team": "ocean", "owner": "kim"}})
        await reached(there, subject)
        await there.clock.advance(RESYNC / 2)
        after = tags_in_aws(there, arn)
    del ours["stage"]
    assert after == {**ours, "team": "ocean", "owner": "kim", "billing": "42"}
    assert set(there.changes()) == {"batch:TagResource", "batch:UntagResource"}
    assert there.status(subject.key)["arn"] == arn


@pytest.mark.conforms(Point.TAGGED, JOB)
async def test_a_job_has_its_tags_from_the_call_that_makes_it(subject: Subject):
    there = Installation()
    async with there.running():
        await prepared(there, subject)
        there.apply(subject.key, {**subject.spec, "tags": {"team": "climate"}})
        await reached(there, subject)
    (found,) = there.batch.jobs.values()
    assert found.tags["team"] == "climate"
    assert found.tags["awsbatch.dev/owner-uid"] == there.kube.see(subject.key)["metadata"]["uid"]
    assert there.changes() == ["batch:SubmitJob"]


@pytest.mark.conforms(Point.STEADY_TIMES)
async def test_a_time_moves_when_its_condition_flips_and_only_then(subject: Subject):
    there = Installation()

    def times() -> dict[str, str]:
        listed = there.status(subject.key)["conditions"]
        return {each["type"]: each["lastTransitionTime"] for each in listed}

    async with there.running():
        await made(there, subject)
        first = times()
        there.apply(subject.key, subject.unfelt)
        await reached(there, subject)
        assert there.status(subject.key)["observedGeneration"] == 2
        assert times() == first
        assert there.changes() == []
        await there.clock.advance(100)
        body = there.kube.objects.get(subject.key)
        spoiled = {**body["spec"], "unheard": 1}  # as an older CRD may have let through
        there.kube.objects.save(subject.key, {**body, "spec": spoiled})
        await there.until(subject.key, "Stalled", "InvalidSpec")
        flipped = {name for name, time in times().items() if time != first[name]}
        assert flipped == ({"Stalled"} if subject is JOB else {"Ready", "Stalled"})
        assert times()["Stalled"] == there.clock.now().rfc3339()
