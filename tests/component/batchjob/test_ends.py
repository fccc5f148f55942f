"""Conformance: a result stays, deletion leaves nothing behind, and memory is let go."""

from tests.component.batchjob.runs import (
    FOR_EVER,
    JOB,
    SPEC,
    alive,
    finished,
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
from tests.support.manifests import DEFAULT_ACCOUNT

from awsbatch_operator.api.metadata import SUBMISSION
from awsbatch_operator.kinds.batchjob.act import SubmissionMemory
from awsbatch_operator.kinds.batchjob.submission import Submission


async def test_a_result_stays_while_an_edit_is_unsound():
    there = Installation()
    async with there.running():
        await finished(there)
        there.apply(JOB, SPEC | {"logs": {"statusLines": 99}})
        await there.until(JOB, "Stalled", "InvalidSpec")
        assert there.is_true(JOB, "Complete", "Succeeded")
        there.apply(JOB, SPEC)
        await there.clock.run_until(lambda: not there.is_true(JOB, "Stalled"))
        assert there.is_true(JOB, "Complete", "Succeeded")
        assert submits(there) == 1


async def test_a_result_stays_while_a_sweep_for_twins_fails():
    there = Installation()
    lost_answer(there)
    hidden(there, 200)
    async with there.running():
        await submitted(there, 5)
        await there.until(JOB, "Complete", within=600)
        there.fault(effect="throttle", service="batch", operation="ListJobs")
        for _ in range(2):
            looks = there.calls.count("batch:ListJobs")
            for _ in range(50):
                await there.clock.advance(10)
                assert there.is_true(JOB, "Complete", "Succeeded")
            assert there.calls.count("batch:ListJobs") > looks
        there.mend()
        await there.clock.advance(900)
        intent = there.kube.see(JOB)["metadata"]["annotations"][SUBMISSION]
        assert Submission.from_json(intent).swept == 2
        assert alive(there) == 0


async def test_a_job_whose_object_is_deleted_while_it_is_submitted_does_not_stay_behind():
    there = Installation()
    hidden(there, 20, "DescribeJobs")

    def interfere(_: str, body: dict) -> None:
        if body["kind"] == "BatchJob" and SUBMISSION in body["metadata"].get("annotations", {}):
            unsubscribe()
            there.kube.remove(JOB)

    unsubscribe = there.kube.subscribe(interfere)
    async with there.running():
        await submitted(there, FOR_EVER)
        await there.until_gone(JOB)
        assert (len(jobs(there)), alive(there)) == (1, 0)


async def test_a_job_that_aws_does_not_show_yet_is_terminated_without_haste():
    there = Installation()
    hidden(there, 55, "DescribeJobs")
    async with there.running():
        await submitted(there, FOR_EVER)
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        assert alive(there) == 0
        assert there.calls.count("batch:TerminateJob") <= 20


async def test_a_finished_job_goes_although_its_account_is_gone():
    there = Installation()
    async with there.running():
        there.apply(DEFAULT_ACCOUNT, {})
        await there.until_ready(DEFAULT_ACCOUNT)
        await finished(there)
        there.kube.strip_finalizers(DEFAULT_ACCOUNT)
        there.kube.remove(DEFAULT_ACCOUNT)
        await there.until_gone(DEFAULT_ACCOUNT)
        calls = len(there.calls)
        there.kube.remove(JOB)
        await there.until_gone(JOB, within=60)
        assert there.calls[calls:] == []


async def test_nothing_is_remembered_of_a_job_that_is_finished_or_gone(monkeypatch):
    memory = SubmissionMemory()
    monkeypatch.setattr("awsbatch_operator.life_cycles.SubmissionMemory", lambda: memory)
    there = Installation()
    async with there.running():
        await finished(there)
        assert len(memory) == 0
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        await running(there)
        assert len(memory) == 1
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        await there.clock.advance(1)
        assert len(memory) == 0


async def test_a_simple_job_takes_four_writes_and_two_events():
    there = Installation()
    async with there.running():
        await ready(there)
        writes: list[str] = []

        def count(event: str, body: dict) -> None:
            if body["kind"] == "BatchJob":
                writes.append(event)

        there.kube.subscribe(count)
        script(there, 60)
        there.apply(JOB, SPEC)
        await there.until(JOB, "Complete", within=3600)
        await there.clock.advance(60)
        assert writes == ["ADDED"] + 4 * ["MODIFIED"]
        assert [reason for reason, _ in there.events(JOB)] == ["Submitted", "Succeeded"]
        assert shown(there, "awsStatus") == "SUCCEEDED"
