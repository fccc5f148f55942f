"""A compute environment that AWS cannot change is replaced by a new one, and no job suffers."""

from typing import Any

from tests.component.batchjob import runs
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, SPECS, environment

BEST_FIT = {"allocationStrategy": "BEST_FIT"}
OLD = environment(**BEST_FIT)
NEW = environment(**BEST_FIT, subnets=["subnet-2"])
WRONG = environment(**BEST_FIT, subnets=["subnet-none"])
CREATE = "batch:CreateComputeEnvironment"


def with_replacement(spec: dict[str, Any], **replacement: Any) -> dict[str, Any]:
    return {**spec, "replacement": replacement}


async def begin(there: Installation) -> str:
    """Everything stands; the environment's first name in AWS."""
    there.apply(ENVIRONMENT, OLD)
    for key in (QUEUE, DEFINITION):
        there.apply(key, SPECS[key])
    await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION)
    there.calls.clear()
    return str(there.status(ENVIRONMENT)["awsName"])


async def with_a_job(there: Installation, seconds: float) -> None:
    """A job runs in the environment, and will that long."""
    runs.script(there, seconds)
    there.apply(runs.JOB, runs.SPEC)
    await there.clock.run_until(lambda: runs.shown(there, "awsStatus") == "RUNNING", within=900)
    there.calls.clear()


def environments(there: Installation) -> dict[str, Any]:
    """What AWS has, by name."""
    return dict(there.simulator.world.region(there.simulator.place).batch.environments)


def order(there: Installation, name: str = "") -> list[str]:
    """The names of the environments in the order of a queue in AWS."""
    given = {"jobQueues": [name]} if name else {}
    (found,) = there.aws().describe_job_queues(**given)["jobQueues"]
    entries = sorted(found["computeEnvironmentOrder"], key=lambda each: each["order"])
    return [each["computeEnvironment"].rpartition("/")[2] for each in entries]


def reasons(there: Installation) -> list[str]:
    return [reason for reason, _ in there.events(ENVIRONMENT)]


def shown(there: Installation) -> dict[str, Any]:
    """status.replacement"""
    return dict(there.status(ENVIRONMENT).get("replacement", {}))


async def test_a_new_environment_takes_the_place_of_the_old_one_in_its_queue():
    there = Installation()
    async with there.running():
        old = await begin(there)
        there.apply(ENVIRONMENT, NEW)
        await there.until_ready(ENVIRONMENT, QUEUE)
        (new,) = environments(there).values()
        assert new.name != old
        assert new.resources["subnets"] == ["subnet-2"]
        assert there.status(ENVIRONMENT)["awsName"] == new.name
        assert order(there) == [new.name]
        assert "replacement" not in there.status(ENVIRONMENT)
        assert there.status(ENVIRONMENT)["plan"]["action"] == "None"
        assert there.changes() == [
            CREATE,
            "batch:UpdateJobQueue",
            "batch:UpdateComputeEnvironment",
            "batch:DeleteComputeEnvironment",
        ]
        there.calls.clear()
        await there.clock.advance(400)
        assert there.changes() == []
        assert "ecs:DescribeClusters" not in there.calls
    told = reasons(there)
    for reason in ("ReplacementBegun", "Promoted", "Replaced"):
        assert told.count(reason) == 1


async def test_jobs_that_run_in_the_old_environment_are_waited_for():
    there = Installation()
    async with there.running():
        await begin(there)
        await with_a_job(there, 500)
        there.apply(ENVIRONMENT, NEW)
        await there.clock.run_until(lambda: shown(there).get("runningJobs") == 1, within=900)
        message = await there.until(ENVIRONMENT, "Reconciling", "Draining")
        assert "(1 task), and are waited for as long as they take" in message
        assert shown(there)["step"] == "Draining"
        assert len(environments(there)) == 2
        await there.until(runs.JOB, "Complete", within=2000)
        await there.until_ready(ENVIRONMENT)
        assert len(environments(there)) == 1
    (job,) = runs.jobs(there)
    assert len(job.attempts) == 1


async def test_a_new_environment_that_turns_invalid_never_takes_the_old_one_out_of_service():
    there = Installation()
    async with there.running():
        old = await begin(there)
        there.apply(ENVIRONMENT, WRONG)
        message = await there.until(ENVIRONMENT, "Stalled", within=900)
        assert f"{old} stays in service" in message
        assert "subnet-none" in message
        await there.clock.advance(200)
        assert order(there) == [old]
        assert environments(there)[old].state.value == "ENABLED"
        assert there.changes() == [CREATE]
        there.apply(ENVIRONMENT, NEW)
        await there.until_ready(ENVIRONMENT, within=900)
        (new,) = environments(there).values()
        assert new.resources["subnets"] == ["subnet-2"]
        assert order(there) == [new.name]


async def test_an_edit_back_removes_the_new_environment_alone():
    there = Installation()
    async with there.running():
        old = await begin(there)
        there.apply(ENVIRONMENT, WRONG)
        await there.until(ENVIRONMENT, "Stalled", within=900)
        there.apply(ENVIRONMENT, OLD)
        await there.until(ENVIRONMENT, "Reconciling", "Replacing")
        assert shown(there)["step"] == "Withdrawing"
        await there.until_ready(ENVIRONMENT, within=900)
        assert list(environments(there)) == [old]
        assert order(there) == [old]
        assert there.changes() == [
            CREATE,
            "batch:UpdateComputeEnvironment",
            "batch:DeleteComputeEnvironment",
        ]
