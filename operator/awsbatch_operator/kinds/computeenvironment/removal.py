"""What to do next about a compute environment whose object is being deleted (pure)."""

from dataclasses import dataclass

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.computeenvironment.changes import crosses, role_request
from awsbatch_operator.kinds.computeenvironment.desired import was_deleting
from awsbatch_operator.kinds.computeenvironment.instances import (
    EnvironmentCall,
    joined,
    with_capacity,
    without_capacity,
)
from awsbatch_operator.kinds.computeenvironment.invalid import deletion_failed, lack_of
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.lasting import (
    MOVING_SECONDS,
    ApiCall,
    IsDisabled,
    LastingRemoval,
    Vanishes,
    at_work,
    lasting_removal,
    when_absent,
)
from awsbatch_operator.kinds.queues import in_use
from awsbatch_operator.kinds.scope_record import retains


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRemoval(LastingRemoval):
    """`was_deleting`: AWS had taken the deletion when the environment was last looked at.

    `service_role` is the one that the spec names today, "" if it names none or one that its account
    does not allow. `retained`: AWS keeps the environment, and only its instances go.
    """

    was_deleting: bool = False
    service_role: str = ""
    retained: bool = False


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
    )


def plan_removal(
    removal: EnvironmentRemoval, observed: Observed | None, now: Instant
) -> Plan[EnvironmentCall]:
    """Out of all queues, without instances, DISABLED, deleted, gone: in this order.

    An environment that a queue still uses is not disabled yet, because the queue's jobs may need it
    to come to their end; for the same reason instances are launched for them until then. One that
    is retained stays as it is, but its instances go: nobody would end them any more.
    """
    if observed is None:
        return joined(when_absent(removal, now), Plan())
    used = observed.present and observed.queues and observed.status != "DELETING"
    if used and not removal.retained:
        plan: Plan[ApiCall] = Plan(findings=(_in_use(removal, observed, now),))
        return with_capacity(plan, observed.capacity, now)
    leaving = without_capacity(observed.capacity, removal.since or removal.called, now)
    if leaving is not None:
        return leaving
    if removal.retained:
        return Plan(released=True)
    if not observed.present:
        return joined(when_absent(removal, now), Plan())
    return joined(_plan_deletion(removal, observed), Plan())


def _plan_deletion(removal: EnvironmentRemoval, observed: Observed) -> Plan[ApiCall]:
    """DISABLED, deleted, gone.

    One that is INVALID gets the role that the spec names by now: AWS cannot delete an environment
    whose role is gone. Not so where AWS names another lack: the role that it has will do, and the
    spec's may not even exist.
    """
    busy = at_work(observed)
    if busy:
        return Plan(findings=busy)
    role = removal.service_role
    if role and _is_cure(role, observed):
        update = ApiCall("UpdateComputeEnvironment", role_request(role, observed))
        step = Step(update, expects=HasRole(role))
        return Plan(steps=(step,), look_again_seconds=MOVING_SECONDS)
    return take_away(observed, was_deleting=removal.was_deleting)


def _is_cure(role: str, observed: Observed) -> bool:
    if observed.status != "INVALID" or lack_of(observed).field:
        return False
    return not _is_role(role, observed) and not crosses(role, observed)


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


def take_away(observed: Observed, *, was_deleting: bool) -> Plan[ApiCall]:
    """DISABLED, deleted, gone."""
    if observed.status == "INVALID" and was_deleting:
        return Plan(findings=(deletion_failed(observed),))
    name = {"computeEnvironment": str(observed.detail["computeEnvironmentName"])}
    if observed.state != "DISABLED":
        disable = ApiCall("UpdateComputeEnvironment", {**name, "state": "DISABLED"})
        step = Step(disable, expects=IsDisabled())
    else:
        step = Step(ApiCall("DeleteComputeEnvironment", name), expects=Vanishes())
    return Plan(steps=(step,), look_again_seconds=MOVING_SECONDS)


def _in_use(removal: EnvironmentRemoval, observed: Observed, now: Instant) -> Finding:
    return in_use(
        removal,
        now,
        observed.queues,
        words="Job queues still use this compute environment: {}. It stays enabled for their jobs.",
        remedy="Delete the queues, or take the environment out of their computeEnvironmentOrder.",
    )
