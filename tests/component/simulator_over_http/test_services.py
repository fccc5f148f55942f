"""Our services through boto3: every operation, from the client's call to the client's answer."""

import json
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from awsbatch_simulator.faults import Effect, FaultSpec

IMAGE = "ami-12c6146b"  # a public one
CONTAINER = {
    "image": "busybox",
    "command": ["echo", "<hello>"],
    "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
}


@pytest.fixture
def called(session, simulator):
    """The names of the operations that clients of the session have called, by service."""
    return lambda service: set(simulator.dispatcher.calls.report()["services"].get(service, {}))


class Batch:
    """A small installation: environment, queue, definition."""

    def __init__(self, simulator, client):
        self.world = simulator.world
        self.client = client("batch")
        self.client.create_compute_environment(
            computeEnvironmentName="main",
            type="MANAGED",
            state="ENABLED",
            computeResources={
                "type": "EC2",
                "minvCpus": 0,
                "maxvCpus": 16,
                "instanceTypes": ["m7i.large"],
                "subnets": ["subnet-1"],
                "securityGroupIds": ["sg-1"],
                "instanceRole": "ecsInstanceRole",
            },
            tags={"team": "a"},
        )
        self.world.advance(30)
        self.queue = self.client.create_job_queue(
            jobQueueName="main",
            priority=1,
            computeEnvironmentOrder=[{"order": 1, "computeEnvironment": "main"}],
        )["jobQueueArn"]
        self.world.advance(30)
        self.definition = self.client.register_job_definition(
            jobDefinitionName="main", type="container", containerProperties=CONTAINER
        )["jobDefinitionArn"]

    def submit(self, name="a", **more):
        answer = self.client.submit_job(jobName=name, jobQueue="main", jobDefinition="main", **more)
        return answer["jobId"]

    def job(self, job):
        return self.client.describe_jobs(jobs=[job])["jobs"][0]


@pytest.fixture
def batch(simulator, client):
    return Batch(simulator, client)


def test_a_job_runs_to_its_end_and_its_output_can_be_read(simulator, batch, client):
    job = batch.submit(tags={"awsbatch.dev/name": "a"})
    while (found := batch.job(job))["status"] not in ("SUCCEEDED", "FAILED"):
        simulator.world.advance(5)
    assert (found["status"], found["container"]["exitCode"]) == ("SUCCEEDED", 0)
    assert found["tags"] == {"awsbatch.dev/name": "a"}
    [attempt] = found["attempts"]
    instance = attempt["container"]["containerInstanceArn"]
    cluster = batch.client.describe_compute_environments()["computeEnvironments"][0]
    [described] = client("ecs").describe_container_instances(
        cluster=cluster["ecsClusterArn"], containerInstances=[instance]
    )["containerInstances"]
    reservations = client("ec2").describe_instances(InstanceIds=[described["ec2InstanceId"]])
    [running] = reservations["Reservations"][0]["Instances"]
    assert running["InstanceType"] == "m7i.large"
    assert running["SubnetId"] == "subnet-1"
    client("logs").get_log_events(
        logGroupName="/aws/batch/job", logStreamName=found["container"]["logStreamName"]
    )


def test_every_operation_of_batch_answers_through_boto3(simulator, batch, called):
    api = batch.client
    job, other = batch.submit("a"), batch.submit("b")
    api.list_jobs(jobQueue="main", jobStatus="RUNNABLE")
    api.describe_jobs(jobs=[job])
    api.get_job_queue_snapshot(jobQueue="main")
    api.cancel_job(jobId=job, reason="no need")
    api.terminate_job(jobId=other, reason="no need")
    api.cancel_jobs(jobs=[job], reason="no need")
    api.terminate_jobs(jobs=[other], reason="no need")
    simulator.world.advance(60)
    api.tag_resource(resourceArn=batch.queue, tags={"a": "b"})
    assert api.list_tags_for_resource(resourceArn=batch.queue)["tags"] == {"a": "b"}
    api.untag_resource(resourceArn=batch.queue, tagKeys=["a"])
    assert api.list_tags_for_resource(resourceArn=batch.queue)["tags"] == {}
    policy = api.create_scheduling_policy(name="fair", fairsharePolicy={"shareDecaySeconds": 60})
    api.update_scheduling_policy(arn=policy["arn"], fairsharePolicy={"shareDecaySeconds": 90})
    api.list_scheduling_policies()
    api.describe_scheduling_policies(arns=[policy["arn"]])
    api.delete_scheduling_policy(arn=policy["arn"])
    api.describe_job_definitions(jobDefinitionName="main", status="ACTIVE")
    api.deregister_job_definition(jobDefinition=batch.definition)
    api.update_job_queue(jobQueue="main", state="DISABLED")
    simulator.world.advance(30)
    api.delete_job_queue(jobQueue="main")
    simulator.world.advance(60)
    assert api.describe_job_queues()["jobQueues"] == []
    api.update_compute_environment(computeEnvironment="main", state="DISABLED")
    simulator.world.advance(30)
    api.delete_compute_environment(computeEnvironment="main")
    simulator.world.advance(600)
    assert api.describe_compute_environments()["computeEnvironments"] == []
    assert called("batch") == set(simulator.world.services["batch"].handlers)


