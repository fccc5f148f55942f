"""What a fresh account has: fixed names and ids, so that examples can be static manifests.

The same in every account and region. Real ids are random; ours are short on purpose, so that nobody
takes `subnet-1` for a subnet of theirs.
"""

from dataclasses import dataclass
from typing import Any

from awsbatch_simulator.context import Place

VPC_ID = "vpc-1"
SECURITY_GROUP_ID = "sg-1"
INSTANCE_PROFILE = "ecsInstanceRole"
EC2_SERVICE = "ec2.amazonaws.com"
TASK_SERVICE = "ecs-tasks.amazonaws.com"

# Availability zones by letter where a region has others than a, b and c (as moto knows them).
ZONE_LETTERS = {
    "us-east-1": "abcdef",
    "us-west-1": "ab",
    "us-west-2": "abcd",
    "ap-northeast-1": "acd",
    "ap-northeast-2": "abcd",
    "ca-central-1": "abd",
    "cn-north-1": "ab",
}


@dataclass(frozen=True, slots=True)
class SeededRole:
    """A role that exists from the start, and who may assume it."""

    name: str
    path: str = "/"
    services: tuple[str, ...] = ()  # empty: the principals of the sandbox's accounts

    @property
    def trust(self) -> dict[str, Any]:
        """Its trust policy."""
        principal: dict[str, Any] = {"Service": list(self.services)}
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": principal if self.services else {"AWS": "*"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }

    def arn(self, account: str) -> str:
        """Its ARN in an account."""
        return f"arn:aws:iam::{account}:role{self.path}{self.name}"


ROLES = (
    SeededRole("batch-operator"),
    SeededRole("ecsInstanceRole", services=(EC2_SERVICE,)),
    SeededRole("ecsTaskExecutionRole", services=(TASK_SERVICE,)),
    SeededRole("batch-job", services=(TASK_SERVICE,)),
    SeededRole("AWSBatchServiceRole", "/service-role/", ("batch.amazonaws.com",)),
    SeededRole(
        "AWSServiceRoleForBatch", "/aws-service-role/batch.amazonaws.com/", ("batch.amazonaws.com",)
    ),
    SeededRole("AmazonEC2SpotFleetTaggingRole", services=("spotfleet.amazonaws.com",)),
)


def zones(region: str) -> tuple[str, ...]:
    """The availability zones of a region."""
    return tuple(region + letter for letter in ZONE_LETTERS.get(region, "abc"))


def subnets(region: str) -> dict[str, str]:
    """The default VPC's subnets with their zones: `subnet-1` in the first zone, and so on."""
    return {f"subnet-{number}": zone for number, zone in enumerate(zones(region), start=1)}


def networks(region: str) -> dict[str, str]:
    """The IPv4 blocks of those subnets: pieces of the default VPC's 172.31.0.0/16."""
    return {subnet: f"172.31.{16 * index}.0/20" for index, subnet in enumerate(subnets(region))}


def instance_profile_arn(account: str) -> str:
    """The ARN of the seeded instance profile."""
    return f"arn:aws:iam::{account}:instance-profile/{INSTANCE_PROFILE}"


def summary(place: Place) -> dict[str, Any]:
    """What a manifest can name, as the ready file lists it."""
    return {
        "vpcId": VPC_ID,
        "subnetIds": list(subnets(place.region)),
        "securityGroupIds": [SECURITY_GROUP_ID],
        "instanceProfileArn": instance_profile_arn(place.account),
        "roles": {role.name: role.arn(place.account) for role in ROLES},
    }
