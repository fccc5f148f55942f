"""What to do next about a job queue (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.blockers import blocked, shown_by_going
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.jobqueue.desired import Desired, drain_timeout
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
from awsbatch_operator.kinds.tagging import tag_record, tag_steps
from awsbatch_operator.schema.canonical import differences

_ORDER, _POLICY = "computeEnvironmentOrder", "schedulingPolicyArn"
_CHANGEABLE = ("state", "priority", _ORDER, _POLICY, "jobStateTimeLimitActions")
# What an update sends for a member that has left the spec: AWS's default.
_DEFAULTS: Mapping[str, Any] = {"state": "ENABLED", "jobStateTimeLimitActions": []}
_STATUSES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRemoval(LastingRemoval):
    """`drain_seconds` is how long its jobs are waited for; None: as long as they take."""

    drain_seconds: float | None = None


def plan_queue(desired: Desired, observed: Observed | None, now: Instant) -> Plan[ApiCall]:
    """The next step towards a queue as specified."""
    del now
    if observed is None:
        return _create(desired)
    busy = at_work(observed)
    if busy:
        return Plan(findings=busy)
    steps = tag_steps(observed.arn, desired.tags, observed.tags)
    found = differences_of(desired, observed)
    changes = tuple(name for name in found if _may_change(name, desired, observed))
    if changes:
        steps = (*steps, _update(desired, changes))
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
    if observed.jobs and not _drained_long_enough(removal, now):
        stay = not observed.job_ids <= set(shown_by_going(removal, "jobId"))
        active = _jobs_active(observed.jobs)
        return Plan(findings=(blocked(removal, now, by_others=stay, finding=active),))
    # AWS terminates what is still in it.
    steps = (Step(ApiCall("DeleteJobQueue", {"jobQueue": name}), expects=Vanishes()),)
    return Plan(steps=steps, look_again_seconds=MOVING_SECONDS)


def _create(desired: Desired) -> Plan[ApiCall]:
    if desired.waiting:
        return Plan(findings=(_waits_for(desired, frozenset()),))
    request = {
        "state": "ENABLED",
        **desired.content,
        "jobQueueName": desired.name,
        "tags": desired.tags.all,
    }
    words = f"Created the job queue {desired.name}."
    step = creation("CreateJobQueue", request, words=words, reached=desired.reached)
    return Plan(steps=(step,), record=tag_record(desired.tags, {}), announce=NOTHING_SHOWN)


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


def _drained_long_enough(removal: QueueRemoval, now: Instant) -> bool:
    timeout, since = removal.drain_seconds, removal.since
    return timeout is not None and since is not None and now.since(since) >= timeout


def _jobs_active(jobs: Mapping[str, int]) -> Finding:
    known = [name for name in _STATUSES if jobs.get(name)]
    others = sorted(jobs.keys() - set(_STATUSES))
    counts = ", ".join(f"{jobs[name]} {name}" for name in (*known, *others))
    return Finding(catalogue.JOBS_ACTIVE, f"The queue takes no new jobs and still has {counts}.")
