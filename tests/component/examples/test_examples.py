"""Every folder of examples/ in any order: applied one by one, used, and deleted one by one.

Those of what jobs can do are in test_job_examples.py. Those of capacity have tests of their own, on
the real API server (test_capacity_examples.py), and so have those of machine images
(test_image_examples.py).
"""

import json
import random
import re
from collections.abc import Iterable
from typing import Any

import jmespath
import pytest
from tests.component.batchjob.runs import alive, jobs, script
from tests.support.examples import DIRECTORY, bodies, folders, shuffled
from tests.support.installation import NAMESPACE, Installation

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.assembly import CLUSTER_SCOPED
from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.validate import read_spec
from awsbatch_sandbox.paths import REPOSITORY
from awsbatch_simulator.given import with_file

BY_KIND = {resource.kind: resource for resource in RESOURCES}
JOBS = {"parameter-sweep", "retry-failed-indexes", "dependency-chain", "spot-pipeline", "mpi"}
DEPLOY = REPOSITORY / "deploy"
APART = 0.3  # seconds between two objects: each is looked at before the next one is there
LONG = 3600.0


def key(body: dict[str, Any]) -> ObjectKey:
    place = "" if body["kind"] in CLUSTER_SCOPED else NAMESPACE
    return ObjectKey(body["kind"], place, body["metadata"]["name"])


async def apply(there: Installation, applied: Iterable[dict[str, Any]]) -> None:
    for body in applied:
        there.apply(key(body), body["spec"])
        await there.clock.advance(APART)


async def all_work(there: Installation, applied: list[dict[str, Any]]) -> None:
    """The infrastructure is Ready and the jobs are Complete."""
    lasting = [key(body) for body in applied if body["kind"] != "BatchJob"]
    await there.until_ready(*lasting, within=LONG)
    for body in applied:
        if body["kind"] == "BatchJob":
            await there.until(key(body), "Complete", within=LONG)


async def delete(there: Installation, applied: list[dict[str, Any]], seed: int) -> None:
    for body in random.Random(seed).sample(applied, k=len(applied)):
        there.kube.remove(key(body))
        await there.clock.advance(APART)
    await there.until_gone(*map(key, applied), within=LONG)


def warnings(there: Installation) -> set[tuple[str, str]]:
    told = there.kube.events.values()
    return {(each["reason"], each["note"]) for each in told if each["type"] == "Warning"}


def left_in_aws(there: Installation) -> list[str]:
    batch = there.aws()
    return [
        *(each["computeEnvironmentName"] for each in environments(there)),
        *(each["jobQueueName"] for each in batch.describe_job_queues()["jobQueues"]),
        *(
            each["jobDefinitionName"]
            for each in batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
        ),
        *(each["arn"] for each in batch.list_scheduling_policies()["schedulingPolicies"]),
    ]


def environments(there: Installation) -> list[dict[str, Any]]:
    return list(there.aws().describe_compute_environments()["computeEnvironments"])


def order_of(there: Installation, queue: str) -> list[str]:
    """The ARNs of a queue's environments in AWS, first one first."""
    arn = there.status(ObjectKey("JobQueue", NAMESPACE, queue))["arn"]
    [found] = there.aws().describe_job_queues(jobQueues=[arn])["jobQueues"]
    entries = sorted(found["computeEnvironmentOrder"], key=lambda each: each["order"])
    return [entry["computeEnvironment"] for entry in entries]


def where(there: Installation, job: str) -> str:
    """The name of the ECS cluster, which begins with that of the environment, in which it ran."""
    job_id = there.status(ObjectKey("BatchJob", NAMESPACE, job))["jobId"]
    [found] = there.aws().describe_jobs(jobs=[job_id])["jobs"]
    return str(found["container"]["containerInstanceArn"]).split("/")[1]


def name_in_aws(there: Installation, environment: str) -> str:
    return str(there.status(ObjectKey("ComputeEnvironment", NAMESPACE, environment))["awsName"])


def each_is_first_somewhere_and_works_from_the_start(there: Installation) -> None:
    zones = [name_in_aws(there, f"zone-{letter}") for letter in "abc"]
    firsts = [order_of(there, f"{letter}-first")[0].rpartition("/")[2] for letter in "abc"]
    assert firsts == zones
    for number, zone in enumerate(zones, start=1):
        assert where(there, f"part-{number}").startswith(zone)


