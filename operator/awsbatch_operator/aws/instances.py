"""Instances, as EC2 and as ECS see them: what is kept of each, and how feeds read them."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from awsbatch_operator.api.metadata import GROUP, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import CLUSTER, INTENT, OWNER_UID
from awsbatch_operator.aws.aws_settings import Cadence
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.feed import Keep, Reading
from awsbatch_operator.aws.sender import Sender

NOBODY = "-"  # stands for the uid where there is none
PAGE = 500  # instances of a page: one takes a thread some 0.4 s to read
TAGS_AT_ONCE = 200  # values of one filter; EC2 user guide, "Filter considerations"
ECS_AT_ONCE = 100  # DescribeContainerInstances; a page of ListContainerInstances
# What the operator reads of an instance. The rest is six times as much, moves without meaning
# anything to us (attachments, product codes), or may be secret.
INSTANCE_MEMBERS = (
    "Architecture",
    "CapacityReservationId",
    "ClientToken",
    "CpuOptions",
    "IamInstanceProfile",
    "ImageId",
    "InstanceId",
    "InstanceLifecycle",
    "InstanceType",
    "LaunchTime",
    "Placement",
    "PrivateIpAddress",
    "SpotInstanceRequestId",
    "State",
    "StateReason",
    "StateTransitionReason",
    "SubnetId",
    "Tags",
    "VpcId",
)
# Of an instance on which a job ran.
HOST_MEMBERS = ("InstanceLifecycle", "InstanceType", "Placement", "Tags")
# "version" and "versionInfo" aside: the former counts every change of anything.
CONTAINER_INSTANCE_MEMBERS = (
    "agentConnected",
    "agentUpdateStatus",
    "attributes",
    "containerInstanceArn",
    "ec2InstanceId",
    "pendingTasksCount",
    "registeredAt",
    "registeredResources",
    "remainingResources",
    "runningTasksCount",
    "status",
    "statusReason",
    "tags",
)
_ATTRIBUTES = ("ecs.ami-id", "ecs.availability-zone", "ecs.cpu-architecture", "ecs.instance-type")
_READ_AT_ONCE = 100  # reservations, before the event loop gets a turn
_MOVING = ("pending", "shutting-down", "stopping")


def in_plain_values(value: Any) -> Any:
    """A value of botocore's with times as texts (RFC 3339, UTC), as they are kept and compared."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case dict():
            return {name: in_plain_values(each) for name, each in value.items()}
        case list():
            return [in_plain_values(each) for each in value]
        case _:
            return value


def plain_shape(answer: Shape) -> Shape:
    """The same of a whole answer."""
    return {name: in_plain_values(value) for name, value in answer.items()}


def members_of(detail: Shape, names: Collection[str]) -> Shape:
    """These members of a thing of AWS, those that it has."""
    return {name: in_plain_values(detail[name]) for name in names if name in detail}


def tags_of(detail: Shape) -> Mapping[str, str]:
    """The tags of a thing of EC2, by key."""
    return {tag["Key"]: tag.get("Value", "") for tag in detail.get("Tags", ())}


def tag_filter(key: str, values: Collection[str]) -> Shape:
    """A filter for things with one of these values of a tag."""
    return {"Name": f"tag:{key}", "Values": sorted(values)}


@dataclass(frozen=True, slots=True)
class InstanceSource:
    """EC2 instances with our cluster's tag, looked up by the uid of their owner.

    All that one object owns is one thing that is looked up.
    """

    sender: Sender
    cluster_id: str
    what: str = "instances"
    asked_at_once: int = TAGS_AT_ONCE
    keeps_all: bool = True
    moves: bool = True
    _pages_of: dict[Scope, int] = field(default_factory=dict)  # of the last walk

    def interval(self, cadence: Cadence, scope: Scope, *, moving: bool) -> float:
        if not moving:
            return cadence.instances
        pages = self._pages_of.get(scope, 1)
        return max(cadence.instances_moving, cadence.instances_page * pages)

    def moving(self, detail: Shape) -> bool:
        return detail["State"]["Name"] in _MOVING

    def tags(self, detail: Shape) -> Mapping[str, str]:
        return tags_of(detail)

    def name(self, detail: Shape) -> str:
        return tags_of(detail).get(OWNER_UID) or NOBODY

    def arn(self, detail: Shape) -> str:
        return str(detail["InstanceId"])

    def rank(self, detail: Shape) -> int:
        launched = str(detail.get("LaunchTime") or "1970-01-01T00:00:00Z")
        return int(datetime.fromisoformat(launched).timestamp())

    async def walk(
        self, scope: Scope, followed: Collection[str], keep: Keep, *, polling: bool
    ) -> Reading:
        del followed
        details, pages = await self._described(scope, [], polling=polling)
        self._pages_of[scope] = pages
        return Reading(list(filter(keep, details)), {self.name(detail) for detail in details})

    async def ask(self, scope: Scope, names: Sequence[str]) -> Sequence[Shape]:
        return (await self._described(scope, [tag_filter(OWNER_UID, names)], polling=False))[0]

    async def listed(self, scope: Scope) -> Sequence[Shape]:
        """All of them."""
        return (await self._described(scope, [], polling=False))[0]

    async def launched_by(self, scope: Scope, token: str) -> Sequence[Shape]:
        """The instances with that tag of an intent."""
        return (await self._described(scope, [tag_filter(INTENT, [token])], polling=False))[0]

    async def by_ids(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Shape]:
        """Any instances of the account, ours or not: EC2 leaves out what is not there."""
        call = "ec2:DescribeInstances"
        request = {"Filters": [{"Name": "instance-id", "Values": list(ids)}]}
        answer = await self.sender.call(scope, call, request)
        found = self.sender.member(scope, call, answer, "Reservations")
        return {
            str(each["InstanceId"]): members_of(each, HOST_MEMBERS)
            for reservation in found
            for each in reservation.get("Instances", ())
        }

    async def _described(
        self, scope: Scope, more: Sequence[Shape], *, polling: bool
    ) -> tuple[list[Shape], int]:
        """The instances, and how many pages they took."""
        filters = [tag_filter(CLUSTER, [self.cluster_id]), *more]
        request = {"Filters": filters, "MaxResults": PAGE}
        details: list[Shape] = []
        count = 0
        async for page in self.sender.pages(
            scope, "ec2:DescribeInstances", request, "Reservations", polling=polling
        ):
            count += 1
            for number, reservation in enumerate(page, start=1):
                found = reservation.get("Instances", ())
                details += [members_of(each, INSTANCE_MEMBERS) for each in found]
                if not number % _READ_AT_ONCE:
                    await asyncio.sleep(0)
        return details, count


