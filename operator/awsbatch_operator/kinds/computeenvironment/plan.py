"""What to do next about a compute environment (pure)."""

from collections.abc import Mapping
from dataclasses import replace

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.computeenvironment import images, invalid
from awsbatch_operator.kinds.computeenvironment.changes import (
    Change,
    Differences,
    compare,
    left_words,
    update_request,
)
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.instances import (
    EnvironmentCall,
    joined,
    with_capacity,
    without_capacity,
)
from awsbatch_operator.kinds.computeenvironment.invalid import (
    is_made_anew,
)
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.remaking import Remaking
from awsbatch_operator.kinds.computeenvironment.removal import take_away
from awsbatch_operator.kinds.computeenvironment.status import shown_plan
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

AT_ONCE_SECONDS = 0.01


def plan_environment(
    desired: Desired, observed: Observed | None, now: Instant
) -> Plan[EnvironmentCall]:
    """The next step towards an environment as specified, and towards the instances for its jobs."""
    if observed is None:
        return joined(_plan_absent(desired), Plan())
    found = compare(desired, observed)
    if is_made_anew(desired, observed, found):
        leaving = without_capacity(observed.capacity, now, now)
        if leaving is not None:  # what is made anew has another ECS cluster
            return replace(leaving, findings=(_remaking(observed), *leaving.findings))
        return joined(_plan_anew(desired, observed), Plan())
    return with_capacity(_plan_present(desired, observed, found), observed.capacity, now)


def _plan_absent(desired: Desired) -> Plan[ApiCall]:
    if desired.remaking.environment and not desired.remaking.gone:
        return _confirmed(desired)
    return _create(desired)


def _plan_anew(desired: Desired, observed: Observed) -> Plan[ApiCall]:
    if at_work(observed):
        return Plan(findings=(_remaking(observed),))
    return _make_anew(desired, observed)


def _plan_present(desired: Desired, observed: Observed, found: Differences) -> Plan[ApiCall]:
    busy = at_work(observed)
    if busy:
        return Plan(findings=busy)
    steps = tag_steps(observed.arn, desired.tags, observed.tags)
    if found.in_place:
        steps = (*steps, _update(desired, found.in_place))
    return Plan(
        steps=steps,
        findings=(*_findings(desired, observed, found), *desired.notes),
        record={**tag_record(desired.tags, observed.tags), **_over(desired, observed)},
        look_again_seconds=RELOOK_SECONDS,
    )


def _make_anew(desired: Desired, observed: Observed) -> Plan[ApiCall]:
    """The environment goes first; what is made then is what any missing environment gets."""
    plan = take_away(observed, was_deleting=desired.was_deleting)
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
