"""What to do next about a compute environment (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.computeenvironment import images, invalid
from awsbatch_operator.kinds.computeenvironment.changes import (
    Change,
    Differences,
    compare,
    crosses,
    left_words,
    role_request,
    update_request,
)
from awsbatch_operator.kinds.computeenvironment.desired import Desired, was_deleting
from awsbatch_operator.kinds.computeenvironment.invalid import (
    deletion_failed,
    is_made_anew,
    lack_of,
)
from awsbatch_operator.kinds.computeenvironment.observe import Observed
from awsbatch_operator.kinds.computeenvironment.remaking import Remaking
from awsbatch_operator.kinds.computeenvironment.status import shown_plan
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
from awsbatch_operator.kinds.queues import in_use
from awsbatch_operator.kinds.tagging import tag_record, tag_steps

AT_ONCE_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRemoval(LastingRemoval):
    """`was_deleting`: AWS had taken the deletion when the environment was last looked at.

    `service_role` is the one that the spec names today, "" if it names none or one that its account
    does not allow.
    """

    was_deleting: bool = False
    service_role: str = ""


def plan_environment(desired: Desired, observed: Observed | None, now: Instant) -> Plan[ApiCall]:
    """The next step towards an environment as specified."""
    del now
    if observed is None:
        if desired.remaking.environment and not desired.remaking.gone:
            return _confirmed(desired)
        return _create(desired)
    found = compare(desired, observed)
    anew = is_made_anew(desired, observed, found)
    busy = at_work(observed)
    if busy:
        return Plan(findings=(_remaking(observed),) if anew else busy)
    if anew:
        return _make_anew(desired, observed)
    steps = tag_steps(observed.arn, desired.tags, observed.tags)
    if found.in_place:
        steps = (*steps, _update(desired, found.in_place))
    return Plan(
        steps=steps,
        findings=(*_findings(desired, observed, found), *desired.notes),
        record={**tag_record(desired.tags, observed.tags), **_over(desired, observed)},
        look_again_seconds=RELOOK_SECONDS,
    )


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
    )


def plan_removal(
    removal: EnvironmentRemoval, observed: Observed | None, now: Instant
) -> Plan[ApiCall]:
    """Out of all queues, DISABLED, deleted, gone: in this order.

    An environment that a queue still uses is not disabled yet, because the queue's jobs may need it
    to come to their end. One that is INVALID gets the role that the spec names by now: AWS cannot
    delete an environment whose role is gone. Not so where AWS names another lack: the role that it
    has will do, and the spec's may not even exist.
    """
    if observed is None:
        return when_absent(removal, now)
    busy = at_work(observed)
    if observed.queues and observed.status != "DELETING":
        return Plan(findings=(_in_use(removal, observed, now),))
    if busy:
        return Plan(findings=busy)
    role = removal.service_role
    if role and _is_cure(role, observed):
        update = ApiCall("UpdateComputeEnvironment", role_request(role, observed))
        step = Step(update, expects=HasRole(role))
        return Plan(steps=(step,), look_again_seconds=MOVING_SECONDS)
    return _take_away(observed, was_deleting=removal.was_deleting)


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


def _take_away(observed: Observed, *, was_deleting: bool) -> Plan[ApiCall]:
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


def _make_anew(desired: Desired, observed: Observed) -> Plan[ApiCall]:
    """The environment goes first; what is made then is what any missing environment gets."""
    plan = _take_away(observed, was_deleting=desired.was_deleting)
    if not plan.steps:
        return plan
    remaking = Remaking(observed.mark, desired.generation)
    return replace(
        plan,
        findings=(_remaking(observed),),
        record=remaking.record(),
        announce={"plan": shown_plan(desired, observed)},
    )


def _over(desired: Desired, observed: Observed) -> Mapping[str, str]:
    """The record of a remaking that is over: the new environment is there, or it was dropped.

    If it stood on, whoever deletes the environment later would read that it was the INVALID one.
    """
    remaking = desired.remaking
    if not remaking.environment or remaking.begun(observed.mark, desired.generation):
        return {}
    return remaking.over().record()


def _remaking(observed: Observed) -> Finding:
    words = f"No queue uses the environment, so it is deleted and created anew. {observed.words}"
    return Finding(catalogue.REMAKING, words, look_again_seconds=MOVING_SECONDS)


def _confirmed(desired: Desired) -> Plan[ApiCall]:
    """What was INVALID is gone: this is written down, so that it is told once; then comes the new.

    So it is, too, if somebody else has deleted it after we had begun to.
    """
    told = Finding(catalogue.REMADE, f"{_deleted_words(desired)} It is created anew now.")
    record = replace(desired.remaking, gone=True).record()
    return Plan(findings=(told,), record=record, look_again_seconds=AT_ONCE_SECONDS)


def _deleted_words(desired: Desired) -> str:
    return f"The INVALID compute environment {desired.name} was deleted in AWS."


def _create(desired: Desired) -> Plan[ApiCall]:
    """AWS wants a new environment ENABLED, and takes no update policy with it; both come after."""
    refused = images.refusal(desired.content)
    if refused is not None:
        return Plan(findings=(refused,))
    content = {name: value for name, value in desired.content.items() if name != "updatePolicy"}
    request = {
        **content,
        "computeEnvironmentName": desired.name,
        "state": "ENABLED",
        "tags": desired.tags.all,
    }
    words = f"Created the compute environment {desired.name}."
    step = creation("CreateComputeEnvironment", request, words=words, reached=desired.reached)
    if desired.remaking.gone:
        because = f"{_deleted_words(desired)} AWS refuses to create it anew:"
        step = replace(step, because=because)
    return Plan(steps=(step,), record=tag_record(desired.tags, {}), announce=NOTHING_SHOWN)


def _update(desired: Desired, fields: tuple[str, ...]) -> Step[ApiCall]:
    return Step(
        ApiCall("UpdateComputeEnvironment", update_request(desired, fields)),
        note=change_note(fields, reached=desired.reached),
        expects=NoLongerDiffers(desired, fields, _changeable),
    )


def _changeable(desired: Desired, observed: Observed) -> tuple[str, ...]:
    return compare(desired, observed).in_place


def _findings(desired: Desired, observed: Observed, found: Differences) -> tuple[Finding, ...]:
    left = tuple(Finding(catalogue.LEFT_AS_IT_IS, words) for words in left_words(observed, found))
    if observed.status == "INVALID":
        return (*invalid.findings(desired, observed, found), *left)
    if found.change in {Change.INFRASTRUCTURE, Change.REPLACEMENT}:
        stalled = Finding(
            catalogue.REPLACEMENT_NEEDED,
            f"{', '.join(found.beyond)} cannot be changed by a scaling update; AWS would need "
            f"{_words(found.change)}, which this version does not make.",
        )
        return (stalled, *left)
    return left


def _words(change: Change) -> str:
    if change is Change.INFRASTRUCTURE:
        return "an infrastructure update"
    return "a new environment in its place"


def _in_use(removal: EnvironmentRemoval, observed: Observed, now: Instant) -> Finding:
    return in_use(
        removal,
        now,
        observed.queues,
        words="Job queues still use this compute environment: {}. It stays enabled for their jobs.",
        remedy="Delete the queues, or take the environment out of their computeEnvironmentOrder.",
    )
