"""ImagePort on boto3's clients of EC2, ECS and Systems Manager."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import NoTokenError, Permit, Scope
from awsbatch_operator.api.tags import CLUSTER
from awsbatch_operator.aws.ec2_descriptions import SCOPES
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.instances import in_plain_values, members_of, plain_shape, tag_filter
from awsbatch_operator.aws.kept import WHOLE, Kept
from awsbatch_operator.aws.sender import Sender

# Of all images of a place, and of a parameter: what somebody changed in AWS is seen by the first
# look that is a minute later.
ONE_MINUTE = 60.0
FIVE_MINUTES = 300.0
_PAGE = 500
_NAMED = 1000
_REFERENCES_AT_ONCE = 10  # ImageIds of DescribeImageReferences (EC2 API reference)
IMAGE_MEMBERS = (
    "Architecture",
    "BlockDeviceMappings",
    "CreationDate",
    "DeprecationTime",
    "ImageId",
    "Name",
    "OwnerId",
    "RootDeviceName",
    "SourceImageId",
    "SourceImageRegion",
    "State",
    "StateReason",
    "Tags",
)
_SNAPSHOT_MEMBERS = ("Description", "SnapshotId", "StartTime", "State", "Tags", "VolumeId")
_VERIFY = ":cluster/awsbatch-verify-"
_FILTERED_AT_ONCE = 200  # values of one filter (EC2 API reference)


# What refers to an image so that it must stay. Instances that have ended are listed for an hour.
_STATES = ["pending", "running", "shutting-down", "stopping", "stopped"]
_REFERRING = [
    {
        "ResourceType": "ec2:Instance",
        "ResourceTypeOptions": [{"OptionName": "state-name", "OptionValues": _STATES}],
    },
    {"ResourceType": "ec2:LaunchTemplate"},
    {"ResourceType": "ssm:Parameter"},
]


class ImageAdapter:
    """Images through the Sender, and what is kept. Implements ImagePort. For one event loop."""

    def __init__(self, sender: Sender, clock: Clock, cluster_id: str) -> None:
        self._sender = sender
        self._cluster_id = cluster_id
        self._images: Kept[tuple[Shape, ...]] = Kept(
            self._read_images, clock, seconds=ONE_MINUTE, most=SCOPES
        )
        self._references: Kept[tuple[str, ...]] = Kept(
            self._read_references,
            clock,
            seconds=FIVE_MINUTES,
            most=_NAMED,
            at_once=_REFERENCES_AT_ONCE,
        )
        self._parameters: Kept[Shape] = Kept(
            self._read_parameters, clock, seconds=ONE_MINUTE, most=_NAMED
        )

    async def own_images(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        return await self._images.whole(scope, fresh=fresh) or ()

    async def image_named(self, scope: Scope, name: str) -> Shape | None:
        found = await self._described(scope, [{"Name": "name", "Values": [name]}])
        return found[0] if found else None

    async def images_named_like(self, scope: Scope, pattern: str) -> Sequence[Shape]:
        return await self._described(scope, [{"Name": "name", "Values": [pattern]}])

    async def own_snapshots(self, scope: Scope) -> Sequence[Shape]:
        request = {
            "OwnerIds": ["self"],
            "Filters": [tag_filter(CLUSTER, [self._cluster_id])],
            "MaxResults": _PAGE,
        }
        pages = self._sender.pages(scope, "ec2:DescribeSnapshots", request, "Snapshots")
        return [members_of(each, _SNAPSHOT_MEMBERS) async for page in pages for each in page]

    async def snapshots_in_use(self, scope: Scope, ids: Sequence[str]) -> Collection[str]:
        used: set[str] = set()
        for begin in range(0, len(ids), _FILTERED_AT_ONCE):
            some = list(ids[begin : begin + _FILTERED_AT_ONCE])
            wanted = {"Name": "block-device-mapping.snapshot-id", "Values": some}
            for image in await self._described(scope, [wanted]):
                disks = (each.get("Ebs") or {} for each in image.get("BlockDeviceMappings", ()))
                used |= {str(each["SnapshotId"]) for each in disks if each.get("SnapshotId")}
        return used

    async def references(
        self, scope: Scope, ids: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Sequence[str]]:
        return await self._references.get(scope, ids, fresh=fresh)

    async def cluster(self, scope: Scope, name: str) -> bool:
        call = "ecs:DescribeClusters"
        answer = await self._sender.call(scope, call, {"clusters": [name]})
        found = self._sender.member(scope, call, answer, "clusters")
        return any(each.get("status") == "ACTIVE" for each in found)

    async def verify_clusters(self, scope: Scope) -> Sequence[Shape]:
        call = "ecs:DescribeClusters"
        found: list[Shape] = []
        async for page in self._sender.pages(scope, "ecs:ListClusters", {}, "clusterArns"):
            arns = [str(each) for each in page if _VERIFY in str(each)]  # a page has 100
            if not arns:
                continue
            answer = await self._sender.call(scope, call, {"clusters": arns, "include": ["TAGS"]})
            found += self._sender.member(scope, call, answer, "clusters")
        return [
            shape
            for shape in map(_cluster_shape, found)
            if {"Key": CLUSTER, "Value": self._cluster_id} in shape["Tags"]
        ]

    async def parameter(self, scope: Scope, name: str, *, fresh: bool = False) -> Shape | None:
        return (await self._parameters.get(scope, [name], fresh=fresh)).get(name)

    async def send(self, scope: Scope, call: str, request: Shape) -> Shape:
        try:
            answer = await self._sender.call(scope, call, request)
        except NoTokenError:
            raise  # it was not sent: nothing is old
        except BaseException:
            self._changed(scope, call)
            raise
        self._changed(scope, call)
        return plain_shape(answer)

    def permit(self, scope: Scope, call: str, holder: Hashable) -> Permit:
        return self._sender.permit(scope, call, holder)

    def _changed(self, scope: Scope, call: str) -> None:
        """We have done it, or may have."""
        if call.startswith("ec2:"):
            self._images.forget(scope)
            self._references.forget(scope)
        if call.startswith("ssm:"):
            self._parameters.forget(scope)

    async def _read_images(self, scope: Scope, _: Sequence[str]) -> Mapping[str, tuple[Shape, ...]]:
        found = await self._described(scope, [tag_filter(CLUSTER, [self._cluster_id])])
        return {WHOLE: tuple(sorted(found, key=lambda each: str(each.get("CreationDate", ""))))}

    async def _described(self, scope: Scope, filters: Sequence[Shape]) -> list[Shape]:
        request = {
            "Owners": ["self"],
            "IncludeDeprecated": True,
            "IncludeDisabled": True,  # it keeps its name
            "Filters": list(filters),
            "MaxResults": _PAGE,
        }
        pages = self._sender.pages(scope, "ec2:DescribeImages", request, "Images")
        return [members_of(each, IMAGE_MEMBERS) async for page in pages for each in page]

    async def _read_references(
        self, scope: Scope, ids: Sequence[str]
    ) -> Mapping[str, tuple[str, ...]]:
        request = {"ImageIds": list(ids), "ResourceTypes": _REFERRING}
        call, member = "ec2:DescribeImageReferences", "ImageReferences"
        found: dict[str, list[str]] = defaultdict(list)
        async for page in self._sender.pages(scope, call, request, member):
            for each in page:
                found[str(each["ImageId"])].append(str(each.get("Arn", "")))
        return {name: tuple(found[name]) for name in ids}

    async def _read_parameters(self, scope: Scope, names: Sequence[str]) -> Mapping[str, Shape]:
        found: dict[str, Shape] = {}
        for name in names:
            try:
                answer = await self._sender.call(scope, "ssm:GetParameter", {"Name": name})
                value = str(answer["Parameter"]["Value"])
                more = {"ResourceType": "Parameter", "ResourceId": name}
                listed = await self._sender.call(scope, "ssm:ListTagsForResource", more)
            except AwsError as error:
                if error.kind is not ErrorKind.NOT_FOUND and error.code != "InvalidResourceId":
                    raise
                continue
            tags = {each["Key"]: each["Value"] for each in listed.get("TagList", ())}
            found[name] = in_plain_values({"Value": value, "Tags": tags})
        return found


def _cluster_shape(shape: Shape) -> Shape:
    """A cluster of ECS, with its tags as EC2 has them."""
    tags = [{"Key": each["key"], "Value": each.get("value", "")} for each in shape.get("tags", ())]
    active = shape.get("status") == "ACTIVE"
    return plain_shape({"ClusterName": shape["clusterName"], "Tags": tags if active else []})
