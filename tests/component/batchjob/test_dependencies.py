"""Jobs that wait for other jobs: by name in any order, through failures, circles and remakes."""

from typing import Any

from tests.component.batchjob.again import falling_back, lost, with_both_queues
from tests.component.batchjob.runs import FOR_EVER, SPEC, jobs, ready, script, submits
from tests.support.installation import NAMESPACE, Installation

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.jobscript import JobScript


def named(name: str) -> ObjectKey:
    return ObjectKey("BatchJob", NAMESPACE, name)


FIRST, SECOND, THIRD = named("first"), named("second"), named("third")


def after(*names: str) -> dict[str, Any]:
    return {"dependsOn": [{"jobRef": {"name": name}} for name in names]}


def in_aws(there: Installation, key: ObjectKey) -> Any:
    """The newest job in AWS that was made for the object."""
    return next(
        job for job in reversed(jobs(there)) if job.tags.get("awsbatch.dev/name") == key.name
    )


def fail(there: Installation, seconds: float = 5) -> None:
    """Jobs fail from now on."""
    world = there.simulator.world
    script(there, seconds)
    scripts = tuple(each.model_copy(update={"exit_code": 1}) for each in world.settings.job_scripts)
    world.change(world.settings.model_copy(update={"job_scripts": scripts}))


def waits_for(there: Installation, key: ObjectKey) -> str:
    return str(there.condition(key, "Reconciling").get("message"))


async def test_jobs_applied_before_those_they_wait_for_run_one_after_the_other():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, 5)
        there.apply(THIRD, SPEC | after("second"))
        there.apply(SECOND, SPEC | after("first"))
        await there.until(SECOND, "Reconciling", "ReferenceNotFound")
        assert "BatchJob science/first does not exist yet." in waits_for(there, SECOND)
        await there.until(THIRD, "Reconciling", "WaitingForJob")
        assert "BatchJob second has not been submitted yet." in waits_for(there, THIRD)
        there.apply(FIRST, SPEC)
        await there.until(THIRD, "Complete", within=3600)
        ids = [in_aws(there, key).id for key in (FIRST, SECOND, THIRD)]
        sent = [job.static["dependsOn"] for job in (in_aws(there, SECOND), in_aws(there, THIRD))]
        assert sent == [[{"jobId": ids[0]}], [{"jobId": ids[1]}]]
        assert submits(there) == 3


async def test_one_that_is_complete_is_left_out_of_the_request_whatever_aws_remembers():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, 5)
        there.apply(FIRST, SPEC)
        await there.until(FIRST, "Complete", within=3600)
        there.batch.jobs.clear()
        there.apply(SECOND, SPEC | after("first"))
        await there.until(SECOND, "Complete", within=3600)
        assert in_aws(there, SECOND).static["dependsOn"] == []


async def test_a_failed_one_fails_those_after_it_unsent_and_they_go_on_once_it_is_made_anew():
    there = Installation()
    async with there.running():
        await ready(there)
        fail(there)
        there.apply(FIRST, SPEC)
        await there.until(FIRST, "Failed", within=3600)
        there.apply(SECOND, SPEC | after("first"))
        there.apply(THIRD, SPEC | after("second"))
        message = await there.until(SECOND, "Failed", "DependencyFailed")
        assert "BatchJob first (ApplicationExit)" in message
        assert "delete it and create it again" in message
        await there.until(THIRD, "Failed", "DependencyFailed")
        assert there.is_true(SECOND, "Stalled")
        assert there.status(SECOND)["failure"] == "DependencyFailed"
        assert [reason for reason, _ in there.events(SECOND)] == ["DependencyFailed"]
        assert submits(there) == 1
        script(there, 5)
        there.remove(FIRST)
        await there.until_gone(FIRST)
        await there.until(SECOND, "Reconciling", "ReferenceNotFound")
        assert "failure" not in there.status(SECOND)
        there.apply(FIRST, SPEC)
        await there.until(THIRD, "Complete", within=3600)
        assert submits(there) == 4


