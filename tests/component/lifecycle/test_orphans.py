"""What carries our tags and has no owner: when it goes, and when it does not."""

import asyncio
import re

import pytest
from structlog.testing import capture_logs
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import ENVIRONMENT, unmanaged
from tests.support.orphanage import (
    GONE,
    LEASE,
    OTHER,
    WITHIN_GRACE,
    Orphanage,
    inhabited,
    rows,
    tags,
)
from tests.support.research import ROLE
from tests.support.simulated_aws import any_image

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.kinds.orphans import INTERVAL_SECONDS
from awsbatch_operator.kube.port import DeniedError, UnavailableError
from awsbatch_simulator.jobscript import JobScript


@pytest.fixture(autouse=True)
def images(monkeypatch):
    """The images that there are take a fifth of a second to read."""
    lookup = type(Orphanage().simulator.world.lookup)
    monkeypatch.setattr(lookup, "public_image", any_image)


async def test_all_that_has_no_owner_goes_after_a_while_and_nothing_else():
    there = Orphanage()
    async with there.running():
        live = inhabited(there)
        there.launch(tags(GONE))
        there.template(tags(GONE))
        there.reserve(tags(GONE))
        there.launch(tags("theirs", cluster="another-cluster"))
        there.launch({**tags("images"), "awsbatch.dev/purpose": "image"})
        before = {uid: there.left(uid) for uid in (live, "theirs", "images")}
        await there.look(WITHIN_GRACE)
        assert there.ends() == []
        assert there.left(GONE).keys() == {"instances", "volumes", "templates", "reservations"}
        await there.look(3)  # the volume goes once it is free
        assert there.left(GONE) == {}
        assert {uid: there.left(uid) for uid in before} == before
        ends = sorted(there.ends())
        await there.look(2)
        assert sorted(there.ends()) == ends
    assert ends == [
        "ec2:CancelCapacityReservation",
        "ec2:DeleteLaunchTemplate",
        "ec2:DeleteVolume",
        "ec2:TerminateInstances",
    ]
    first, second = there.told("OrphansRemoved")
    assert first.startswith("Removed, because no owner was left: 1 Instance, 1 Cap")
    assert second == "Removed, because no owner was left: 1 Volume."


async def test_an_owner_of_whom_only_the_api_server_knows_keeps_what_it_has():
    """A cache that was filled from the past, and a watch that is behind."""
    there = Orphanage()
    async with there.running():
        inhabited(there)
        there.unseen.add(ENVIRONMENT)
        uid = there.apply(ENVIRONMENT)
        there.launch(tags(uid))
        there.launch(tags(GONE))
        await there.look(WITHIN_GRACE + 3)
        assert there.left(uid) == {"instances": 1, "volumes": 2}
        assert there.left(GONE) == {}
        assert there.process.metrics.registry.get_sample_value(
            "awsbatch_operator_orphans", {"thing": "Instance"}
        ) == pytest.approx(0)


@pytest.mark.parametrize("error", [UnavailableError("no answer"), DeniedError("forbidden")])
async def test_without_an_answer_about_the_owner_nothing_goes(error, monkeypatch):
    async def get(_):
        raise error

    there = Orphanage()
    async with there.running():
        inhabited(there)
        there.launch(tags(GONE))
        with monkeypatch.context() as broken:
            broken.setattr(there.kube, "get", get)
            await there.look(WITHIN_GRACE + 3)
        assert there.ends() == []
        await there.look()
        assert there.left(GONE) == {"volumes": 1}


def number(there):
    [text] = there.told("OrphansHeld")
    [found] = re.findall(r"awsbatch.dev/confirm-orphans=(\w+) ", text)
    assert f"kubectl annotate lease -n {LEASE[0]} {LEASE[1]} --overwrite" in text
    return found


