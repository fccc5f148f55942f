"""What EC2 says of things that seldom change: types, networks, images, reservations."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from awsbatch_operator.api.encoding import decoded, encoded
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import CLUSTER
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.instances import (
    TAGS_AT_ONCE,
    in_plain_values,
    members_of,
    tag_filter,
)
from awsbatch_operator.aws.kept import WHOLE, Kept, by_region
from awsbatch_operator.aws.sender import Sender

A_DAY = 86_400.0
TEN_MINUTES = 600.0
A_MINUTE = 60.0
SCOPES = 64  # whole answers that are kept, of each kind
_REGIONS = 8  # lists of all types that are kept, as JSON of half a megabyte
_NAMED = 2000  # single things that are kept, 1 to 3 kB each
_TYPES_A_PAGE = 100
_A_PAGE = 500
INSTANCE_TYPE_MEMBERS = (
    "BareMetal",
    "BurstablePerformanceSupported",
    "CurrentGeneration",
    "GpuInfo",
    "InstanceType",
    "MemoryInfo",
    "SupportedUsageClasses",
    "VCpuInfo",
)
_SUBNET = (
    "AvailabilityZone",
    "AvailabilityZoneId",
    "AvailableIpAddressCount",
    "MapPublicIpOnLaunch",
    "State",
    "SubnetId",
    "VpcId",
)
_GROUP = ("GroupId", "GroupName", "VpcId")
_IMAGE = (
    "Architecture",
    "BlockDeviceMappings",
    "CreationDate",
    "DeprecationTime",
    "ImageId",
    "ImageOwnerAlias",
    "Name",
    "OwnerId",
    "Platform",
    "RootDeviceName",
    "State",
    "Tags",
)
# What DescribeInstanceStatus is asked for, one walk each: events ahead, and checks that fail.
_TROUBLES = (
    {
        "Name": "event.code",
        "Values": [
            "instance-reboot",
            "instance-retirement",
            "instance-stop",
            "system-maintenance",
            "system-reboot",
        ],
    },
    {"Name": "instance-status.status", "Values": ["impaired"]},
    {"Name": "system-status.status", "Values": ["impaired"]},
)


_ID = {"SecurityGroups": "GroupId", "Subnets": "SubnetId"}
_NO_IMAGE = "InvalidAMIID."  # NotFound, Unavailable (deregistered), Malformed


class Descriptions:
    """The describing half of Ec2Port, kept for a while. For one event loop."""

    def __init__(self, sender: Sender, clock: Clock, cluster_id: str) -> None:
        self._sender = sender
        self._cluster_id = cluster_id
        self._all_types: Kept[bytes] = Kept(
            self._read_all_types, clock, seconds=A_DAY, most=_REGIONS, shared=by_region
        )
        self._types: Kept[Shape] = Kept(
            self._read_types,
            clock,
            seconds=A_DAY,
            most=_NAMED,
            at_once=_TYPES_A_PAGE,
            shared=by_region,
        )
        # A zone's name means another zone in another account (EC2 user guide, "AZ IDs").
        self._zones: Kept[frozenset[str]] = Kept(
            self._offerings, clock, seconds=A_DAY, most=_NAMED, at_once=TAGS_AT_ONCE
        )
        self._subnets: Kept[Shape] = Kept(
            self._read_subnets, clock, seconds=TEN_MINUTES, most=_NAMED, at_once=TAGS_AT_ONCE
        )
        self._groups: Kept[Shape] = Kept(
            self._read_groups, clock, seconds=TEN_MINUTES, most=_NAMED, at_once=TAGS_AT_ONCE
        )
        self._images: Kept[Shape] = Kept(self._read_images, clock, seconds=TEN_MINUTES, most=_NAMED)
        self._reservations: Kept[tuple[Shape, ...]] = Kept(
            self._read_reservations, clock, seconds=A_MINUTE, most=SCOPES
        )
        self._requests: Kept[tuple[Shape, ...]] = Kept(
            self._read_requests, clock, seconds=A_MINUTE, most=SCOPES
        )
        self._troubled: Kept[tuple[Shape, ...]] = Kept(
            self._read_troubled, clock, seconds=A_MINUTE, most=SCOPES
        )

    async def instance_types(
        self, scope: Scope, names: Collection[str] | None = None
    ) -> Mapping[str, Shape]:
        if names is not None:
            return await self._types.get(scope, names)
        types = decoded(await self._all_types.whole(scope) or b"[]")
        return {each["InstanceType"]: each for each in types}

    async def zones_of(self, scope: Scope, types: Collection[str]) -> Mapping[str, frozenset[str]]:
        found = await self._zones.get(scope, types)
        return {name: found.get(name, frozenset()) for name in types}

    async def subnets(
        self, scope: Scope, ids: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Shape]:
        return await self._subnets.get(scope, ids, fresh=fresh)

    async def security_groups(
        self, scope: Scope, ids: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Shape]:
        return await self._groups.get(scope, ids, fresh=fresh)

    async def images(
        self, scope: Scope, ids: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Shape]:
        return await self._images.get(scope, ids, fresh=fresh)

    async def capacity_reservations(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        return await self._reservations.whole(scope, fresh=fresh) or ()

    async def spot_requests(self, scope: Scope) -> Sequence[Shape]:
        return await self._requests.whole(scope) or ()

    async def troubled_instances(self, scope: Scope) -> Sequence[Shape]:
        return await self._troubled.whole(scope) or ()

    def changed(self, scope: Scope, operation: str) -> None:
        """We have made, changed or ended something by that operation, or may have."""
        if "CapacityReservation" in operation:
            self._reservations.forget(scope)
        if operation in ("CreateFleet", "RunInstances", "TerminateInstances"):
            self._subnets.forget(scope)  # they count free addresses
            self._reservations.forget(scope)  # and these free instances
            self._requests.forget(scope)

    async def _read_all_types(self, scope: Scope, _: Sequence[str]) -> Mapping[str, bytes]:
        return {WHOLE: encoded(await self._described_types(scope, {}))}

    async def _read_types(self, scope: Scope, names: Sequence[str]) -> Mapping[str, Shape]:
        request = {"Filters": [{"Name": "instance-type", "Values": list(names)}]}
        types = await self._described_types(scope, request)
        return {str(each["InstanceType"]): each for each in types}

    async def _described_types(self, scope: Scope, request: Shape) -> list[Shape]:
        more = {**request, "MaxResults": _TYPES_A_PAGE}
        pages = self._sender.pages(scope, "ec2:DescribeInstanceTypes", more, "InstanceTypes")
        return [_type(each) async for page in pages for each in page]

    async def _offerings(self, scope: Scope, types: Sequence[str]) -> Mapping[str, frozenset[str]]:
        request = {
            "LocationType": "availability-zone",
            "Filters": [{"Name": "instance-type", "Values": list(types)}],
        }
        found: dict[str, set[str]] = defaultdict(set)
        for each in await self._read(scope, "InstanceTypeOfferings", request):
            found[str(each["InstanceType"])].add(str(each["Location"]))
        return {name: frozenset(zones) for name, zones in found.items()}

    async def _read_subnets(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Shape]:
        return await self._by_id(scope, "Subnets", "subnet-id", ids, _SUBNET)

    async def _read_groups(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Shape]:
        return await self._by_id(scope, "SecurityGroups", "group-id", ids, _GROUP)

    async def _read_images(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Shape]:
        """One by one, by its id: a filter would be held against all public images, page by page."""
        call, found = "ec2:DescribeImages", {}
        for each in ids:
            request = {"ImageIds": [each], "IncludeDeprecated": True}
            try:
                answer = await self._sender.call(scope, call, request)
            except AwsError as error:
                if not error.code.startswith(_NO_IMAGE):
                    raise
                continue
            for image in self._sender.member(scope, call, answer, "Images"):
                found[str(image["ImageId"])] = members_of(image, _IMAGE)
        return found

    async def _read_reservations(
        self, scope: Scope, _: Sequence[str]
    ) -> Mapping[str, tuple[Shape, ...]]:
        states = ["active", "assessing", "pending", "scheduled", "delayed"]
        states += ["cancelled", "expired", "failed"]  # listed for a while
        request = {"Filters": [{"Name": "state", "Values": states}]}
        return {WHOLE: tuple(await self._read(scope, "CapacityReservations", request))}

    async def _read_requests(
        self, scope: Scope, _: Sequence[str]
    ) -> Mapping[str, tuple[Shape, ...]]:
        request = {"Filters": [tag_filter(CLUSTER, [self._cluster_id])]}
        kept = ("InstanceId", "SpotInstanceRequestId", "State", "Status", "Type")
        found = await self._read(scope, "SpotInstanceRequests", request)
        return {WHOLE: tuple(members_of(each, kept) for each in found)}

    async def _read_troubled(
        self, scope: Scope, _: Sequence[str]
    ) -> Mapping[str, tuple[Shape, ...]]:
        found: dict[str, Shape] = {}
        paid = self._sender.prepay(scope, "ec2:DescribeInstanceStatus", len(_TROUBLES))
        try:
            for trouble in _TROUBLES:
                request = {"Filters": [trouble], "MaxResults": _A_PAGE}
                pages = self._sender.pages(
                    scope,
                    "ec2:DescribeInstanceStatus",
                    request,
                    "InstanceStatuses",
                    prepaid=paid,
                )
                async for page in pages:
                    found |= {str(each["InstanceId"]): in_plain_values(each) for each in page}
        finally:
            paid.close()
        return {WHOLE: tuple(found.values())}

    async def _by_id(
        self,
        scope: Scope,
        noun: str,
        filtered: str,
        ids: Sequence[str],
        members: Collection[str],
    ) -> Mapping[str, Shape]:
        """By a filter: asked for by their ids, one that is not there would spoil the whole call."""
        request = {"Filters": [{"Name": filtered, "Values": list(ids)}]}
        found = await self._read(scope, noun, request)
        return {str(each[_ID[noun]]): members_of(each, members) for each in found}

    async def _read(self, scope: Scope, noun: str, request: Shape) -> list[Shape]:
        """All pages of a Describe call, by what it lists."""
        more = {**request, "MaxResults": _A_PAGE}
        pages = self._sender.pages(scope, f"ec2:Describe{noun}", more, noun)
        return [in_plain_values(each) async for some in pages for each in some]


def _type(detail: Shape) -> Shape:
    """What is kept of a type; of its processor the architectures alone."""
    processor = members_of(detail.get("ProcessorInfo", {}), ["SupportedArchitectures"])
    return {**members_of(detail, INSTANCE_TYPE_MEMBERS), "ProcessorInfo": processor}
