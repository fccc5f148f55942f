"""What to do next about a compute environment whose object is being deleted (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from awsbatch_operator.api import replacing_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.words import many
from awsbatch_operator.kinds.computeenvironment.causes import Cause, lack_of
from awsbatch_operator.kinds.computeenvironment.changes import crosses
from awsbatch_operator.kinds.computeenvironment.desired import was_deleting
from awsbatch_operator.kinds.computeenvironment.instances import (
    EnvironmentCall,
    joined,
    with_capacity,
    without_capacity,
)
from awsbatch_operator.kinds.computeenvironment.invalid import deletion_failed
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.placement import removal_of as group_removed
from awsbatch_operator.kinds.computeenvironment.replacing_record import (
    Replacing,
    policy_of,
    replacing_in,
)
from awsbatch_operator.kinds.computeenvironment.update_requests import role_request
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.lasting import (
    MOVING_SECONDS,
    ApiCall,
    LastingRemoval,
    at_work,
    lasting_removal,
    when_absent,
)
from awsbatch_operator.kinds.queues import Use, in_use
from awsbatch_operator.kinds.scope_record import retains

COUNT_SECONDS = 15.0  # between two counts of the tasks that still run


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRemoval(LastingRemoval):
    """`was_deleting`: AWS had taken the deletion when the environment was last looked at.

    `service_role` is the one that the spec names today, "" if it names none or one that its account
    does not allow. `retained`: AWS keeps the environment, and only its instances go. `replacing`
    is about what a replacement has left behind, and `drain_seconds` is how long jobs are waited for
    that run in what goes.
    """

    was_deleting: bool = False
    service_role: str = ""
    retained: bool = False
    replacing: Replacing = field(default_factory=Replacing)
    drain_seconds: float = 0.0


def environment_removal(resource: Resource, removal: Removal) -> EnvironmentRemoval:
    """Whether AWS gave a deletion up can be told only from what it said before."""
    lasting = lasting_removal(resource, removal)
    role = None if removal.refused_roles else resource.spec.get("serviceRole")
    return EnvironmentRemoval(
        owner=lasting.owner,
        recorded=lasting.recorded,
        users=lasting.users,
        going=lasting.going,
        since=lasting.since,
        seen=lasting.seen,
        called=lasting.called,
        was_deleting=was_deleting(resource),
        service_role=role if isinstance(role, str) else "",
        retained=retains(resource, scoped=True),
        replacing=replacing_in(resource),
        drain_seconds=policy_of(resource.spec).drain_seconds,
    )


def plan_removal(
    removal: EnvironmentRemoval, observed: Observed | None, now: Instant
) -> Plan[EnvironmentCall]:
    """Out of all queues, without instances, DISABLED, without jobs, deleted, and so is its group.

    An environment that a queue still uses is not disabled yet, because the queue's jobs may need it
    to come to their end; for the same reason instances are launched for them until then. One that
    is retained stays as it is, but its instances go: nobody would end them any more.
    """
    if observed is None:
        return joined(when_absent(removal, now), Plan())
    used = observed.present and observed.queues and observed.status != "DELETING"
    if used and not removal.retained:
        plan: Plan[ApiCall] = Plan(findings=(in_queues(removal, observed.queues, now),))
        return with_capacity(plan, observed.capacity, now)
    leaving = without_capacity(observed.capacity, removal.since or removal.called, now)
    if leaving is not None:
        return leaving
    if removal.retained:
        return Plan(released=True)
    if not observed.present:
        return _plan_rest(removal, observed, now)
    return joined(_plan_deletion(removal, observed, now), Plan())


def _plan_rest(
    removal: EnvironmentRemoval, observed: Observed, now: Instant
) -> Plan[EnvironmentCall]:
    """The environment is gone: so goes the placement group that was made for it.

    Not before it is known that no environment comes to light any more, which would use the group.
    """
    if observed.around is not None and observed.around.others:
        return joined(Plan(), Plan())  # those that drain may have their instances in the group
    absent = when_absent(removal, now)
    group = group_removed(observed.group, removal.owner, recorded=False)
    if absent.released and (group.steps or group.findings):
        return joined(group, Plan())
    return joined(absent, Plan())


def left_now(removal: EnvironmentRemoval, observed: Observed | None, now: Instant) -> Replacing:
    """The record, with since when the jobs that run in the environment are waited for.

    Of one in which none runs nothing is written down: most have been drained by their queues.
    """
    name = _name_of(observed)
    if observed is None or not observed.tasks or name in removal.replacing.leaving:
        return removal.replacing
    return removal.replacing.left(name, now)


def still_runs(name: str, tasks: int, drain_seconds: float) -> str:
    """That jobs are waited for, and how long."""
    how_long = f"up to {drain_seconds:.0f} s" if drain_seconds else "as long as they take"
    return f"Jobs still run in {name} ({many(tasks, 'task')}), and are waited for {how_long}."


def ends_tasks(name: str, tasks: int, drain_seconds: float) -> Finding:
    """That they were waited for long enough."""
    words = (
        f"{many(tasks, 'task')} still ran in {name} {drain_seconds:.0f} s after it took no new "
        "jobs any more: it is deleted, which ends them."
    )
    return Finding(reasons.DRAIN_TIMED_OUT, words)


def _waits_for_tasks(
    removal: EnvironmentRemoval, observed: Observed, now: Instant
) -> Finding | None:
    """Jobs of a queue that has the environment no more may run in it, and its deletion ends them.

    None if none runs any more, or they were waited for as long as the spec says.
    """
    if not observed.tasks:
        return None
    name = _name_of(observed)
    leaving = removal.replacing.leaving.get(name)
    age = 0.0 if leaving is None else now.since(leaving.since)
    if 0 < removal.drain_seconds <= age:
        return None
    words = still_runs(name, observed.tasks, removal.drain_seconds)
    left = removal.drain_seconds - age if removal.drain_seconds else COUNT_SECONDS
    return Finding(reasons.DRAINING, words, look_again_seconds=min(COUNT_SECONDS, left))


def _name_of(observed: Observed | None) -> str:
    return "" if observed is None else str(observed.detail.get("computeEnvironmentName", ""))


def _plan_deletion(removal: EnvironmentRemoval, observed: Observed, now: Instant) -> Plan[ApiCall]:
    """DISABLED, without jobs, deleted, gone.

    One that is INVALID gets the role that the spec names by now: AWS cannot delete an environment
    whose role is gone. Not so where AWS names another lack: the role that it has will do, and the
    spec's may not even exist.
    """
    busy = at_work(observed)
    if busy:
        return Plan(findings=busy)
    waits = _waits_for_tasks(removal, observed, now)
    if waits is not None:
        return Plan(findings=(waits,))
    request = cure(removal.service_role, observed)
    if request is not None:
        update = ApiCall("UpdateComputeEnvironment", request)
        step = Step(update, expects=HasRole(removal.service_role))
        return Plan(steps=(step,), look_again_seconds=MOVING_SECONDS)
    plan = take_away(observed, was_deleting=removal.was_deleting)
    if not observed.tasks or not plan.steps:
        return plan
    told = ends_tasks(_name_of(observed), observed.tasks, removal.drain_seconds)
    return replace(plan, steps=tuple(replace(step, note=told) for step in plan.steps))


def cure(role: str, observed: Observed) -> Mapping[str, Any] | None:
    """The update that gives an INVALID environment the role, "" if there is none, for its deletion.

    None if that would not help.
    """
    lack = lack_of(observed)
    if not role or observed.status != "INVALID" or lack.field or lack.cause is Cause.NOBODY_JOINED:
        return None
    helps = not _is_role(role, observed) and not crosses(role, observed)
    return role_request(role, observed) if helps else None


def _is_role(role: str, observed: Observed) -> bool:
    """Whether AWS has that role, given by its ARN or by its bare name."""
    have = str(observed.content.get("serviceRole") or "")
    return have == role or have.endswith(f"/{role}")


@dataclass(frozen=True, slots=True)
class HasRole:
    """AWS shows the role, or is at work on it."""

    role: str

    def met(self, observed: Observed | None) -> bool:
        return observed is None or observed.at_work or _is_role(self.role, observed)


@dataclass(frozen=True, slots=True)
class Stands:
    """AWS has the environment, or has it no more, or is at work on it; `enabled`: in that state.

    What stands around an environment is observed also where AWS has none.
    """

    there: bool = True
    enabled: bool = True

    def met(self, observed: Observed | None) -> bool:
        if observed is None or not observed.present:
            return not self.there or not self.enabled
        if observed.at_work:
            return True
        return self.there and (self.enabled or observed.state == "DISABLED")


def take_away(observed: Observed, *, was_deleting: bool) -> Plan[ApiCall]:
    """DISABLED, deleted, gone."""
    if observed.status == "INVALID" and was_deleting:
        return Plan(findings=(deletion_failed(observed),))
    name = {"computeEnvironment": str(observed.detail["computeEnvironmentName"])}
    if observed.state != "DISABLED":
        disable = ApiCall("UpdateComputeEnvironment", {**name, "state": "DISABLED"})
        step = Step(disable, expects=Stands(enabled=False))
    else:
        # A queue that was deleted or changed a moment ago may still count as using it.
        because = "It is in no queue any more, and disabled, but AWS does not delete it yet:"
        delete = ApiCall("DeleteComputeEnvironment", name)
        step = Step(delete, expects=Stands(there=False), because=because)
    return Plan(steps=(step,), look_again_seconds=MOVING_SECONDS)


def in_queues(
    removal: EnvironmentRemoval, queues: Sequence[Use], now: Instant, *, name: str = ""
) -> Finding:
    """That these queues hold it up; `name`: of an environment that does not serve."""
    what = name or "this compute environment"
    return in_use(
        removal,
        now,
        queues,
        words=f"Job queues still use {what}: {{}}. It stays enabled for their jobs.",
        remedy="Delete the queues, or take the environment out of their computeEnvironmentOrder; "
        "in AWS, where no JobQueue has them any more. Or set spec.deletionPolicy to Retain, and "
        "AWS keeps the environment.",
    )
