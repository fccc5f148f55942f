"""What to do about an ExtendedAMI next: pure decisions over Desired and Observed.

One attempt at an image (Stage in the record; what is in brackets stands in the record first):

    nothing, or an image that is not what is wanted
      │ [BUILD, token] RunInstances of the base, with the final disks
      ▼
    BUILD ── stopped by itself, and OK with the nonce on the console
      │        │ [IMAGE] CreateImage by a name made of the hash
      │        ▼
      │      IMAGE ── available ──► the builder is ended
      │        │        │ [VERIFY, token] RunInstances of the image, into a cluster of its own
      │        │        ▼
      │        │      VERIFY ── joined, and OK with its measures on the console
      │        │        │          │ [DONE] the tag `verdict` on the image
      │        │        │          ▼
      │        │        │        DONE ── all that is left over is gone ──► clean, nothing is asked
      │        │        │                                                  but images and the base
      ▼        ▼        ▼
    FAILED (step, exit code, end of the console; the image, if there is one, is Rejected)
      │ a pause, twice; then only an edit or the annotation reconcile-at, or another base
      ▼
    BUILD, with the next attempt

Beside that, in lanes of their own and in every stage: instances, images and snapshots that the
record does not name go; images that were superseded go by the retention; the image in use is
published. An image is used if its own tag says that it passed, so what became of the record decides
nothing about images that are there.

What if a call dies before, after, or comes late: RunInstances has a token that stands in the record
and is sent again as it was; CreateImage has a name that EC2 takes once; a tag, and all that ends
something, may be done twice. An instance or image of a call that came later than anybody waits for
is not named by the record, and goes.
"""

from dataclasses import replace
from typing import assert_never

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.findings import Finding, Severity
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.words import joined
from awsbatch_operator.kinds.extendedami import choosing, drifting
from awsbatch_operator.kinds.extendedami.adopting import plan_adoption
from awsbatch_operator.kinds.extendedami.attempts import (
    Case,
    ImagePlan,
    begun,
    standing,
    waits,
    working,
)
from awsbatch_operator.kinds.extendedami.bake import explained
from awsbatch_operator.kinds.extendedami.building import plan_building
from awsbatch_operator.kinds.extendedami.choosing import Due
from awsbatch_operator.kinds.extendedami.copying import copying
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.finishing import cleaned
from awsbatch_operator.kinds.extendedami.imaging import judged, missing_verdict, plan_imaging
from awsbatch_operator.kinds.extendedami.observed import Observed
from awsbatch_operator.kinds.extendedami.publishing import deprecating, publishing
from awsbatch_operator.kinds.extendedami.record import Build, Stage
from awsbatch_operator.kinds.extendedami.refused import base_faults, key_faults
from awsbatch_operator.kinds.extendedami.requests import ImageCall
from awsbatch_operator.kinds.extendedami.retiring import retirement
from awsbatch_operator.kinds.extendedami.tags import tagging
from awsbatch_operator.kinds.extendedami.templates import plan_template
from awsbatch_operator.kinds.extendedami.verifying import plan_verifying

_REMOVING = frozenset({"DeregisterImage", "DeleteLaunchTemplate"})
LAUNCHING = "Launching"  # the stage of a build whose builder is not there yet
RELOOK_SECONDS = 220.0  # a look without any sign: the base and the images, shared with all others


def plan_image(desired: Desired, observed: Observed, now: Instant) -> ImagePlan:
    """The next steps towards an image that is as the spec says, and in use."""
    record, due = observed.record, choosing.due(desired, observed, now)
    case = None if record is None else _case(desired, observed, record, now)
    if not desired.bake.needed:
        main, active = _without_image(desired), False
    elif case is not None and (unfinished := _unfinished(case)) is not None:
        main, active = unfinished, True
    elif case is not None and case.record.under_way and goes_on(desired, observed, case.record):
        main, active = _staged(case), True
    elif due is not None and (adoption := plan_adoption(desired, observed, due)) is not None:
        if adoption.steps:
            return adoption  # the mark comes first, and alone
        main, active = adoption, case is not None and not case.record.under_way
    elif due is not None:
        main, case = _wanted(desired, observed, due, now)
        active = True
    else:
        main = _resting(desired, observed, now)
        active = case is not None and not case.record.under_way
    made = together(
        _said(desired, observed),
        main,
        cleaned(desired, case, observed, main, now, active=active),
        plan_template(desired, observed),
    )
    return _with_what_follows(desired, observed, made, _record_after(main, case), now)


