"""What to do next about a job queue (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.details import at_work
from awsbatch_operator.kinds.infrastructure import LOOK_SECONDS, MOVING_SECONDS
from awsbatch_operator.kinds.jobqueue.desired import Desired
from awsbatch_operator.kinds.jobqueue.observe import Observed
from awsbatch_operator.kinds.release import when_absent
from awsbatch_operator.kinds.tagging import Tag, Untag, tag_actions, tag_intent
from awsbatch_operator.schema.canonical import differences

_ORDER, _POLICY = "computeEnvironmentOrder", "schedulingPolicyArn"
_CHANGEABLE = ("state", "priority", _ORDER, _POLICY, "jobStateTimeLimitActions")
# What an update sends for a member that has left the spec: AWS's default.
_DEFAULTS: Mapping[str, Any] = {"state": "ENABLED", "jobStateTimeLimitActions": []}
_STATUSES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


@dataclass(frozen=True, slots=True)
class Create:
    """CreateJobQueue: the name is ours, so a second call makes no second one."""

    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Update:
    """UpdateJobQueue with the members that differ."""

    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """DeleteJobQueue, of one that is DISABLED. AWS terminates what is still in it."""

    name: str


Action = Create | Update | Delete | Tag | Untag


def plan_queue(desired: Desired, observed: Observed | None) -> Plan[Action]:
    """The next step towards a queue as specified."""
    if observed is None:
        return _create(desired)
    busy = at_work(observed)
    if busy:
        return Plan(findings=busy)
    tags = tag_actions(observed.arn, desired.tags, observed.tags)
    stale = any(isinstance(action, Untag) for action in tags)
    found = _differences(desired, observed)
    findings = _in_the_way(desired, observed, found)
    changes = tuple(name for name in found if _may_change(name, desired, observed))
    actions: tuple[Action, ...] = tags
    if changes:
        actions = (*tags, Update(_update(desired, changes)))
        reason = catalogue.DRIFT_REPAIRED if desired.settled else catalogue.UPDATED
        findings = (*findings, Finding(reason, f"Changed in place: {', '.join(changes)}."))
    return Plan(
        actions=actions,
        findings=findings,
        intent=tag_intent(desired.tags, stale=stale),
        look_again_seconds=LOOK_SECONDS,
    )


def plan_removal(removal: Removal, observed: Observed | None, now: Instant) -> Plan[Action]:
    """DISABLED, so that nothing new comes in; drained as the policy says; deleted; gone."""
    if observed is None:
        return when_absent(removal, now)
    busy = at_work(observed)
    if busy:
        return Plan(findings=busy)
    name = str(observed.detail["jobQueueName"])
    if observed.state != "DISABLED":
        return Plan(
            actions=(Update({"jobQueue": name, "state": "DISABLED"}),),
            look_again_seconds=MOVING_SECONDS,
        )
    if observed.jobs and not _patience_over(removal, now):
        return Plan(findings=(_jobs_active(observed.jobs),))
    return Plan(actions=(Delete(name),), look_again_seconds=MOVING_SECONDS)


def _create(desired: Desired) -> Plan[Action]:
    if desired.waiting:
        return Plan(findings=(_waits_for(desired, frozenset()),))
    request = {
        "state": "ENABLED",
        **desired.content,
        "jobQueueName": desired.name,
        "tags": desired.tags.all,
    }
    note = Finding(
        catalogue.DRIFT_REPAIRED if desired.settled else catalogue.CREATED,
        f"Created the job queue {desired.name}.",
    )
    return Plan(
        actions=(Create(request),),
        findings=(note,),
        intent=tag_intent(desired.tags, stale=False),
    )


def _differences(desired: Desired, observed: Observed) -> tuple[str, ...]:
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


def _update(desired: Desired, names: tuple[str, ...]) -> dict[str, Any]:
    members = {name: desired.content.get(name, _DEFAULTS.get(name)) for name in names}
    return {"jobQueue": desired.name, **members}


def _newly_waiting(desired: Desired, observed: Observed) -> frozenset[str]:
    return frozenset(desired.waiting) - observed.environments


def _in_the_way(
    desired: Desired, observed: Observed, found: tuple[str, ...]
) -> tuple[Finding, ...]:
    findings = []
    if _ORDER in found and _newly_waiting(desired, observed):
        findings.append(_waits_for(desired, observed.environments))
    if _POLICY in found and not _may_change(_POLICY, desired, observed):
        message = "AWS neither adds nor removes the scheduling policy of a queue that exists."
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


def _patience_over(removal: Removal, now: Instant) -> bool:
    timeout, since = removal.options["timeout"], removal.options["since"]
    return bool(timeout) and since is not None and now.since(since) >= timeout


def _jobs_active(jobs: Mapping[str, int]) -> Finding:
    known = [name for name in _STATUSES if jobs.get(name)]
    others = sorted(jobs.keys() - set(_STATUSES))
    counts = ", ".join(f"{jobs[name]} {name}" for name in (*known, *others))
    return Finding(catalogue.JOBS_ACTIVE, f"The queue takes no new jobs and still has {counts}.")