def spot_is_used(there: Installation) -> None:
    assert where(there, "cheap-if-possible").startswith(name_in_aws(there, "spot-first"))


def the_teams_share_as_the_policy_says(there: Installation) -> None:
    policy = there.status(ObjectKey("SchedulingPolicy", NAMESPACE, "teams"))["arn"]
    queues = there.aws().describe_job_queues()["jobQueues"]
    assert {each["schedulingPolicyArn"] for each in queues} == {policy}
    [found] = there.aws().describe_scheduling_policies(arns=[policy])["schedulingPolicies"]
    shares = found["fairsharePolicy"]["shareDistribution"]
    weights = {each["shareIdentifier"]: each["weightFactor"] for each in shares}
    assert weights["climate"] == 2 * weights["genomics"]  # half the weight: twice the share
    urgent, normal = (
        there.kube.see(ObjectKey("JobQueue", NAMESPACE, name))["spec"]["priority"]
        for name in ("teams-urgent", "teams")
    )
    assert urgent > normal


def there_are_no_instances_to_care_for(there: Installation) -> None:
    assert there.simulator.world.region(there.simulator.place).ec2.instances == {}


def it_is_in_the_other_account(there: Installation) -> None:
    status = there.status(ObjectKey("ComputeEnvironment", NAMESPACE, "in-research"))
    assert status["accountId"] == "444455556666"
    assert environments(there) == []


def the_definition_is_the_job_s_own(there: Installation) -> None:
    status = there.status(ObjectKey("BatchJob", NAMESPACE, "in-one-file"))
    [found] = there.aws().describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    assert status["jobDefinitionArn"] == found["jobDefinitionArn"]
    assert found["jobDefinitionName"].startswith(f"{NAMESPACE}-inline-")


def ten_thousand_tasks_are_fifty_jobs(there: Installation) -> None:
    array = there.status(ObjectKey("BatchJob", NAMESPACE, "ten-thousand-tasks"))["array"]
    assert (array["progress"], array["succeeded"]) == ("10000/10000", 10_000)
    [whole] = [job for job in jobs(there) if job.index is None]
    assert whole.array_size == 50
    assert there.calls.count("batch:SubmitJob") == 1


SHOWS = {
    "accounts": it_is_in_the_other_account,
    "fair-share": the_teams_share_as_the_policy_says,
    "fargate": there_are_no_instances_to_care_for,
    "one-file": the_definition_is_the_job_s_own,
    "packed": ten_thousand_tasks_are_fifty_jobs,
    "quickstart": lambda there: None,
    "rolling-order": each_is_first_somewhere_and_works_from_the_start,
    "spot-then-on-demand": spot_is_used,
}


@pytest.mark.parametrize("folder", SHOWS)
async def test_an_example_works_in_whatever_order_it_is_applied_and_deleted(folder):
    seed = len(folder)
    there, applied = Installation(), shuffled(folder, seed)
    async with there.running():
        await apply(there, applied)
        await all_work(there, applied)
        SHOWS[folder](there)
        await delete(there, applied, seed + 1)
    assert left_in_aws(there) == []
    assert warnings(there) == set()


def test_every_folder_is_tried_here_or_elsewhere():
    elsewhere = {"spot-block", "unmanaged"}  # with instances: test_capacity_examples.py
    elsewhere |= {*JOBS, "multi-node-on-spot", "held-jobs"}  # test_job_examples.py
    elsewhere |= {
        f"extended-ami/{name}" for name in ("bigger-disk", "efs-mpi", "large-disk", "prepulled")
    }
    parts = {"adoption", *(f"replacement/{part}" for part in ("after", "before", "work"))}
    assert set(folders()) == {*SHOWS, *elsewhere, *parts}


async def test_jobs_run_on_demand_where_there_is_no_spot():
    there, applied = Installation(), bodies("spot-then-on-demand")
    there.fault(effect="world", name="insufficient_capacity", match={"market": "spot"})
    async with there.running():
        await apply(there, applied)
        await all_work(there, applied)
        cluster = where(there, "cheap-if-possible")
        assert cluster.startswith(name_in_aws(there, "on-demand-after"))


