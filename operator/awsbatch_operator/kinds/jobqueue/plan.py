"""What to do next about a job queue (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.blockers import blocked, listed, names, sent, shown_by_going
from awsbatch_operator.kinds.contract import Removal, is_going
from awsbatch_operator.kinds.jobqueue.desired import (
    Desired,
    drain_timeout,
    waits_for_jobs,
)
from awsbatch_operator.kinds.jobqueue.observe import Observed
from awsbatch_operator.kinds.lasting import (
    MOVING_SECONDS,
    NOTHING_SHOWN,
    RELOOK_SECONDS,
    ApiCall,
    IsDisabled,
    LastingRemoval,
    NoLongerDiffers,
    Vanishes,
    at_work,
    change_note,
    creation,
    lasting_removal,
    when_absent,
)
from awsbatch_operator.kinds.queues import exchanged
from awsbatch_operator.kinds.tagging import tag_record, tag_steps
from awsbatch_operator.kinds.terms import only_told
from awsbatch_operator.schema.canonical import differences

_ORDER, _POLICY = "computeEnvironmentOrder", "schedulingPolicyArn"
_CHANGEABLE = ("state", "priority", _ORDER, _POLICY, "jobStateTimeLimitActions")
# What an update sends for a member that has left the spec: AWS's default.
_DEFAULTS: Mapping[str, Any] = {"state": "ENABLED", "jobStateTimeLimitActions": []}
_STATUSES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRemoval(LastingRemoval):
    """`drain_seconds` is how long its jobs are waited for; None: as long as they take.

    Not `waits`: AWS ends them.
    """

    waits: bool = True
    drain_seconds: float | None = None


def plan_queue(desired: Desired, observed: Observed | None, now: Instant) -> Plan[ApiCall]:
    """The next step towards a queue as specified."""
    del now
    if observed is None:
        return _create(desired)
    busy = at_work(observed)
    if busy:
        return Plan(findings=busy)
    found = differences_of(desired, observed)
    if desired.terms.reports:
        return _only_told(desired, observed)
    steps = tag_steps(observed.arn, desired.tags, observed.tags)
    changes = tuple(name for name in found if _may_change(name, desired, observed))
    if changes:
        reached = desired.reached and not _followed(desired, observed)
        steps = (*steps, _update(replace(desired, reached=reached), changes))
    return Plan(
        steps=steps,
        findings=_in_the_way(desired, observed, found),
        record=tag_record(desired.tags, observed.tags),
        look_again_seconds=RELOOK_SECONDS,
    )


def queue_removal(resource: Resource, removal: Removal) -> QueueRemoval:
    """How long its jobs are waited for stands in the spec."""
    lasting = lasting_removal(resource, removal)
    return QueueRemoval(
        owner=lasting.owner,
        recorded=lasting.recorded,
        users=lasting.users,
        going=lasting.going,
        since=lasting.since,
        seen=lasting.seen,
        called=lasting.called,
        waits=waits_for_jobs(resource),
        drain_seconds=drain_timeout(resource) or None,
    )


def plan_removal(removal: QueueRemoval, observed: Observed | None, now: Instant) -> Plan[ApiCall]:
    """DISABLED, so that nothing new comes in; drained as the policy says; deleted; gone."""
    if observed is None:
        return when_absent(removal, now)
    busy = at_work(observed)
    if busy:
        return Plan(findings=busy)
    name = str(observed.detail["jobQueueName"])
    if observed.state != "DISABLED":
        disable = ApiCall("UpdateJobQueue", {"jobQueue": name, "state": "DISABLED"})
        steps = (Step(disable, expects=IsDisabled()),)
        return Plan(steps=steps, look_again_seconds=MOVING_SECONDS)
    if removal.waits and not _drained_long_enough(removal, now):
        waiting = _waiting_for_jobs(removal, observed, now)
        if waiting is not None:
            return Plan(findings=(waiting,))
    # AWS terminates what is still in it.
    steps = (Step(ApiCall("DeleteJobQueue", {"jobQueue": name}), expects=Vanishes()),)
    return Plan(steps=steps, look_again_seconds=MOVING_SECONDS)


def _waiting_for_jobs(removal: QueueRemoval, observed: Observed, now: Instant) -> Finding | None:
    """What is still in the queue, or may be; None: nothing, or nobody has counted yet."""
    if observed.jobs:
        stay = not observed.job_ids <= set(shown_by_going(removal, "jobId"))
        active = _jobs_active(observed.jobs, _drained_at(removal))
        return blocked(removal, now, by_others=stay, finding=active)
    lately = () if observed.jobs is None else _submitted_lately(removal, observed.arn, now)
    if not lately:
        return None
    words = f"AWS may not list yet what was submitted a moment ago: BatchJobs {listed(lately)}."
    return Finding(catalogue.WAITS_FOR_JOBS, words)


def _submitted_lately(removal: Removal, arn: str, now: Instant) -> tuple[str, ...]:
    """BatchJobs that stay, and were sent to the queue so lately that ListJobs may not show them.

    What somebody else submits in the last moment nobody knows.
    """

    def may_be_there(user: Resource) -> bool:
        submission = sent(user, arn)
        return submission.queue == arn and submission.lately(now) and not is_going(user)

    return names(user for user in removal.users if may_be_there(user))


def _create(desired: Desired) -> Plan[ApiCall]:
    kept_back = desired.terms.nothing_made(f"job queue {desired.name}")
    if kept_back is not None:
        return kept_back
    full = desired.room.refusal()
    if full is not None:
        return Plan(findings=(full,))
    if desired.waiting:
        return Plan(findings=(_waits_for(desired, frozenset()),))
    request = {
        "state": "ENABLED",
        **desired.content,
        "jobQueueName": desired.name,
        "tags": desired.tags.all,
    }
    words = f"Created the job queue {desired.name}.{desired.room.words}"
    step = creation("CreateJobQueue", request, words=words, reached=desired.reached)
    return Plan(steps=(step,), record=tag_record(desired.tags, {}), announce=NOTHING_SHOWN)


def _only_told(desired: Desired, observed: Observed) -> Plan[ApiCall]:
    """What differs is listed; but an environment that was replaced is followed."""
    order = _followed(desired, observed)
    shown = replace(observed, detail={**observed.detail, _ORDER: order}) if order else observed
    findings = _in_the_way(desired, observed, ())
    found = differences_of(desired, shown)
    plan = only_told(found, desired.tags, observed.tags, findings=findings)
    if not order:
        return plan
    there = replace(desired, content={**desired.content, _ORDER: order}, reached=False)
    return replace(plan, steps=(_update(there, (_ORDER,)),))


def _followed(desired: Desired, observed: Observed) -> Sequence[Shape]:
    """The order in AWS with environments that were replaced exchanged; none if none of them was.

    Nobody has changed the queue then: what the spec refers to has another ARN, and the old
    environment cannot go as long as the queue has it.
    """
    if not desired.moved.keys() & observed.environments:
        return []
    return exchanged(observed.content[_ORDER], desired.moved)


def differences_of(desired: Desired, observed: Observed) -> tuple[str, ...]:
    """Names of the members that differ. A kind of queue that the spec leaves open is AWS's."""
    found = differences(desired.content, observed.content)
    names = dict.fromkeys(path.partition(".")[0] for path in found)
    if _POLICY in observed.content and _POLICY not in desired.content:
        names[_POLICY] = None  # a reference in the spec, so the comparison does not know the member
    return tuple(
        name for name in names if name != "jobQueueType" or "jobQueueType" in desired.content
    )


