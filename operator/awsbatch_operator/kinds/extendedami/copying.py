"""Copies of the image in use in further regions (pure).

What is asked for stands in the record first, by region and attempt, of which the client token is
made. It is asked for again by the same token for as long as EC2 may have taken a call that nobody
saw the answer of, and by that of another attempt once EC2 is known to have nothing of it. The
regions that were ever copied to stand there, too, so that nothing stays behind where the spec has
left. A copy has the name of what it is copied from, and its source in its tags.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.encoding import canonical
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.names import short_hash
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.tags import ATTEMPT, BASE_IMAGE, BASE_SOURCE, BUILD, CONTENT, VERDICT
from awsbatch_operator.api.words import sentence
from awsbatch_operator.kinds.extendedami.attempts import ImagePlan
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.expectations import Copied, Uncopied
from awsbatch_operator.kinds.extendedami.observed import Image, Observed
from awsbatch_operator.kinds.extendedami.record import Build
from awsbatch_operator.kinds.extendedami.record_parts import Copying
from awsbatch_operator.kinds.extendedami.requests import ImageCall, deregister, tagged

COPY_LOOK_SECONDS = 60.0
AGAIN_SECONDS = 3600.0
_DIGITS = 16
_FAILED = frozenset({"failed", "error", "invalid"})


def copying(
    desired: Desired, observed: Observed, used: Image | None, record: Build | None, now: Instant
) -> ImagePlan:
    """The image in use is copied to each region of the spec; what is of no use there goes.

    EC2 looks at the key of a copy only after it has answered. A copy that has failed is made anew
    after an hour.
    """
    if used is None or record is None or record.under_way:
        return Plan()
    attempts = _attempts(desired, observed, used, record, now)
    steps = [*_outdated(desired, observed), *_missing(desired, used, record, attempts)]
    waiting, failed = [], []
    for region in _further(desired):
        copy = copy_of(observed, region, used)
        if copy is None:
            continue
        if copy.state in _FAILED:
            failed.append(f"{copy.id} in {region}: {copy.reason or 'EC2 does not say why'}")
            steps += [_gone(region, copy)] if now.since(copy.created) >= AGAIN_SECONDS else []
        elif not copy.available:
            waiting.append(f"{copy.id} in {region}")
    findings = []
    if waiting:
        words = f"Copies are being made: {', '.join(waiting)}."
        findings.append(Finding(reasons.IMAGE_COPYING, words))
    held_back = [region for region, attempt in attempts.items() if attempt is None]
    if held_back:
        where = ", ".join(held_back)
        words = f"EC2 may still make an earlier copy of {used.id} in {where}; it is waited for."
        findings.append(Finding(reasons.IMAGE_COPYING, words))
    if failed:
        words = f"EC2 could not make copies of {used.id}. {' '.join(map(sentence, failed))}"
        findings.append(Finding(reasons.COPY_FAILED, words))
    look = COPY_LOOK_SECONDS if steps or waiting or held_back else None
    return Plan(steps=tuple(steps), findings=tuple(findings), look_again_seconds=look)


def _further(desired: Desired) -> tuple[str, ...]:
    return tuple(each for each in desired.regions if each != desired.region)


def _attempts(
    desired: Desired, observed: Observed, used: Image, record: Build, now: Instant
) -> dict[str, Copying | None]:
    """What is asked for where no copy shows, by region; None: nothing now."""
    missing = [each for each in _further(desired) if copy_of(observed, each, used) is None]
    requests = {region: canonical(_request(desired, used, region)).decode() for region in missing}
    return {
        region: _attempt(record.copies.get(region), request, observed, now)
        for region, request in requests.items()
    }


def _attempt(
    before: Copying | None, request: str, observed: Observed, now: Instant
) -> Copying | None:
    """The attempt before goes on while EC2 may have taken it and not show it yet.

    Then the next one begins: what the one before made, if it made anything, is gone. Another
    request waits for that moment.
    """
    digest = short_hash(request, digits=_DIGITS)
    if before is None:
        return Copying(attempt=1, request=digest, time=now)
    sent = before.time if observed.since is None else max(before.time, observed.since)
    if now.since(sent) >= observed.settling:
        return Copying(attempt=before.attempt + 1, request=digest, time=now)
    return before if before.request == digest else None


def _missing(
    desired: Desired, used: Image, record: Build, attempts: Mapping[str, Copying | None]
) -> Iterator[Step[ImageCall]]:
    """The copies that are to be made; of several steps of one turn the last record counts."""
    asked = {region: each for region, each in attempts.items() if each is not None}
    written = replace(
        record,
        regions=tuple(sorted({*record.regions, *desired.regions})),
        published=record.published or desired.ssm_parameter,
        copies={**record.copies, **asked},
    )
    for region, attempt in asked.items():
        yield _copy(desired, used, region, attempt, written)


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


def _request(desired: Desired, image: Image, region: str) -> Shape:
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
    key = key_of_copies(desired, region)
    return {
        **({"Encrypted": True, "KmsKeyId": key} if key else {}),
        "Name": image.name,
        "Description": f"Copy of {image.id} in {desired.region}",
        "SourceImageId": image.id,
        "SourceRegion": desired.region,
        "TagSpecifications": [tagged("image", tags), tagged("snapshot", tags)],
    }


def _copy(
    desired: Desired, image: Image, region: str, attempt: Copying, record: Build
) -> Step[ImageCall]:
    """The token belongs to the attempt and to one request, as EC2 wants it."""
    number, uid = str(attempt.attempt), desired.owner.uid
    token = f"awsbatch-{short_hash(uid, 'copy', region, number, attempt.request, digits=40)}"
    request = _request(desired, image, region)
    note = Finding(reasons.IMAGE_COPIED, f"{image.id} is being copied to {region}.")
    return Step(
        ImageCall("ec2", "CopyImage", request, region=region, token=token),
        record=record.annotation(),
        lane=f"copy {region}",
        note=note,
        expects=Copied(region, image.build),
    )


def key_of_copies(desired: Desired, region: str) -> str:
    """The replica there of the multi-Region key of the image's disks; "": the default of EBS.

    Its id is the same everywhere, and so its ARN but for the region (AWS KMS API reference,
    ReplicateKey). The spec names one such key at most where there are copies.
    """
    given = (each.get("KmsKeyId") for each in (desired.root, *(d["Ebs"] for d in desired.devices)))
    key = next((str(each) for each in given if each), "")
    parts = key.split(":")
    return ":".join((*parts[:3], region, *parts[4:])) if key.startswith("arn:") else key


def _gone(region: str, image: Image) -> Step[ImageCall]:
    call = replace(deregister(image.id), region=region)
    return Step(call, lane=f"image {image.id}", expects=Uncopied(region, image.id))
