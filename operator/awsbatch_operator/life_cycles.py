"""The life cycle of each kind, made of the AWS side and what all of them share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import LeadershipStart, ScopeRecord
from awsbatch_operator.aws.connect import Aws
from awsbatch_operator.aws.polling import Wake
from awsbatch_operator.capacity.conduct import Conductor
from awsbatch_operator.capacity.hearing import Hearing
from awsbatch_operator.capacity.looking import Lookout
from awsbatch_operator.capacity.memory import Memories
from awsbatch_operator.capacity.pools import Pools
from awsbatch_operator.capacity.resolving import Resolver
from awsbatch_operator.capacity.waiting import Demand
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.reconciler import Reconciler
from awsbatch_operator.kinds.account_limits import Rooms
from awsbatch_operator.kinds.accounts import OwnIdentity
from awsbatch_operator.kinds.awsaccount.kind import AccountHomes, AwsAccountKind
from awsbatch_operator.kinds.batchjob.act import SubmissionMemory
from awsbatch_operator.kinds.batchjob.child_reading import ChildReader
from awsbatch_operator.kinds.batchjob.circles import Circles
from awsbatch_operator.kinds.batchjob.definition_types import DefinitionTypes
from awsbatch_operator.kinds.batchjob.expiry import Expiry
from awsbatch_operator.kinds.batchjob.head_of_line import HeadOfLine
from awsbatch_operator.kinds.batchjob.in_flight import InFlight
from awsbatch_operator.kinds.batchjob.inline_registering import InlineDefinitions
from awsbatch_operator.kinds.batchjob.inline_users import DefinitionUsers
from awsbatch_operator.kinds.batchjob.kind import BatchJobKind
from awsbatch_operator.kinds.batchjob.node_hosts import NodeHosts
from awsbatch_operator.kinds.batchjob.observe import Observer
from awsbatch_operator.kinds.batchjob.output import OutputReader, Readings
from awsbatch_operator.kinds.batchjob.placement import PlacementReader
from awsbatch_operator.kinds.batchjob.task_reading import TaskReader
from awsbatch_operator.kinds.computeenvironment.kind import ComputeEnvironmentKind
from awsbatch_operator.kinds.extendedami.act import Actor
from awsbatch_operator.kinds.extendedami.act import Memories as ImageMemories
from awsbatch_operator.kinds.extendedami.kind import ExtendedAmiKind
from awsbatch_operator.kinds.extendedami.observe import Observer as ImageObserver
from awsbatch_operator.kinds.hit_jobs import HitJobs
from awsbatch_operator.kinds.jobdefinition.kind import job_definitions
from awsbatch_operator.kinds.jobqueue.kind import job_queues
from awsbatch_operator.kinds.lifecycle import Lifecycle
from awsbatch_operator.kinds.permissions import Allowances, allowances
from awsbatch_operator.kinds.schedulingpolicy.kind import scheduling_policies
from awsbatch_operator.kinds.shared import Shared
from awsbatch_operator.kinds.unfit_jobs import UnfitJobs
from awsbatch_operator.kube.port import KubePort
from awsbatch_operator.reach import accounts_of, own_identity
from awsbatch_operator.settings import Settings
from awsbatch_operator.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class JobGates:
    """What is known of all BatchJobs together; all of them hear of each change of the cache."""

    circles: Circles
    in_flight: InFlight
    expiry: Expiry


def job_gates(shared: Shared, wake: Wake) -> JobGates:
    """Made before anything is listed."""
    circles = Circles(wake)
    in_flight = InFlight(wake, installation=shared.others.own)
    expiry = Expiry(
        cache=shared.cache,
        store=shared.store,
        clock=shared.clock,
        awaited=circles.awaited,
        installation=shared.others.own,
    )
    circles.freed = expiry.freed
    for heard in (circles.heard, in_flight.heard, expiry.heard):
        shared.cache.listen(heard)
    return JobGates(circles, in_flight, expiry)


def _batch_jobs(
    settings: Settings, shared: Shared, aws: Aws, leadership: LeadershipStart, gates: JobGates
) -> BatchJobKind:
    readings = Readings()
    observer = Observer(
        batch=aws.batch,
        feed=aws.jobs,
        children=ChildReader(aws.batch, shared.clock, HeadOfLine(aws.batch, shared.clock)),
        placements=PlacementReader(aws.ecs, aws.ec2, shared.clock),
        output=OutputReader(
            aws.logs, shared.clock, wanted=settings.status_log_lines, readings=readings
        ),
        tasks=TaskReader(aws.batch, aws.logs, shared.clock, readings),
        memory=SubmissionMemory(),
        clock=shared.clock,
        leadership=leadership,
        settling_seconds=settings.settling_seconds,
    )
    types = DefinitionTypes(aws.batch)
    definitions = InlineDefinitions(
        batch=aws.batch,
        clock=shared.clock,
        leadership=leadership,
        cluster_id=settings.cluster_id,
        users=DefinitionUsers(shared.cache, shared.index, settings.cluster_id),
    )
    return BatchJobKind(
        observer,
        types,
        NodeHosts(aws.batch, types, shared.cache.get, settings.cluster_id),
        definitions,
        settings.cluster_id,
        definition_grace=settings.definition_grace,
        circles=gates.circles,
        in_flight=gates.in_flight,
        find=shared.cache.get,
    )


def _allowed_in(own: OwnIdentity, cache: Cache) -> Callable[[ScopeRecord], Allowances]:
    """What may be asked of the account that a record names; of one that is gone, nothing."""

    def allowed(recorded: ScopeRecord) -> Allowances:
        if not recorded.account:
            return own.allowed
        account = cache.get(ObjectKey("AWSAccount", "", recorded.account))
        if account is None:
            return replace(own.allowed, account=recorded.account, external_arns=())
        return allowances(account, own_region=own.region)

    return allowed


def _lookout(settings: Settings, clock: Clock, aws: Aws, memories: Memories) -> Lookout:
    resolver = Resolver(aws.ec2, aws.ssm, aws.prices, clock, cluster_id=settings.cluster_id)
    return Lookout(
        ec2=aws.ec2,
        ecs=aws.ecs,
        demand=Demand(batch=aws.batch, clock=clock, aside=aws.aside),
        hearing=Hearing(ec2=aws.ec2, book=aws.notices, clock=clock),
        pools=Pools(ec2=aws.ec2, resolver=resolver, prices=aws.prices, clock=clock),
        memories=memories,
        clock=clock,
        pace=settings.poll_scale,
    )


def _compute_environments(
    settings: Settings,
    shared: Shared,
    aws: Aws,
    leadership: LeadershipStart,
    *,
    allowed: Callable[[ScopeRecord], Allowances],
    metrics: Metrics,
) -> ComputeEnvironmentKind:
    memories = Memories(leadership)
    return ComputeEnvironmentKind(
        batch=aws.batch,
        rooms=Rooms(aws.batch, settings.most),
        lookout=replace(_lookout(settings, shared.clock, aws, memories), on_join=metrics.joined),
        conductor=Conductor(
            ec2=aws.ec2,
            ecs=aws.ecs,
            memories=memories,
            clock=shared.clock,
            on_launch=metrics.launched,
        ),
        cluster_id=settings.cluster_id,
        allowed=allowed,
        hits=HitJobs(shared.cache, aws.jobs, shared.narrator),
        find=shared.cache.get,
        unfit=UnfitJobs(shared.cache, shared.narrator),
    )


def _images(
    settings: Settings, shared: Shared, aws: Aws, leadership: LeadershipStart, *, kube: KubePort
) -> ExtendedAmiKind:
    memories, clock = ImageMemories(leadership), shared.clock
    observer = ImageObserver(
        batch=aws.batch,
        ec2=aws.ec2,
        ecs=aws.ecs,
        images=aws.images,
        ssm=aws.ssm,
        kube=kube,
        memories=memories,
        clock=clock,
        pace=settings.poll_scale,
    )
    actor = Actor(ec2=aws.ec2, ecs=aws.ecs, images=aws.images, memories=memories, clock=clock)
    return ExtendedAmiKind(
        observer=observer,
        actor=actor,
        cluster_id=settings.cluster_id,
        find=shared.cache.get,
        pace=settings.poll_scale,
    )


def life_cycles(
    settings: Settings,
    shared: Shared,
    aws: Aws,
    leadership: LeadershipStart,
    *,
    kube: KubePort,
    metrics: Metrics,
    gates: JobGates,
) -> Mapping[str, Reconciler]:
    """By kind."""
    accounts = accounts_of(settings, shared, aws, kube)
    job = _batch_jobs(settings, shared, aws, leadership, gates)
    allowed = _allowed_in(own_identity(settings), shared.cache)
    environment = _compute_environments(
        settings, shared, aws, leadership, allowed=allowed, metrics=metrics
    )
    return {
        "AWSAccount": Lifecycle(
            AwsAccountKind(aws.identity),
            shared=shared,
            homes=AccountHomes(settings.region),
            scoped=False,
        ),
        "BatchJob": Lifecycle(job, shared=shared, homes=accounts),
        "ComputeEnvironment": Lifecycle(environment, shared=shared, homes=accounts),
        "ExtendedAMI": Lifecycle(
            _images(settings, shared, aws, leadership, kube=kube), shared=shared, homes=accounts
        ),
        "JobDefinition": Lifecycle(
            job_definitions(aws.batch, shared.clock, leadership), shared=shared, homes=accounts
        ),
        "JobQueue": Lifecycle(
            job_queues(aws.batch, Rooms(aws.batch, settings.most)), shared=shared, homes=accounts
        ),
        "SchedulingPolicy": Lifecycle(
            scheduling_policies(aws.batch), shared=shared, homes=accounts
        ),
    }
