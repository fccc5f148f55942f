"""What an ExtendedAMI shows of AWS (pure)."""

from collections.abc import Iterator, Mapping
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.kinds import statuses
from awsbatch_operator.kinds.contract import KindStatus, Removal, Seen
from awsbatch_operator.kinds.extendedami import choosing
from awsbatch_operator.kinds.extendedami.attempts import BUILD_STEP, VERIFY_STEP
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.imaging import IMAGE_STEP
from awsbatch_operator.kinds.extendedami.observed import Image, Observed
from awsbatch_operator.kinds.extendedami.observed import Verdict as Judgement
from awsbatch_operator.kinds.extendedami.plan import LAUNCHING
from awsbatch_operator.kinds.extendedami.record import Build, Stage
from awsbatch_operator.kinds.extendedami.report import CONSOLE_LINES, IMAGES, ExtendedAmiStatus
from awsbatch_operator.kinds.extendedami.requests import ImageCall
from awsbatch_operator.kinds.extendedami.templates import template_in_use
from awsbatch_operator.kinds.extendedami.texts import with_texts
from awsbatch_operator.schema.fit import fitted

_STAGES: Mapping[Stage, str] = {
    Stage.BUILD: "Building",
    Stage.IMAGE: "Imaging",
    Stage.VERIFY: "Verifying",
    Stage.FAILED: "Failed",
}
_NO_STEPS = frozenset({BUILD_STEP, IMAGE_STEP, VERIFY_STEP})  # of no script


def image_status(resource: Resource, seen: Seen[Desired, Observed, ImageCall]) -> KindStatus:
    """The kind's fields and its verdict."""
    observed = seen.observed
    if observed is None:
        words = "The operator is about to look at it."
        verdict = Verdict(Situation.WORKING, catalogue.STARTING.name, words)
        return KindStatus(statuses.kept_fields(resource), verdict)
    if isinstance(seen.desired, Removal) or resource.deleting:
        fields = {**statuses.kept_fields(resource), "build": None}
        words = "What was made for the image is being removed from AWS."
        return KindStatus(fields, Verdict(Situation.DELETING, catalogue.DELETING.name, words))
    if seen.desired is None:
        kept = statuses.kept_fields(resource)
        words = "What is under way is followed; nothing new begins."
        return KindStatus(kept, Verdict(Situation.WORKING, catalogue.STARTING.name, words))
    return _shown(resource, seen, with_texts(seen.desired, observed), observed)


def _shown(
    resource: Resource,
    seen: Seen[Desired, Observed, ImageCall],
    desired: Desired,
    observed: Observed,
) -> KindStatus:
    used = choosing.in_use(desired, observed)
    template = template_in_use(desired, observed)
    region = "" if seen.recorded is None else seen.recorded.region
    fields: dict[str, Any] = {
        "arn": None if used is None else _arn(resource, used.id, region),
        "awsName": None if used is None else used.name,
        "imageId": None if used is None else used.id,
        "architecture": None if used is None else used.architecture or None,
        "images": [*_images(desired, observed, used, region), *_copies(observed, used)] or None,
        "bake": _bake(desired),
        "build": _build(resource, observed),
        "base": _base(resource, desired, observed, used),
        "measured": _measured(resource, observed, used),
        "launchTemplate": None if template is None else _template(template),
    }
    if not desired.bake.needed and observed.base is not None:
        base = observed.base.id
        shown = {"imageId": base, "arn": _arn(resource, base, region)}
        architecture = observed.base.architecture or None
        fields |= {**shown, "awsName": observed.base.name, "architecture": architecture}
        words = f"No image has to be made: {base} is in use"
        more = "." if template is None else f", with {template['LaunchTemplateName']}."
        return KindStatus(
            fields_of(fields), Verdict(Situation.READY, catalogue.READY.name, words + more)
        )
    if used is None:
        words = "There is no image yet."
        return KindStatus(
            fields_of(fields), Verdict(Situation.WORKING, catalogue.CREATING.name, words)
        )
    words = f"{used.id} is in use."
    if choosing.left_as_it_is(desired, observed):
        words = f"{used.id} is in use; the spec says another one, and spec.rebuild.when leaves it."
    return KindStatus(fields_of(fields), Verdict(Situation.READY, catalogue.READY.name, words))


def fields_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Within the bounds of the schema; what is None is taken out of the status."""
    given = {name: value for name, value in fields.items() if value is not None}
    absent = {name: None for name, value in fields.items() if value is None}
    return {**absent, **fitted(ExtendedAmiStatus, given)}


def _arn(resource: Resource, image: str, region: str) -> str:
    """The ARN of an image of one's own has no account in it."""
    partition = str(resource.status.get("arn", "arn:aws:")).split(":")[1] or "aws"
    return f"arn:{partition}:ec2:{region}::image/{image}"


