"""What the operator needs of AWS for instances: EC2, ECS, parameters and prices, call by call.

The rules of `ports.py` hold here as well: AWS's own member names, one request on the wire for what
changes anything, and AwsError, NoTokenError and LeaseLostError. What changes seldom is kept for as
long as each method says, by account and region, and asked of AWS once for all who ask meanwhile;
errors are not kept. With `fresh` AWS is always asked, after the call began.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Permit, Scope
from awsbatch_operator.aws.errors import AwsError


class Ec2Port(Protocol):
    """Amazon EC2.

    Instances are read by a feed: all with our cluster's tag in one page walk of a scope, once a
    minute, and every 5 s while one of them is pending, stopping or shutting down, for half a minute
    after a `change`, or as long as `expect` said. Looks, wakes and `fresh` are BatchPort's.
    """

    async def instances(
        self, scope: Scope, owner_uid: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Sequence[Shape]:
        """The instances that carry this uid in our tag owner-uid, oldest first.

        EC2 goes on listing what is terminated for about an hour. Of DescribeInstances' members
        those that INSTANCE_MEMBERS (instances.py) names.
        """

    async def instances_by_id(self, scope: Scope, ids: Collection[str]) -> Mapping[str, Shape]:
        """InstanceType, InstanceLifecycle, Placement and Tags by id, whoever's they are.

        For a day, since none of it changes; what is not there is left out.
        """

    async def all_instances(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        """All instances with our cluster's tag, whoever owns them."""

    async def listed_instances(self, scope: Scope) -> Sequence[Shape]:
        """The same; always asked of AWS, and without having the feed poll the scope from then on.

        For whoever looks seldom, also where nobody has any capacity.
        """

    async def launched_by(self, scope: Scope, token: str) -> Sequence[Shape]:
        """The instances of one launch, by the tag `awsbatch.dev/intent`; always asked of AWS.

        EC2 may show a new instance, or its tags, up to half a minute late.
        """

    def expect(self, scope: Scope, seconds: float) -> None:
        """Something is about to happen to instances there: read them often for so long."""

    async def instance_types(
        self, scope: Scope, names: Collection[str] | None = None
    ) -> Mapping[str, Shape]:
        """INSTANCE_TYPE_MEMBERS (ec2_descriptions.py) of these types of the region. For a day.

        What is not there is left out. Without names it is all of them, which takes some ten calls
        and seconds of a thread: for requirements, not for a list of types.
        """

    async def zones_of(self, scope: Scope, types: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The zones of the region in which each type is offered; none: it is not. For a day."""

    async def subnets(
        self, scope: Scope, ids: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Shape]:
        """Subnets by id, with their free addresses; what is not there is left out. Ten minutes.

        Our own launches and terminations end that time.
        """

    async def security_groups(
        self, scope: Scope, ids: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Shape]:
        """GroupId, GroupName and VpcId by id; what is not there is left out. Ten minutes."""

    async def images(
        self, scope: Scope, ids: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Shape]:
        """Images by id; what is not there, or not shared with us, is left out. Ten minutes."""

    async def launch_templates(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        """The launch templates with our cluster's tag. Ten minutes, or until we change one."""

    async def launch_template(
        self, scope: Scope, name_or_id: str, version: str = "$Default"
    ) -> Shape | None:
        """DescribeLaunchTemplateVersions' detail of one version; always asked of AWS."""

    async def template_versions(
        self, scope: Scope, names: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Shape]:
        """Launch templates, whoever's they are.

        LaunchTemplateId, DefaultVersionNumber, LatestVersionNumber and Tags. Names begin with BY_ID
        or BY_NAME (api/names.py); what is not there is left out. All that anybody asks for in an
        account and region is read together. Ten minutes.
        """

    async def placement_groups(
        self, scope: Scope, names: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Shape]:
        """Placement groups by name, whoever's they are, read together. Ten minutes.

        GroupId, GroupName, State, Strategy and Tags. Our own changes end that time.
        """

    async def capacity_reservations(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        """All reservations of the account, those that ended a while ago too. A minute."""

    async def volumes(self, scope: Scope) -> Sequence[Shape]:
        """The volumes with our cluster's tag; always asked of AWS."""

    async def spot_requests(self, scope: Scope) -> Sequence[Shape]:
        """The spot requests with our cluster's tag. A minute.

        Their status code says that an instance is about to be taken away before its own state does
        (instance-terminated-no-capacity, marked-for-termination).
        """

    async def troubled_instances(self, scope: Scope) -> Sequence[Shape]:
        """DescribeInstanceStatus of what has an event ahead or fails a check. A minute.

        Of all instances of the account, ours or not.
        """

    async def console_output(self, scope: Scope, instance_id: str) -> str:
        """The last CONSOLE_LIMIT characters of the console, without secrets; "": none yet."""

    async def dry_run(self, scope: Scope, operation: str, request: Shape) -> None:
        """Ask whether the operation would be allowed, and do nothing (DryRun).

        Returns if it would; raises AwsError if not, of kind DENIED for want of permission. It needs
        a rate token of the operation.
        """

    async def change(self, scope: Scope, operation: str, request: Shape) -> Shape:
        """One call that makes, changes or ends something; once on the wire.

        `operation`: RunInstances, CreateFleet, TerminateInstances, CreateLaunchTemplate,
        DeleteLaunchTemplate, CreateCapacityReservation,
        CancelCapacityReservation, DeleteVolume, CreatePlacementGroup, DeletePlacementGroup. What it
        touches is asked of AWS again at the next
        look, whatever became of the call. A fleet that found no capacity for an offer says so in
        the answer's Errors, with EC2's code and the offer (LaunchTemplateAndOverrides); the texts
        are masked and do not change from call to call.

        Launches need a ClientToken of the caller's (ValueError without): botocore would make up one
        that is another for each call.
        """

    def permit(self, scope: Scope, operation: str, holder: Hashable) -> Permit:
        """A rate token of a mutating operation, kept back for its call, as BatchPort's."""


class EcsPort(Protocol):
    """Amazon ECS.

    The container instances of a cluster are read by a feed, all in one walk, once a minute, as long
    as somebody has asked for them within half an hour. Looks, wakes and `fresh` are BatchPort's:
    whoever waits for an agent to join asks with `fresh`, which reads that cluster alone.
    """

    async def container_instances(
        self, scope: Scope, cluster: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Sequence[Shape]:
        """The container instances of a cluster, by its ARN, that are not INACTIVE.

        Of DescribeContainerInstances' members those that CONTAINER_INSTANCE_MEMBERS (instances.py)
        names: among them ec2InstanceId, status, agentConnected, registeredAt, registeredResources,
        remainingResources, runningTasksCount, pendingTasksCount, attributes of ours, tags. None of
        a cluster that does not exist.
        """

    async def container_instances_by_arn(
        self, scope: Scope, arns: Collection[str]
    ) -> Mapping[str, Shape]:
        """ec2InstanceId and attributes by ARN, of whichever clusters; for a day, as none changes.

        What is not there any more is left out. So is an ARN of the old form, without a cluster.
        """

    async def tasks(self, scope: Scope, cluster: str) -> int:
        """Tasks that run in a cluster, by its ARN, or are about to; always asked of AWS.

        None of a cluster that does not exist (DescribeClusters: runningTasksCount and
        pendingTasksCount).
        """

    async def change(self, scope: Scope, operation: str, request: Shape) -> Shape:
        """UpdateContainerInstancesState (10 a call) or DeregisterContainerInstance; once.

        What the former could not do is in the answer's `failures`.
        """

    def permit(self, scope: Scope, operation: str, holder: Hashable) -> Permit:
        """A rate token of a mutating operation, kept back for its call, as BatchPort's."""


class SsmPort(Protocol):
    """Systems Manager's parameters."""

    async def image_parameter(self, scope: Scope, name: str, *, fresh: bool = False) -> str | None:
        """The value of a parameter that names an image; None: there is no such. Five minutes.

        `ecs_image_parameter` (ssm.py) has the names of the ECS-optimized images.
        """


class PriceBook(Protocol):
    """Prices in US dollars an hour for Linux on shared hosts. Kept for twelve hours.

    The user's own prices (setting `prices`) go before AWS's. A price that nobody knows is left out:
    AWS has none, or could not be asked. Only NoTokenError is raised.
    """

    async def on_demand(self, scope: Scope, types: Collection[str]) -> Mapping[str, Decimal]:
        """On-demand prices by type."""

    async def spot(self, scope: Scope, types: Collection[str]) -> Mapping[tuple[str, str], Decimal]:
        """The spot prices of now by (type, zone)."""

    def trouble(self, scope: Scope) -> AwsError | None:
        """Why AWS could not be asked for prices last; None: it answered."""
