"""Which instances join which cluster, with what, and what becomes of them when they end."""

import pytest
from tests.simulator.cloud import PROFILE
from tests.simulator.hosts import (
    cluster,
    console,
    joined,
    joining,
    launch,
    resources,
    unmanaged,
    why,
)
from tests.simulator.instances import state

from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.host import sizes
from awsbatch_simulator.hosting import Hosts

GPU = "g4dn.12xlarge"  # four GPUs
NEXT = {"InstanceInitiatedShutdownBehavior": "terminate"}


def attributes(instance: dict) -> dict[str, str | None]:
    return {each["name"]: each.get("value") for each in instance["attributes"]}


def test_jobs_wait_until_an_instance_with_room_has_joined_and_run_on_it():
    cloud = unmanaged()
    job_id = cloud.submit()
    cloud.step(100)
    assert cloud.status(job_id) == "RUNNABLE"
    launch(cloud, joining(cloud), seconds=39)
    assert joined(cloud) == []
    cloud.step(30)
    assert cloud.status(job_id) == "SUCCEEDED"


def test_an_agent_registers_what_its_settings_say():
    cloud = unmanaged()
    settings = (
        'ECS_INSTANCE_ATTRIBUTES={"pool":"spot","image":"a b/c:1.2@x"}',
        'ECS_CONTAINER_INSTANCE_TAGS={"team":"one"}',
        "ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM=ec2_instance",
        "ECS_RESERVED_MEMORY=32",
        "ECS_CLUSTER=nobody",
        f"ECS_CLUSTER={cluster(cloud)}",
    )
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "host"},
                                                  {"Key": "owner", "Value": "me"}]}]  # fmt: skip
    launch(cloud, joining(cloud, *settings), InstanceType="m4.large", TagSpecifications=tags)
    [instance] = joined(cloud)
    assert resources(instance) == {"CPU": 2048, "MEMORY": 7985 - 32}
    assert {"pool": "spot", "image": "a b/c:1.2@x"}.items() <= attributes(instance).items()
    assert attributes(instance)["ecs.instance-type"] == "m4.large"
    assert {each["key"]: each["value"] for each in instance["tags"]} == {
        "team": "one", "owner": "me"}  # fmt: skip
    found = joined(cloud, filter="attribute:pool == spot")
    assert [each["containerInstanceArn"] for each in found] == [instance["containerInstanceArn"]]


@pytest.mark.parametrize(
    ("type_name", "memory"),
    [
        ("m4.large", 7985),  # Batch user guide
        ("m4.2xlarge", 32_176),  # a user's table
        ("m6i.large", 7821),
        ("m5.2xlarge", 31_431),  # aws/containers-roadmap#2231
    ],
)
def test_less_memory_is_registered_than_a_type_has(type_name, memory):
    size = instance_type(type_name)
    assert size is not None
    assert sizes.memory(size, Hosts()) == memory
    assert sizes.memory(size, Hosts(registered_memory={type_name: 5})) == 5


def test_cpu_options_count():
    cloud = unmanaged()
    launch(cloud, joining(cloud), CpuOptions={"CoreCount": 1, "ThreadsPerCore": 1})
    assert resources(joined(cloud)[0])["CPU"] == 1024


def test_gpus_are_registered_and_given_to_jobs_one_by_one():
    cloud = unmanaged()
    sizes_of_one = {"VCPU": "1", "MEMORY": "512", "GPU": "2"}
    requirements = [{"type": kind, "value": value} for kind, value in sizes_of_one.items()]
    cloud.definition("gpus", container={"resourceRequirements": requirements})
    jobs = [cloud.submit("long", definition="gpus") for _ in range(3)]
    launch(cloud, joining(cloud))
    assert [cloud.status(each) for each in jobs] == ["RUNNABLE"] * 3
    launch(cloud, joining(cloud), InstanceType=GPU)
    assert [cloud.status(each) for each in jobs] == ["RUNNING", "RUNNING", "RUNNABLE"]
    [instance] = [each for each in joined(cloud) if "GPU" in resources(each)]
    assert len(resources(instance)["GPU"]) == 4
    assert resources(instance, "remainingResources")["GPU"] in ([], 0)


