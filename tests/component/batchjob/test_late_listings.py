"""Conformance: AWS lists a submission later than it is waited for; nothing runs twice unseen."""

from typing import Any

import pytest
from tests.component.batchjob.runs import (
    FOR_EVER,
    JOB,
    SPEC,
    alive,
    hidden,
    jobs,
    lost_answer,
    ready,
    running,
    script,
    shown,
    submits,
    submitted,
)
from tests.support.installation import Installation
from tests.support.manifests import DEFAULT_ACCOUNT, DEFINITION, definition

from awsbatch_operator.api.metadata import RESOLVED, SUBMISSION
from awsbatch_operator.aws.batch import BatchAdapter
from awsbatch_operator.kinds.batchjob.submission import Submission


def recorded(there: Installation) -> Submission:
    return Submission.from_json(there.kube.see(JOB)["metadata"]["annotations"][SUBMISSION])


def ids_told(there: Installation) -> list[str]:
    return [note for reason, note in there.events(JOB) if reason == "SubmittedTwice"]


async def test_a_call_that_waits_for_a_minute_before_it_is_sent_makes_one_job(monkeypatch):
    there = Installation()
    lost_answer(there)
    hidden(there, 5)
    send = BatchAdapter.submit_job

    async def waits(self: Any, *call: Any) -> Any:
        await there.clock.sleep(61)
        return await send(self, *call)

    monkeypatch.setattr(BatchAdapter, "submit_job", waits)
    async with there.running():
        await submitted(there, FOR_EVER)
        await there.clock.run_until(lambda: bool(shown(there, "jobId")), within=3600)
        await there.clock.advance(1200)
        assert (submits(there), len(jobs(there))) == (1, 1)


@pytest.mark.parametrize("failures", [0, 5])
async def test_the_older_of_two_jobs_stays_and_the_status_names_it(failures):
    there = Installation()
    lost_answer(there)
    hidden(there, 200)
    if failures:
        there.fault(effect="drop_before", service="batch", operation="TerminateJob", times=failures)
    async with there.running():
        await submitted(there, FOR_EVER)
        await there.clock.run_until(lambda: submits(there) == 2, within=300)
        await there.clock.run_until(lambda: alive(there) == 1, within=3600)
        await there.clock.advance(1200)
        older, younger = jobs(there)
        assert (older.terminated, younger.terminated) == (False, True)
        assert shown(there, "jobId") == older.id
        assert shown(there, "otherJobIds") == [younger.id]
        assert [older.id in note and younger.id in note for note in ids_told(there)][:1] == [True]
        assert (submits(there), recorded(there).swept) == (2, 2)


async def test_two_jobs_that_both_ran_to_their_end_leave_a_trace():
    there = Installation()
    lost_answer(there)
    hidden(there, 200)
    async with there.running():
        await submitted(there, 5)
        await there.until(JOB, "Complete", within=3600)
        await there.clock.advance(1200)
        assert len(jobs(there)) == 2
        counts, (other,) = shown(there, "jobId"), shown(there, "otherJobIds")
        assert {counts, other} == {job.id for job in jobs(there)}
        assert ids_told(there)
        assert all(counts in note and other in note for note in ids_told(there))
        assert there.is_true(JOB, "Complete", "Succeeded")


async def test_a_job_of_a_run_that_was_closed_is_ended_when_it_comes_to_light():
    there = Installation()
    lost_answer(there)
    hidden(there, 200)
    async with there.running():
        await submitted(there, FOR_EVER)
        there.apply(JOB, SPEC | {"parameters": {"year": "1979"}})
        await there.clock.run_until(lambda: bool(shown(there, "jobId")), within=3600)
        assert (shown(there, "run"), [run.run for run in recorded(there).earlier]) == (2, [1])
        await there.clock.run_until(lambda: not recorded(there).earlier, within=3600)
        first, second = jobs(there)
        assert (first.terminated, second.terminated) == (True, False)
        assert shown(there, "jobId") == second.id
        assert shown(there, "otherJobIds") == [first.id]
        assert any(first.id in note for note in ids_told(there))


async def test_deletion_ends_the_jobs_of_all_runs():
    there = Installation()
    lost_answer(there)
    hidden(there, 200)
    async with there.running():
        await submitted(there, FOR_EVER)
        there.apply(JOB, SPEC | {"parameters": {"year": "1979"}})
        await there.clock.run_until(lambda: len(jobs(there)) == 2, within=3600)
        await there.clock.advance(150)
        assert alive(there) == 2
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        assert alive(there) == 0


