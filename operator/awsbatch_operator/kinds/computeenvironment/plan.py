"""What to do next about a compute environment (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.computeenvironment.changes import (
    Change,
    Differences,
    compare,
    update_request,
)
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.observe import Observed
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.details import at_work
from awsbatch_operator.kinds.infrastructure import LOOK_SECONDS, MOVING_SECONDS
from awsbatch_operator.kinds.queues import named
from awsbatch_operator.kinds.release import when_absent
from awsbatch_operator.kinds.tagging import Tag, Untag, tag_actions, tag_intent

RETRY_SECONDS = 600.0  # before a deletion that AWS gave up is asked for again without any sign


@dataclass(frozen=True, slots=True)
class Create:
    """CreateComputeEnvironment: the name is ours, so a second call makes no second one."""

    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Update:
    """UpdateComputeEnvironment, with members that change in place only."""

    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """DeleteComputeEnvironment, of one that is DISABLED and in no queue."""

    name: str


Action = Create | Update | Delete | Tag | Untag


def plan_environment(desired: Desired, observed: Observed | None) -> Plan[Action]:
    """The next step towards an environment as specified."""
    if observed is None:
        return _create(desired)
    tags = tag_actions(observed.arn, desired.tags, observed.tags)
    stale = any(isinstance(action, Untag) for action in tags)
    intent = tag_intent(desired.tags, stale=stale)
    busy = at_work(observed)
    if busy:
        return Plan(findings=busy)
    found = compare(desired, observed)
    actions: tuple[Action, ...] = tags
    notes: tuple[Finding, ...] = ()
    if found.in_place:
        actions = (*tags, Update(update_request(desired, found.in_place)))
        notes = (_updated(desired, found),)
    return Plan(
        actions=actions,
        findings=(*_stalled(observed, found), *notes),
        intent=intent,
        look_again_seconds=LOOK_SECONDS,
    )


def plan_removal(removal: Removal, observed: Observed | None, now: Instant) -> Plan[Action]:
    """Out of all queues, DISABLED, deleted, gone: in this order.

    An environment that a queue still uses is not disabled yet, because the queue's jobs may need it
    to come to their end.
    """
    if observed is None:
        return when_absent(removal, now)
    busy = at_work(observed)
    if observed.queues and observed.status != "DELETING":
        return Plan(findings=(_in_use(observed),))
    if busy:
        return Plan(findings=busy)
    if observed.status == "INVALID" and removal.options["was_deleting"]:
        return Plan(findings=(_deletion_failed(observed),))
    name = str(observed.detail["computeEnvironmentName"])
    if observed.state != "DISABLED":
        return Plan(
            actions=(Update({"computeEnvironment": name, "state": "DISABLED"}),),
            look_again_seconds=MOVING_SECONDS,
        )
    return Plan(actions=(Delete(name),), look_again_seconds=MOVING_SECONDS)


def _create(desired: Desired) -> Plan[Action]:
    """AWS wants a new environment ENABLED, and takes no update policy with it; both come after."""
    content = {name: value for name, value in desired.content.items() if name != "updatePolicy"}
    request = {
        **content,
        "computeEnvironmentName": desired.name,
        "state": "ENABLED",
        "tags": desired.tags.all,
    }
    note = Finding(
        catalogue.DRIFT_REPAIRED if desired.settled else catalogue.CREATED,
        f"Created the compute environment {desired.name}.",
    )
    return Plan(
        actions=(Create(request),),
        findings=(note,),
        intent=tag_intent(desired.tags, stale=False),
    )


def _updated(desired: Desired, found: Differences) -> Finding:
    reason = catalogue.DRIFT_REPAIRED if desired.settled else catalogue.UPDATED
    return Finding(reason, f"Changed in place: {', '.join(found.in_place)}.")


def _stalled(observed: Observed, found: Differences) -> tuple[Finding, ...]:
    findings = []
    if found.change in {Change.INFRASTRUCTURE, Change.REPLACEMENT}:
        findings.append(
            Finding(
                catalogue.REPLACEMENT_NEEDED,
                f"{', '.join(found.beyond)} cannot be changed by a scaling update; AWS would need "
                f"{_words(found.change)}, which this version does not make.",
            )
        )
    if observed.status == "INVALID":
        findings.append(Finding(catalogue.ENVIRONMENT_INVALID, observed.words))
    return tuple(findings)


def _words(change: Change) -> str:
    if change is Change.INFRASTRUCTURE:
        return "an infrastructure update"
    return "a new environment in its place"


def _deletion_failed(observed: Observed) -> Finding:
    """AWS took the deletion, tried, and gave up: most often its role went first."""
    return Finding(
        catalogue.ENVIRONMENT_INVALID,
        f"AWS could not delete the compute environment. {observed.words}",
        "AWS needs the environment's service role to clean up, and no job in it: mend what it "
        "names, and the deletion goes on by itself.",
        look_again_seconds=RETRY_SECONDS,
    )


def _in_use(observed: Observed) -> Finding:
    return Finding(
        catalogue.STILL_IN_USE,
        f"Job queues still use this compute environment: {named(observed.queues)}. It stays "
        "enabled for their jobs.",
        "Delete the queues, or take the environment out of their computeEnvironmentOrder.",
    )
