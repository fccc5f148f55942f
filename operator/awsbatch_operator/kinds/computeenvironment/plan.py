"""What to do next about a compute environment (pure)."""

from dataclasses import dataclass

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.words import some_of
from awsbatch_operator.kinds.computeenvironment.changes import (
    Change,
    Differences,
    compare,
    update_request,
)
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.observe import Observed
from awsbatch_operator.kinds.contract import Removal
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

RETRY_SECONDS = 600.0  # before a deletion that AWS gave up is asked for again without any sign


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRemoval(LastingRemoval):
    """`was_deleting`: AWS had taken the deletion when the environment was last looked at."""

    was_deleting: bool = False


def plan_environment(desired: Desired, observed: Observed | None, now: Instant) -> Plan[ApiCall]:
    """The next step towards an environment as specified."""
    del now
    if observed is None:
        return _create(desired)
    busy = at_work(observed)
    if busy:
        return Plan(findings=busy)
    found = compare(desired, observed)
    steps = tag_steps(observed.arn, desired.tags, observed.tags)
    if found.in_place:
        steps = (*steps, _update(desired, found.in_place))
    return Plan(
        steps=steps,
        findings=_stalled(observed, found),
        record=tag_record(desired.tags, observed.tags),
        look_again_seconds=RELOOK_SECONDS,
    )


def environment_removal(resource: Resource, removal: Removal) -> EnvironmentRemoval:
    """Whether AWS gave a deletion up can be told only from what it said before."""
    lasting = lasting_removal(resource, removal)
    return EnvironmentRemoval(
        owner=lasting.owner,
        recorded=lasting.recorded,
        users=lasting.users,
        seen=lasting.seen,
        called=lasting.called,
        was_deleting=resource.status.get("awsStatus") == "DELETING",
    )


def plan_removal(
    removal: EnvironmentRemoval, observed: Observed | None, now: Instant
) -> Plan[ApiCall]:
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
    if observed.status == "INVALID" and removal.was_deleting:
        return Plan(findings=(_deletion_failed(observed),))
    name = {"computeEnvironment": str(observed.detail["computeEnvironmentName"])}
    if observed.state != "DISABLED":
        disable = ApiCall("UpdateComputeEnvironment", {**name, "state": "DISABLED"})
        steps = (Step(disable, expects=IsDisabled()),)
        return Plan(steps=steps, look_again_seconds=MOVING_SECONDS)
    steps = (Step(ApiCall("DeleteComputeEnvironment", name), expects=Vanishes()),)
    return Plan(steps=steps, look_again_seconds=MOVING_SECONDS)


def _create(desired: Desired) -> Plan[ApiCall]:
    """AWS wants a new environment ENABLED, and takes no update policy with it; both come after."""
    content = {name: value for name, value in desired.content.items() if name != "updatePolicy"}
    request = {
        **content,
        "computeEnvironmentName": desired.name,
        "state": "ENABLED",
        "tags": desired.tags.all,
    }
    words = f"Created the compute environment {desired.name}."
    step = creation("CreateComputeEnvironment", request, words=words, reached=desired.reached)
    return Plan(steps=(step,), record=tag_record(desired.tags, {}), announce=NOTHING_SHOWN)


def _update(desired: Desired, fields: tuple[str, ...]) -> Step[ApiCall]:
    return Step(
        ApiCall("UpdateComputeEnvironment", update_request(desired, fields)),
        note=change_note(fields, reached=desired.reached),
        expects=NoLongerDiffers(desired, fields, _changeable),
    )


def _changeable(desired: Desired, observed: Observed) -> tuple[str, ...]:
    return compare(desired, observed).in_place


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
        f"Job queues still use this compute environment: {some_of(observed.queues)}. It stays "
        "enabled for their jobs.",
        "Delete the queues, or take the environment out of their computeEnvironmentOrder.",
    )
