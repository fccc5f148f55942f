"""Ec2Port on boto3's EC2 client, and on the feed of instances."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from contextlib import ExitStack

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import NoTokenError, Permit, Scope
from awsbatch_operator.api.tags import CLUSTER, OWNER_UID
from awsbatch_operator.aws.ec2_descriptions import A_DAY, SCOPES, TEN_MINUTES, Descriptions
from awsbatch_operator.aws.ec2_named import NamedThings
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.feed import Feed
from awsbatch_operator.aws.feed_scope import ANY_NAME
from awsbatch_operator.aws.instances import (
    TAGS_AT_ONCE,
    InstanceSource,
    in_plain_values,
    plain_shape,
    tag_filter,
)
from awsbatch_operator.aws.kept import WHOLE, Kept
from awsbatch_operator.aws.sender import Sender
from awsbatch_operator.telemetry.secrets import masked

CONSOLE_LIMIT = 16_384  # characters; EC2 keeps 64 KiB of a console
_LAUNCHES = frozenset(
    {"CreateCapacityReservation", "CreateFleet", "CreateLaunchTemplate", "RunInstances"}
)
_HOSTS = 5_000  # instances of jobs that are remembered, of half a kB each
_PAGE = 200  # of launch templates; volumes take more


class Ec2Adapter(Descriptions):
    """Amazon EC2 through the Sender, the feed and what is kept. Implements Ec2Port."""

    def __init__(
        self, sender: Sender, clock: Clock, source: InstanceSource, feed: Feed, cluster_id: str
    ) -> None:
        super().__init__(sender, clock, cluster_id)
        self._source = source
        self._feed = feed
        self._named = NamedThings(sender, clock)
        self._hosts: Kept[Shape] = Kept(
            source.by_ids, clock, seconds=A_DAY, most=_HOSTS, at_once=TAGS_AT_ONCE
        )
        self._made: Kept[tuple[Shape, ...]] = Kept(
            self._read_templates, clock, seconds=TEN_MINUTES, most=SCOPES
        )

    async def instances(
        self, scope: Scope, owner_uid: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Sequence[Shape]:
        return await self._feed.get(scope, owner_uid, fresh=fresh, wake=wake)

    async def instances_by_id(self, scope: Scope, ids: Collection[str]) -> Mapping[str, Shape]:
        return await self._hosts.get(scope, ids)

    async def all_instances(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        return await self._feed.all(scope, fresh=fresh)

    async def listed_instances(self, scope: Scope) -> Sequence[Shape]:
        return await self._source.listed(scope)

    async def launched_by(self, scope: Scope, token: str) -> Sequence[Shape]:
        return await self._source.launched_by(scope, token)

    def expect(self, scope: Scope, seconds: float) -> None:
        self._feed.expect(scope, seconds)

    async def launch_templates(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        return await self._made.whole(scope, fresh=fresh) or ()

    async def launch_template(
        self, scope: Scope, name_or_id: str, version: str = "$Default"
    ) -> Shape | None:
        member = "LaunchTemplateId" if name_or_id.startswith("lt-") else "LaunchTemplateName"
        request = {member: name_or_id, "Versions": [version]}
        call, found = "ec2:DescribeLaunchTemplateVersions", "LaunchTemplateVersions"
        try:
            answer = await self._sender.call(scope, call, request)
        except AwsError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
            return None
        versions = self._sender.member(scope, call, answer, found)
        return in_plain_values(versions[0]) if versions else None

    async def template_versions(
        self, scope: Scope, names: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Shape]:
        return await self._named.templates.get(scope, names, fresh=fresh)

    async def placement_groups(
        self, scope: Scope, names: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Shape]:
        return await self._named.groups.get(scope, names, fresh=fresh)

    async def volumes(self, scope: Scope) -> Sequence[Shape]:
        return await self._ours(scope, "DescribeVolumes", "Volumes")

    async def console_output(self, scope: Scope, instance_id: str) -> str:
        """The latest, which only instances on Nitro give; else what EC2 has posted by itself."""
        call, request = "ec2:GetConsoleOutput", {"InstanceId": instance_id}
        try:
            answer = await self._sender.call(scope, call, {**request, "Latest": True})
        except AwsError as error:
            if error.kind is not ErrorKind.INVALID or error.outcome_unknown:
                raise
            answer = await self._sender.call(scope, call, request)
        # botocore has decoded it. The first line may be cut, with half of a secret: it goes.
        text = str(answer.get("Output") or "")
        kept = text[-CONSOLE_LIMIT:]
        if len(kept) < len(text):
            kept = kept.partition("\n")[2]
        return masked(kept, limit=CONSOLE_LIMIT)

    async def dry_run(self, scope: Scope, operation: str, request: Shape) -> None:
        call = f"ec2:{operation}"
        answer = await self._sender.call(scope, call, {**request, "DryRun": True})
        if answer:
            raise self._sender.no_answer(scope, call, "It has carried out what was only a trial")

    async def change(self, scope: Scope, operation: str, request: Shape) -> Shape:
        if operation in _LAUNCHES and not request.get("ClientToken"):
            raise ValueError(f"{operation} needs a ClientToken: botocore's own differs each time")
        with ExitStack() as changing:
            for name in self._concerned(scope, operation, request):
                changing.enter_context(self._feed.changing(scope, name))
            try:
                answer = await self._sender.call(scope, f"ec2:{operation}", request)
            except NoTokenError:
                raise  # it was not sent: nothing is old
            except BaseException:
                self.changed(scope, operation)
                raise
            self.changed(scope, operation)
        return plain_shape(answer)

    def permit(self, scope: Scope, operation: str, holder: Hashable) -> Permit:
        return self._sender.permit(scope, f"ec2:{operation}", holder)

    def changed(self, scope: Scope, operation: str) -> None:
        super().changed(scope, operation)
        self._named.changed(scope, operation)
        if operation in {"CreateLaunchTemplate", "DeleteLaunchTemplate"}:
            self._made.forget(scope)

    async def _read_templates(
        self, scope: Scope, _: Sequence[str]
    ) -> Mapping[str, tuple[Shape, ...]]:
        found = await self._ours(scope, "DescribeLaunchTemplates", "LaunchTemplates")
        return {WHOLE: tuple(found)}

    def _concerned(self, scope: Scope, operation: str, request: Shape) -> Collection[str]:
        """Under which names of the feed something changes."""
        match operation:
            case "RunInstances" | "CreateFleet":
                return {_owner(request)}
            case "TerminateInstances":
                return self._feed.last_read.names_of(scope, request["InstanceIds"])
            case _:
                return ()

    async def _ours(self, scope: Scope, operation: str, member: str) -> list[Shape]:
        """All things of a kind with our cluster's tag."""
        request = {"Filters": [tag_filter(CLUSTER, [self._cluster_id])], "MaxResults": _PAGE}
        pages = self._sender.pages(scope, f"ec2:{operation}", request, member)
        return [in_plain_values(each) async for page in pages for each in page]


def _owner(request: Shape) -> str:
    """The uid in the tags that a launch gives to its instances."""
    for each in request.get("TagSpecifications", ()):
        if each["ResourceType"] == "instance":
            for tag in each["Tags"]:
                if tag["Key"] == OWNER_UID:
                    return str(tag["Value"])
    return ANY_NAME
