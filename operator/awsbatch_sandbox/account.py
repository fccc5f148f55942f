"""What the simulated AWS has, asked as anybody would: with boto3 and the sandbox's credentials."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import boto3
import botocore.session

from awsbatch_sandbox.aws import SimulatedAws
from awsbatch_sandbox.errors import SandboxError

OWNER = "awsbatch.dev/name"  # a tag of all that the operator makes
ROLE = "awsbatch.dev/role"  # of an instance for a machine image: builder or verifier
LOOKS_AT_THE_END, LOOK_SECONDS = 20, 0.5
# Nobody's profile or files: a person's AWS_PROFILE must neither matter nor break anything.
_OF_NOBODY: dict[str, tuple[str | None, list[str], str | None, None]] = {
    "profile": (None, [], None, None),
    "config_file": (None, [], os.devnull, None),
    "credentials_file": (None, [], os.devnull, None),
}


@dataclass(frozen=True, slots=True)
class Instance:
    """What the demo reads of an EC2 instance."""

    id: str
    type: str
    zone: str
    state: str
    spot: bool

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """Read an Instance of DescribeInstances."""
        return cls(
            id=body["InstanceId"],
            type=body["InstanceType"],
            zone=body["Placement"]["AvailabilityZone"],
            state=body["State"]["Name"],
            spot=body.get("InstanceLifecycle") == "spot",
        )

    @property
    def market(self) -> str:
        """As a person calls it."""
        return "Spot" if self.spot else "On-Demand"


class Account:
    """Reads the account that the sandbox's operator works in."""

    def __init__(self, aws: SimulatedAws) -> None:
        self._aws = aws
        core = botocore.session.Session(session_vars=_OF_NOBODY)
        self._session = boto3.Session(
            aws_access_key_id=aws.access_key_id,
            aws_secret_access_key=aws.secret_access_key,
            region_name=aws.region,
            botocore_session=core,
        )
        self._client = functools.cache(self._made)

    def _made(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._aws.url)

    def instances(self, environment: str) -> list[Instance]:
        """The instances that were launched for a ComputeEnvironment, the ended ones too."""
        filters = [{"Name": f"tag:{OWNER}", "Values": [environment]}]
        found = self._client("ec2").describe_instances(Filters=filters)["Reservations"]
        return [Instance.read(each) for one in found for each in one["Instances"]]

    def machines(self) -> list[dict[str, Any]]:
        """The instances that images are made and tried on, each with its `role`."""
        filters = [{"Name": "tag-key", "Values": [ROLE]}]
        found = self._client("ec2").describe_instances(Filters=filters)["Reservations"]
        return [
            {**each, "role": next(tag["Value"] for tag in each["Tags"] if tag["Key"] == ROLE)}
            for one in found
            for each in one["Instances"]
        ]

    def members(self, cluster: str) -> list[dict[str, Any]]:
        """The container instances of an ECS cluster."""
        ecs = self._client("ecs")
        arns = ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
        if not arns:
            return []
        found = ecs.describe_container_instances(cluster=cluster, containerInstances=arns)
        return list(found["containerInstances"])

    def job_status(self, job_id: str) -> str:
        """What AWS says of a job; "" without an id."""
        if not job_id:
            return ""
        found = self._client("batch").describe_jobs(jobs=[job_id])["jobs"]
        return str(found[0]["status"]) if found else ""

    def host(self, instance_id: str) -> dict[str, Any] | None:
        """An instance from inside, which only the simulator can show; None unless it runs."""
        path = f"/_simulator/hosts/{instance_id}"
        found: dict[str, Any] | None = self._aws.admin("GET", path, may_be_missing=True)
        return found

    def boots(self) -> dict[str, Any]:
        """How user data is booted: `mode`, `why`, and how much was `executed`."""
        return dict(self._aws.admin("GET", "/_simulator/state")["userData"])

    def left(self) -> dict[str, int]:
        """How much there is of what the operator makes, ended things left out."""
        ec2, batch, ecs = (self._client(name) for name in ("ec2", "batch", "ecs"))
        ended = {"terminated", "cancelled", "expired", "closed", "DELETED", "INACTIVE"}
        instances = [
            each for one in ec2.describe_instances()["Reservations"] for each in one["Instances"]
        ]
        reservations = ec2.describe_capacity_reservations()["CapacityReservations"]
        requests = ec2.describe_spot_instance_requests()["SpotInstanceRequests"]
        return {
            "instances": sum(each["State"]["Name"] not in ended for each in instances),
            "volumes": len(ec2.describe_volumes()["Volumes"]),
            "images": len(ec2.describe_images(Owners=["self"])["Images"]),
            "snapshots": len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]),
            "launch templates": len(ec2.describe_launch_templates()["LaunchTemplates"]),
            "Spot requests": sum(each["State"] not in ended for each in requests),
            "capacity reservations": sum(each["State"] not in ended for each in reservations),
            "ECS clusters": len(ecs.list_clusters()["clusterArns"]),
            "compute environments": _present(
                batch.describe_compute_environments()["computeEnvironments"]
            ),
            "job queues": _present(batch.describe_job_queues()["jobQueues"]),
            "job definitions": len(
                batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
            ),
        }

    def nothing_is_left(self, say: Callable[[str], None], wait: Callable[[float], None]) -> None:
        """Tell what is left of that; SandboxError if anything is.

        EC2 ends the instances of an environment that is gone, which takes it a moment.
        """
        left = self.left()
        for _ in range(LOOKS_AT_THE_END):
            if not any(left.values()):
                break
            wait(LOOK_SECONDS)
            left = self.left()
        say("\nLeft in AWS:")
        say("\n".join(f"  {count:3}  {name}" for name, count in left.items()))
        if any(left.values()):
            raise SandboxError("Something is left in AWS, which should not be.")


def _present(found: list[dict[str, Any]]) -> int:
    return sum(each["status"] != "DELETED" for each in found)
