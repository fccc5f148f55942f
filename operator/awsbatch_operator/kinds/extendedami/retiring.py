"""What goes: what was left over on the way to an image, and images that nobody needs (pure).

Left over is whatever carries the object's uid and is not what the record names: a builder that has
done its work, one of a launch that came late, an image that was never finished, a snapshot of none.
An image that has its verdict goes by the retention alone, and only when nothing refers to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.extendedami import requests
from awsbatch_operator.kinds.extendedami.attempts import Case, ImagePlan, kept_until
from awsbatch_operator.kinds.extendedami.choosing import superseded
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.expectations import Ended, Gone
from awsbatch_operator.kinds.extendedami.imaging import missing_verdict
from awsbatch_operator.kinds.extendedami.observed import Image, Observed, Verdict
from awsbatch_operator.kinds.extendedami.record import Build, Stage
from awsbatch_operator.kinds.extendedami.requests import ImageCall

CLEAN_LOOK_SECONDS = 15.0
USED_LOOK_SECONDS = 3600.0  # until it is asked again whether a superseded image is used


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What has to go now; `wait` says that something is on its way out, or may yet appear."""

    steps: tuple[Step[ImageCall], ...] = ()
    wait: bool = False


def leftovers(
    observed: Observed, record: Build | None, *, needed: frozenset[str], kept: frozenset[str]
) -> Leftovers:
    """Instances apart from the needed tokens; unfinished images apart from the kept ids."""
    steps: list[Step[ImageCall]] = []
    ids = tuple(
        sorted(each.id for each in observed.machines if each.costs and each.token not in needed)
    )
    if ids:
        steps.append(Step(requests.terminate(ids), lane="clean", expects=Ended(ids)))
    images = (each for each in observed.images if each.id not in kept and not each.verdict)
    steps += [_gone(each) for each in images]
    making = record is not None and record.stage is Stage.IMAGE
    for snapshot in () if making else observed.snapshots:
        call = requests.delete_snapshot(snapshot)
        steps.append(Step(call, lane=f"snapshot {snapshot}"))
    going = any(each.there and each.token not in needed for each in observed.machines)
    return Leftovers(steps=tuple(steps), wait=bool(steps) or going)


def cleaning(case: Case | None, observed: Observed, *, active: bool) -> Leftovers:
    """The same beside an attempt; `active`: its record is followed."""
    if case is None:
        found = leftovers(observed, None, needed=frozenset(), kept=frozenset())
        return found if observed.looked else replace(found, steps=_images_only(found))
    record = case.record
    before = active and record.stage in {Stage.BUILD, Stage.IMAGE}
    rejected = _in_the_way(case) if before else []
    found = leftovers(
        observed, record, needed=needed(case, active=active), kept=_kept(case, active)
    )
    return replace(found, steps=(*found.steps, *rejected))


def without_cluster(observed: Observed, owner: Owner) -> tuple[Step[ImageCall], ...]:
    """The cluster of the tests goes after them; first what was left in it."""
    if not observed.cluster:
        return ()
    if observed.lost:
        lost = ((each, requests.deregister_member(owner, each)) for each in observed.lost)
        return tuple(Step(call, lane=f"member {each}") for each, call in lost)
    return (Step(requests.delete_cluster(owner), lane="cluster"),)


def needed(case: Case, *, active: bool) -> frozenset[str]:
    """The tokens of instances that are not to be ended now."""
    record = case.record
    if record.launch is None or not active:
        return frozenset()
    token = frozenset({record.launch.token})
    if record.under_way:
        return token
    failure = record.failure
    held = record.stage is Stage.FAILED and failure is not None and failure.kept
    if held and failure is not None and case.now < kept_until(case.desired, failure):
        return token
    return frozenset()


def _kept(case: Case, active: bool) -> frozenset[str]:  # noqa: FBT001
    """Unfinished images that are not left over."""
    record = case.record
    if not active:
        return frozenset()
    if record.stage in {Stage.IMAGE, Stage.VERIFY}:
        return frozenset(each.id for each in case.observed.images if each.build == record.build)
    unmarked = missing_verdict(case)
    return frozenset() if unmarked is None else frozenset({unmarked[0].id})


def _in_the_way(case: Case) -> list[Step[ImageCall]]:
    """A rejected image of this very build has the name that the next one is to have.

    One that somebody has disabled stays: what follows it has another name (choosing.free_build).
    """
    same = (each for each in case.observed.images if each.build == case.record.build)
    return [_gone(each) for each in same if each.verdict == Verdict.REJECTED]


def _images_only(found: Leftovers) -> tuple[Step[ImageCall], ...]:
    return tuple(each for each in found.steps if each.action.operation != "TerminateInstances")


def _gone(image: Image, note: Finding | None = None) -> Step[ImageCall]:
    return Step(
        requests.deregister(image.id), lane=f"image {image.id}", note=note, expects=Gone(image.id)
    )


def retirement(desired: Desired, observed: Observed, used: Image | None, now: Instant) -> ImagePlan:
    """Superseded images go when nothing refers to them any more."""
    steps, held = [], []
    for image in candidates(desired, observed.images, used, now):
        if image.id not in observed.users:
            continue  # nobody has looked yet
        if observed.users[image.id]:
            held.append(image)
            continue
        words = f"The image {image.id} of build {image.build} was removed with its snapshots."
        steps.append(_gone(image, Finding(reasons.IMAGE_RETIRED, words)))
    return Plan(steps=tuple(steps), look_again_seconds=USED_LOOK_SECONDS if held else None)


def candidates(
    desired: Desired, images: Sequence[Image], used: Image | None, now: Instant
) -> tuple[Image, ...]:
    """Images that are to go if nothing refers to them."""
    wanted = desired.retention
    return superseded(images, used, keep=wanted.keep, min_age_days=wanted.min_age_days, now=now)