def test_instances_and_their_tags_answer_through_boto3(simulator, client):
    ec2 = client("ec2")
    tags = [{"Key": "Name", "Value": "<a> & b"}]
    launched = ec2.run_instances(
        ImageId=IMAGE,
        InstanceType="m7i.large",
        MinCount=2,
        MaxCount=2,
        SubnetId="subnet-2",
        SecurityGroupIds=["sg-1"],
        IamInstanceProfile={"Name": "ecsInstanceRole"},
        UserData="#!/bin/sh\n",
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        ClientToken="one",
    )["Instances"]
    ids = [instance["InstanceId"] for instance in launched]
    simulator.world.advance(60)
    ec2.create_tags(Resources=ids[:1], Tags=[{"Key": "team", "Value": "a"}])
    found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": ids}])["Tags"]
    assert {"team", "Name"} == {tag["Key"] for tag in found}
    ec2.delete_tags(Resources=ids[:1], Tags=[{"Key": "team"}])
    by_tag = [{"Name": "tag:Name", "Values": ["<a> & b"]}]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=by_tag)
    seen = [one for page in pages for group in page["Reservations"] for one in group["Instances"]]
    assert {one["InstanceId"]: one["State"]["Name"] for one in seen} == dict.fromkeys(
        ids, "running"
    )
    assert seen[0]["Placement"]["AvailabilityZone"] == "eu-central-1b"
    ec2.terminate_instances(InstanceIds=ids)
    simulator.world.advance(60)
    with pytest.raises(ClientError, match="DryRunOperation"):
        ec2.terminate_instances(InstanceIds=ids, DryRun=True)
    _go_through_templates(ec2)
    ec2.create_placement_group(GroupName="near", Strategy="cluster")
    (group,) = ec2.describe_placement_groups(GroupNames=["near"])["PlacementGroups"]
    assert group["Strategy"] == "cluster"
    ec2.delete_placement_group(GroupName="near")


def test_fleets_and_spot_requests_answer_through_boto3(client):
    """Every single operation: tests/simulator/test_every_operation.py."""
    ec2 = client("ec2")
    data = {"ImageId": IMAGE, "InstanceType": "m7i.large"}
    ec2.create_launch_template(LaunchTemplateName="pool", LaunchTemplateData=data)
    specification = {"LaunchTemplateName": "pool", "Version": "1"}
    overrides = [
        {"InstanceType": name, "SubnetId": f"subnet-{zone}", "Priority": 1}
        for name in ("m5.large", "r5.large")
        for zone in (1, 2)
    ]
    config = {"LaunchTemplateSpecification": specification, "Overrides": overrides}
    target = {"TotalTargetCapacity": 3, "DefaultTargetCapacityType": "spot"}
    fleet = ec2.create_fleet(
        Type="instant",
        LaunchTemplateConfigs=[config],
        TargetCapacitySpecification=target,
        SpotOptions={"AllocationStrategy": "price-capacity-optimized"},
    )
    ids = [each for group in fleet["Instances"] for each in group["InstanceIds"]]
    assert len(ids) == 3
    pages = ec2.get_paginator("describe_spot_instance_requests").paginate(MaxResults=5)
    assert {one["InstanceId"] for page in pages for one in page["SpotInstanceRequests"]} == set(ids)