@dataclass(frozen=True, slots=True)
class ContainerInstanceSource:
    """The container instances of ECS clusters, looked up by the cluster's ARN.

    A poll reads the clusters that were asked for lately, each by a list and a description of a
    hundred; ECS has no call for several clusters.
    """

    sender: Sender
    what: str = "container instances"
    asked_at_once: int = 1
    keeps_all: bool = True
    moves: bool = False  # who waits for something asks for that cluster alone

    def interval(self, cadence: Cadence, scope: Scope, *, moving: bool) -> float:
        del scope, moving
        return cadence.instances

    def moving(self, detail: Shape) -> bool:  # noqa: ARG002 - see `moves`
        return False

    def tags(self, detail: Shape) -> Mapping[str, str]:
        return {tag["key"]: tag.get("value", "") for tag in detail.get("tags", ())}

    def name(self, detail: Shape) -> str:
        return str(detail["clusterArn"])

    def arn(self, detail: Shape) -> str:
        return str(detail["containerInstanceArn"])

    def rank(self, detail: Shape) -> int:  # noqa: ARG002 - in the order of their ARNs
        return 0

    async def walk(
        self, scope: Scope, followed: Collection[str], keep: Keep, *, polling: bool
    ) -> Reading:
        found: list[Shape] = []
        gone = []
        for cluster in sorted(followed):
            here = await self._of(scope, cluster, polling=polling)
            if here is None:
                gone.append(cluster)
            found += filter(keep, here or ())
        return Reading(found, None, gone)

    async def ask(self, scope: Scope, names: Sequence[str]) -> Sequence[Shape]:
        answers = [await self._of(scope, name, polling=False) for name in names]
        return [each for answer in answers for each in answer or ()]

    async def _of(self, scope: Scope, cluster: str, *, polling: bool) -> list[Shape] | None:
        """A cluster's; None of one that is not there."""
        try:
            arns = await self._listed(scope, cluster, polling=polling)
            return await self._described(scope, cluster, sorted(arns), polling=polling)
        except AwsError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
            return None

    async def _listed(self, scope: Scope, cluster: str, *, polling: bool) -> list[str]:
        request = {"cluster": cluster, "maxResults": ECS_AT_ONCE}
        pages = self.sender.pages(
            scope, "ecs:ListContainerInstances", request, "containerInstanceArns", polling=polling
        )
        return [str(arn) async for page in pages for arn in page]

    async def _described(
        self, scope: Scope, cluster: str, arns: Sequence[str], *, polling: bool
    ) -> list[Shape]:
        """Their details; one that has gone meanwhile is left out."""
        call = "ecs:DescribeContainerInstances"
        found: list[Shape] = []
        for at in range(0, len(arns), ECS_AT_ONCE):
            some = list(arns[at : at + ECS_AT_ONCE])
            request = {"cluster": cluster, "containerInstances": some, "include": ["TAGS"]}
            answer = await self.sender.call(scope, call, request, polling=polling)
            described = self.sender.member(scope, call, answer, "containerInstances")
            found += [_container_instance(cluster, each) for each in described]
        return [each for each in found if each.get("status") != "INACTIVE"]


def _container_instance(cluster: str, detail: Shape) -> Shape:
    kept = {"clusterArn": cluster, **members_of(detail, CONTAINER_INSTANCE_MEMBERS)}
    kept["attributes"] = [
        each
        for each in detail.get("attributes", ())
        if each["name"] in _ATTRIBUTES or each["name"].startswith(GROUP)
    ]
    return kept
