"""Copies of the image in use in further regions (pure).

A copy has the name of what it is copied from, which a region takes once, and the source in its
tags; a client token keeps a call that comes late from making a second one. The regions that were
ever copied to stand in the record, so that nothing stays behind where the spec has left.
"""

from collections.abc import Iterator
from dataclasses import replace

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.names import short_hash
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.tags import ATTEMPT, BASE_IMAGE, BASE_SOURCE, BUILD, CONTENT, VERDICT
from awsbatch_operator.kinds.extendedami.attempts import ImagePlan
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.expectations import Copied, Uncopied
from awsbatch_operator.kinds.extendedami.observed import Image, Observed
from awsbatch_operator.kinds.extendedami.record import Build
from awsbatch_operator.kinds.extendedami.requests import ImageCall, deregister, tagged

COPY_LOOK_SECONDS = 60.0
_FAILED = frozenset({"failed", "error", "invalid"})


def copying(
    desired: Desired, observed: Observed, used: Image | None, record: Build | None
) -> ImagePlan:
    """The image in use is copied to each region of the spec; what is of no use there goes."""
    if used is None or record is None or record.under_way:
        return Plan()
    steps = list(_outdated(desired, observed))
    # Of several steps of one turn the last record counts, so all regions are in each.
    written = replace(
        record,
        regions=tuple(sorted({*record.regions, *desired.regions})),
        published=record.published or desired.ssm_parameter,
    )
    waiting = []
    for region in desired.regions:
        if region == desired.region:
            continue
        copy = copy_of(observed, region, used)
        if copy is None:
            steps.append(_copy(desired, used, region, written))
        elif copy.state in _FAILED:
            steps.append(_gone(region, copy))
        elif not copy.available:
            waiting.append(f"{copy.id} in {region}")
    findings = []
    if waiting:
        words = f"Copies are being made: {', '.join(waiting)}."
        findings.append(Finding(reasons.IMAGE_COPYING, words))
    look = COPY_LOOK_SECONDS if steps or waiting else None
    return Plan(steps=tuple(steps), findings=tuple(findings), look_again_seconds=look)


def copy_of(observed: Observed, region: str, image: Image) -> Image | None:
    """The copy of an image in a region."""
    found = (each for each in observed.copies.get(region, ()) if each.build == image.build)
    return next(found, None)


def all_copies(observed: Observed) -> Iterator[Step[ImageCall]]:
    """Every copy goes with the object."""
    for region, copies in observed.copies.items():
        yield from (_gone(region, each) for each in copies)
    for region, snapshots in observed.copied_snapshots.items():
        for each in snapshots:
            call = ImageCall("ec2", "DeleteSnapshot", {"SnapshotId": each}, region=region)
            yield Step(call, lane=f"snapshot {each}")


def _outdated(desired: Desired, observed: Observed) -> Iterator[Step[ImageCall]]:
    """Copies whose source is gone, and those in regions that the spec names no more."""
    builds = {each.build for each in observed.images}
    for region, copies in observed.copies.items():
        named = region in desired.regions
        yield from (_gone(region, each) for each in copies if not named or each.build not in builds)


def _copy(desired: Desired, image: Image, region: str, record: Build) -> Step[ImageCall]:
    tags = {
        **desired.tags.all,
        **desired.owner.tags(),
        BUILD: image.build,
        CONTENT: image.content,
        ATTEMPT: str(image.attempt),
        BASE_IMAGE: image.base,
        BASE_SOURCE: image.source,
        VERDICT: image.verdict,
    }
    token = short_hash(desired.owner.uid, image.id, region, digits=40)
    request = {
        "Name": image.name,
        "Description": f"Copy of {image.id} in {desired.region}",
        "SourceImageId": image.id,
        "SourceRegion": desired.region,
        "ClientToken": f"awsbatch-{token}",
        "TagSpecifications": [tagged("image", tags), tagged("snapshot", tags)],
    }
    note = Finding(reasons.IMAGE_COPIED, f"{image.id} is being copied to {region}.")
    return Step(
        ImageCall("ec2", "CopyImage", request, region=region),
        record=record.annotation(),
        lane=f"copy {region}",
        note=note,
        expects=Copied(region, image.build),
    )


def _gone(region: str, image: Image) -> Step[ImageCall]:
    call = replace(deregister(image.id), region=region)
    return Step(call, lane=f"image {image.id}", expects=Uncopied(region, image.id))
