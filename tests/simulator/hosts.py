"""Hosts of an UNMANAGED environment for tests: launched with user data, on a stepped clock."""

import base64
import os
from typing import Any

import pytest
from tests.simulator.cloud import PROFILE, ROLE, Cloud

from awsbatch_simulator.host import execution, life
from awsbatch_simulator.hosting import Hosts, UserDataMode
from awsbatch_simulator.jobscript import JobScript
from awsbatch_simulator.settings import Settings

# Where user data cannot be executed these tests are skipped, but never in CI.
executing = pytest.mark.skipif(
    "CI" not in os.environ and bool(execution.trouble()),
    reason=execution.trouble() or "it can be executed",
)
LONG = JobScript(job_name="long*", duration_seconds=50_000)


def unmanaged(**hosts: Any) -> Cloud:
    """A cloud with the UNMANAGED environment `own`, the queue `main` over it, and a definition.

    User data is interpreted unless the test asks for more: that is cheap.
    """
    given = {"user_data": UserDataMode.INTERPRET} | hosts
    cloud = Cloud(settings=Settings(hosts=Hosts(**given), job_scripts=(LONG, JobScript())))
    cloud("CreateComputeEnvironment", computeEnvironmentName="own", type="UNMANAGED",
          serviceRole=ROLE)  # fmt: skip
    cloud.step(10)
    cloud.queue("main", "own")
    cloud.definition()
    return cloud


def cluster(cloud: Cloud) -> str:
    environment = cloud("DescribeComputeEnvironments")["computeEnvironments"][0]
    return str(environment["ecsClusterArn"])


def joining(cloud: Cloud, *lines: str) -> str:
    """A script that has the agent join the environment's cluster, with further settings."""
    settings = "\n".join([f"ECS_CLUSTER={cluster(cloud)}", *lines])
    return f"#!/bin/sh\ncat <<'EOF' >> /etc/ecs/ecs.config\n{settings}\nEOF\n"


def launch(cloud: Cloud, user_data: str = "", *, seconds: float = 60, **fields: Any) -> str:
    """An instance with user data, as it is after that many seconds; its id."""
    request = {
        "ImageId": "ami-1",
        "InstanceType": "m7i.large",
        "MinCount": 1,
        "MaxCount": 1,
        "IamInstanceProfile": {"Arn": PROFILE},
    } | fields
    if user_data:
        request["UserData"] = base64.b64encode(user_data.encode()).decode()
    answer = cloud("RunInstances", **request)
    cloud.step(seconds)
    return str(answer["Instances"][0]["InstanceId"])


def joined(cloud: Cloud, where: str = "", **fields: Any) -> list[dict[str, Any]]:
    """The container instances of a cluster, the environment's by default, with their tags."""
    place = {"cluster": where or cluster(cloud)}
    arns = cloud("ListContainerInstances", **place, **fields)["containerInstanceArns"]
    if not arns:
        return []
    found = cloud("DescribeContainerInstances", **place, containerInstances=arns, include=["TAGS"])
    return list(found["containerInstances"])


def resources(instance: dict[str, Any], kind: str = "registeredResources") -> dict[str, Any]:
    return {
        each["name"]: each.get("stringSetValue") or each["integerValue"] for each in instance[kind]
    }


def why(cloud: Cloud, instance_id: str) -> str:
    """Why an instance's agent has not registered."""
    return cloud.region.hosts.hosts[instance_id].trouble


def console(cloud: Cloud, instance_id: str) -> str:
    """What an instance has printed."""
    return life.console(cloud.region, instance_id)
