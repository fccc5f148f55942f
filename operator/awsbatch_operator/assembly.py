"""Puts the operator together from its parts. Where its edges lead is the caller's choice.

`app.py` gives it a real API server, threads and the machine's clock; the crash tests give it one
thread, a stepped clock, an in-memory Kubernetes and a simulated AWS. Nothing else differs.
"""

import random
from collections.abc import Mapping, Sequence
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
from awsbatch_operator.engine.queue import WorkQueue
from awsbatch_operator.engine.reconciler import Again, Reconciler
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.engine.significance import significance
from awsbatch_operator.engine.store import Store
from awsbatch_operator.kinds.accounts import Accounts, OwnIdentity
from awsbatch_operator.kinds.awsaccount.kind import AccountHomes, AwsAccountKind
from awsbatch_operator.kinds.awsaccount.spec import RESOURCE as AWS_ACCOUNT
from awsbatch_operator.kinds.batchjob.act import SubmissionMemory
from awsbatch_operator.kinds.batchjob.definition_types import DefinitionTypes
from awsbatch_operator.kinds.batchjob.kind import BatchJobKind, job_is_over
from awsbatch_operator.kinds.batchjob.observe import Observer
from awsbatch_operator.kinds.batchjob.output import OutputReader
from awsbatch_operator.kinds.batchjob.spec import RESOURCE as BATCH_JOB
from awsbatch_operator.kinds.computeenvironment.kind import compute_environments
from awsbatch_operator.kinds.computeenvironment.spec import RESOURCE as COMPUTE_ENVIRONMENT
from awsbatch_operator.kinds.jobdefinition.kind import job_definitions
from awsbatch_operator.kinds.jobdefinition.spec import RESOURCE as JOB_DEFINITION
from awsbatch_operator.kinds.jobqueue.kind import job_queues
from awsbatch_operator.kinds.jobqueue.spec import RESOURCE as JOB_QUEUE
from awsbatch_operator.kinds.lifecycle import Lifecycle
from awsbatch_operator.kinds.narration import Narrator
from awsbatch_operator.kinds.permissions import Allowances
from awsbatch_operator.kinds.proofs import Proofs
from awsbatch_operator.kinds.schedulingpolicy.kind import scheduling_policies
from awsbatch_operator.kinds.schedulingpolicy.spec import RESOURCE as SCHEDULING_POLICY
from awsbatch_operator.kinds.scope_record import recorded_account
from awsbatch_operator.kinds.shared import Claims, Shared
from awsbatch_operator.kube.port import KubePort
from awsbatch_operator.schema.validate import spec_problems
from awsbatch_operator.settings import Settings
from awsbatch_operator.telemetry.metrics import Metrics
from awsbatch_operator.visibility import activity_log, count_objects

