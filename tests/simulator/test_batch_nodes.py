"""Multi-node parallel jobs: placed, described, listed. [bc] is the text of botocore's model."""

from typing import Any

import pytest
from tests.simulator.cloud import ROLE, ready, serverless
from tests.simulator.parallel import SHORT, UP, container, nodes_of, parallel, running, statuses

from awsbatch_simulator.jobscript import JobScript


def test_all_nodes_are_placed_together_each_on_an_instance_of_its_own():
    cloud, job_id = running()
    assert cloud.status(job_id) == "RUNNING"
    assert statuses(cloud, job_id) == ["RUNNING"] * 3
    hosts = {each["container"]["containerInstanceArn"] for each in nodes_of(cloud, job_id)}
    assert len(hosts) == 3
    other = cloud.submit("single")
    cloud.step(5)
    assert cloud.status(other) == "RUNNABLE"  # nothing else runs where a node does


def test_no_node_starts_before_all_of_them_find_room():
    cloud = ready(JobScript(duration_seconds=300), maxvCpus=4)
    parallel(cloud, count=3)
    job_id = cloud.submit(definition="mpi")
    cloud.step(UP)
    assert cloud.status(job_id) == "RUNNABLE"
    assert cloud("DescribeInstances")["Reservations"] == []  # none is started in vain
    cloud.step(400)
    assert "COMPUTE_ENVIRONMENT_MAX_RESOURCE" in cloud.job(job_id)["statusReason"]
    smaller = cloud.submit(definition="mpi", nodeOverrides={"numNodes": 2})
    cloud("TerminateJob", jobId=job_id, reason="too large")
    cloud.step(UP)
    assert statuses(cloud, job_id) == ["FAILED"] * 3
    assert statuses(cloud, smaller, 2) == ["RUNNING"] * 2


def test_the_main_node_starts_first_and_the_others_when_it_runs():
    cloud = ready(SHORT, minvCpus=16)
    cloud.step(60)
    parallel(cloud, main=1)
    job_id = cloud.submit(definition="mpi")
    cloud.step(2)
    assert statuses(cloud, job_id) == ["RUNNABLE", "STARTING", "RUNNABLE"]
    assert cloud.status(job_id) == "STARTING"
    cloud.step(5)
    assert statuses(cloud, job_id) == ["STARTING", "RUNNING", "STARTING"]
    assert cloud.status(job_id) == "RUNNING"


def test_a_job_and_its_nodes_are_described_as_by_aws():
    cloud, job_id = running(main=2)
    job, nodes = cloud.job(job_id), nodes_of(cloud, job_id)
    assert job["nodeProperties"]["numNodes"] == 3
    assert job["nodeProperties"]["mainNode"] == 2
    assert job["nodeProperties"]["nodeRangeProperties"][0]["container"]["command"] == ["run"]
    assert not {"container", "nodeDetails", "arrayProperties"} & job.keys()
    assert [each["nodeDetails"] for each in nodes] == [
        {"nodeIndex": 0, "isMainNode": False},
        {"nodeIndex": 1, "isMainNode": False},
        {"nodeIndex": 2, "isMainNode": True},
    ]
    assert job["startedAt"] == nodes[2]["startedAt"]
    assert nodes[1]["container"]["command"] == ["run"]
    assert nodes[1]["jobArn"] == f"{job['jobArn']}#1"
    assert not {"nodeProperties", "arrayProperties"} & nodes[0].keys()


def test_nodes_are_listed_by_their_job_and_never_by_their_queue():
    cloud, job_id = running()
    listed = cloud("ListJobs", multiNodeJobId=job_id)["jobSummaryList"]
    assert [each["jobId"] for each in listed] == [f"{job_id}#{index}" for index in range(3)]
    assert listed[0]["nodeProperties"] == {"isMainNode": True, "numNodes": 3, "nodeIndex": 0}
    assert cloud("ListJobs", arrayJobId=job_id)["jobSummaryList"] == []
    (parent,) = cloud("ListJobs", jobQueue="main")["jobSummaryList"]
    assert (parent["jobId"], parent["nodeProperties"]) == (job_id, {"numNodes": 3})
    first = cloud("ListJobs", multiNodeJobId=job_id, maxResults=2)
    rest = cloud("ListJobs", multiNodeJobId=job_id, nextToken=first["nextToken"])
    assert [each["jobId"] for each in rest["jobSummaryList"]] == [f"{job_id}#2"]


def test_the_variables_of_nodes_name_the_main_one_and_its_address_to_the_others(monkeypatch):
    seen: dict[str, dict[str, str]] = {}

    def begin(run: Any) -> None:
        seen[run._work.job_id] = run._work.environment

    monkeypatch.setattr("awsbatch_simulator.runners.script.ScriptRun.begin", begin)
    cloud, job_id = running(main=1)
    main, other = seen[f"{job_id}#1"], seen[f"{job_id}#2"]
    assert main["AWS_BATCH_JOB_NODE_INDEX"] == main["AWS_BATCH_JOB_MAIN_NODE_INDEX"] == "1"
    assert (other["AWS_BATCH_JOB_NODE_INDEX"], other["AWS_BATCH_JOB_NUM_NODES"]) == ("2", "3")
    (interface,) = nodes_of(cloud, job_id)[1]["container"]["networkInterfaces"]
    address = other["AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS"]
    assert address == interface["privateIpv4Address"] != ""
    assert "AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS" not in main
    assert other["AWS_BATCH_JOB_ID"] == f"{job_id}#2"
    assert "AWS_BATCH_JOB_ARRAY_INDEX" not in other


