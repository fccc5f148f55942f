"""Puts the operator together from its parts. Where its edges lead is the caller's choice.

`app.py` gives it a real API server, threads and the machine's clock; the crash tests give it one
thread, a stepped clock, an in-memory Kubernetes and a simulated AWS. Nothing else differs.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.references import arn_targets, references
from awsbatch_operator.api.scope import Fence, LeadershipStart
from awsbatch_operator.aws.aws_settings import AwsSettings, Cadence
from awsbatch_operator.aws.connect import Aws, connect
from awsbatch_operator.aws.polling import Wake
from awsbatch_operator.aws.price_list import PriceOverrides
from awsbatch_operator.aws.runner import Runner
from awsbatch_operator.aws.sender import AwsContext
from awsbatch_operator.aws.sessions import ClientHook
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.engine import Engine
from awsbatch_operator.engine.engine_settings import EngineSettings
from awsbatch_operator.engine.event_recorder import EventRecorder
from awsbatch_operator.engine.installations import Others
from awsbatch_operator.engine.pace import TURNS_A_ROUND, Pace
from awsbatch_operator.engine.queue import WorkQueue
from awsbatch_operator.engine.reconciler import Again, Reconciler
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.engine.significance import significance
from awsbatch_operator.engine.store import Store
from awsbatch_operator.kinds.awsaccount.spec import RESOURCE as AWS_ACCOUNT
from awsbatch_operator.kinds.batchjob.expiry import Expiry
from awsbatch_operator.kinds.batchjob.inline import recorded_with
from awsbatch_operator.kinds.batchjob.over import job_is_over
from awsbatch_operator.kinds.batchjob.spec import RESOURCE as BATCH_JOB
from awsbatch_operator.kinds.computeenvironment.spec import RESOURCE as COMPUTE_ENVIRONMENT
from awsbatch_operator.kinds.extendedami.spec import RESOURCE as EXTENDED_AMI
from awsbatch_operator.kinds.jobdefinition.spec import RESOURCE as JOB_DEFINITION
from awsbatch_operator.kinds.jobqueue.spec import RESOURCE as JOB_QUEUE
from awsbatch_operator.kinds.narration import Narrator
from awsbatch_operator.kinds.orphans import OrphanPass
from awsbatch_operator.kinds.proofs import Proofs
from awsbatch_operator.kinds.schedulingpolicy.spec import RESOURCE as SCHEDULING_POLICY
from awsbatch_operator.kinds.scope_record import recorded_account
from awsbatch_operator.kinds.sent import Sent
from awsbatch_operator.kinds.shared import Claims, Shared
from awsbatch_operator.kube.port import KubePort
from awsbatch_operator.life_cycles import job_gates, life_cycles
from awsbatch_operator.reach import orphan_pass
from awsbatch_operator.schema.validate import spec_problems
from awsbatch_operator.settings import Settings
from awsbatch_operator.telemetry.metrics import Metrics
from awsbatch_operator.visibility import activity_log, count, measure_work

# In the order in which they are listed: accounts before what lives in them.
KINDS = (
    "AWSAccount",
    "ExtendedAMI",
    "ComputeEnvironment",
    "SchedulingPolicy",
    "JobQueue",
    "JobDefinition",
    "BatchJob",
)
CLUSTER_SCOPED = frozenset({"AWSAccount"})
SPEC_MATTERS = frozenset({"AWSAccount"})  # whose users obey its spec, acted upon or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Everything outside the operator that it touches."""

    kube: KubePort
    clock: Clock
    random: random.Random
    metrics: Metrics
    fence: Fence
    runner: Runner
    busy: Callable[[], None]  # called when turns begin or go on
    on_client: ClientHook | None = None  # sees each AWS client when it is made
    loader: Any = None  # botocore's; shared by the operators of one test, it reads models once


@dataclass(frozen=True, slots=True)
class Operator:
    """The parts that somebody has to run, and the handle on the moment of leadership."""

    engine: Engine
    recorder: EventRecorder
    aws: Aws
    leadership: LeadershipStart
    orphans: OrphanPass
    expiry: Expiry


class Router:
    """A Reconciler that hands each object to the life cycle of its kind."""

    def __init__(self, cycles: Mapping[str, Reconciler]) -> None:
        self._cycles = cycles

    async def reconcile(self, key: ObjectKey) -> Again:
        return await self._cycles[key.kind].reconcile(key)