def test_gpus_need_an_image_with_their_driver():
    cloud = unmanaged(gpu_images=("ami-gpu*",))
    launch(cloud, joining(cloud), InstanceType=GPU)
    launch(cloud, joining(cloud), InstanceType=GPU, ImageId="ami-gpu1")
    launch(cloud, joining(cloud, "ECS_ENABLE_GPU_SUPPORT=false"), InstanceType=GPU,
           ImageId="ami-gpu1")  # fmt: skip
    assert sorted("GPU" in resources(each) for each in joined(cloud)) == [False, False, True]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["ECS_CLUSTER=nobody"], "ClusterNotFoundException"),
        (["ECS_CLUSTER=arn:aws:ecs:us-east-1:111122223333:cluster/own"], "ClusterNotFound"),
        (["ECS_INSTANCE_ATTRIBUTES={pool:main}"], "ECS_INSTANCE_ATTRIBUTES"),
        (['ECS_INSTANCE_ATTRIBUTES={"a":"no,comma"}'], "InvalidParameterException"),
        (['ECS_CONTAINER_INSTANCE_TAGS={"aws:a":"b"}'], "reserved for AWS"),
        (["ECS_RESERVED_MEMORY=9000"], "Reserved memory"),
    ],
)
def test_an_agent_with_wrong_settings_never_joins(lines, reason):
    cloud = unmanaged()
    instance_id = launch(cloud, joining(cloud, *lines), seconds=4000)
    assert joined(cloud) == []
    assert reason in why(cloud, instance_id)
    assert cloud("ListClusters")["clusterArns"] == [cluster(cloud)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"IamInstanceProfile": {}}, "no rights"),
        ({"ImageId": "ami-windows"}, "no ECS agent"),
    ],
)
def test_an_instance_without_rights_or_agent_never_joins(fields, reason):
    cloud = unmanaged(agent_images=("ami-1",))
    assert reason in why(cloud, launch(cloud, joining(cloud), **fields))


def test_a_profile_that_was_deleted_gives_no_rights():
    cloud = unmanaged()
    instance_id = launch(cloud, joining(cloud), seconds=10)
    cloud.known.missing.add(PROFILE)
    cloud.step(60)
    assert "no rights for ecs:RegisterContainerInstance" in why(cloud, instance_id)


def test_without_a_cluster_it_joins_default_which_it_creates_if_it_may():
    cloud = unmanaged()
    cloud.fault("instance_role_lacks_permissions", action="ecs:CreateCluster")
    instance_id = launch(cloud, "#!/bin/sh\necho nothing\n")
    assert "ecs:CreateCluster" in why(cloud, instance_id)
    cloud.world.faults.clear()
    launch(cloud)
    assert len(joined(cloud, "default")) == 1
    assert joined(cloud) == []


def test_agents_that_never_join_are_chosen_by_tag_and_count():
    cloud = unmanaged()
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "pool", "Value": "bad"}]}]
    cloud.fault("agent_never_joins", tags="pool=bad")
    launch(cloud, joining(cloud), TagSpecifications=tags, seconds=9000)
    assert joined(cloud) == []
    launch(cloud, joining(cloud))
    assert len(joined(cloud)) == 1


def test_a_second_agent_on_a_host_is_a_container_instance_of_its_own():
    cloud = unmanaged()
    cloud("CreateCluster", clusterName="other")
    second = "docker run -d -e ECS_CLUSTER=other --env=ECS_RESERVED_MEMORY=32"
    instance_id = launch(cloud, joining(cloud) + second + " amazon/amazon-ecs-agent:latest\n")
    [one], [two] = joined(cloud), joined(cloud, "other")
    assert {one["ec2InstanceId"], two["ec2InstanceId"]} == {instance_id}
    assert resources(one)["MEMORY"] - resources(two)["MEMORY"] == 32
    cloud("TerminateInstances", InstanceIds=[instance_id])
    assert (joined(cloud), joined(cloud, "other")) == ([], [])


def test_a_terminated_host_ends_its_jobs_and_the_status_reason_can_be_retried():
    cloud = unmanaged()
    rules = [{"onStatusReason": "Host EC2*", "action": "RETRY"},
             {"onReason": "*", "action": "EXIT"}]  # fmt: skip
    again = cloud.submit("long", retryStrategy={"attempts": 2, "evaluateOnExit": rules})
    once = cloud.submit("long")
    instance_id = launch(cloud, joining(cloud))
    assert (cloud.status(again), cloud.status(once)) == ("RUNNING", "RUNNING")
    cloud("TerminateInstances", InstanceIds=[instance_id])
    reason = f"Host EC2 (instance {instance_id}) terminated."
    assert (cloud.status(again), cloud.status(once)) == ("RUNNABLE", "FAILED")
    assert cloud.job(once)["statusReason"] == reason
    assert cloud.job(again)["attempts"][0]["statusReason"] == reason
    assert "exitCode" not in cloud.job(again)["attempts"][0]["container"]
    launch(cloud, joining(cloud))
    assert cloud.status(again) == "RUNNING"


