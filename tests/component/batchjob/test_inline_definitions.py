"""The definition in a job: registered once for all jobs with its content, ended with the last."""

import pytest
from tests.component.batchjob.inline_jobs import (
    DEREGISTER,
    REGISTER,
    commands,
    inline,
    job,
    revisions,
    until_submitted,
    with_queue,
)
from tests.component.batchjob.runs import FOR_EVER, jobs, script
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import QUEUE
from tests.support.one_process import CLUSTER
from tests.support.simulated_aws import make_simulator

MANY = 40


async def test_equal_jobs_cost_one_registration_and_no_write_more_than_others():
    there = Installation(make_simulator(limits=False))
    keys = [job(f"equal-{number}") for number in range(MANY)]
    async with there.running():
        await with_queue(there)
        script(there, FOR_EVER)
        for number, key in enumerate(keys):
            there.apply(key, inline("date") if number % 2 else spelled_otherwise())
        assert await until_submitted(there, *keys) < 5.0
        assert there.calls.count(REGISTER) == 1
        assert there.calls.count("batch:DescribeJobDefinitions") <= 3
        assert there.calls.count("batch:SubmitJob") == MANY
        await there.clock.advance(1)
        assert there.metric("kube_writes_total", kind="BatchJob", verb="patch") == MANY
        assert there.metric("kube_writes_total", kind="BatchJob", verb="apply_status") == MANY
    (revision,) = revisions(there)
    described = there.aws().describe_jobs(jobs=[there.status(key)["jobId"] for key in keys])
    ran = {each["jobDefinition"] for each in described["jobs"]}
    assert ran == {revision["jobDefinitionArn"]}


def spelled_otherwise():
    """The same content in other words: in another order, and with AWS's own defaults."""
    spec = inline("date")
    container = spec["jobDefinition"]["containerProperties"]
    container["resourceRequirements"] = container["resourceRequirements"][::-1]
    container["privileged"] = False
    return spec


async def test_a_job_tells_what_runs_and_aws_whose_it_is():
    there = Installation()
    async with there.running():
        await with_queue(there)
        there.apply(job("one"), inline("date"))
        await there.until(job("one"), "Complete", within=3600)
    (revision,) = revisions(there)
    name = revision["jobDefinitionName"]
    assert name.startswith(f"{NAMESPACE}-inline-")
    assert revision["tags"] == {
        "awsbatch.dev/cluster": CLUSTER,
        "awsbatch.dev/kind": "BatchJob",
        "awsbatch.dev/namespace": NAMESPACE,
        "awsbatch.dev/purpose": "inline",
        "awsbatch.dev/content": revision["tags"]["awsbatch.dev/content"],
    }
    status = there.status(job("one"))
    assert status["jobDefinitionArn"] == revision["jobDefinitionArn"]
    assert status["jobDefinition"] == {"name": name, "revision": 1}
    told = dict(there.events(job("one")))
    assert told["Registered"] == f"Registered the definition in the spec as {name}."
    assert f"with the definition in its spec, registered as {name}:1." in told["Submitted"]


async def test_the_definition_goes_with_the_last_object_that_has_it_finished_or_not():
    there = Installation()
    first, second, third = job("first"), job("second"), job("third")
    async with there.running():
        await with_queue(there)
        for key in (first, second):
            there.apply(key, inline("date"))
            await there.until(key, "Complete", within=3600)
        script(there, FOR_EVER)
        there.apply(third, inline("date"))
        await until_submitted(there, third)
        for key in (first, third):
            there.remove(key)
            await there.until_gone(key)
        assert commands(there) == ["date"], "the second, which has finished, is still there"
        there.remove(second)
        await there.until_gone(second)
        assert commands(there) == []
        assert there.calls.count(DEREGISTER) == 1


async def test_a_job_that_aws_still_runs_keeps_the_definition_until_it_has_ended():
    there = Installation()
    async with there.running():
        await with_queue(there)
        script(there, FOR_EVER)
        there.apply(job("one"), inline("date"))
        await there.clock.run_until(
            lambda: there.status(job("one")).get("awsStatus") == "RUNNING", within=3600
        )
        there.remove(job("one"))
        await there.until_gone(job("one"))
    ended = [each for each in there.calls if each in {"batch:TerminateJob", DEREGISTER}]
    assert ended == ["batch:TerminateJob", DEREGISTER]
    (run,) = jobs(there)
    assert run.status == "FAILED"
    assert commands(there) == []


async def test_jobs_that_are_deleted_together_leave_nothing_behind():
    there = Installation(make_simulator(limits=False))
    keys = [job(f"equal-{number}") for number in range(12)]
    async with there.running():
        await with_queue(there)
        for key in keys[:6]:
            there.apply(key, inline("date"))
        for key in keys[:6]:
            await there.until(key, "Complete", within=3600)
        script(there, FOR_EVER)
        for key in keys[6:]:
            there.apply(key, inline("date"))
        await until_submitted(there, *keys[6:])
        for key in keys:
            there.remove(key)
        await there.until_gone(*keys)
    assert commands(there) == []
    assert there.calls.count(DEREGISTER) == 1


