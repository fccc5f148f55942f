"""Fair-share queues: the order of dispatch, and what a snapshot shows of it."""

from typing import Any

from tests.simulator.cloud import Cloud
from tests.simulator.hosts import joining, launch, unmanaged


def fair(*shares: tuple[str, float]) -> Cloud:
    """A cloud with the queue `fair` over the UNMANAGED environment, and no instance yet."""
    cloud = unmanaged()
    entries = [{"shareIdentifier": name, "weightFactor": weight} for name, weight in shares]
    policy = cloud("CreateSchedulingPolicy", name="fair",
                   fairsharePolicy={"shareDistribution": entries})["arn"]  # fmt: skip
    cloud.queue("fair", "own", schedulingPolicyArn=policy)
    return cloud


def submit(cloud: Cloud, share: str, count: int, **fields: Any) -> None:
    for number in range(count):
        cloud.submit(f"long-{share}-{number}", jobQueue="fair", shareIdentifier=share, **fields)
    cloud.step(5)


def front(cloud: Cloud) -> list[str]:
    jobs = cloud("GetJobQueueSnapshot", jobQueue="fair")["frontOfQueue"]["jobs"]
    return [cloud.job(each["jobArn"].rpartition("/")[2])["jobName"] for each in jobs]


def test_shares_take_turns_whoever_came_first():
    cloud = fair()
    submit(cloud, "red", 3)
    submit(cloud, "blue", 2)
    assert front(cloud) == ["long-red-0", "long-blue-0", "long-red-1", "long-blue-1", "long-red-2"]


def test_a_share_of_an_eighth_of_the_weight_gets_eight_times_as_much():
    cloud = fair(("light*", 0.125), ("heavy", 1))
    submit(cloud, "heavy", 3)
    submit(cloud, "lightning", 20)
    shares = [name.split("-")[1] for name in front(cloud)]
    assert shares[:18].count("lightning") == 16


def test_in_a_share_the_scheduling_priority_comes_before_age():
    cloud = fair()
    submit(cloud, "red", 2)
    cloud.submit("long-now", jobQueue="fair", shareIdentifier="red", schedulingPriorityOverride=9)
    cloud.step(5)
    assert front(cloud) == ["long-now", "long-red-0", "long-red-1"]


def test_what_a_share_uses_already_counts_and_is_shown():
    cloud = fair()
    submit(cloud, "red", 4)
    launch(cloud, joining(cloud))
    submit(cloud, "blue", 2)
    assert front(cloud) == ["long-blue-0", "long-blue-1", "long-red-2", "long-red-3"]
    utilization = cloud("GetJobQueueSnapshot", jobQueue="fair")["queueUtilization"]
    two = [{"capacityUnit": "VCPU", "quantity": 2.0}]
    assert utilization["totalCapacityUsage"] == two
    assert utilization["fairshareUtilization"] == {
        "activeShareCount": 1,
        "topCapacityUtilization": [{"shareIdentifier": "red", "capacityUsage": two}],
    }
    launch(cloud, joining(cloud))
    running = cloud("ListJobs", jobQueue="fair", jobStatus="RUNNING")["jobSummaryList"]
    assert sorted(each["jobName"] for each in running) == [
        "long-blue-0", "long-blue-1", "long-red-0", "long-red-1"]  # fmt: skip


def test_a_queue_without_shares_shows_its_oldest_hundred_jobs_and_children_one_by_one():
    cloud = unmanaged()
    first = cloud.submit("first")
    parent = cloud.submit("array", arrayProperties={"size": 200})
    cloud.step(5)
    snapshot = cloud("GetJobQueueSnapshot", jobQueue="main")
    ids = [each["jobArn"].rpartition("/")[2] for each in snapshot["frontOfQueue"]["jobs"]]
    assert ids == [first, *(f"{parent}:{number}" for number in range(99))]
    assert "fairshareUtilization" not in snapshot["queueUtilization"]


def test_a_parent_is_pending_with_the_count_of_its_children_while_they_are_runnable():
    cloud = unmanaged()
    parent = cloud.submit("long", arrayProperties={"size": 5})
    cloud.step(5)
    [listed] = cloud("ListJobs", jobQueue="main", jobStatus="PENDING")["jobSummaryList"]
    described = cloud.job(parent)
    for shown in (listed, described):
        assert shown["status"] == "PENDING"
        assert shown["arrayProperties"]["size"] == 5
        assert shown["arrayProperties"]["statusSummary"]["RUNNABLE"] == 5
    assert cloud("ListJobs", jobQueue="main", jobStatus="RUNNABLE")["jobSummaryList"] == []
    launch(cloud, joining(cloud))
    summary = cloud.job(parent)["arrayProperties"]["statusSummary"]
    assert (summary["RUNNABLE"], summary["RUNNING"]) == (3, 2)
    children = cloud("ListJobs", arrayJobId=parent, jobStatus="RUNNABLE")["jobSummaryList"]
    assert [each["arrayProperties"]["index"] for each in children] == [2, 3, 4]