async def test_many_orphans_wait_until_their_very_set_is_confirmed():
    there = Orphanage()
    async with there.running():
        inhabited(there)
        there.launch(tags(GONE), 11)
        await there.look(WITHIN_GRACE + 2)
        assert there.ends() == []
        assert "11 Instances" in there.told("OrphansHeld")[0]
        assert "more than 10 at once" in there.told("OrphansHeld")[0]
        for wrong in ("true", "0" * 16):
            there.confirm(wrong)
            await there.look()
        assert there.ends() == []
        there.confirm(number(there))
        await there.look()
        assert there.left(GONE) == {"volumes": 11}
        await there.look()
        assert there.left(GONE) == {"volumes": 11}, "they were not among what was confirmed"


async def test_few_orphans_wait_too_where_there_is_little_else():
    there = Orphanage()
    async with there.running():
        there.launch(tags(GONE), 1)
        await there.look(WITHIN_GRACE + 2)
        assert there.ends() == []
        assert "more than 20% of the 3 things" in there.told("OrphansHeld")[0]
        there.confirm(number(there))
        await there.look()
        assert there.left(GONE) == {"volumes": 1}


async def test_what_belongs_to_an_environment_that_aws_still_has_waits_and_the_rest_goes():
    """It was retained, or another cluster by mistake has our id."""
    there = Orphanage()
    async with there.running():
        inhabited(there)
        cluster = there.environment("theirs", tags(GONE))
        there.launch(tags(GONE), cluster=cluster)
        there.launch(tags("2222-dead"))
        await there.look(WITHIN_GRACE + 3)
        assert there.left(GONE) == {"instances": 1, "volumes": 2}
        assert there.left("2222-dead") == {}
        assert "AWS still has their environment" in there.told("OrphansHeld")[0]
        there.confirm(number(there))
        await there.look(2)  # it is drained first
        assert there.left(GONE) == {"volumes": 1}


async def test_an_instance_of_an_environment_with_a_new_owner_ends_when_its_jobs_have():
    """As after a cluster was built anew from Git: same name, another uid."""
    there = Orphanage()
    world = there.simulator.world
    script = JobScript(duration_seconds=7200)
    world.change(world.settings.model_copy(update={"job_scripts": (script,)}))
    async with there.running():
        inhabited(there)
        uid = there.apply(ENVIRONMENT)
        cluster = there.environment("pool", tags(uid))
        there.launch(tags(GONE), cluster=cluster)
        job = submitted(there)
        await there.look(WITHIN_GRACE + 3)
        assert there.ends() == ["ecs:UpdateContainerInstancesState"]
        assert there.left(GONE)["instances"] == 1
        await there.look(12)
        assert there.aws("batch").describe_jobs(jobs=[job])["jobs"][0]["status"] == "SUCCEEDED"
        assert there.left(GONE) == {}


def submitted(there):
    """A job that runs in the environment `pool`."""
    batch = there.aws("batch")
    order = [{"order": 1, "computeEnvironment": "pool"}]
    batch.create_job_queue(jobQueueName="q", priority=1, computeEnvironmentOrder=order)
    sizes = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}]
    container = {"image": "busybox", "resourceRequirements": sizes}
    batch.register_job_definition(
        jobDefinitionName="d", type="container", containerProperties=container
    )
    there.clock.skip(60)
    job = batch.submit_job(jobName="j", jobQueue="q", jobDefinition="d")["jobId"]
    there.clock.skip(120)
    assert batch.describe_jobs(jobs=[job])["jobs"][0]["status"] == "RUNNING"
    return job


