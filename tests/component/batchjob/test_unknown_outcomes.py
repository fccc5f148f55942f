"""Conformance: nobody saw what became of a submission; one job comes of it, and is followed."""

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
from tests.support.manifests import DEFINITION, QUEUE, definition

from awsbatch_operator.api.metadata import PAUSED


async def until_known(there: Installation) -> None:
    await there.clock.run_until(lambda: bool(shown(there, "jobId")), within=3600)


async def test_an_adopted_job_is_followed_to_its_end_like_any_other():
    there = Installation()
    lost_answer(there)
    async with there.running():
        await submitted(there, 120)
        await until_known(there)
        assert shown(there, "awsStatus") == "RUNNING"
        ended = jobs(there)[0].started_at / 1000 + 120
        await there.until(JOB, "Complete", within=600)
        assert there.clock.now().epoch - ended < 20
        assert submits(there) == 1


async def test_a_job_that_was_given_up_is_followed_to_its_end_once_it_is_found_again():
    there = Installation()
    hidden(there, 150, "DescribeJobs")
    async with there.running():
        await submitted(there, 1200)
        await there.until(JOB, "Stalled", "JobNotFound")
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=700)
        ended = jobs(there)[0].started_at / 1000 + 1200
        await there.until(JOB, "Complete", within=3600)
        assert there.clock.now().epoch - ended < 20
        assert submits(there) == 1


async def test_a_job_that_had_ended_when_it_was_adopted_shows_its_output():
    there = Installation()
    lost_answer(there)
    async with there.running():
        await submitted(there, 2, "hello")
        await there.until(JOB, "Complete", within=300)
        assert shown(there, "logs")["lastLines"] == ["hello"]


async def test_a_job_that_aws_lists_and_does_not_describe_yet_is_no_absent_one():
    there = Installation()
    lost_answer(there)
    hidden(there, 150, "DescribeJobs")
    async with there.running():
        await submitted(there, FOR_EVER)
        await until_known(there)
        assert submits(there) == 1


async def test_a_submission_is_not_repeated_when_its_queue_is_gone_from_aws():
    there = Installation()
    lost_answer(there)
    async with there.running():
        await submitted(there, 5)
        arn = there.status(QUEUE)["arn"]
        there.kube.annotate(QUEUE, **{PAUSED: "true"})
        await there.clock.advance(30)
        there.aws().update_job_queue(jobQueue=arn, state="DISABLED")
        await there.clock.advance(5)
        there.aws().delete_job_queue(jobQueue=arn)
        message = await there.until(JOB, "Stalled", "SubmissionUnknown")
        assert "queue" in message
        assert submits(there) == 1
        there.kube.remove(JOB)
        await there.until_gone(JOB)


@pytest.mark.parametrize("failures", [1, 5])
async def test_a_job_that_came_to_light_too_late_is_terminated_however_often_that_fails(failures):
    there = Installation()
    lost_answer(there)
    hidden(there, 200, "ListJobs")
    there.fault(effect="drop_before", service="batch", operation="TerminateJob", times=failures)
    async with there.running():
        await submitted(there, FOR_EVER)
        await there.clock.run_until(lambda: submits(there) == 2, within=300)
        await there.clock.run_until(lambda: alive(there) == 1, within=3600)
        assert [job.id for job in jobs(there) if not job.terminated] == [shown(there, "jobId")]
        await there.clock.advance(1200)
        assert (submits(there), alive(there)) == (2, 1)


async def test_a_repeat_that_aws_refuses_is_preceded_by_another_look_each_time():
    there = Installation()
    lost_answer(there)
    hidden(there, 80, "ListJobs")
    async with there.running():
        await submitted(there, FOR_EVER)
        there.fault(effect="deny", service="batch", operation="SubmitJob")
        await there.until(JOB, "Stalled", "PermissionDenied")
        there.mend()
        await until_known(there)
        assert (submits(there), len(jobs(there))) == (2, 1)


async def test_while_aws_loses_every_submission_it_is_asked_more_and_more_rarely():
    there = Installation()
    async with there.running():
        await ready(there)
        there.fault(effect="drop_before", service="batch", operation="SubmitJob")
        there.apply(JOB, SPEC)
        await there.clock.run_until(lambda: submits(there) == 3, within=600)
        versions = []
        there.kube.subscribe(lambda _, body: versions.append(body["metadata"]["resourceVersion"]))
        await there.clock.advance(3600)
        assert 10 <= submits(there) - 3 <= 13
        assert len(versions) <= 4 * 13
        there.mend()
        script(there, 5)
        await there.until(JOB, "Complete", within=900)
        assert len(jobs(there)) == 1


async def test_a_termination_that_is_denied_is_tried_again_more_and_more_rarely():
    there = Installation()
    async with there.running():
        await running(there)
        there.fault(effect="deny", service="batch", operation="TerminateJob")
        there.kube.remove(JOB)
        await there.until(JOB, "DeletionBlocked", "PermissionDenied")
        before = there.calls.count("batch:TerminateJob")
        await there.clock.advance(3600)
        assert 5 <= there.calls.count("batch:TerminateJob") - before <= 18  # with the resyncs


async def test_a_refused_job_takes_up_a_definition_that_was_made_anew_meanwhile():
    there = Installation()
    there.fault(effect="deny", service="batch", operation="SubmitJob")
    async with there.running():
        await submitted(there, 5)
        await there.until(JOB, "Stalled", "PermissionDenied")
        there.kube.remove(DEFINITION)
        await there.until_gone(DEFINITION)
        there.mend()
        there.apply(DEFINITION, definition("false"))
        await there.until(JOB, "Complete", within=1800)
        assert len(jobs(there)) == 1


async def test_the_end_of_a_job_is_shown_although_its_output_may_not_be_read():
    there = Installation()
    there.fault(effect="deny", service="logs", operation="*")
    async with there.running():
        await submitted(there, 5, "hello")
        await there.until(JOB, "Complete", within=300)
        assert [reason for reason, _ in there.events(JOB)] == [
            "Submitted",
            "LogsUnreadable",
            "Succeeded",
        ]


async def test_output_that_cannot_be_read_for_a_moment_is_read_after_it():
    there = Installation()
    there.fault(effect="error", service="logs", operation="*", times=3, status=500)
    async with there.running():
        await submitted(there, 5, "hello")
        await there.until(JOB, "Complete", within=300)
        assert shown(there, "logs")["lastLines"] == ["hello"]


@pytest.mark.parametrize("held", [True, False])
async def test_an_unknown_outcome_whose_queue_is_gone_costs_nothing_at_rest(held):
    there = Installation()
    lost_answer(there)
    async with there.running():
        await submitted(there, 5)
        arn = there.status(QUEUE)["arn"]
        there.kube.annotate(QUEUE, **{PAUSED: "true"})
        there.apply(JOB, {**SPEC, "suspend": held})
        await there.clock.advance(30)
        there.aws().update_job_queue(jobQueue=arn, state="DISABLED")
        await there.clock.advance(5)
        there.aws().delete_job_queue(jobQueue=arn)
        await there.until(JOB, "Stalled", "SubmissionUnknown")
        await there.clock.advance(300)
        there.calls.clear()
        await there.clock.advance(1300)  # two resyncs are among it
        assert [each for each in there.calls if "Jobs" in each] == []
        there.apply(JOB, SPEC)
        await there.until(JOB, "Stalled", "SubmissionUnknown")
        assert submits(there) == 0
