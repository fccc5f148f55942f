"""From the stopped builder to an image that is available (pure).

CreateImage has no client token; its name does the same. It is made of the hash of the build, and
EC2 takes a name once: a call that came late, or twice, is refused. An image that has the name is
ours only with our tags.
"""

from collections.abc import Mapping
from typing import Any

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.extendedami import requests
from awsbatch_operator.kinds.extendedami.adopting import is_claimable
from awsbatch_operator.kinds.extendedami.attempts import (
    AT_ONCE,
    VERIFY_STEP,
    WATCH_SECONDS,
    Case,
    ImagePlan,
    failed,
    standing,
    working,
)
from awsbatch_operator.kinds.extendedami.expectations import Imaged, Judged
from awsbatch_operator.kinds.extendedami.launching import SOON_SECONDS
from awsbatch_operator.kinds.extendedami.observed import Image, Machine, Verdict
from awsbatch_operator.kinds.extendedami.record import Build, Stage
from awsbatch_operator.kinds.extendedami.record_parts import Failure

IMAGE_STEP = "image"
# Large snapshots have taken four hours (facts: awslabs/amazon-eks-ami, pull request 1871).
LIMIT_SECONDS = 6 * 3600.0
_TEXT, _MOUNTS = 128, 32
_FAILED = frozenset({"failed", "error", "invalid", "deregistered"})


def plan_imaging(case: Case) -> ImagePlan:
    """The next step until the image is available."""
    image = image_in_hand(case)
    if image is None:
        return _made_before(case) or _asked_for(case)
    if image.available:
        return _available(case, image)
    if image.state in _FAILED:
        said = f": {image.reason}" if image.reason else ""
        return failed(case, IMAGE_STEP, f"EC2 could not make the image {image.id}{said}")
    if case.now.since(case.record.since) > LIMIT_SECONDS:
        hours = f"{LIMIT_SECONDS / 3600:.0f} hours"
        return failed(
            case, IMAGE_STEP, f"The image {image.id} is still {image.state} after {hours}"
        )
    return working(reasons.IMAGE_PENDING, f"The image {image.id} is {image.state}.")


def image_in_hand(case: Case) -> Image | None:
    """The image of this build that has no verdict yet; of an earlier attempt as well."""
    build = case.record.build
    found = (each for each in case.observed.images if each.build == build and not each.verdict)
    return next(found, None)


def _made_before(case: Case) -> ImagePlan | None:
    """An image of this very build is in use, or may be: it needs no second one."""
    build = case.record.build
    found = [each for each in case.observed.images if each.build == build and each.accepted]
    if not found:
        return None
    done = case.record.at(Stage.DONE, case.now, image=found[0].id, failure=None)
    return Plan(record=done.annotation(), look_again_seconds=AT_ONCE)


def _asked_for(case: Case) -> ImagePlan:
    """CreateImage was written down, and EC2 shows no image."""
    observed, machine = case.observed, case.machine
    desired = case.desired
    name = requests.image_name(desired.namespace, desired.name, case.record.build)
    if observed.named is not None and observed.name_taken:
        whose = f"AWS has an image {name}, {observed.named.id}, that is not this object's."
        if is_claimable(desired, observed, observed.named):
            whose += " It has no owner: spec.adoptionPolicy AdoptOrCreate has it taken over."
        return _taken(case, whose)
    if case.now.since(case.record.since) > LIMIT_SECONDS:  # it must not keep its builder for ever
        hours = f"{LIMIT_SECONDS / 3600:.0f} hours"
        return failed(case, IMAGE_STEP, f"EC2 has taken no image of the builder within {hours}")
    if observed.image_answered and case.now.since(case.record.since) < LIMIT_SECONDS / 12:
        return working(reasons.IMAGE_PENDING, f"EC2 does not show {name} yet.", SOON_SECONDS)
    if machine is None or not machine.costs:
        if machine is None and not case.settled:
            return working(reasons.IMAGE_PENDING, f"EC2 does not show {name} yet.", SOON_SECONDS)
        return failed(case, IMAGE_STEP, "The builder is gone, and EC2 has no image of it")
    return _once_more(case, machine)


