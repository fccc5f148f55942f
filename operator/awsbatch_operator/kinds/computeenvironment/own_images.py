"""What ExtendedAMIs have made, in the place of the references to them in a spec (pure).

The image goes into imageIdOverride, of all the places where AWS Batch takes one the only one that
no other contradicts (facts of AWS's own pages differ about imageId and launch templates). Where no
image had to be made, there may be a launch template, which the environment then starts its
instances with; and if the base is named by its family, the image is left to AWS Batch, whose own
image of that type it is.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api import image_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.api.references import AMI_REF
from awsbatch_operator.api.words import some_of
from awsbatch_operator.kinds.architectures import architecture_of
from awsbatch_operator.kinds.computeenvironment.members import RESOURCES, under

TEMPLATE = "launchTemplate"
_ENTRIES = "ec2Configuration"


@dataclass(frozen=True, slots=True)
class Given:
    """What ExtendedAMIs give: what AWS has of it from before is followed, and no drift."""

    images: frozenset[str] = frozenset()

    def brought(self, path: str, wanted: Shape, have: Shape, templates: Collection[str]) -> bool:
        """Whether AWS has there what they gave once, and the spec says the same as before.

        `wanted` and `have` are computeResources, `templates` the ids of launch templates that they
        have made. An environment without an image of theirs has a template of theirs, and the other
        way round: where it has neither, somebody has taken it away.
        """
        template, overrides = have.get(TEMPLATE) or {}, _overrides(have)
        templated = template.get("launchTemplateId") in templates and not template.get("overrides")
        imaged = bool(overrides) and self.images.issuperset(overrides)
        if under(path, (f"{RESOURCES}.{TEMPLATE}",)):
            moves = overrides != _overrides(wanted)
            return templated or (not template and imaged and moves)
        if path != f"{RESOURCES}.{_ENTRIES}" or _kinds(wanted) != _kinds(have):
            return False
        return imaged or (not overrides and templated)


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


def _overrides(resources: Shape) -> list[str]:
    entries = _entries(resources)
    return [str(each["imageIdOverride"]) for each in entries if "imageIdOverride" in each]


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
    given = Given(frozenset(images))
    return Filled({**content, RESOURCES: made}, tuple(wrong), given)


def named_in(resource: Resource) -> tuple[ObjectKey, ...]:
    """The ExtendedAMIs that the spec names for the instances of AWS Batch."""
    entries = _entries(resource.spec.get(RESOURCES) or {})
    names = ((each.get(AMI_REF) or {}).get("name") for each in entries)
    space = resource.key.namespace
    return tuple(ObjectKey("ExtendedAMI", space, str(name)) for name in names if name)


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
    """The pool with the id of the image beside amiRef; as it is, if there is no image yet.

    Where none had to be made it is the base, by its family too: nobody else chooses one for a pool.
    """
    image_id = "" if target is None else str(target.status.get("imageId", ""))
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
    architecture, variant = _made_for(target)
    others = [each for each in types if architecture_of(each) != architecture]
    if architecture and others:
        yield Finding(
            image_reasons.IMAGE_UNFIT,
            f"{path}: {target.key.name} is an image for {architecture}, and {some_of(others)} in "
            "spec.computeResources.instanceTypes are of another architecture.",
            f"Name types of {architecture}, or an ExtendedAMI whose base is for theirs.",
        )
    wanted = "ECS_AL2023_NVIDIA" if variant == "gpu" else "ECS_AL2023"
    kind = str(entry.get("imageType", ""))
    if variant and kind not in {"", wanted}:
        yield Finding(
            image_reasons.IMAGE_UNFIT,
            f"{path}: {target.key.name} is made from the {variant} image of Amazon Linux 2023 for "
            f"ECS, and AWS Batch would use it for {kind}.",
            f"Set imageType beside it to {wanted}, or name another ExtendedAMI.",
        )


def _made_for(target: Resource) -> tuple[str, str]:
    """Architecture and variant of its image; "" where nobody knows.

    The status has what EC2 says of the image in use, and what it is made of in the end, through
    whatever amiRefs. Before there is one, and of an earlier operator's, the spec may tell it.
    """
    base, told = target.spec.get("base") or {}, target.status.get("base") or {}
    usual = {"architecture": "x86_64", "variant": "standard"} if "family" in base else {}
    named = usual | base
    architecture = target.status.get("architecture") or named.get("architecture", "")
    return str(architecture), str(told.get("variant") or named.get("variant", ""))


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
