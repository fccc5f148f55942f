"""What to do next about a compute environment (pure)."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api import replacing_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.computeenvironment import images, invalid, replacing
from awsbatch_operator.kinds.computeenvironment.changes import (
    Change,
    Differences,
    compare,
    left_words,
)
from awsbatch_operator.kinds.computeenvironment.desired import Desired, settled
from awsbatch_operator.kinds.computeenvironment.instances import (
    EnvironmentCall,
    OwnPlan,
    joined,
    with_capacity,
    without_capacity,
)
from awsbatch_operator.kinds.computeenvironment.invalid import (
    is_made_anew,
)
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.placement import GroupCall
from awsbatch_operator.kinds.computeenvironment.placement import creation_of as group_made
from awsbatch_operator.kinds.computeenvironment.placement import removal_of as group_removed
from awsbatch_operator.kinds.computeenvironment.remaking import Remaking
from awsbatch_operator.kinds.computeenvironment.removal import (
    COUNT_SECONDS,
    Stands,
    still_runs,
    take_away,
)
from awsbatch_operator.kinds.computeenvironment.replacing_bounds import impossible
from awsbatch_operator.kinds.computeenvironment.status import shown_plan
from awsbatch_operator.kinds.computeenvironment.update_requests import update_request
from awsbatch_operator.kinds.computeenvironment.updating import (
    in_vain,
    infrastructure_steps,
    not_shown,
    record_now,
)
from awsbatch_operator.kinds.lasting import (
    MOVING_SECONDS,
    NOTHING_SHOWN,
    RELOOK_SECONDS,
    ApiCall,
    NoLongerDiffers,
    at_work,
    change_note,
    creation,
)
from awsbatch_operator.kinds.tagging import tag_record, tag_steps
from awsbatch_operator.kinds.terms import only_told

AT_ONCE_SECONDS = 0.01
_END_THEM = "Wait, or end the jobs."


def plan_environment(
    desired: Desired, observed: Observed | None, now: Instant
) -> Plan[EnvironmentCall]:
    """The next step towards an environment as specified, and towards the instances for its jobs."""
    desired = settled(desired, observed)
    if observed is None:
        return joined(_plan_absent(desired, observed), Plan())
    make, begun = partial(_make_beside, observed=observed), replacing.is_begun(desired)
    if not observed.present:
        # What served was removed by somebody; its successor takes its place, if there is to be one.
        goes_on = begun and impossible(desired, observed, None) is None
        own = joined(Plan() if goes_on else _plan_absent(desired, observed), Plan())
        return replacing.plan_replacement(own, desired, observed, now, make=make, wanted=goes_on)
    found = compare(desired, observed)
    if not begun and not desired.terms.reports and is_made_anew(desired, observed, found):
        own = _plan_anew(desired, observed, now)
        return replacing.plan_replacement(own, desired, observed, now, make=make, wanted=False)
    wanted = _gives_way(desired, observed, found)
    steady: OwnPlan = (
        _only_told(desired, observed, found)
        if desired.terms.reports
        else _plan_present(desired, observed, found, replaced=wanted)
    )
    own = with_capacity(steady, observed.capacity, now)
    return replacing.plan_replacement(own, desired, observed, now, make=make, wanted=wanted)


def _gives_way(desired: Desired, observed: Observed, found: Differences) -> bool:
    """Whether a new environment takes its place; for a drift that is only told, none is begun."""
    if desired.terms.reports and not replacing.is_begun(desired):
        return False
    return replacing.is_needed(desired, observed, found)


def _plan_absent(desired: Desired, observed: Observed | None) -> OwnPlan:
    if desired.remaking.environment and not desired.remaking.gone:
        return _confirmed(desired)
    kept_back = desired.terms.nothing_made(f"compute environment {desired.name}")
    if kept_back is not None and not desired.remaking.gone:
        return kept_back
    refused = desired.room.refusal() or images.refusal(desired.content)
    if refused is not None:
        return Plan(findings=(refused,))
    if not desired.complete:
        return Plan(findings=desired.untold)
    group = _group(desired, observed)
    if group.steps or group.findings:
        return group
    return _create(desired)


def _only_told(desired: Desired, observed: Observed, found: Differences) -> Plan[ApiCall]:
    """What differs is listed. An INVALID environment is not made anew for it, either."""
    busy = at_work(observed)
    if busy:
        return Plan(findings=busy)
    as_it_is = Differences(left=found.left)
    findings = (*_findings(desired, observed, as_it_is, replaced=False), *desired.notes)
    return only_told(found.fields, desired.tags, observed.tags, findings=findings)


def _make_beside(desired: Desired, *, observed: Observed) -> OwnPlan:
    """Another environment, beside the one that serves; once its group and numbers are there."""
    if not desired.complete:
        return Plan(findings=desired.untold)
    group = _group(desired, observed)
    if group.steps or group.findings:  # made in the plan of what serves, where there is one
        return Plan(findings=group.findings) if observed.present else group
    return _create(desired)


def _plan_anew(desired: Desired, observed: Observed, now: Instant) -> Plan[EnvironmentCall]:
    leaving = without_capacity(observed.capacity, now, now)
    if leaving is not None:  # what is made anew has another ECS cluster
        return replace(leaving, findings=(_remaking(observed), *leaving.findings))
    if at_work(observed):
        return joined(Plan(findings=(_remaking(observed),)), Plan())
    return joined(_make_anew(desired, observed), Plan())


def _plan_present(
    desired: Desired, observed: Observed, found: Differences, *, replaced: bool
) -> OwnPlan:
    """`replaced`: another environment takes its place; until then it stands as far as it can."""
    busy = at_work(observed)
    update = record_now(desired, observed, found)
    if busy:
        return Plan(findings=busy, record=update)
    group = _group(desired, observed)
    steps: tuple[Step[Any], ...] = (
        *tag_steps(observed.arn, desired.tags, observed.tags),
        *group.steps,
    )
    announce: Mapping[str, Any] = {}
    if found.in_place:
        steps = (*steps, _update(desired, observed, found.in_place))
    elif _exchanges(found, group, replaced=replaced):
        exchange = infrastructure_steps(desired, observed, found)
        steps = (*steps, *exchange)
        announce = {"plan": shown_plan(desired, observed)} if exchange else {}
    findings = _findings(desired, observed, found, replaced=replaced)
    findings = (*findings, *group.findings, *desired.untold)
    record = {
        **tag_record(desired.tags, observed.tags),
        **_over(desired, observed),
        **desired.pinned,
        **group.record,
        **update,
    }
    return Plan(
        steps=steps,
        findings=(*findings, *desired.notes),
        record=record,
        announce=announce,
        look_again_seconds=group.look_again_seconds or RELOOK_SECONDS,
    )


def _group(desired: Desired, observed: Observed | None) -> Plan[GroupCall]:
    """The placement group that is ours: made before anything uses it, removed after that."""
    group = None if observed is None else observed.group
    if group is None:
        return Plan()
    if desired.group:
        return group_made(group, desired.owner)
    used = observed is not None and observed.uses_group(group.name)
    return Plan() if used else group_removed(group, desired.owner, recorded=desired.grouped)


def _exchanges(found: Differences, group: Plan[GroupCall], *, replaced: bool) -> bool:
    """Whether AWS is to exchange the instances: not before the group is there that it names."""
    missing = bool(group.findings or group.steps)
    lacks_group = missing and "computeResources.placementGroup" in found.beyond
    return found.change is Change.INFRASTRUCTURE and not replaced and not lacks_group


def _make_anew(desired: Desired, observed: Observed) -> Plan[ApiCall]:
    """The environment goes first; what is made then is what any missing environment gets.

    Jobs of a queue that had it before may still run in it. They are counted once it stands in the
    record that it goes, and it is DISABLED.
    """
    plan = take_away(observed, was_deleting=desired.was_deleting)
    if not plan.steps:
        return plan
    remaking = Remaking(observed.mark, desired.generation)
    if observed.tasks:
        words = still_runs(desired.name, observed.tasks, 0.0)
        waits = Finding(reasons.DRAINING, words, _END_THEM, look_again_seconds=COUNT_SECONDS)
        return Plan(findings=(_remaking(observed), waits))
    if observed.state == "DISABLED" and desired.remaking != remaking:
        return Plan(findings=(_remaking(observed),), record=remaking.record())
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
    content = {name: value for name, value in desired.content.items() if name != "updatePolicy"}
    request = {
        **content,
        "computeEnvironmentName": desired.name,
        "state": "ENABLED",
        "tags": desired.tags.all,
    }
    words = f"Created the compute environment {desired.name}.{desired.room.words}"
    reached = desired.reached and not desired.remaking.gone
    step = creation("CreateComputeEnvironment", request, words=words, reached=reached)
    step = replace(step, expects=Stands())
    if desired.remaking.gone:
        because = f"{_deleted_words(desired)} AWS refuses to create it anew:"
        step = replace(step, because=because)
    record = {**tag_record(desired.tags, {}), **desired.pinned}
    return Plan(steps=(step,), record=record, announce=NOTHING_SHOWN)


def _update(desired: Desired, observed: Observed, fields: tuple[str, ...]) -> Step[ApiCall]:
    return Step(
        ApiCall("UpdateComputeEnvironment", update_request(desired, observed, fields)),
        note=change_note(fields, reached=desired.reached),
        expects=NoLongerDiffers(desired, fields, _changeable),
    )


def _changeable(desired: Desired, observed: Observed) -> tuple[str, ...]:
    return compare(desired, observed).in_place


def _findings(
    desired: Desired, observed: Observed, found: Differences, *, replaced: bool
) -> tuple[Finding, ...]:
    left = tuple(Finding(catalogue.LEFT_AS_IT_IS, words) for words in left_words(observed, found))
    if replaced:
        return left
    if observed.status == "INVALID":
        return (*invalid.findings(desired, observed, found), *left)
    if in_vain(desired, observed, found):
        return (not_shown(observed, found), *left)
    return left
