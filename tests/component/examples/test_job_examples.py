"""The examples of what jobs can do, in any order of applying: their jobs run as the READMEs say."""

import re
from typing import Any

import pytest
from tests.component.batchjob.again import lost
from tests.component.batchjob.runs import jobs, submits
from tests.component.examples.test_examples import (
    JOBS,
    LONG,
    all_work,
    apply,
    delete,
    key,
    left_in_aws,
    warnings,
)
from tests.support.cheap_clients import cheap_sessions
from tests.support.examples import DIRECTORY, bodies, shuffled
from tests.support.installation import NAMESPACE, Installation

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.jobscript import JobScript

QUICK = JobScript(duration_seconds=5)


@pytest.fixture(autouse=True, scope="module")
def _cheaply():
    with cheap_sessions():
        yield


def named(name: str) -> ObjectKey:
    return ObjectKey("BatchJob", NAMESPACE, name)


def scripted(there: Installation, *scripts: JobScript) -> None:
    world = there.simulator.world
    world.change(world.settings.model_copy(update={"job_scripts": (*scripts, QUICK)}))


def sent(there: Installation, name: str) -> list[Any]:
    """What AWS has had of the object: whole jobs, oldest first."""
    whole = [job for job in jobs(there) if "#" not in job.id and ":" not in job.id]
    return [job for job in whole if job.tags["awsbatch.dev/name"] == name]


def environment(job: Any) -> dict[str, str]:
    listed = job.container["environment"]
    return {each["name"]: each["value"] for each in listed}


def each_value_has_its_job(there: Installation) -> None:
    assert there.status(named("sweep"))["array"]["succeeded"] == 4
    [job] = sent(there, "sweep")
    assert environment(job)["TEMPERATURES"] == "270.5,280,290.5,300"


def just_the_failed_indexes_ran_again(there: Installation) -> None:
    status = there.status(named("shards"))
    assert (status["run"], status["runCause"], status["runIndexes"]) == (2, "Retried", "3,7,11")
    assert status["history"][0]["result"] == "ApplicationExit"
    assert status["array"]["progress"] == "3/3"
    _, again = sent(there, "shards")
    assert environment(again)["SHARDS"] == "3,7,11"
    assert submits(there) == 2


def each_link_began_after_the_one_before(there: Installation) -> None:
    [prepare], [simulate], [collect] = (
        sent(there, name) for name in ("prepare", "simulate", "collect")
    )
    assert collect.started_at >= simulate.stopped_at
    for index in range(3):
        before, after = (
            next(job for job in jobs(there) if job.id == f"{whole.id}:{index}")
            for whole in (prepare, simulate)
        )
        assert after.started_at >= before.stopped_at
    assert submits(there) == 3


def what_was_lost_went_on_where_nothing_is_taken_back(there: Installation) -> None:
    status = there.status(named("align"))
    assert (status["run"], status["runCause"]) == (2, "Lost")
    assert status["history"][0]["result"] == "HostLost"
    on_demand = there.status(ObjectKey("JobQueue", NAMESPACE, "pipeline-on-demand"))["arn"]
    assert status["jobQueueArn"] == on_demand
    first, _ = sent(there, "align")
    assert len(first.attempts) == 3
    spot = there.status(ObjectKey("JobQueue", NAMESPACE, "pipeline-spot"))["arn"]
    after = there.status(named("call-variants"))
    assert (after["run"], after["jobQueueArn"], after["attemptCount"]) == (1, spot, 2)
    assert submits(there) == 3


def all_nodes_ran(there: Installation) -> None:
    assert there.status(named("solve"))["nodes"] == {"count": 3, "mainNode": 0}
    [job] = sent(there, "solve")
    assert len([each for each in jobs(there) if each.id.startswith(f"{job.id}#")]) == 3


SHOWS = {
    "parameter-sweep": each_value_has_its_job,
    "retry-failed-indexes": just_the_failed_indexes_ran_again,
    "dependency-chain": each_link_began_after_the_one_before,
    "spot-pipeline": what_was_lost_went_on_where_nothing_is_taken_back,
    "mpi": all_nodes_ran,
}
SCRIPTS = {
    "retry-failed-indexes": (JobScript(indexes=(3, 7, 11), exit_code=1, duration_seconds=5),),
    "spot-pipeline": (
        lost("*-pipeline-spot-*").model_copy(update={"job_name": "align-*"}),
        lost("*-pipeline-spot-*").model_copy(update={"attempts": (1,)}),
    ),
}


@pytest.mark.parametrize("folder", SHOWS)
async def test_its_jobs_run_as_it_says_in_whatever_order_it_is_applied(folder):
    seed = len(folder)
    there, applied = Installation(), shuffled(folder, seed)
    scripted(there, *SCRIPTS.get(folder, ()))
    async with there.running():
        await apply(there, applied)
        await all_work(there, applied)
        SHOWS[folder](there)
        await delete(there, applied, seed + 1)
    assert left_in_aws(there) == []
    assert warnings(there) == set()


def test_all_that_are_tried_here_are_shown():
    assert SHOWS.keys() == JOBS


async def test_several_nodes_on_spot_are_refused_with_the_words_of_the_readme_and_mended_by_them():
    folder = "multi-node-on-spot"
    there, applied = Installation(), shuffled(folder, 2)
    job, queue = named("two-nodes"), ObjectKey("JobQueue", NAMESPACE, "nodes")
    scripted(there)
    async with there.running():
        await apply(there, applied)
        message = await there.until(job, "Stalled", "MultiNodeNotSupported", within=LONG)
        readme = (DIRECTORY / folder / "README.md").read_text()
        assert message.replace(f"{NAMESPACE}/", "default/") in " ".join(readme.split())
        await there.clock.advance(60)
        assert submits(there) == 0
        [order] = re.findall(r'computeEnvironmentRef": \{"name": "([\w-]+)"\}', readme)
        [spec] = [body["spec"] for body in bodies(folder) if body["kind"] == "JobQueue"]
        entries = [{"order": 1, "computeEnvironmentRef": {"name": order}}]
        there.apply(queue, {**spec, "computeEnvironmentOrder": entries})
        await there.until(job, "Complete", within=LONG)
        await delete(there, applied, 3)
    assert left_in_aws(there) == []
    assert {reason for reason, _ in warnings(there)} == {"MultiNodeNotSupported"}


async def test_held_jobs_are_nowhere_in_aws_until_a_gate_lets_them_go():
    there, applied = Installation(), shuffled("held-jobs", 4)
    held = [body for body in applied if body["kind"] == "BatchJob"]
    scripted(there)
    async with there.running():
        await apply(there, applied)
        for body in held:
            await there.until(key(body), "Suspended", within=LONG)
        await there.clock.advance(60)
        assert jobs(there) == []
        for number, body in enumerate(held, start=1):
            there.apply(key(body), {**body["spec"], "suspend": False})
            await there.until(key(body), "Complete", within=LONG)
            assert submits(there) == number
        await delete(there, applied, 5)
    assert left_in_aws(there) == []
    assert warnings(there) == set()