def assemble(settings: Settings, edges: Edges) -> Operator:
    """All parts, wired. Nothing runs and nothing is sent by making it."""
    cache = Cache(clock=edges.clock, settled=settled, significance=significance(SPEC_MATTERS))
    others = Others(settings.installation)
    queue = _queue(settings, edges, cache)
    recorder = _recorder(settings, edges)
    count(cache, edges.metrics, others, edges.clock)

    def wake(key: ObjectKey) -> None:
        engine.wake(key)  # made below: the engine needs the life cycles, and those need AWS

    aws = _aws(settings, edges, wake)
    leadership = LeadershipStart()
    shared = Shared(
        cache=cache,
        index=ReferenceIndex(),
        store=_store(settings, edges, cache),
        clock=edges.clock,
        narrator=Narrator(activity_log(recorder, edges.clock)),
        cluster_id=settings.cluster_id,
        others=others,
        claims=Claims(wake),
        proofs=Proofs(aws.batch, aws.ec2, aws.ssm, settings.cluster_id, cache.get),
        sent=Sent(edges.clock, leadership),
    )
    gates = job_gates(shared, wake)
    cycles = life_cycles(
        settings, shared, aws, leadership, kube=edges.kube, metrics=edges.metrics, gates=gates
    )
    engine = _engine(settings, edges, shared, queue, Router(cycles))
    measure_work(edges.metrics, queue, aws)
    orphans = orphan_pass(
        settings,
        shared,
        aws,
        kube=edges.kube,
        metrics=edges.metrics,
        recorder=recorder,
        listed=engine.listed,
    )
    return Operator(engine, recorder, aws, leadership, orphans, gates.expiry)


def _engine(
    settings: Settings,
    edges: Edges,
    shared: Shared,
    queue: WorkQueue[ObjectKey],
    reconciler: Reconciler,
) -> Engine:
    return Engine(
        reconciler=reconciler,
        cache=shared.cache,
        queue=queue,
        store=shared.store,
        kube=edges.kube,
        kinds=watched_kinds(settings),
        index=shared.index,
        targets=_targets,
        kept=recorded_with,
        clock=edges.clock,
        random=edges.random,
        metrics=edges.metrics,
        settings=_pace(settings),
    )


def _queue(settings: Settings, edges: Edges, cache: Cache) -> WorkQueue[ObjectKey]:
    return WorkQueue(
        clock=edges.clock,
        random=edges.random,
        lane=cache.priority,
        account=cache.account,
        takers=_pace(settings).workers,
    )


def _store(settings: Settings, edges: Edges, cache: Cache) -> Store:
    return Store(
        kube=edges.kube,
        cache=cache,
        metrics=edges.metrics,
        clock=edges.clock,
        installation=settings.installation,
        pace=Pace(TURNS_A_ROUND, edges.busy),
    )


def _recorder(settings: Settings, edges: Edges) -> EventRecorder:
    return EventRecorder(
        kube=edges.kube,
        clock=edges.clock,
        random=edges.random,
        metrics=edges.metrics,
        instance=settings.identity,
    )


def _pace(settings: Settings) -> EngineSettings:
    return EngineSettings(
        workers=settings.workers,
        resync_seconds=settings.resync_seconds,
        drain_seconds=settings.drain_seconds,
        excluded_namespaces=frozenset(settings.exclude_namespaces),
    )


def load_schemas() -> None:
    """Make the schemas that specs are checked with. It takes half a second, which no turn has."""
    for resource in (
        AWS_ACCOUNT,
        BATCH_JOB,
        COMPUTE_ENVIRONMENT,
        EXTENDED_AMI,
        JOB_DEFINITION,
        JOB_QUEUE,
        SCHEDULING_POLICY,
    ):
        spec_problems(resource, {})


def watched_kinds(settings: Settings) -> tuple[str, ...]:
    """The kinds to list and watch."""
    return kinds(settings.namespaces)


def kinds(namespaces: Sequence[str]) -> tuple[str, ...]:
    """The kinds that are served: all, or those that a Role in these namespaces can reach."""
    return tuple(kind for kind in KINDS if not (namespaces and kind in CLUSTER_SCOPED))


def settled(resource: Resource) -> bool:
    """Whether nothing can happen to the object any more unless somebody edits it."""
    return resource.key.kind == "BatchJob" and job_is_over(resource)


def _targets(resource: Resource) -> tuple[ObjectKey, ...]:
    """What wakes the object and is needed by it: what it names, and the account it was made in."""
    named = (
        *(reference.target for reference in references(resource)),
        *arn_targets(resource),
        *recorded_with(resource),
    )
    account = recorded_account(resource)
    return (*named, ObjectKey("AWSAccount", "", account)) if account else named


def _aws(settings: Settings, edges: Edges, wake: Wake) -> Aws:
    return connect(
        AwsSettings(
            cluster_id=settings.cluster_id,
            region=settings.region,
            connect_timeout=settings.aws_connect_timeout,
            read_timeout=settings.aws_read_timeout,
            threads=settings.aws_threads,
            most=settings.most,
            cadence=Cadence().scaled(settings.poll_scale),
            prices=PriceOverrides.parse(settings.prices),
            interruption_queue=settings.queue,
            event_queue=settings.job_events,
        ),
        AwsContext(
            clock=edges.clock,
            fence=edges.fence,
            runner=edges.runner,
            jitter=edges.random,
            observe=edges.metrics.aws_call,
            on_wait=edges.metrics.token_wait,
            on_notice=edges.metrics.notice,
            on_job_event=edges.metrics.job_event,
            on_client=edges.on_client,
            loader=edges.loader,
        ),
        wake,
    )