def test_nested_ranges_and_overrides_give_each_node_its_container():
    cloud = ready(JobScript(duration_seconds=3600), maxvCpus=32)
    inner = {"image": "worker", "command": ["work"]}
    ranges = [
        {"targetNodes": "0:", "container": container()},
        {"targetNodes": "1:2", "container": inner, "instanceTypes": ["m7i.xlarge"]},
    ]
    parallel(cloud, count=3, ranges=ranges)
    overrides = {
        "numNodes": 4,
        "nodePropertyOverrides": [
            {"targetNodes": "1:2", "containerOverrides": {"command": ["other"]}}
        ],
    }
    job_id = cloud.submit(definition="mpi", nodeOverrides=overrides)
    cloud.step(UP)
    nodes = nodes_of(cloud, job_id, 4)
    assert [each["container"]["image"] for each in nodes] == [
        "busybox",
        "worker",
        "worker",
        "busybox",
    ]
    assert [each["container"]["command"][0] for each in nodes] == ["run", "other", "other", "run"]
    assert [each["status"] for each in nodes] == ["RUNNING"] * 4
    hosts = [each["container"]["containerInstanceArn"] for each in nodes]
    cluster = cloud("DescribeComputeEnvironments")["computeEnvironments"][0]["ecsClusterArn"]
    found = cloud("DescribeContainerInstances", cluster=cluster, containerInstances=hosts)
    types = {
        each["containerInstanceArn"]: attribute["value"]
        for each in found["containerInstances"]
        for attribute in each["attributes"]
        if attribute["name"] == "ecs.instance-type"
    }
    assert [types[each] for each in hosts[1:3]] == ["m7i.xlarge"] * 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"nodeOverrides": {"nodePropertyOverrides": [{"targetNodes": "0:0"}]}},
            "NodeOverride targets should match job definition. Non matching targets - 0:0",
        ),
        ({"nodeOverrides": {"numNodes": 1001}}, "numNodes must be between 1 and 1000"),
        ({"nodeOverrides": {"numNodes": 1}}, "mainNode 1 must be smaller than numNodes 1"),
        ({"containerOverrides": {"command": ["x"]}}, "containerOverrides cannot be used with"),
        ({"arrayProperties": {"size": 2}}, "arrayProperties cannot be used with"),
    ],
)
def test_what_cannot_be_is_refused(fields, message):
    cloud = ready(SHORT)
    parallel(cloud, main=1)
    request = {"jobName": "job", "jobQueue": "main", "jobDefinition": "mpi"} | fields
    assert message in cloud.refused("SubmitJob", **request)


def test_the_number_of_nodes_changes_only_with_an_open_range():
    """[bc] NodeOverrides.numNodes."""
    cloud = ready(SHORT)
    parallel(cloud, "closed", ranges=[{"targetNodes": "0:2", "container": container()}])
    far = [
        {"targetNodes": "0:1", "container": container()},
        {"targetNodes": "2:", "container": container()},
    ]
    parallel(cloud, "far", ranges=far)
    request = {"jobName": "job", "jobQueue": "main", "nodeOverrides": {"numNodes": 2}}
    assert "open upper boundary" in cloud.refused("SubmitJob", jobDefinition="closed", **request)
    assert "begins above" in cloud.refused("SubmitJob", jobDefinition="far", **request)


def test_nothing_runs_on_fargate_on_spot_and_on_unmanaged_environments():
    cloud = serverless(SHORT)
    cloud.platform = "EC2"
    parallel(cloud)
    request = {"jobName": "job", "jobQueue": "main", "jobDefinition": "mpi"}
    assert "platform" in cloud.refused("SubmitJob", **request)
    cloud.environment("spot", type="SPOT", allocationStrategy="SPOT_CAPACITY_OPTIMIZED")
    cloud.step(10)
    cloud.queue("spot", "spot")
    name, role = {"computeEnvironmentName": "own"}, {"serviceRole": ROLE}
    cloud("CreateComputeEnvironment", type="UNMANAGED", **name, **role)
    cloud.step(10)
    cloud.queue("own", "own")
    ids = [cloud.submit(definition="mpi", jobQueue=queue) for queue in ("spot", "own")]
    cloud.step(1000)
    for job in cloud("DescribeJobs", jobs=ids)["jobs"]:
        assert (job["status"], job.get("statusReason")) == ("RUNNABLE", None)
    assert cloud("DescribeInstances")["Reservations"] == []


def test_jobs_behind_a_blocked_parallel_one_wait_and_room_is_not_counted_twice():
    cloud = ready(JobScript(duration_seconds=50), maxvCpus=8)
    parallel(cloud, count=3)
    first, second = (cloud.submit(each, definition="mpi") for each in ("first", "second"))
    cloud.step(UP - 30)
    assert (cloud.status(first), cloud.status(second)) == ("RUNNING", "RUNNABLE")
    assert len(cloud("DescribeInstances")["Reservations"]) == 3
    cloud.step(300)
    assert cloud.status(second) == "SUCCEEDED"


def test_a_fair_share_counts_a_parallel_job_once():
    cloud = ready(JobScript(duration_seconds=3600))
    parallel(cloud)
    cloud("CreateSchedulingPolicy", name="fair", fairsharePolicy={})
    (policy,) = cloud("ListSchedulingPolicies")["schedulingPolicies"]
    cloud.queue("fair", "main", schedulingPolicyArn=policy["arn"])
    cloud.submit(definition="mpi", jobQueue="fair", shareIdentifier="a")
    cloud.step(UP)
    usage = cloud("GetJobQueueSnapshot", jobQueue="fair")["queueUtilization"]
    assert usage["totalCapacityUsage"] == [{"capacityUnit": "VCPU", "quantity": 6.0}]