def _images(
    desired: Desired, observed: Observed, used: Image | None, region: str
) -> Iterator[dict[str, Any]]:
    for image in choosing.newest_first(observed.images)[:IMAGES]:
        uses = list(observed.users.get(image.id, ()))
        if used is not None and image.id == used.id:
            uses = [f"{user.key.kind} {user.key.name}" for user in desired.users] + uses
        yield {
            "region": region,
            "imageId": image.id,
            "buildHash": image.build or None,
            "baseImageId": image.base or None,
            "createdTime": image.created.rfc3339(),
            "state": _state(image, used),
            "usedBy": uses or None,
        }


def _copies(observed: Observed, used: Image | None) -> Iterator[dict[str, Any]]:
    for region, copies in observed.copies.items():
        for image in choosing.newest_first(copies):
            serves = used is not None and image.build == used.build
            yield {
                "region": region,
                "imageId": image.id,
                "buildHash": image.build or None,
                "baseImageId": image.base or None,
                "createdTime": image.created.rfc3339(),
                "state": _state(image, image if serves else None),
            }


def _state(image: Image, used: Image | None) -> str:
    if image.verdict == Judgement.REJECTED:
        return "Rejected"
    if not image.accepted:
        return image.state.capitalize() if not image.available else "Pending"
    return "Available" if used is not None and used.id == image.id else "Superseded"


def _bake(desired: Desired) -> dict[str, Any]:
    bake = desired.bake
    targets = [
        {"field": each.field, "place": each.place.value, "reason": each.words}
        for each in bake.targets
    ]
    return {
        "needed": bake.needed,
        "because": list(bake.because) or None,
        "targets": targets or None,
    }


def _build(resource: Resource, observed: Observed) -> dict[str, Any] | None:
    """The attempt under way, or the last one if it has failed."""
    record = observed.record
    if record is None or record.stage is Stage.DONE:
        return None
    shown = resource.status.get("build") or {}
    same = (shown.get("hash"), shown.get("attempt")) == (record.build, record.attempt)
    before = shown if same else {}
    instance = _instance(record, observed)
    # A builder's console says nothing of the instance that the image is tried on.
    kept = before.get("consoleTail") if instance in {"", before.get("instanceId")} else None
    build: dict[str, Any] = {
        "hash": record.build,
        "attempt": record.attempt,
        "stage": _stage(record, instance),
        "step": _step(record, observed) or None,
        "startedTime": record.started.rfc3339(),
        "instanceId": instance or before.get("instanceId"),
        "exitCode": None if record.failure is None else record.failure.exit_code,
        "consoleTail": _tail(observed) or kept,
    }
    return {name: value for name, value in build.items() if value is not None}


def _stage(record: Build, instance: str) -> str:
    """One meaning whatever stands in the way: a build that EC2 refuses to launch has not begun."""
    if record.stage is Stage.BUILD and not instance:
        return LAUNCHING
    return _STAGES.get(record.stage, record.stage.value)


def _step(record: Build, observed: Observed) -> str:
    """Of the script; "": there is none, or it has said nothing yet."""
    if record.failure is not None and record.stage is Stage.FAILED:
        step = record.failure.step.removeprefix(f"{VERIFY_STEP}: ")
        return "" if step in _NO_STEPS else step
    return observed.console.step if observed.console is not None else ""


def _instance(record: Build, observed: Observed) -> str:
    if record.failure is not None and record.failure.instance:
        return record.failure.instance
    machine = None if record.launch is None else observed.machine(record.launch.token)
    return "" if machine is None else machine.id


def _tail(observed: Observed) -> list[str]:
    return [] if observed.console is None else list(observed.console.tail[-CONSOLE_LINES:])


def _template(template: Shape) -> dict[str, Any]:
    version = template.get("LatestVersionNumber", 1)
    return {"id": str(template["LaunchTemplateId"]), "version": int(version)}


def _base(
    resource: Resource, desired: Desired, observed: Observed, used: Image | None
) -> dict[str, Any] | None:
    base = observed.base
    image_id = used.base if used is not None and used.base else ("" if base is None else base.id)
    if not image_id:
        return None
    shown: dict[str, Any] = {"imageId": image_id}
    if base is not None and base.id == image_id and base.name:
        shown["version"] = base.name
    if base is not None:
        shown["upToDate"] = base.id == image_id
    return shown | _kind_of_base(resource, desired, used)


def _kind_of_base(resource: Resource, desired: Desired, used: Image | None) -> dict[str, Any]:
    """Family and variant of what the image in use is made of, in the end.

    The spec may name another base by now, of which there is no image yet.
    """
    base: Shape = {"family": desired.base.family, "variant": desired.base.variant}
    if used is not None and used.source != choosing.source_of(desired):
        base = resource.status.get("base") or {}
    return {name: base[name] for name in ("family", "variant") if base.get(name)}


def _measured(resource: Resource, observed: Observed, used: Image | None) -> Any:
    record = observed.record
    if used is None:
        return None
    if record is not None and record.image == used.id and record.measured:
        return dict(record.measured)
    same = resource.status.get("imageId") == used.id
    return resource.status.get("measured") if same else None
