"""Multi-node parallel jobs for tests: their definitions, and one that runs."""

from typing import Any

from tests.simulator.cloud import Cloud, ready

from awsbatch_simulator.jobscript import JobScript

SHORT = JobScript(duration_seconds=30)
UP = 120  # seconds in which instances come, join, and all nodes run


def container(vcpus: int = 2, **fields: Any) -> dict[str, Any]:
    sizes = [{"type": "VCPU", "value": str(vcpus)}, {"type": "MEMORY", "value": "1024"}]
    return {"image": "busybox", "command": ["run"], "resourceRequirements": sizes} | fields


def parallel(cloud: Cloud, name: str = "mpi", count: int = 3, main: int = 0, **fields: Any) -> None:
    ranges = fields.pop("ranges", [{"targetNodes": "0:", "container": container()}])
    cloud(
        "RegisterJobDefinition",
        jobDefinitionName=name,
        type="multinode",
        nodeProperties={"numNodes": count, "mainNode": main, "nodeRangeProperties": ranges},
        **fields,
    )


def nodes_of(cloud: Cloud, job_id: str, count: int = 3) -> list[dict[str, Any]]:
    ids = [f"{job_id}#{index}" for index in range(count)]
    found = {each["jobId"]: each for each in cloud("DescribeJobs", jobs=ids)["jobs"]}
    return [found[each] for each in ids]


def statuses(cloud: Cloud, job_id: str, count: int = 3) -> list[str]:
    return [each["status"] for each in nodes_of(cloud, job_id, count)]


def running(*scripts: JobScript, main: int = 0, **fields: Any) -> tuple[Cloud, str]:
    """A cloud with a job of three nodes that all run."""
    cloud = ready(*(scripts or (JobScript(duration_seconds=3600),)))
    parallel(cloud, main=main)
    job_id = cloud.submit(definition="mpi", **fields)
    cloud.step(UP)
    return cloud, job_id