async def test_a_definition_of_another_namespace_is_another_one():
    there = Installation()
    here, elsewhere = job("one"), job("one", "other")
    async with there.running():
        await with_queue(there)
        script(there, FOR_EVER)
        arn = there.status(QUEUE)["arn"]
        there.apply(here, inline("date"))
        there.apply(elsewhere, inline("date", jobQueueRef={"arn": arn}))
        await until_submitted(there, here, elsewhere)
        assert commands(there) == ["date", "date"]
        there.remove(here)
        await there.until_gone(here)
        left = revisions(there)
    assert [each["tags"]["awsbatch.dev/namespace"] for each in left] == ["other"]


async def test_an_edit_before_the_submission_leaves_nothing_of_the_content_before():
    there = Installation()
    one = job("one")
    async with there.running():
        await with_queue(there)
        there.fault(effect="error", service="batch", operation="SubmitJob")
        there.apply(one, inline("dte"))
        await there.clock.run_until(lambda: there.calls.count("batch:SubmitJob") > 0)
        assert commands(there) == ["dte"]
        there.mend()
        script(there, FOR_EVER)
        there.apply(one, inline("date"))
        await until_submitted(there, one)
        await there.clock.run_until(lambda: commands(there) == ["date"], within=60)
        there.remove(one)
        await there.until_gone(one)
    assert commands(there) == []


async def test_a_lost_answer_to_the_registration_is_looked_up_and_not_repeated():
    there = Installation()
    async with there.running():
        await with_queue(there)
        there.fault(
            effect="drop_after", service="batch", operation="RegisterJobDefinition", times=1
        )
        there.apply(job("one"), inline("date"))
        await until_submitted(there, job("one"))
        assert there.calls.count(REGISTER) == 1
    assert len(jobs(there)) == 1


async def test_a_registration_that_aws_lists_late_is_waited_for():
    there = Installation()
    async with there.running():
        await with_queue(there)
        there.fault(
            effect="drop_after", service="batch", operation="RegisterJobDefinition", times=1
        )
        there.lagging.seconds = 15
        there.apply(job("one"), inline("date"))
        assert await until_submitted(there, job("one")) >= 10
        assert there.calls.count(REGISTER) == 1


async def test_a_refused_registration_is_told_to_all_and_asked_once_a_minute():
    there = Installation()
    keys = [job(f"equal-{number}") for number in range(5)]
    async with there.running():
        await with_queue(there)
        there.fault(
            effect="error",
            service="batch",
            operation="RegisterJobDefinition",
            status=400,
            code="ClientException",
            message="Error executing request: Role is not valid",
        )
        for key in keys:
            there.apply(key, inline("date"))
        for key in keys:
            words = await there.until(key, "Stalled", within=60)
            assert "Role is not valid" in words
        assert there.calls.count(REGISTER) <= 2
        assert there.calls.count("batch:SubmitJob") == 0
        there.mend()
        await until_submitted(there, *keys, within=1300)


async def test_a_definition_that_somebody_deregisters_is_registered_anew_for_the_next_job():
    there = Installation()
    async with there.running():
        await with_queue(there)
        script(there, FOR_EVER)
        there.apply(job("one"), inline("date"))
        await until_submitted(there, job("one"))
        (revision,) = revisions(there)
        there.aws().deregister_job_definition(jobDefinition=revision["jobDefinitionArn"])
        there.apply(job("two"), inline("date"))
        await until_submitted(there, job("two"), within=60)
        assert there.status(job("two"))["jobDefinition"]["revision"] == 2


async def test_a_name_that_others_have_taken_is_not_touched():
    there = Installation()
    async with there.running():
        await with_queue(there)
        script(there, FOR_EVER)
        there.apply(job("one"), inline("date"))
        await until_submitted(there, job("one"))
        (ours,) = revisions(there)
        container = ours["containerProperties"]
        wrong = {"image": "evil", "resourceRequirements": container["resourceRequirements"]}
        there.aws().register_job_definition(
            jobDefinitionName=ours["jobDefinitionName"], type="container", containerProperties=wrong
        )
        there.apply(job("two"), inline("date"))
        await until_submitted(there, job("two"))
        assert there.status(job("two"))["jobDefinitionArn"] == ours["jobDefinitionArn"]
        for key in (job("one"), job("two")):
            there.remove(key)
        await there.until_gone(job("one"), job("two"))
    assert [each["containerProperties"]["image"] for each in revisions(there)] == ["evil"]


@pytest.mark.parametrize("operation", ["RegisterJobDefinition", "SubmitJob"])
async def test_who_dies_on_the_way_leaves_nothing_behind(operation):
    there = Installation()
    one = job("one")
    async with there.running():
        await with_queue(there)
        there.fault(effect="drop_after", service="batch", operation=operation)
        there.apply(one, inline("date"))
        await there.clock.run_until(lambda: there.calls.count(f"batch:{operation}") > 0)
    there.mend()
    there.remove(one)
    async with there.running():
        await there.until_gone(one)
    assert commands(there) == []


async def test_an_execution_role_that_is_missing_is_told_before_anything_is_sent():
    there = Installation()
    spec = inline("date")
    spec["jobDefinition"]["containerProperties"]["secrets"] = [{"name": "A", "valueFrom": "a"}]
    async with there.running():
        await with_queue(there)
        there.apply(job("one"), spec)
        words = await there.until(job("one"), "Stalled")
    assert "spec.jobDefinition.containerProperties.secrets" in words
    assert there.calls.count(REGISTER) == 0