def test_a_terminated_one_is_described_as_inactive_for_an_hour():
    cloud = unmanaged()
    instance_id = launch(cloud, joining(cloud))
    arn = joined(cloud)[0]["containerInstanceArn"]
    cloud("TerminateInstances", InstanceIds=[instance_id])
    where = {"cluster": cluster(cloud), "containerInstances": [arn]}
    [instance] = cloud("DescribeContainerInstances", **where)["containerInstances"]
    assert (instance["status"], instance["agentConnected"]) == ("INACTIVE", False)
    assert "tags" not in instance
    cloud.step(3601)
    answer = cloud("DescribeContainerInstances", **where)
    assert [each["reason"] for each in answer["failures"]] == ["MISSING"]


def test_one_whose_agent_is_disconnected_stays_registered_until_it_is_deregistered():
    cloud = unmanaged()
    instance_id = launch(cloud, joining(cloud))
    running = cloud.submit("long")
    cloud.step(20)
    cloud.fault("agent_disconnected", instanceId=instance_id)
    waiting = cloud.submit("long")
    cloud.step(100)
    [instance] = joined(cloud, filter="agentConnected == false")
    assert joined(cloud, filter="agentConnected == true") == []
    assert (instance["status"], instance["agentConnected"]) == ("ACTIVE", False)
    assert (cloud.status(running), cloud.status(waiting)) == ("RUNNING", "RUNNABLE")
    cloud("TerminateInstances", InstanceIds=[instance_id])
    cloud.world.faults.clear()
    cloud.step(9000)
    [instance] = joined(cloud)
    assert (instance["status"], instance["agentConnected"]) == ("ACTIVE", False)
    assert cloud.job(running)["statusReason"] == f"Host EC2 (instance {instance_id}) terminated."
    assert cloud.status(waiting) == "RUNNABLE"
    where = {"cluster": cluster(cloud), "containerInstance": instance["containerInstanceArn"]}
    cloud("DeregisterContainerInstance", **where)
    assert joined(cloud) == []


def test_no_jobs_are_placed_after_the_cluster_was_deleted_by_hand():
    cloud = unmanaged()
    name = cluster(cloud)
    cloud("DeleteCluster", cluster=name)
    job_id = cloud.submit()
    cloud.step(120)
    environment = cloud("DescribeComputeEnvironments")["computeEnvironments"][0]
    assert environment["status"] == "INVALID"
    assert "Clusters can not be blank" in environment["statusReason"]
    instance_id = launch(cloud, f"#!/bin/sh\necho ECS_CLUSTER={name} >> /etc/ecs/ecs.config\n")
    assert "ClusterNotFoundException" in why(cloud, instance_id)
    assert cloud.status(job_id) == "RUNNABLE"


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        ("shutdown -P +30", 1800),
        ("sudo /sbin/shutdown -P 90", 5400),
    ],
)
def test_an_instance_shuts_itself_down_at_the_time_that_its_user_data_sets(command, seconds):
    cloud = unmanaged()
    instance_id = launch(cloud, joining(cloud) + command + "\n", seconds=19.9, **NEXT)
    instance = cloud.region.ec2.instances[instance_id]
    cloud.step(0.1 + seconds - 1)
    assert state(cloud, instance_id) == "running"
    cloud.step(2)
    assert instance.state.gone
    assert (instance.state_reason or ("",))[0] == "Client.InstanceInitiatedShutdown"
    assert joined(cloud) == []


def test_a_console_is_kept_as_long_as_its_instance_is_known():
    cloud = unmanaged()
    instance_id = launch(cloud, joining(cloud))
    assert "Interpreted, not executed" in console(cloud, instance_id)
    cloud("TerminateInstances", InstanceIds=[instance_id])
    cloud.step(60)
    assert console(cloud, instance_id)
    cloud.step(4000)
    assert not console(cloud, instance_id)
