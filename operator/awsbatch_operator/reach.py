"""In which accounts the operator works: the homes of its objects, and the pass through all of them.

Apart from `assembly.py`, which it belongs to, for its length alone.
"""

import asyncio

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.aws.connect import Aws
from awsbatch_operator.kinds.accounts import Accounts, OwnIdentity
from awsbatch_operator.kinds.extendedami.orphan_looks import ImageOrphans
from awsbatch_operator.kinds.narration import EventSink
from awsbatch_operator.kinds.orphan_looks import OrphanLooks
from awsbatch_operator.kinds.orphan_places import OrphanPlaces
from awsbatch_operator.kinds.orphans import OrphanParts, OrphanPass
from awsbatch_operator.kinds.permissions import Allowances
from awsbatch_operator.kinds.shared import Shared
from awsbatch_operator.kube.port import KubePort
from awsbatch_operator.settings import Settings
from awsbatch_operator.telemetry.metrics import Metrics
from awsbatch_operator.visibility import activity_log


def own_identity(settings: Settings) -> OwnIdentity:
    """Who the operator is where no AWSAccount is named, and what objects may ask of it."""
    return OwnIdentity(
        cluster_id=settings.cluster_id,
        region=settings.region,
        allowed=Allowances(
            account="",
            role_arns=settings.allowed_role_arns,
            external_arns=settings.allowed_external_arns,
            regions=settings.own_regions,
            adoption=settings.allow_adoption,
        ),
        accounts=not settings.namespaces,  # they are in none: a Role does not reach them
    )


def accounts_of(settings: Settings, shared: Shared, aws: Aws, kube: KubePort) -> Accounts:
    """Where objects live, as whom we act there, and whether we may."""
    return Accounts(
        cache=shared.cache,
        kube=kube,
        identity=aws.identity,
        clock=shared.clock,
        own=own_identity(settings),
    )


def orphan_pass(
    settings: Settings,
    shared: Shared,
    aws: Aws,
    *,
    kube: KubePort,
    metrics: Metrics,
    recorder: EventSink,
    listed: asyncio.Event,
) -> OrphanPass:
    """The pass that removes what has our tags and no owner; it begins once `listed` is set."""
    clock, homes = shared.clock, accounts_of(settings, shared, aws, kube)
    places = OrphanPlaces(shared.cache, homes, aws.identity, clock, region=settings.region)
    looks = OrphanLooks(
        cluster_id=settings.cluster_id,
        namespaces=settings.namespaces,
        excluded=settings.exclude_namespaces,
        clock=clock,
        store=shared.store,
        places=places,
        batch=aws.batch,
        ec2=aws.ec2,
        ecs=aws.ecs,
        images=ImageOrphans(aws.images, aws.batch),
    )
    parts = OrphanParts(
        lease=ObjectKey("Lease", settings.lease_namespace, settings.lease_name),
        clock=clock,
        cache=shared.cache,
        kube=kube,
        looks=looks,
        ec2=aws.ec2,
        ecs=aws.ecs,
        images=aws.images,
        events=activity_log(recorder, clock),
        metrics=metrics,
        listed=listed,
    )
    return OrphanPass(parts)