async def test_an_account_that_cannot_be_asked_holds_up_no_other_and_another_identity_serves():
    there = Orphanage()
    region = there.simulator.place.region
    status = {
        "accountId": there.simulator.place.account,
        "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}],
    }
    closed = ROLE.replace("batch-operator", "closed")
    for name, role, where in (("elsewhere", closed, "us-east-1"), ("here", ROLE, region)):
        key = ObjectKey("AWSAccount", "", name)
        there.apply(key, {"roleArn": role, "region": where})
        body = there.kube.objects.get(key)
        there.kube.objects.save(key, {**body, "status": status})
    async with there.running():
        inhabited(there)
        there.launch(tags(GONE))
        there.fault(effect="deny", service="ec2", operation="Describe*", principal="*user*")
        there.fault(effect="deny", service="sts", match={"RoleArn": closed})
        await there.look(WITHIN_GRACE + 3)
        there.simulator.world.faults.clear()
        assert there.left(GONE) == {}


async def test_a_place_that_refuses_to_list_is_not_asked_again_for_a_day():
    there = Orphanage()
    there.fault(effect="deny", service="ec2", operation="DescribeInstances")
    async with there.running():
        await there.look(140)
        assert there.calls.count("ec2:DescribeInstances") == 1
        await there.look(10)
        assert there.calls.count("ec2:DescribeInstances") == 2


async def test_with_an_operator_of_one_namespace_what_belongs_to_others_stays():
    there = Orphanage(namespaces=(NAMESPACE,))
    async with there.running():
        inhabited(there)
        there.launch(tags(GONE))
        there.launch(tags("theirs", ObjectKey("ComputeEnvironment", "other", "pool")))
        await there.look(WITHIN_GRACE + 3)
        assert there.left(GONE) == {}
        assert there.left("theirs") == {"instances": 1, "volumes": 2}


async def test_one_instance_that_cannot_end_keeps_no_other():
    there = Orphanage()
    async with there.running():
        inhabited(there)
        first, _ = there.launch(tags(GONE), 2)
        protect = {"InstanceId": first, "DisableApiTermination": {"Value": True}}
        there.aws("ec2").modify_instance_attribute(**protect)
        await there.look(WITHIN_GRACE + 2)
        assert there.left(GONE)["instances"] == 1


async def test_the_whole_operator_removes_orphans_and_tells_of_it():
    there = Installation(lease_namespace=NAMESPACE, orphans=True)
    async with there.running():
        there.apply(ENVIRONMENT, unmanaged())
        await there.until_ready(ENVIRONMENT)
        live = tags(there.kube.see(ENVIRONMENT)["metadata"]["uid"])
        for number, wanted in enumerate([*[live] * 4, tags(GONE, OTHER)]):
            there.aws("ec2").create_launch_template(
                LaunchTemplateName=f"template-{number}",
                LaunchTemplateData={"ImageId": "ami-1"},
                TagSpecifications=[{"ResourceType": "launch-template", "Tags": rows(wanted)}],
            )
        await there.clock.advance(INTERVAL_SECONDS * (WITHIN_GRACE + 2))
        left = there.aws("ec2").describe_launch_templates()["LaunchTemplates"]
        assert len(left) == 4
        assert there.metric("orphans_removed_total", thing="LaunchTemplate") == 1
        lease = ObjectKey("Lease", NAMESPACE, "aws-batch-operator")
        assert [reason for reason, _ in there.events(lease)] == ["OrphansRemoved"]


async def test_a_pass_that_fails_is_told_and_followed_by_the_next(monkeypatch):
    there = Orphanage()
    async with there.running():
        passes, failures = there.operator.orphans, iter([ValueError("odd"), LeaseLostError("late")])
        looks: list[bool] = []

        async def once(_: asyncio.Event, *, images: bool = True) -> None:
            looks.append(images)
            for failure in failures:
                raise failure

        stop = asyncio.Event()
        monkeypatch.setattr(passes, "_used", True)
        monkeypatch.setattr(passes, "once", once)
        there.operator.engine.listed.set()
        with capture_logs() as lines:
            running = asyncio.ensure_future(passes.run(stop))
            await there.clock.advance(3 * INTERVAL_SECONDS + 1)
            assert not running.done()
            stop.set()
            await running
    assert len(looks) == 3
    assert [line["log_level"] for line in lines] == ["error", "warning"]