def _with_what_follows(
    desired: Desired, observed: Observed, made: ImagePlan, record: Build | None, now: Instant
) -> ImagePlan:
    """With what becomes of the image in use, and of those before it."""
    used = choosing.in_use(desired, observed)
    beside = together(
        publishing(desired, observed, used, record, now),
        deprecating(observed, used, now),
        copying(desired, observed, used, record, now),
    )
    retired: ImagePlan = Plan()
    if not choosing.lost(desired, observed):
        retired = retirement(desired, observed, used, now)
    going = _going(together(made, beside, retired))
    tags = tagging(desired, observed, going, now)
    if drifting.only_told(desired, used, record):
        beside, tags = drifting.told(beside), replace(drifting.told(tags), record={})
    plan = together(made, beside, retired, tags)
    done = drifting.rolled_out(desired, used, record, plan)
    return replace(plan, record={**plan.record, **done})


def _going(plan: ImagePlan) -> frozenset[str]:
    """The ids of images and launch templates that are removed by it."""
    requests = (each.action.request for each in plan.steps if each.action.operation in _REMOVING)
    return frozenset(str(r.get("ImageId") or r.get("LaunchTemplateId")) for r in requests)


def _record_after(main: ImagePlan, case: Case | None) -> Build | None:
    """The record, if nothing else is written into it in this turn."""
    steps = any(each.record for each in main.steps)
    return None if case is None or steps or main.record else case.record


def _without_image(desired: Desired) -> ImagePlan:
    """The base and a launch template are all that is wanted."""
    told = explained(desired.bake)
    findings = () if told is None else (told,)
    return Plan(findings=findings, look_again_seconds=RELOOK_SECONDS)


def _case(desired: Desired, observed: Observed, record: Build, now: Instant) -> Case:
    return Case(desired=desired, observed=observed, record=record, now=now)


def _unfinished(case: Case) -> ImagePlan | None:
    """A verdict that was written down has still to come to AWS; None: it has, or there is none."""
    record, observed = case.record, case.observed
    unmarked = missing_verdict(case)
    if unmarked is not None:
        image, verdict = unmarked
        step = judged(record, image, verdict, note=None)
        return Plan(steps=(step,), findings=standing(record, case.observed, case.now))
    young = record.stage is Stage.DONE and case.now.since(record.since) < observed.settling
    if young and record.image and observed.image(record.image) is None:
        words = f"EC2 does not show the image {record.image} at the moment."
        return working(reasons.IMAGE_PENDING, words)
    return None


def goes_on(desired: Desired, observed: Observed, record: Build) -> bool:
    """Whether the attempt under way is still at what the spec says, of whatever base.

    While a text of the spec cannot be read, nobody can tell, and what was begun is kept.
    """
    of_it = bool(desired.unread) or choosing.is_of(desired, observed, record)
    return not desired.pin and of_it and not desired.terms.adopts_only


def _staged(case: Case) -> ImagePlan:
    match case.record.stage:
        case Stage.BUILD:
            return plan_building(case)
        case Stage.IMAGE:
            return plan_imaging(case)
        case Stage.VERIFY:
            return plan_verifying(case)
        case Stage.DONE | Stage.FAILED:
            return Plan()
        case never:
            assert_never(never)


def _wanted(desired: Desired, observed: Observed, due: Due, now: Instant) -> tuple[ImagePlan, Case]:
    """An image is due: the next attempt, or why there is none now."""
    before = observed.record
    same = before is not None and before.build == due.build and before.stage is Stage.FAILED
    asked = before is not None and before.mark != observed.mark
    if before is not None and same and not asked and waits(before.failure, observed, now):
        told = standing(before, observed, now)
        return Plan(findings=told), _case(desired, observed, before, now)
    base = observed.base
    if key_faults(desired):
        made = begun(due, observed, desired.owner.uid, now, before)
        return Plan(), _case(desired, observed, before or made, now)
    faults = base_faults(desired, base.detail) if base is not None else ()
    if desired.verify.enabled and not desired.builder.instance_profile:
        words = "The boot test needs an instance that may join an ECS cluster."
        faults = (*faults, Finding(reasons.VERIFY_NEEDS_PROFILE, words))
    if any(each.severity is Severity.STALL for each in faults):
        made = begun(due, observed, desired.owner.uid, now, before)
        return Plan(findings=faults), _case(desired, observed, before or made, now)
    made = begun(due, observed, desired.owner.uid, now, before)
    case = _case(desired, observed, made, now)
    plan = plan_building(case)
    if not plan.steps:
        return plan, case
    steps = tuple(_with_cause(each, due) for each in plan.steps)
    return replace(plan, steps=steps, announce={"build": announced(made)}), case


