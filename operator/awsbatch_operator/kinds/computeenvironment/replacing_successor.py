"""The steps of an environment that is made to take the place of another one (pure)."""

from dataclasses import replace
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api import replacing_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.names import successor_name
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.kinds.computeenvironment import invalid
from awsbatch_operator.kinds.computeenvironment.changes import Differences, compare
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.instances import OwnPlan
from awsbatch_operator.kinds.computeenvironment.observed import Observed, Other
from awsbatch_operator.kinds.computeenvironment.replacing_bounds import (
    Replacement,
    blocked,
    may_serve,
)
from awsbatch_operator.kinds.computeenvironment.replacing_record import Replacing
from awsbatch_operator.kinds.computeenvironment.retiring import Part, retire, together
from awsbatch_operator.kinds.computeenvironment.update_requests import update_request
from awsbatch_operator.kinds.lasting import (
    APPEARING_SECONDS,
    MOVING_SECONDS,
    ApiCall,
    Appears,
    NoLongerDiffers,
)


def of_successor(it: Replacement, replacing: Replacing) -> Part:
    """What to do next about the successor, or towards having one."""
    if not it.recorded.successor:
        return _begin(it, replacing) if it.wanted else (Plan(), replacing)
    if not it.makes:
        plan, replacing = _withdraw(it, replacing)
        refused = it.refused if it.wanted else None
        return together(Plan(findings=() if refused is None else (refused,)), plan), replacing
    if it.successor is None:
        return _make(it, it.recorded, replacing)
    return _bring_up(it, it.successor, replacing)


def _begin(it: Replacement, replacing: Replacing) -> Part:
    stop = it.refused or blocked(it.desired, it.observed, it.around, room=True)
    if stop is not None:
        return Plan(findings=(stop,)), replacing
    parts = (it.desired.owner.uid, str(it.desired.generation))
    known = {*it.around.names, *it.recorded.names}
    name = successor_name(it.recorded.aws_name, known, *parts)
    return _make(it, it.recorded.succeeded_by(name), replacing)


def _make(it: Replacement, recorded: ScopeRecord, replacing: Replacing) -> Part:
    """Its name stands in the record before the call; a second call makes no second one."""
    name = recorded.successor
    plan = it.make(replace(it.desired, name=name))
    words = f"Created {name}, which is to take the place of {recorded.serving}. {it.why}"
    note = Finding(reasons.REPLACEMENT_BEGUN, words)
    because = f"{recorded.serving} stays in service; {name}, which is to replace it, is not made."
    steps = tuple(
        replace(step, lane=name, note=note, expects=Other(name, Appears()), because=because)
        if step.action.operation == "CreateComputeEnvironment"
        else replace(step, lane=name)
        for step in plan.steps
    )
    if not steps:
        return Plan(findings=plan.findings), replacing
    made: Plan[Any] = Plan(
        steps=steps,
        findings=(*plan.findings, _waits(it, f"{name} is created.")),
        record=plan.record,  # the plan of what serves has it, too, unless AWS is at work
        recorded=recorded,
        look_again_seconds=MOVING_SECONDS,
    )
    return made, replacing.making(it.desired.generation)


def _bring_up(it: Replacement, new: Observed, replacing: Replacing) -> Part:
    """It is there, and not as specified yet, or must not serve yet."""
    name, found = it.recorded.successor, compare(it.renamed, new)
    if new.at_work:
        return Plan(findings=(_waits(it, f"{name}: {new.words}"),)), replacing
    if (found.beyond or invalid.lost_for_good(new)) and not may_serve(it, new, found):
        if replacing.generation == it.desired.generation:
            return Plan(findings=_stuck(it, new, found)), replacing
        return _withdraw(it, replacing)  # another one is made for what the spec says now
    stop = blocked(it.desired, it.observed, it.around)
    findings = () if stop is None else (stop,)
    if new.status == "INVALID":
        findings = (*findings, *_stuck(it, new, found))
    steps: tuple[Step[ApiCall], ...] = ()
    if found.in_place:
        call = ApiCall("UpdateComputeEnvironment", update_request(it.renamed, new, found.in_place))
        expects = Other(name, NoLongerDiffers(it.renamed, found.in_place, _changeable))
        steps = (Step(call, lane=name, expects=expects),)
    plan: OwnPlan = Plan(
        steps=steps,
        findings=findings or (_waits(it, f"{name}: {new.words}"),),
        look_again_seconds=MOVING_SECONDS,
    )
    return plan, replacing


def _stuck(it: Replacement, new: Observed, found: Differences) -> tuple[Finding, ...]:
    """The new one does not become what the spec says; the old one goes on serving."""
    name, old = it.recorded.successor, it.recorded.serving
    kept = f"{old} stays in service, because the new environment {name} cannot take its place."
    if new.status == "INVALID":
        told = invalid.findings(it.renamed, new, found)
        return tuple(replace(each, message=f"{kept} {each.message}") for each in told)
    words = f"{kept} AWS shows {', '.join(found.beyond)} otherwise than the spec asks for."
    return (Finding(catalogue.REPLACEMENT_NEEDED, words),)


def _withdraw(it: Replacement, replacing: Replacing) -> Part:
    """The successor goes; the old one has been in service all the time."""
    name = it.recorded.successor
    if it.successor is None:
        words = f"{name} is not wanted any more, and may still come to light."
        replacing = replacing.giving_up(it.now)
        age = it.now.since(replacing.unwanted or it.now)
        seconds = max(APPEARING_SECONDS - age, MOVING_SECONDS)
        told = Finding(catalogue.SETTLING, words, look_again_seconds=seconds)
        return Plan(findings=(told,)), replacing
    plan, replacing = retire(it.retirement(name), replacing, it.now)
    words = f"{name} is not wanted any more and is removed; {it.recorded.serving} goes on serving."
    told = Finding(reasons.REPLACING, words, look_again_seconds=MOVING_SECONDS)
    return together(Plan(findings=(told,)), plan), replacing


def _waits(it: Replacement, words: str) -> Finding:
    told = f"{words} {it.recorded.serving} is in service until it is VALID."
    return Finding(reasons.REPLACING, told, look_again_seconds=MOVING_SECONDS)


def _changeable(desired: Desired, observed: Observed) -> tuple[str, ...]:
    return compare(desired, observed).in_place