def test_capacity_reservations_and_prices_answer_through_boto3(simulator, client):
    ec2 = client("ec2")
    end = datetime.fromtimestamp(simulator.world.clock.now() + 3600, UTC)
    reservation = ec2.create_capacity_reservation(
        InstanceType="r5.large",
        InstancePlatform="Linux/UNIX",
        AvailabilityZone="eu-central-1a",
        InstanceCount=2,
        EndDate=end,
        EndDateType="limited",
    )["CapacityReservation"]
    assert reservation["EndDate"] == end
    now = ec2.describe_spot_price_history(InstanceTypes=["r5.large"])["SpotPriceHistory"]
    assert len(now) == 3
    assert float(now[0]["SpotPrice"]) < 0.1
    wanted = {"instanceType": "r5.large", "regionCode": "eu-central-1", "operatingSystem": "Linux"}
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": wanted[name]} for name in wanted]
    listed = client("pricing").get_products(ServiceCode="AmazonEC2", Filters=filters)["PriceList"]
    assert len(listed) == 4
    quotas = client("service-quotas")
    quota = quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-34B43A08")["Quota"]
    assert quota["QuotaName"].startswith("All Standard")


def _go_through_templates(ec2):
    """The whole life of a launch template."""
    data = {"InstanceType": "m7i.large", "UserData": "PGE+ICYgYg=="}
    made = ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    which = {"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"]}
    ec2.create_launch_template_version(**which, LaunchTemplateData={"ImageId": IMAGE})
    ec2.modify_launch_template(**which, DefaultVersion="2")
    (template,) = ec2.describe_launch_templates(LaunchTemplateNames=["web"])["LaunchTemplates"]
    assert (template["DefaultVersionNumber"], template["LatestVersionNumber"]) == (2, 2)
    versions = ec2.describe_launch_template_versions(**which, Versions=["1", "$Latest"])
    found = {
        one["VersionNumber"]: one["LaunchTemplateData"]
        for one in versions["LaunchTemplateVersions"]
    }
    assert found == {1: data, 2: {"ImageId": IMAGE}}
    ec2.delete_launch_template_versions(**which, Versions=["1"])
    ec2.delete_launch_template(**which)


def test_every_operation_of_ecs_answers_through_boto3(simulator, batch, client, called):
    batch.submit()
    simulator.world.advance(60)
    ecs = client("ecs")
    [environment] = batch.client.describe_compute_environments()["computeEnvironments"]
    cluster = environment["ecsClusterArn"]
    assert cluster in ecs.list_clusters()["clusterArns"]
    assert ecs.describe_clusters(clusters=[cluster])["clusters"][0]["status"] == "ACTIVE"
    [arn] = ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
    [instance] = ecs.describe_container_instances(cluster=cluster, containerInstances=[arn])[
        "containerInstances"
    ]
    assert instance["registeredAt"].timestamp() <= simulator.world.clock.now()
    tasks = ecs.list_tasks(cluster=cluster)["taskArns"]
    ecs.describe_tasks(cluster=cluster, tasks=tasks or ["a"])
    ecs.update_container_instances_state(
        cluster=cluster, containerInstances=[arn], status="DRAINING"
    )
    ecs.deregister_container_instance(cluster=cluster, containerInstance=arn, force=True)
    ecs.create_cluster(clusterName="mine")
    ecs.register_container_instance(
        cluster="mine",
        instanceIdentityDocument=json.dumps({"instanceId": instance["ec2InstanceId"]}),
        totalResources=instance["registeredResources"],
    )
    ecs.delete_cluster(cluster=ecs.create_cluster(clusterName="empty")["cluster"]["clusterName"])
    assert called("ecs") == set(simulator.world.services["ecs"].handlers)


def test_young_jobs_can_be_hidden_from_the_client(simulator, batch):
    hide = FaultSpec(effect=Effect.HIDE, operation="DescribeJobs", seconds=30)
    simulator.world.faults.add(hide)
    job = batch.submit()
    assert batch.client.describe_jobs(jobs=[job])["jobs"] == []
    simulator.world.advance(31)
    assert batch.job(job)["jobId"] == job


def test_two_accounts_see_nothing_of_each_other(simulator, batch, session):
    elsewhere = session.client("batch", region_name="us-east-1")
    assert elsewhere.describe_compute_environments()["computeEnvironments"] == []
    assert elsewhere.describe_job_queues()["jobQueues"] == []
