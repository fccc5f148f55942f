"""An image that AWS has already and that has no owner is taken over (pure).

Its name and its tags have to say that it is what the spec asks for: of the very content, tried or
used before. An image of which nobody can tell what it was made of is never taken over. The mark
comes first, as with all kinds: the look after it shows whose the image is, and only then is it
used. What was taken over stays when the object goes (docs/adoption.md).
"""

from dataclasses import dataclass

from awsbatch_operator.api import catalogue, ownership_reasons
from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.tags import (
    BASE_IMAGE,
    BASE_SOURCE,
    BUILD,
    CONTENT,
    VERDICT,
    owner_words,
    unowned,
)
from awsbatch_operator.kinds.extendedami import choosing
from awsbatch_operator.kinds.extendedami.attempts import AT_ONCE, ImagePlan
from awsbatch_operator.kinds.extendedami.choosing import Due
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.observed import Image, Observed, Verdict
from awsbatch_operator.kinds.extendedami.requests import ImageCall, image_name

_OR_CREATE = "Set spec.adoptionPolicy to AdoptOrCreate, and it is made"


@dataclass(frozen=True, slots=True)
class Claimed:
    """EC2 shows the image as the object's."""

    id: str

    def met(self, observed: Observed | None) -> bool:
        return observed is not None and observed.image(self.id) is not None


def is_claimable(desired: Desired, observed: Observed, image: Image) -> bool:
    """Whether the image has no owner, may be used, and is what the spec says."""
    named = image.name == image_name(desired.namespace, desired.name, image.build)
    is_free = named and bool(image.build) and image.accepted and unowned(image.tags)
    return is_free and choosing.is_of(desired, observed, image)


def plan_adoption(desired: Desired, observed: Observed, due: Due) -> ImagePlan | None:
    """What is done instead of making the image that is due; None: it is made."""
    if not desired.adopts:
        return None
    if observed.claimable is not None:
        return _claimed(desired, observed.claimable)
    if observed.unclaimable is not None:
        return Plan(findings=(_not_known(desired, observed.unclaimable, due),))
    if not desired.terms.adopts_only:
        return None
    return Plan(findings=(_none_made(desired, observed, due),))


def _claimed(desired: Desired, image: Image) -> ImagePlan:
    tags = desired.claim.tags()
    request = {
        "Resources": [image.id, *sorted(image.snapshots)],
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
    }
    call = ImageCall("ec2", "CreateTags", request)
    step = Step(call, lane="claim", expects=Claimed(image.id))
    return Plan(steps=(step,), look_again_seconds=AT_ONCE)


def _not_known(desired: Desired, image: Image, due: Due) -> Finding:
    """Which image has the name, and why it is not taken over."""
    has = f"AWS has an image {image.name}, {image.id}"
    owner = owner_words(image.tags, desired.owner.cluster_id)
    if owner:
        return Finding(reasons.NAME_TAKEN, f"{has}, and it belongs to {owner}.")
    words = f"{has}, and its tags do not say that it is a finished image of what the spec says."
    told = {
        BUILD: due.build,
        CONTENT: due.content,
        BASE_IMAGE: due.base,
        BASE_SOURCE: due.source,
        VERDICT: Verdict.VERIFIED.value,
    }
    tags = " ".join(f"Key={key},Value={value}" for key, value in told.items())
    remedy = (
        f"If it was made as the spec says: aws ec2 create-tags --resources {image.id} --tags "
        f"{tags}. If not, deregister it, after copying it under another name if it is needed."
    )
    return Finding(reasons.NAME_TAKEN, words, remedy)


def _none_made(desired: Desired, observed: Observed, due: Due) -> Finding:
    """Under Adopt nothing is made: neither the first image nor another one."""
    used = choosing.in_use(desired, observed)
    name = image_name(desired.namespace, desired.name, due.build)
    if used is None:
        words = f"AWS has no finished image {name} without an owner, and adoptionPolicy Adopt "
        return Finding(ownership_reasons.NOTHING_TO_ADOPT, f"{words}makes none.", f"{_OR_CREATE}.")
    if choosing.is_of(desired, observed, used):
        words = f"{due.because} {used.id} is used on, because adoptionPolicy Adopt makes no image."
        return Finding(reasons.BASE_UPDATE_AVAILABLE, words)
    words = (
        f"{used.id} is in use, the spec says another image, and adoptionPolicy Adopt makes none."
    )
    remedy = f"{_OR_CREATE}; or undo the change."
    return Finding(catalogue.REPLACEMENT_NEEDED, words, remedy)
