"""The steps by which an INVALID environment is made anew under its own name (pure).

It is disabled, its jobs are waited for, and it is deleted; what is created then is what any missing
environment gets. What of it must survive a crash stands in remaking.py.
"""

from collections.abc import Mapping
from dataclasses import replace

from awsbatch_operator.api import catalogue
from awsbatch_operator.api import replacing_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.instances import (
    EnvironmentCall,
    joined,
    without_capacity,
)
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.remaking import Remaking
from awsbatch_operator.kinds.computeenvironment.removal import (
    COUNT_SECONDS,
    ends_tasks,
    still_runs,
    take_away,
)
from awsbatch_operator.kinds.computeenvironment.status import shown_plan
from awsbatch_operator.kinds.lasting import MOVING_SECONDS, ApiCall, at_work

AT_ONCE_SECONDS = 0.01
_END_THEM = "Wait, or end the jobs, or set spec.replacement.drainTimeoutSeconds."


def plan_anew(desired: Desired, observed: Observed, now: Instant) -> Plan[EnvironmentCall]:
    """The next step by which it goes, while AWS still has it."""
    leaving = without_capacity(observed.capacity, now, now)
    if leaving is not None:  # what is made anew has another ECS cluster
        return replace(leaving, findings=(_remaking(observed), *leaving.findings))
    if at_work(observed):
        return joined(Plan(findings=(_remaking(observed),)), Plan())
    return joined(_take_away(desired, observed, now), Plan())


def with_its_jobs(desired: Desired, observed: Observed, now: Instant) -> Desired:
    """The same, with since when the jobs that run in the environment are waited for."""
    if not observed.tasks or desired.name in desired.replacing.leaving:
        return desired
    return replace(desired, replacing=desired.replacing.left(desired.name, now))


def _take_away(desired: Desired, observed: Observed, now: Instant) -> Plan[ApiCall]:
    """The environment goes first; what is made then is what any missing environment gets.

    Jobs of a queue that had it before may still run in it. They are counted once it stands in the
    record that it goes, and it is DISABLED; and waited for as in a replacement.
    """
    plan = take_away(observed, was_deleting=desired.was_deleting)
    if not plan.steps:
        return plan
    remaking = Remaking(observed.mark, desired.generation)
    waits = _waits_for_jobs(desired, observed, now)
    if waits is not None:
        return Plan(findings=(_remaking(observed), waits), record=desired.replacing.record())
    if observed.state == "DISABLED" and desired.remaking != remaking:
        return Plan(findings=(_remaking(observed),), record=remaking.record())
    if observed.tasks:
        note = ends_tasks(desired.name, observed.tasks, desired.replacement.drain_seconds)
        plan = replace(plan, steps=tuple(replace(step, note=note) for step in plan.steps))
    return replace(
        plan,
        findings=(_remaking(observed),),
        record=remaking.record(),
        announce={"plan": shown_plan(desired, observed)},
    )


def _waits_for_jobs(desired: Desired, observed: Observed, now: Instant) -> Finding | None:
    """That jobs run in it; None if none does, or they were waited for as long as the spec says."""
    if not observed.tasks:
        return None
    limit, age = desired.replacement.drain_seconds, 0.0
    if desired.name in desired.replacing.leaving:
        age = now.since(desired.replacing.leaving[desired.name].since)
    if 0 < limit <= age:
        return None
    seconds = min(COUNT_SECONDS, limit - age) if limit else COUNT_SECONDS
    words = still_runs(desired.name, observed.tasks, limit)
    return Finding(reasons.DRAINING, words, _END_THEM, look_again_seconds=seconds)


def over(desired: Desired, observed: Observed) -> Mapping[str, str]:
    """The record of a remaking that is over: the new environment is there, or it was dropped.

    If it stood on, whoever deletes the environment later would read that it was the INVALID one.
    """
    remaking = desired.remaking
    if not remaking.environment or remaking.begun(observed.mark, desired.generation):
        return {}
    return {**remaking.over().record(), **_waited(desired)}


def confirmed(desired: Desired) -> Plan[ApiCall]:
    """What was INVALID is gone: this is written down, so that it is told once; then comes the new.

    So it is, too, if somebody else has deleted it after we had begun to.
    """
    told = Finding(catalogue.REMADE, f"{deleted_words(desired)} It is created anew now.")
    record = {**replace(desired.remaking, gone=True).record(), **_waited(desired)}
    return Plan(findings=(told,), record=record, look_again_seconds=AT_ONCE_SECONDS)


def deleted_words(desired: Desired) -> str:
    """What is the case once AWS has confirmed the deletion."""
    return f"The INVALID compute environment {desired.name} was deleted in AWS."


def _waited(desired: Desired) -> Mapping[str, str]:
    """Without since when jobs were waited for: the next environment of the name has others."""
    replacing = desired.replacing.without(desired.name)
    return {} if replacing == desired.replacing else replacing.record()


def _remaking(observed: Observed) -> Finding:
    words = f"No queue uses the environment, so it is deleted and created anew. {observed.words}"
    return Finding(catalogue.REMAKING, words, look_again_seconds=MOVING_SECONDS)
