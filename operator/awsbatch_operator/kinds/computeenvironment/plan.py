"""What to do next about a compute environment (pure)."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from awsbatch_operator.api import catalogue
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
from awsbatch_operator.kinds.computeenvironment.following import acted_upon
from awsbatch_operator.kinds.computeenvironment.instances import (
    EnvironmentCall,
    OwnPlan,
    joined,
    with_capacity,
)
from awsbatch_operator.kinds.computeenvironment.invalid import is_made_anew
from awsbatch_operator.kinds.computeenvironment.making_anew import (
    confirmed,
    deleted_words,
    over,
    plan_anew,
    with_its_jobs,
)
from awsbatch_operator.kinds.computeenvironment.members import TEMPLATE, under
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.placement import GroupCall
from awsbatch_operator.kinds.computeenvironment.placement import creation_of as group_made
from awsbatch_operator.kinds.computeenvironment.placement import removal_of as group_removed
from awsbatch_operator.kinds.computeenvironment.removal import Stands
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


def plan_environment(
    desired: Desired, observed: Observed | None, now: Instant
) -> Plan[EnvironmentCall]:
    """The next step towards an environment as specified, and towards the instances for its jobs."""
    if desired.misfits:  # what the spec asks for now; what AWS has stays as it is
        capacity = None if observed is None else observed.capacity
        return with_capacity(Plan(findings=desired.misfits), capacity, now)
    plan = _planned(settled(desired, observed), observed, now)
    found_again = {} if observed is None else _found_again(desired, observed)
    return replace(plan, record={**found_again, **plan.record}) if found_again else plan


def _planned(desired: Desired, observed: Observed | None, now: Instant) -> Plan[EnvironmentCall]:
    if observed is None:
        return joined(_plan_absent(desired, observed), Plan())
    make, begun = partial(_make_beside, observed=observed), replacing.is_begun(desired)
    if not observed.present:
        # What served was removed by somebody; its successor takes its place, if there is to be one.
        goes_on = begun and impossible(desired, observed, None) is None
        own = joined(Plan() if goes_on else _plan_absent(desired, observed), Plan())
        return replacing.plan_replacement(own, desired, observed, now, make=make, wanted=goes_on)
    found = compare(desired, observed)
    acted = acted_upon(desired, observed, found)
    if not begun and not desired.terms.reports and is_made_anew(desired, observed, found):
        desired = with_its_jobs(desired, observed, now)
        own = plan_anew(desired, observed, now)
        return replacing.plan_replacement(own, desired, observed, now, make=make, wanted=False)
    wanted = _gives_way(desired, observed, found, acted)
    steady: OwnPlan = (
        _only_told(desired, observed, found, acted, replaced=wanted)
        if desired.terms.reports
        else _plan_present(desired, observed, found, replaced=wanted)
    )
    own = with_capacity(steady, observed.capacity, now)
    return replacing.plan_replacement(own, desired, observed, now, make=make, wanted=wanted)


def _gives_way(
    desired: Desired, observed: Observed, found: Differences, acted: Differences
) -> bool:
    """Whether a new environment takes its place; for a drift that is only told, none is begun."""
    if desired.terms.reports and not replacing.is_begun(desired):
        return acted.change is Change.REPLACEMENT
    return replacing.is_needed(desired, observed, found)


def _plan_absent(desired: Desired, observed: Observed | None) -> OwnPlan:
    if desired.remaking.environment and not desired.remaking.gone:
        return confirmed(desired)
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
    return _create(desired, {} if observed is None else observed.all_tags)


def _only_told(
    desired: Desired, observed: Observed, found: Differences, acted: Differences, *, replaced: bool
) -> OwnPlan:
    """What differs is listed, but for what the spec follows: that is taken over (`acted`).

    An INVALID environment is not made anew for what differs, either.
    """
    busy = at_work(observed)
    update = record_now(desired, observed, acted)
    if busy:
        return Plan(findings=busy, record=update)
    findings = (
        *_findings(desired, observed, replace(acted, left=found.left), replaced=replaced),
        *(desired.untold if desired.tracks_templates else ()),
        *desired.notes,
    )
    others = tuple(path for path in found.fields if path not in acted.fields)
    told = only_told(others, desired.tags, observed.tags, findings=findings)
    follows = acted.change is Change.INFRASTRUCTURE and not replaced
    steps = infrastructure_steps(desired, observed, acted) if follows else ()
    if replaced:  # what differs goes with the old one, and the numbers come with the new one
        return replace(told, record=update, drift=())
    differs = any(under(path, (TEMPLATE,)) for path in found.fields)
    return replace(
        told,
        # Not before the call that they are for: they tell what AWS was last sent.
        steps=tuple(replace(step, record={**step.record, **desired.pinned}) for step in steps),
        record={**({} if differs else desired.pinned), **update},
        announce={"plan": shown_plan(desired, observed)} if steps else {},
    )


def _make_beside(desired: Desired, *, observed: Observed) -> OwnPlan:
    """Another environment, beside the one that serves; once its group and numbers are there."""
    if not desired.complete:
        return Plan(findings=desired.untold)
    group = _group(desired, observed)
    if group.steps or group.findings:  # made in the plan of what serves, where there is one
        return Plan(findings=group.findings) if observed.present else group
    return _create(desired, observed.all_tags)


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
        **tag_record(desired.tags, observed.all_tags),
        **over(desired, observed),
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


def _found_again(desired: Desired, observed: Observed) -> Mapping[str, str]:
    """The record of a placement group that was lost, whatever else the turn comes to.

    The next look would not know of it any more, as soon as nothing uses it.
    """
    group = observed.group
    lost = group is not None and group.is_ours(desired.owner) and not desired.grouped
    return group.record() if group is not None and lost else {}


def _exchanges(found: Differences, group: Plan[GroupCall], *, replaced: bool) -> bool:
    """Whether AWS is to exchange the instances: not before the group is there that it names."""
    missing = bool(group.findings or group.steps)
    lacks_group = missing and "computeResources.placementGroup" in found.beyond
    return found.change is Change.INFRASTRUCTURE and not replaced and not lacks_group


def _create(desired: Desired, tags: Mapping[str, str]) -> Plan[ApiCall]:
    """AWS wants a new environment ENABLED, and takes no update policy with it; both come after.

    `tags` are those of the object's other environments.
    """
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
        because = f"{deleted_words(desired)} AWS refuses to create it anew:"
        step = replace(step, because=because)
    record = {**tag_record(desired.tags, tags), **desired.pinned}
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
