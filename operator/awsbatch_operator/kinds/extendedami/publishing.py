"""What is told to the world of the image in use: a parameter with its id (pure).

Level by level: what the parameter says now is compared with what it is to say. It is ours if it
carries our tags, which it has from its first write on; another one is left alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.tags import Owner, Ownership, owner_words, ownership
from awsbatch_operator.kinds.extendedami.attempts import ImagePlan
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.expectations import Deprecated, Published
from awsbatch_operator.kinds.extendedami.observed import Image, Observed
from awsbatch_operator.kinds.extendedami.record import Build
from awsbatch_operator.kinds.extendedami.requests import ImageCall

_LANE = "parameter"
_DEPRECATION_SECONDS = 30 * 86_400.0  # after the image that follows was made
_SOONEST_SECONDS = 3600.0  # EC2 takes no moment that is over


def publishing(
    desired: Desired, observed: Observed, used: Image | None, record: Build | None, now: Instant
) -> ImagePlan:
    """The parameter gets the id of the image in use; an earlier one goes.

    Systems Manager looks at an image's id before it shows what was written, for some seconds.
    """
    if used is None or record is None or record.under_way:
        return Plan()
    name = desired.ssm_parameter
    if record.published and record.published != name:
        return _withdrawn(desired, observed, record, now)
    if not name:
        return Plan()
    have = observed.parameters.get(name)
    if have is not None and not is_ours(have, desired.owner):
        whose = owner_words(have["Tags"], desired.owner.cluster_id)
        of = f"is that of {whose} by its tags" if whose else "has no tags of this operator"
        words = f"The parameter {name} {of}, so it is not written."
        return Plan(findings=(Finding(reasons.PARAMETER_TAKEN, words),))
    if have is not None and have["Value"] == used.id:
        return Plan()
    note = Finding(reasons.IMAGE_PUBLISHED, f"The parameter {name} names {used.id} now.")
    call = _put(desired, name, used.id, there=have is not None)
    written = replace(record, published=name, regions=_regions(desired, record))
    expects = Published(name, used.id)
    return Plan(
        steps=(Step(call, record=written.annotation(), lane=_LANE, note=note, expects=expects),)
    )


def _regions(desired: Desired, record: Build) -> tuple[str, ...]:
    """As a copy that is made in the same turn writes it: of several records the last one counts."""
    return tuple(sorted({*record.regions, *desired.regions}))


def _withdrawn(desired: Desired, observed: Observed, record: Build, now: Instant) -> ImagePlan:
    """The spec names another parameter, or none: the one before goes, and then its name."""
    steps = unpublished(observed, desired.owner)
    if not any(each.action.request["Name"] == record.published for each in steps):
        left = 0.0 if observed.since is None else observed.settling - now.since(observed.since)
        if record.published not in observed.parameters and left > 0:
            # It was written a moment ago, and may yet appear.
            return Plan(look_again_seconds=observed.look_in(left))
        return Plan(record=replace(record, published="").annotation(), look_again_seconds=1.0)
    gone = (each for each in steps if each.action.request["Name"] == record.published)
    return Plan(steps=tuple(gone), look_again_seconds=1.0)


def unpublished(observed: Observed, owner: Owner) -> list[Step[ImageCall]]:
    """Parameters go with the object, if they are the object's."""
    return [
        Step(
            ImageCall("ssm", "DeleteParameter", {"Name": name}),
            lane=f"{_LANE} {name}",
            expects=Published(name, ""),
        )
        for name, have in observed.parameters.items()
        if is_ours(have, owner)
    ]


def deprecating(observed: Observed, used: Image | None, now: Instant) -> ImagePlan:
    """Images that were superseded are deprecated, and the one in use is not.

    Whoever looks for images in EC2 is not shown them then; what names one goes on as it is.
    """
    steps = []
    for image in observed.images if used is not None else ():
        superseded = image.accepted and image != used and image.created < _created(used)
        if superseded and not image.deprecated:
            at = max(_created(used).plus(_DEPRECATION_SECONDS), now.plus(_SOONEST_SECONDS))
            call = ImageCall(
                "ec2", "EnableImageDeprecation", {"ImageId": image.id, "DeprecateAt": at.rfc3339()}
            )
            steps.append(_deprecation(call, image, deprecated=True))
        elif image == used and image.deprecated:
            call = ImageCall("ec2", "DisableImageDeprecation", {"ImageId": image.id})
            steps.append(_deprecation(call, image, deprecated=False))
    return Plan(steps=tuple(steps))


def _deprecation(call: ImageCall, image: Image, *, deprecated: bool) -> Step[ImageCall]:
    expects = Deprecated(image.id, deprecated)
    return Step(call, lane=f"deprecation {image.id}", expects=expects)


def _created(image: Image | None) -> Instant:
    return image.created if image is not None else Instant(0.0)


def is_ours(parameter: Shape, owner: Owner) -> bool:
    """Whether the parameter is the object's."""
    tags: Mapping[str, str] = parameter["Tags"]
    return ownership(tags, owner) in {Ownership.OURS, Ownership.RECREATED}


def _put(desired: Desired, name: str, image: str, *, there: bool) -> ImageCall:
    """PutParameter takes tags or Overwrite, not both (API reference)."""
    request: dict[str, Any] = {"Name": name, "Value": image, "DataType": "aws:ec2:image"}
    if there:
        return ImageCall("ssm", "PutParameter", {**request, "Overwrite": True})
    tags = {**desired.tags.all, **desired.owner.tags()}
    listed = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
    return ImageCall("ssm", "PutParameter", {**request, "Type": "String", "Tags": listed})