def _may_change(name: str, desired: Desired, observed: Observed) -> bool:
    if name == _ORDER:
        return not _newly_waiting(desired, observed)
    if name == _POLICY:
        return _POLICY in desired.content and bool(observed.content.get(_POLICY))
    return name in _CHANGEABLE


def _update(desired: Desired, names: tuple[str, ...]) -> Step[ApiCall]:
    members = {name: desired.content.get(name, _DEFAULTS.get(name)) for name in names}
    return Step(
        ApiCall("UpdateJobQueue", {"jobQueue": desired.name, **members}),
        note=change_note(names, reached=desired.reached),
        expects=NoLongerDiffers(desired, names, differences_of),
    )


def _newly_waiting(desired: Desired, observed: Observed) -> frozenset[str]:
    return frozenset(desired.waiting) - observed.environments


def _in_the_way(
    desired: Desired, observed: Observed, found: tuple[str, ...]
) -> tuple[Finding, ...]:
    findings = []
    if _ORDER in found and _newly_waiting(desired, observed):
        findings.append(_waits_for(desired, observed.environments))
    if _POLICY in found and not _may_change(_POLICY, desired, observed):
        has = observed.content.get(_POLICY) or "none"
        message = (
            "AWS neither adds nor removes the scheduling policy of a queue that exists; this one "
            f"has {has}."
        )
        findings.append(Finding(catalogue.POLICY_NOT_REMOVABLE, message))
    fixed = [name for name in found if name not in _CHANGEABLE]
    if fixed:
        message = f"AWS cannot change {', '.join(fixed)} of a queue that exists."
        findings.append(Finding(catalogue.REPLACEMENT_NEEDED, message))
    if observed.status == "INVALID":
        findings.append(Finding(catalogue.QUEUE_INVALID, observed.words))
    return tuple(findings)


def _waits_for(desired: Desired, present: frozenset[str]) -> Finding:
    names = sorted(name for arn, name in desired.waiting.items() if arn not in present)
    return Finding(
        catalogue.REFERENCE_NOT_READY,
        f"ComputeEnvironment {', '.join(names)} is not VALID yet, and AWS takes no other into a "
        "queue.",
    )


def _drained_at(removal: QueueRemoval) -> Instant | None:
    """When the jobs have been waited for as long as the spec says; None: as long as they take."""
    timeout, since = removal.drain_seconds, removal.since
    return None if timeout is None or since is None else since.plus(timeout)


def _drained_long_enough(removal: QueueRemoval, now: Instant) -> bool:
    until = _drained_at(removal)
    return until is not None and now >= until


def _jobs_active(jobs: Mapping[str, int], until: Instant | None) -> Finding:
    known = [name for name in _STATUSES if jobs.get(name)]
    others = sorted(jobs.keys() - set(_STATUSES))
    counts = ", ".join(f"{jobs[name]} {name}" for name in (*known, *others))
    words = f"The queue takes no new jobs and still has {counts}."
    if until is not None:
        words += f" They are ended at {until.rfc3339()}, as spec.drain.timeoutSeconds says."
    return Finding(catalogue.JOBS_ACTIVE, words)
