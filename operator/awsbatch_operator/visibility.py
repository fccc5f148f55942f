"""What the operator lets people see of all objects: the log of what it does, and their number.

Apart from `assembly.py`, which it belongs to, because it knows the words of every kind.
"""

from collections.abc import Callable
from contextlib import suppress

from prometheus_client import ProcessCollector

from awsbatch_operator.api import catalogue, conditions, job_reasons
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource
from awsbatch_operator.aws.connect import Aws
from awsbatch_operator.engine.cache import Cache, Change
from awsbatch_operator.engine.installations import Others, but_others
from awsbatch_operator.engine.queue import WorkQueue
from awsbatch_operator.engine.tally import Tally
from awsbatch_operator.kinds.activity_log import ActivityLog
from awsbatch_operator.kinds.batchjob import gauges as jobs
from awsbatch_operator.kinds.batchjob.failure_causes import Failure
from awsbatch_operator.kinds.batchjob.gauges import JobGauges
from awsbatch_operator.kinds.batchjob.record import submission_of
from awsbatch_operator.kinds.computeenvironment.gauges import (
    COST_LABELS,
    INSTANCE_LABELS,
    CapacityGauges,
)
from awsbatch_operator.kinds.narration import EventSink
from awsbatch_operator.kinds.scope_record import recorded_in
from awsbatch_operator.telemetry.metrics import Metrics

FAILURES = frozenset(failure.value for failure in Failure)


def activity_log(recorder: EventSink, clock: Clock) -> ActivityLog:
    """The recorder, behind a log of what it is told."""
    ended = FAILURES | {job_reasons.DEADLINE_EXCEEDED.name}
    return ActivityLog(recorder, clock=clock, ended=ended, aws_name=aws_name)


def aws_name(resource: Resource) -> str:
    """What the object is called in AWS; "" where nothing is recorded yet, or the record is bad."""
    with suppress(RecordError):
        if resource.key.kind == "BatchJob":
            submission = submission_of(resource)
            return "" if submission is None else submission.job_name
        recorded = recorded_in(resource)
        return "" if recorded is None else recorded.serving
    return ""


def count(cache: Cache, metrics: Metrics, others: Others, clock: Clock) -> None:
    """Count what the cache holds, as metrics; what other installations serve is a number alone."""
    cache.listen(others.heard)
    ours = (_count_objects(metrics), _count_jobs(metrics, clock), _count_capacity(metrics))
    cache.listen(but_others(others.own, *ours))
    meaning = "Objects that another installation of the operator serves."
    metrics.gauges("objects_of_others", meaning, ("kind",), others.counts)


def _count_objects(metrics: Metrics) -> Callable[[Change], None]:
    """Count the objects of the cache that it hears of by kind and condition, as a metric."""
    reasons = FAILURES | {reason.name for reason in catalogue.reasons()}
    tally = Tally(conditions=conditions.TYPES, reasons=reasons)
    metrics.gauges(
        "objects",
        "Objects that have this condition now; finished jobs count too.",
        ("kind", "condition", "status", "reason"),
        tally.counts,
    )
    return tally.absorb


def _count_jobs(metrics: Metrics, clock: Clock) -> Callable[[Change], None]:
    """Count the unfinished jobs by queue and state, and how jobs end, as metrics."""
    results = FAILURES | {reason.name for reason in catalogue.reasons()}
    gauges = JobGauges(clock, results, metrics.job_started)
    meaning = "Unfinished BatchJobs by JobQueue and state."
    metrics.gauges("jobs", meaning, jobs.STATE_LABELS, gauges.states)
    meaning = "BatchJobs in RUNNABLE of which AWS says why they wait."
    metrics.gauges("jobs_blocked", meaning, jobs.BLOCKED_LABELS, gauges.blocked)
    meaning = "Seconds since the submission of the job that waits longest in RUNNABLE."
    metrics.gauges("jobs_oldest_runnable_seconds", meaning, jobs.QUEUE_LABELS, gauges.oldest)
    meaning = "BatchJobs that have ended, by JobQueue and result."
    metrics.counts("jobs_ended", meaning, jobs.ENDED_LABELS, gauges.ended)
    return gauges.absorb


def measure_process(
    metrics: Metrics, *, leads: Callable[[], bool], pause: Callable[[], float]
) -> None:
    """How the process itself is, as metrics."""
    away = "Seconds of the longest pause of the event loop in the last minute or two."
    metrics.gauge("event_loop_pause_seconds", away, pause)
    metrics.gauge("leader", "1 while this replica leads.", leads)
    ProcessCollector(registry=metrics.registry)


def measure_work(metrics: Metrics, queue: WorkQueue[ObjectKey], aws: Aws) -> None:
    """What waits to be done, as metrics."""
    metrics.gauge("queue_depth", "Objects waiting for a turn.", lambda: queue.depth)
    age = "Seconds that the object waits which has waited longest."
    metrics.gauge("queue_oldest_seconds", age, lambda: queue.oldest_age)
    metrics.gauge("jobs_followed", "Jobs that are polled.", lambda: aws.job_poller.followed)
    failing = "1 while that queue fails."
    metrics.gauge("notice_queue_failing", failing, lambda: aws.notices.failing)
    metrics.gauge("event_queue_failing", failing, lambda: aws.job_events.failing)


def _count_capacity(metrics: Metrics) -> Callable[[Change], None]:
    """Count the instances of all environments by pool, and what they cost, as metrics."""
    gauges = CapacityGauges()
    metrics.gauges(
        "capacity_instances",
        "Instances of UNMANAGED environments: wanted, and how far they are.",
        INSTANCE_LABELS,
        gauges.instances,
    )
    metrics.gauges(
        "capacity_hourly_dollars",
        "US dollars an hour that they cost, where prices are known.",
        COST_LABELS,
        gauges.costs,
    )
    return gauges.absorb