async def test_a_job_stays_in_its_account_when_its_annotations_are_lost_and_the_default_changes():
    """It would be looked up in the new account, not be found there, and be left to run."""
    there = Installation()
    async with there.running():
        await running(there)
        there.kube.annotate(JOB, **{SUBMISSION: None, RESOLVED: None})
        there.kube.strip_finalizers(JOB)
        there.apply(DEFAULT_ACCOUNT, {"roleArn": "arn:aws:iam::444455556666:role/batch-operator"})
        await there.until_ready(DEFAULT_ACCOUNT)
        await there.until(JOB, "Stalled", "ScopeChanged")
        there.kube.remove(JOB)
        await there.clock.advance(60)
        there.kube.strip_finalizers(DEFAULT_ACCOUNT)
        there.kube.remove(DEFAULT_ACCOUNT)
        await there.until_gone(DEFAULT_ACCOUNT, JOB)
        assert (submits(there), alive(there)) == (1, 0)


async def test_an_edit_that_comes_too_late_is_told_and_the_result_is_of_what_ran():
    there = Installation()
    lost_answer(there)
    async with there.running():
        await submitted(there, 5)
        there.apply(JOB, SPEC | {"parameters": {"year": "1979"}})
        await there.clock.run_until(lambda: bool(there.condition(JOB, "Complete")), within=3600)
        assert there.condition(JOB, "Complete")["observedGeneration"] == 1
        assert there.kube.see(JOB)["metadata"]["generation"] == 2
        assert shown(there, "runGeneration") == 1
        assert "ChangeNotRun" in [reason for reason, _ in there.events(JOB)]
        assert submits(there) == 1


async def test_a_job_by_name_is_given_time_for_its_definition_to_change():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, FOR_EVER)
        await there.clock.advance(100)
        there.apply(JOB, SPEC)
        await there.clock.advance(1.5)
        assert submits(there) == 0
        there.apply(DEFINITION, definition("false"))
        await there.clock.run_until(lambda: bool(shown(there, "jobId")), within=600)
        wanted = {"name": "simulate", "revision": 2, "generation": 2}
        assert shown(there, "jobDefinition") == wanted
        assert jobs(there)[0].definition.arn.endswith(":2")
        (note,) = [note for reason, note in there.events(JOB) if reason == "Submitted"]
        assert "simulate" in note
        assert ":2, from generation 2" in note


async def test_a_job_by_arn_waits_for_nothing():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, FOR_EVER)
        arn = there.status(DEFINITION)["arn"]
        there.apply(JOB, SPEC | {"jobDefinitionRef": {"arn": arn}})
        await there.clock.advance(0.1)
        assert submits(there) == 1
        assert shown(there, "jobDefinition") is None


async def test_a_process_that_dies_after_ending_the_younger_job_does_not_cost_the_older_one():
    """Its successor must not take the end of the younger one for the end of the run."""
    there = Installation()
    lost_answer(there)
    hidden(there, 200)
    there.fault(effect="drop_after", service="batch", operation="TerminateJob", times=1)
    async with there.running():
        await submitted(there, FOR_EVER)
        await there.clock.run_until(lambda: submits(there) == 2, within=300)
        younger = jobs(there)[1].id
        assert shown(there, "jobId") == younger
        await there.clock.run_until(lambda: alive(there) == 1, within=3600)
    async with there.running():
        await there.clock.advance(1800)
        older, younger = jobs(there)
        assert (older.terminated, younger.terminated) == (False, True)
        assert shown(there, "jobId") == older.id


async def test_a_second_job_is_looked_for_also_when_the_record_of_the_repeat_is_lost():
    """The status names one job, and neither that the run was sent twice nor an earlier run."""
    there = Installation()
    lost_answer(there)
    hidden(there, 200)
    async with there.running():
        await submitted(there, FOR_EVER)
        await there.clock.run_until(lambda: bool(shown(there, "jobId")), within=3600)
        assert alive(there) == 2
    there.kube.annotate(JOB, **{SUBMISSION: None})
    async with there.running():
        await there.clock.advance(1800)
        assert (submits(there), alive(there)) == (2, 1)
        assert shown(there, "jobId") == jobs(there)[0].id
        assert recorded(there).looked_through


async def test_deletion_ends_a_job_of_a_closed_run_whose_record_is_lost():
    there = Installation()
    lost_answer(there)
    hidden(there, 200)
    async with there.running():
        await submitted(there, FOR_EVER)
        there.apply(JOB, SPEC | {"parameters": {"year": "1979"}})
        await there.clock.run_until(lambda: bool(shown(there, "jobId")), within=3600)
        assert (shown(there, "run"), alive(there)) == (2, 2)
    there.kube.annotate(JOB, **{SUBMISSION: None})
    await there.clock.advance(200)
    there.kube.remove(JOB)
    async with there.running():
        await there.until_gone(JOB, within=3600)
        assert alive(there) == 0