def _with_cause(step: Step[ImageCall], due: Due) -> Step[ImageCall]:
    """Why there is another build, before which one it is."""
    note = step.note
    if note is None:
        return step
    return replace(step, note=replace(note, message=joined(due.because, note.message)))


def announced(record: Build) -> dict[str, object]:
    """What the status says of an attempt before its first call."""
    return {
        "hash": record.build,
        "attempt": record.attempt,
        "stage": LAUNCHING,
        "startedTime": record.started.rfc3339(),
    }


def _resting(desired: Desired, observed: Observed, now: Instant) -> ImagePlan:
    """No image is due."""
    if choosing.lost(desired, observed):
        before = "" if observed.record is None else observed.record.rolled_out
        kept_back = desired.terms.nothing_made(f"image {before or observed.shown}".strip())
        return Plan(findings=() if kept_back is None else kept_back.findings)
    old = choosing.too_old_at(desired, choosing.in_use(desired, observed))
    left = RELOOK_SECONDS if old is None else min(RELOOK_SECONDS, observed.look_in(old.since(now)))
    return Plan(look_again_seconds=left)


def _said(desired: Desired, observed: Observed) -> ImagePlan:
    """What is to be told of base, pin and texts."""
    findings = [*key_faults(desired), *(() if desired.pin else desired.unread)]
    used = choosing.in_use(desired, observed)
    if desired.base.template:
        words = f"The base, ExtendedAMI {desired.base.reference}, has a launch template beside it."
        findings.append(Finding(reasons.BASE_TEMPLATE_LEFT, words))
    source = desired.base.ssm_parameter or desired.base.image_id
    if observed.base is None and used is None and not desired.pin:
        words = f"AWS has no image that {source} names."
        findings.append(Finding(reasons.BASE_NOT_FOUND, words))
    elif observed.base is None and used is not None:
        words = f"AWS has no image that {source} names any more; {used.id} is used on."
        findings.append(Finding(reasons.BASE_WITHDRAWN, words))
    if desired.pin and desired.bake.needed and choosing.pinned(desired, observed) is None:
        words = f"spec.pin names {desired.pin}, which is no image of this object that may be used."
        words = words if used is None else joined(words, f"{used.id} is used on.")
        findings.append(Finding(reasons.PIN_NOT_FOUND, words))
    if used is not None and choosing.left_as_it_is(desired, observed):
        words = f"{used.id} is not what the spec says; spec.rebuild.when leaves it."
        findings.append(Finding(reasons.SPEC_NOT_BUILT, words))
    newer = observed.base is not None and used is not None and used.base != observed.base.id
    if newer and not desired.rebuild.on_base_change and observed.base is not None:
        words = f"There is a newer base image, {observed.base.id}; spec.rebuild.when leaves it."
        findings.append(Finding(reasons.BASE_UPDATE_AVAILABLE, words))
    return Plan(findings=tuple(findings))


def together(*plans: ImagePlan) -> ImagePlan:
    """All of them at once; what several of them want gone is asked for once."""
    drifts = [each.drift for each in plans if each.drift is not None]
    looks = [each.look_again_seconds for each in plans if each.look_again_seconds is not None]
    steps: list[Step[ImageCall]] = []
    for step in (each for plan in plans for each in plan.steps):
        if not any(step.action == other.action for other in steps):
            steps.append(step)
    return Plan(
        steps=tuple(steps),
        findings=tuple(finding for each in plans for finding in each.findings),
        record={name: text for each in plans for name, text in each.record.items()},
        announce={name: value for each in plans for name, value in each.announce.items()},
        look_again_seconds=min(looks, default=None),
        drift=tuple(sorted({name for each in drifts for name in each})) if drifts else None,
    )