async def test_one_that_fails_in_aws_fails_the_waiting_one_there_and_is_named():
    there = Installation()
    async with there.running():
        await ready(there)
        fail(there, 60)
        there.apply(FIRST, SPEC)
        there.apply(SECOND, SPEC | after("first"))
        message = await there.until(SECOND, "Failed", "DependencyFailed", within=3600)
        assert "Dependent Job failed" in message
        assert message.endswith("The job that has failed is BatchJob first.")
        assert submits(there) == 2


async def test_a_circle_that_closes_late_is_told_whole_by_each_and_heals_when_it_is_broken():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, 5)
        there.apply(FIRST, SPEC | after("second"))
        there.apply(SECOND, SPEC | after("third"))
        await there.until(FIRST, "Reconciling", "WaitingForJob")
        there.apply(THIRD, SPEC | after("first"))
        for key, circle in (
            (FIRST, "first -> second -> third -> first"),
            (SECOND, "second -> third -> first -> second"),
            (THIRD, "third -> first -> second -> third"),
        ):
            assert circle in await there.until(key, "Stalled", "DependencyCycle")
        there.apply(THIRD, SPEC | after("third"))
        assert "third -> third" in await there.until(THIRD, "Stalled", "DependencyCycle")
        await there.until(SECOND, "Reconciling", "WaitingForJob")
        there.apply(THIRD, SPEC)
        for key in (FIRST, SECOND, THIRD):
            await there.until(key, "Complete", within=3600)
        assert submits(there) == 3


async def test_a_job_waits_for_another_that_takes_the_place_of_one_that_is_being_deleted():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, FOR_EVER)
        there.apply(FIRST, SPEC)
        await there.clock.run_until(lambda: "jobId" in there.status(FIRST), within=600)
        there.fault(
            effect="error", service="batch", operation="TerminateJob", code="ServerException"
        )
        there.remove(FIRST)
        await there.clock.advance(10)
        there.apply(SECOND, SPEC | after("first"))
        await there.until(SECOND, "Reconciling", "WaitingForJob")
        assert "is being deleted; another one of that name" in waits_for(there, SECOND)
        there.mend()
        await there.until_gone(FIRST, within=3600)
        script(there, 5)
        there.apply(FIRST, SPEC)
        await there.until(SECOND, "Complete", within=3600)


async def test_waiting_jobs_cost_nothing_at_rest():
    there = Installation()
    async with there.running():
        await ready(there)
        there.apply(SECOND, SPEC | after("first"))
        there.apply(THIRD, SPEC | after("second"))
        await there.until(THIRD, "Reconciling", "WaitingForJob")
        await there.clock.advance(5)
        calls, writes = len(there.calls), []
        there.kube.subscribe(
            lambda event, body: writes.append(event) if body["kind"] == "BatchJob" else None
        )
        await there.clock.advance(1300)  # through two resyncs
        assert not writes
        of_jobs = ("SubmitJob", "ListJobs", "DescribeJobs")
        assert not [call for call in there.calls[calls:] if call.partition(":")[2] in of_jobs]


async def test_one_that_may_go_on_in_another_queue_is_waited_for_to_its_end():
    there = Installation()
    async with there.running():
        await with_both_queues(there, lost("*main*"), JobScript(duration_seconds=5))
        there.apply(FIRST, falling_back())
        there.apply(SECOND, falling_back(**after("first")))
        await there.clock.run_until(lambda: submits(there) == 1, within=600)
        message = waits_for(there, SECOND)
        assert "BatchJob first may go on in the queue of its spec.fallback, so its end" in message
        await there.until(FIRST, "Complete", within=3600)
        await there.until(SECOND, "Complete", within=3600)
        assert there.status(FIRST)["run"] == 2
        assert submits(there) == 4