async def test_the_quickstart_runs_with_the_settings_of_a_trial_in_a_cluster():
    there, applied = Installation(), bodies("quickstart")
    world = there.simulator.world
    world.change(with_file(world.settings, DEPLOY / "overlays" / "simulator" / "settings.json"))
    async with there.running():
        await apply(there, applied)
        await all_work(there, applied)
        logs = there.status(ObjectKey("BatchJob", NAMESPACE, "first-run"))["logs"]
        assert logs["lastLines"] == ["simulated: no command was run"]


async def test_an_environment_is_replaced_under_load_and_no_job_is_lost():
    there, before = Installation(), shuffled("replacement/before", 1)
    after = shuffled("replacement/after", 2)
    names = [key(body) for body in before if body["kind"] == "BatchJob"]
    workers = ObjectKey("ComputeEnvironment", NAMESPACE, "workers")
    script(there, 600)
    async with there.running():
        await apply(there, before)
        await there.clock.run_until(
            lambda: all(there.status(name).get("awsStatus") == "RUNNING" for name in names),
            within=LONG,
        )
        old = there.status(workers)["arn"]
        assert order_of(there, "steady") == [old]
        await apply(there, after)
        await there.clock.run_until(
            lambda: there.status(workers).get("plan", {}).get("action") == "Replacement", within=60
        )
        await there.clock.run_until(lambda: order_of(there, "steady") != [old], within=LONG)
        [new] = order_of(there, "steady")
        assert alive(there) == len(names)  # they run on in the old environment
        for name in names:
            await there.until(name, "Complete", within=LONG)
        await there.clock.run_until(lambda: len(environments(there)) == 1, within=LONG)
        await there.until_ready(workers, within=LONG)
        assert there.status(workers)["arn"] == new
    assert len(jobs(there)) == len(names)


async def test_an_existing_set_up_is_taken_over_without_a_change_and_stays_when_it_is_let_go():
    there, applied = Installation(), shuffled("adoption", 1)
    before = await made_by_hand(there)
    async with there.running():
        there.calls.clear()
        await apply(there, applied)
        await all_work(there, applied)
        assert {call.partition(":")[2] for call in there.changes()} == {"TagResource"}
        for body in applied:
            if body["kind"] != "AWSAccount":
                assert there.status(key(body))["deletionPolicy"] == "Retain"
        await delete(there, applied, 2)
    assert sorted(left_in_aws(there)) == sorted(before)


async def test_what_the_readme_reads_off_is_what_its_manifests_say():
    """But for what AWS has filled in; and the API takes that as well."""
    there = Installation()
    await made_by_hand(there)
    text = (DIRECTORY / "adoption" / "README.md").read_text()
    asked = re.findall(r"aws batch (describe-\S+) .*--query \\\n +'(.*)'", text)
    assert len(asked) == 3
    kinds = {body["kind"]: body["spec"] for body in bodies("adoption")}
    for command, query in asked:
        answer = getattr(there.aws(), command.replace("-", "_"))()
        found = {k: v for k, v in jmespath.search(query, answer).items() if v is not None}
        kind = "".join(word.capitalize() for word in command.split("-")[1:]).removesuffix("s")
        for entry in found.get("computeEnvironmentOrder", ()):
            del entry["computeEnvironment"]
            entry["computeEnvironmentRef"] = {"name": "nightly"}
        read_spec(BY_KIND[kind], found)
        for name in kinds[kind].keys() - {"adoptionPolicy", "awsName"}:
            assert holds(found[name], kinds[kind][name]), (kind, name)


def holds(found: Any, wanted: Any) -> bool:
    """Whether what was found has everything that is wanted."""
    if isinstance(wanted, dict):
        return all(name in found and holds(found[name], wanted[name]) for name in wanted)
    return bool(found == wanted)


async def made_by_hand(there: Installation) -> list[str]:
    """The set-up of examples/adoption/existing, made as its README says."""
    batch, folder = there.aws(), DIRECTORY / "adoption" / "existing"
    for name, make in (
        ("environment", batch.create_compute_environment),
        ("queue", batch.create_job_queue),
        ("definition", batch.register_job_definition),
    ):
        make(**json.loads((folder / f"{name}.json").read_text()))
        await there.clock.advance(60)
        left_in_aws(there)
    return left_in_aws(there)