def _taken(case: Case, whose: str) -> ImagePlan:
    """The builder goes, which would cost for as long as the other image is there."""
    machine = case.machine
    failure = Failure(
        step=IMAGE_STEP,
        message=whose,
        time=case.now,
        instance="" if machine is None else machine.id,
        taken=True,
    )
    over = case.record.at(Stage.FAILED, case.now, failure=failure)
    shown = standing(over, case.observed, case.now)
    return Plan(record=over.annotation(), findings=shown, look_again_seconds=AT_ONCE)


def _once_more(case: Case, machine: Machine) -> ImagePlan:
    call = requests.create_image(case.desired, case.record, machine.id)
    again = Step(call, lane="image", expects=Imaged(case.record.build))
    return Plan(steps=(again,), look_again_seconds=WATCH_SECONDS)


def _available(case: Case, image: Image) -> ImagePlan:
    """It is tried before it is used, or used as it is."""
    record, now = case.record, case.now
    if not case.desired.verify.enabled:
        return accepted(case, image, Verdict.UNVERIFIED)
    tried = record.at(Stage.VERIFY, now, image=image.id, launch=None, tried=True)
    found = Finding(reasons.IMAGE_VERIFYING, f"The image {image.id} is about to be tried.")
    return Plan(record=tried.annotation(), findings=(found,), look_again_seconds=AT_ONCE)


def accepted(case: Case, image: Image, verdict: Verdict) -> ImagePlan:
    """The image is used from now on; its tag says so, whatever becomes of the record."""
    console = case.observed.console
    measured = {} if console is None else told_measures(console.measured)
    done = case.record.at(Stage.DONE, case.now, image=image.id, measured=measured, failure=None)
    said = "has passed its test and" if verdict is Verdict.VERIFIED else "is made and"
    note = Finding(reasons.IMAGE_VERIFIED, f"The image {image.id} {said} is used from now on.")
    return Plan(
        steps=(judged(done, image, verdict, note=note),),
        look_again_seconds=AT_ONCE,
    )


def told_measures(told: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of an instance's own words: what the status shows, and of no great length."""
    numbers = {name: told[name] for name in ("rootGiB", "cpus") if type(told.get(name)) is int}
    texts = {
        name: told[name][:_TEXT]
        for name in ("agentVersion", "dockerVersion", "kernel")
        if isinstance(told.get(name), str)
    }
    mounts = told.get("mounts")
    listed = [str(each)[:_TEXT] for each in mounts[:_MOUNTS]] if isinstance(mounts, list) else []
    return {**numbers, **texts, **({"mounts": listed} if listed else {})}


def judged(
    record: Build, image: Image, verdict: Verdict, *, note: Finding | None
) -> Step[requests.ImageCall]:
    """The verdict is written into the image's tags."""
    return Step(
        requests.judge(image.id, verdict),
        record=record.annotation(),
        lane=f"verdict {image.id}",
        note=note,
        expects=Judged(image.id, verdict),
    )


def missing_verdict(case: Case) -> tuple[Image, Verdict] | None:
    """The image of a finished attempt whose verdict was written down and never came to AWS."""
    record = case.record
    image = case.observed.image(record.image) if record.image else None
    if image is None or image.verdict or not image.available:
        return None
    if record.stage is Stage.DONE:
        tried = case.desired.verify.enabled or record.measured
        return image, Verdict.VERIFIED if tried else Verdict.UNVERIFIED
    failure = record.failure
    rejected = record.stage is Stage.FAILED and failure is not None
    if rejected and failure is not None and failure.step.startswith(VERIFY_STEP):
        return image, Verdict.REJECTED
    return None