# In the order in which they are listed: accounts before what lives in them.
KINDS = (
    "AWSAccount",
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
    on_client: ClientHook | None = None  # sees each AWS client when it is made
    loader: Any = None  # botocore's; shared by the operators of one test, it reads models once


@dataclass(frozen=True, slots=True)
class Operator:
    """The parts that somebody has to run, and the handle on the moment of leadership."""

    engine: Engine
    recorder: EventRecorder
    aws: Aws
    leadership: LeadershipStart


class Router:
    """A Reconciler that hands each object to the life cycle of its kind."""

    def __init__(self, cycles: Mapping[str, Reconciler]) -> None:
        self._cycles = cycles

    async def reconcile(self, key: ObjectKey) -> Again:
        return await self._cycles[key.kind].reconcile(key)


def assemble(settings: Settings, edges: Edges) -> Operator:
    """All parts, wired. Nothing runs and nothing is sent by making it."""
    cache = Cache(clock=edges.clock, settled=settled, significance=significance(SPEC_MATTERS))
    queue = _queue(settings, edges, cache)
    index = ReferenceIndex()
    store = Store(kube=edges.kube, cache=cache, metrics=edges.metrics)
    recorder = _recorder(settings, edges)
    count_objects(cache, edges.metrics)

    def wake(key: ObjectKey) -> None:
        engine.wake(key)  # made below: the engine needs the life cycles, and those need AWS

    aws = _aws(settings, edges, wake)
    leadership = LeadershipStart()
    shared = Shared(
        cache=cache,
        index=index,
        store=store,
        clock=edges.clock,
        narrator=Narrator(activity_log(recorder, edges.clock)),
        cluster_id=settings.cluster_id,
        claims=Claims(wake),
        proofs=Proofs(aws.batch, settings.cluster_id),
    )
    engine = Engine(
        reconciler=Router(_life_cycles(settings, edges, shared, aws, leadership)),
        cache=cache,
        queue=queue,
        store=store,
        kube=edges.kube,
        kinds=watched_kinds(settings),
        index=index,
        targets=_targets,
        clock=edges.clock,
        random=edges.random,
        metrics=edges.metrics,
        settings=_pace(settings),
    )
    _gauges(edges.metrics, queue, aws)
    return Operator(engine=engine, recorder=recorder, aws=aws, leadership=leadership)


def _queue(settings: Settings, edges: Edges, cache: Cache) -> WorkQueue[ObjectKey]:
    return WorkQueue(
        clock=edges.clock,
        random=edges.random,
        lane=cache.priority,
        account=cache.account,
        takers=_pace(settings).workers,
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
    )


def _gauges(metrics: Metrics, queue: WorkQueue[ObjectKey], aws: Aws) -> None:
    metrics.gauge("queue_depth", "Objects waiting for a turn.", lambda: queue.depth)
    age = "Seconds that the object waits which has waited longest."
    metrics.gauge("queue_oldest_seconds", age, lambda: queue.oldest_age)
    metrics.gauge("jobs_followed", "Jobs that are polled.", lambda: aws.job_poller.followed)


def load_schemas() -> None:
    """Make the schemas that specs are checked with. It takes half a second, which no turn has."""
    for resource in (
        AWS_ACCOUNT,
        BATCH_JOB,
        COMPUTE_ENVIRONMENT,
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
    named = (*(reference.target for reference in references(resource)), *arn_targets(resource))
    account = recorded_account(resource)
    return (*named, ObjectKey("AWSAccount", "", account)) if account else named


def _aws(settings: Settings, edges: Edges, wake: Wake) -> Aws:
    cadence = Cadence().scaled(settings.poll_scale)
    return connect(
        AwsSettings(
            cluster_id=settings.cluster_id,
            region=settings.region,
            connect_timeout=settings.aws_connect_timeout,
            read_timeout=settings.aws_read_timeout,
            threads=settings.aws_threads,
            cadence=cadence,
            prices=PriceOverrides.parse(settings.prices),
        ),
        AwsContext(
            clock=edges.clock,
            fence=edges.fence,
            runner=edges.runner,
            jitter=edges.random,
            observe=edges.metrics.aws_call,
            on_client=edges.on_client,
            loader=edges.loader,
        ),
        wake,
    )


def _batch_jobs(
    settings: Settings, edges: Edges, aws: Aws, leadership: LeadershipStart
) -> BatchJobKind:
    observer = Observer(
        batch=aws.batch,
        feed=aws.jobs,
        output=OutputReader(aws.logs, edges.clock, wanted=settings.status_log_lines),
        memory=SubmissionMemory(),
        clock=edges.clock,
        leadership=leadership,
        settling_seconds=settings.settling_seconds,
    )
    return BatchJobKind(
        observer,
        DefinitionTypes(aws.batch),
        settings.cluster_id,
        definition_grace=settings.definition_grace,
    )


def _life_cycles(
    settings: Settings, edges: Edges, shared: Shared, aws: Aws, leadership: LeadershipStart
) -> Mapping[str, Reconciler]:
    own = OwnIdentity(
        cluster_id=settings.cluster_id,
        region=settings.region,
        allowed=Allowances(
            account="",
            role_arns=settings.allowed_role_arns,
            external_arns=settings.allowed_external_arns,
            regions=settings.own_regions,
        ),
        accounts="AWSAccount" in watched_kinds(settings),
    )
    accounts = Accounts(
        cache=shared.cache, kube=edges.kube, identity=aws.identity, clock=edges.clock, own=own
    )
    job = _batch_jobs(settings, edges, aws, leadership)
    batch = aws.batch
    return {
        "AWSAccount": Lifecycle(
            AwsAccountKind(aws.identity),
            shared=shared,
            homes=AccountHomes(settings.region),
            scoped=False,
        ),
        "BatchJob": Lifecycle(job, shared=shared, homes=accounts),
        "ComputeEnvironment": Lifecycle(compute_environments(batch), shared=shared, homes=accounts),
        "JobDefinition": Lifecycle(
            job_definitions(batch, edges.clock, leadership), shared=shared, homes=accounts
        ),
        "JobQueue": Lifecycle(job_queues(batch), shared=shared, homes=accounts),
        "SchedulingPolicy": Lifecycle(scheduling_policies(batch), shared=shared, homes=accounts),
    }
