"""What ExtendedAMIs have made, in the place of the references to them in a spec (pure).

The image goes into imageIdOverride, of all the places where AWS Batch takes one the only one that
no other contradicts (facts of AWS's own pages differ about imageId and launch templates). Where no
image had to be made, there may be a launch template, which the environment then starts its
instances with; and if the base is named by its family, the image is left to AWS Batch, whose own
image of that type it is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api import image_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.api.references import AMI_REF
from awsbatch_operator.api.words import some_of
from awsbatch_operator.kinds.computeenvironment.members import RESOURCES, under

TEMPLATE = "launchTemplate"
_ENTRIES = "ec2Configuration"
# Instance families of Arm: a g behind the generation (m7g, c6gn, x2gd, im4gn); a1 is older.
_ARM = re.compile(r"(a1|[a-z-]+\d+[a-z]*g[a-z]*)(\..*)?")
_BY_WORD: Mapping[str, str] = {
    "optimal": "x86_64",
    "default_x86_64": "x86_64",
    "default_arm64": "arm64",
}


@dataclass(frozen=True, slots=True)
class Given:
    """What ExtendedAMIs give: what AWS has of it from before is followed, and no drift."""

    images: frozenset[str] = frozenset()
    template: bool = False

    def brought(self, path: str, wanted: Shape, have: Shape) -> bool:
        """Whether AWS has there what they gave once, and the spec says the same as before.

        `wanted` and `have` are computeResources.
        """
        if under(path, (f"{RESOURCES}.{TEMPLATE}",)):
            return self.template
        if path != f"{RESOURCES}.{_ENTRIES}" or not self.images:
            return False
        others = [each["imageIdOverride"] for each in _entries(have) if "imageIdOverride" in each]
        return _kinds(wanted) == _kinds(have) and self.images.issuperset(others)


@dataclass(frozen=True, slots=True)
class Filled:
    """AWS's members without references, and why they must not be sent so; nothing: they may.

    `given` is what else the named ExtendedAMIs have, or had, for the same members.
    """

    content: Mapping[str, Any]
    misfits: tuple[Finding, ...] = ()
    given: Given = field(default_factory=Given)


def _entries(resources: Shape) -> Sequence[Shape]:
    return resources.get(_ENTRIES) or ()


def _kinds(resources: Shape) -> list[Any]:
    return sorted(str(each.get("imageType", "")) for each in _entries(resources))


def filled(
    content: Mapping[str, Any], namespace: str, found: Mapping[ObjectKey, Resource]
) -> Filled:
    """The content with images and a launch template for what the spec names as amiRef."""
    resources = content.get(RESOURCES) or {}
    entries = list(resources.get(_ENTRIES) or ())
    if not any(AMI_REF in entry for entry in entries):
        return Filled(content)
    wrong: list[Finding] = []
    templates: dict[str, Shape] = {}
    images: set[str] = set()
    for at, entry in enumerate(entries):
        name = (entry.get(AMI_REF) or {}).get("name")
        target = None if name is None else found.get(ObjectKey("ExtendedAMI", namespace, name))
        if target is None:
            continue
        path = f"spec.{RESOURCES}.{_ENTRIES}[{at}].{AMI_REF}"
        wrong += _misfits(path, entry, target, resources.get("instanceTypes") or ())
        entries[at] = _with_image(entry, target)
        images |= {str(each["imageId"]) for each in target.status.get("images", ())}
        template = template_of(target)
        if template is not None:
            templates[f"{path} ({name})"] = template
    made = {**resources, _ENTRIES: entries}
    wrong += _clashes(resources, templates)
    if templates and TEMPLATE not in resources:
        made[TEMPLATE] = next(iter(templates.values()))
    given = Given(frozenset(images), template=bool(templates))
    return Filled({**content, RESOURCES: made}, tuple(wrong), given)


def image_of(target: Resource) -> str:
    """The image to start instances from; "" if that is left to AWS Batch, or there is none yet."""
    baked = (target.status.get("bake") or {}).get("needed") is not False
    by_family = "family" in (target.spec.get("base") or {})
    return str(target.status.get("imageId", "")) if baked or not by_family else ""


def template_of(target: Resource) -> Shape | None:
    """LaunchTemplateSpecification of what no image carries; None: the image is all there is."""
    shown = target.status.get(TEMPLATE) or {}
    if "id" not in shown:
        return None
    return {"launchTemplateId": str(shown["id"]), "version": str(shown["version"])}


def pool_with_image(body: Shape, target: Resource | None) -> Shape:
    """The pool with the id of the image beside amiRef; as it is, if there is no image yet."""
    image_id = "" if target is None else image_of(target)
    if not image_id or (target is not None and template_of(target) is not None):
        return body
    return {**body, "image": {**body["image"], "amiId": image_id}}


def _with_image(entry: Mapping[str, Any], target: Resource) -> dict[str, Any]:
    kept = {name: value for name, value in entry.items() if name != AMI_REF}
    image_id = image_of(target)
    return {**kept, "imageIdOverride": image_id} if image_id else kept


def _misfits(
    path: str, entry: Mapping[str, Any], target: Resource, types: Sequence[str]
) -> Iterator[Finding]:
    """Instances that could not boot, or would miss their drivers; AWS finds out at a launch."""
    base = target.spec.get("base") or {}
    if "family" not in base:
        return  # only the image itself knows, and AWS checks it
    architecture = base.get("architecture", "x86_64")
    others = [each for each in types if architecture_of(each) != architecture]
    if others:
        yield Finding(
            image_reasons.IMAGE_UNFIT,
            f"{path}: {target.key.name} is an image for {architecture}, and {some_of(others)} in "
            "spec.computeResources.instanceTypes are of another architecture.",
            f"Name types of {architecture}, or an ExtendedAMI whose base.architecture is theirs.",
        )
    wanted = "ECS_AL2023_NVIDIA" if base.get("variant") == "gpu" else "ECS_AL2023"
    kind, variant = str(entry.get("imageType", "")), base.get("variant", "standard")
    if kind not in {"", wanted}:
        yield Finding(
            image_reasons.IMAGE_UNFIT,
            f"{path}: {target.key.name} is made from the {variant} image of Amazon Linux 2023 for "
            f"ECS, and AWS Batch would use it for {kind}.",
            f"Set imageType beside it to {wanted}, or name another ExtendedAMI.",
        )


def architecture_of(instance_type: str) -> str:
    """Of an instance type, a family, or one of AWS Batch's words for several."""
    word = _BY_WORD.get(instance_type)
    return word or ("arm64" if _ARM.fullmatch(instance_type) else "x86_64")


def _clashes(resources: Mapping[str, Any], templates: Mapping[str, Shape]) -> Iterator[Finding]:
    """An environment has one launch template."""
    if not templates:
        return
    named = [f"{path} brings a launch template" for path in templates]
    several = len({each["launchTemplateId"] for each in templates.values()}) > 1
    if TEMPLATE not in resources and not several:
        return
    if TEMPLATE in resources:
        named.append(f"spec.{RESOURCES}.{TEMPLATE} names another")
    yield Finding(
        image_reasons.TWO_LAUNCH_TEMPLATES,
        f"{', and '.join(named)}: a compute environment has one.",
        f"Remove spec.{RESOURCES}.{TEMPLATE} and put what it does into the ExtendedAMI; or have an "
        "image made, which needs no launch template (any field that status.bake lists for Image).",
    )
