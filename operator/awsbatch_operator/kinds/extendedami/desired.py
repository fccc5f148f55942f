"""What an ExtendedAMI wants AWS to have, with its references resolved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.extendedami import recipes
from awsbatch_operator.kinds.extendedami.bake import Bake, decide
from awsbatch_operator.kinds.extendedami.recipes import TextSource
from awsbatch_operator.kinds.extendedami.spec import ExtendedAmiSpec
from awsbatch_operator.kinds.extendedami.spec_parts import Base
from awsbatch_operator.kinds.permissions import may_take_over
from awsbatch_operator.kinds.tagging import WantedTags, wanted_tags
from awsbatch_operator.kinds.terms import Terms, terms_of
from awsbatch_operator.userdata.images.model import Recipe

_ECS_OPTIMIZED = "/aws/service/ecs/optimized-ami/amazon-linux-2023{detail}/recommended/image_id"
# What builds an image within minutes and is sold in every region, the newest first; by
# architecture. Packages and container images are unpacked faster with two cores and 8 GiB.
BUILDER_TYPES: Mapping[str, tuple[str, ...]] = {
    "x86_64": ("m7i.large", "m6i.large", "m5.large"),
    "arm64": ("m7g.large", "m6g.large", "t4g.large"),
}
_BUILD_SECONDS = 3_600
_VERIFY_SECONDS = 900
_KEPT = 2
_KEPT_DAYS = 7


@dataclass(frozen=True, slots=True)
class BaseSource:
    """Where the base image is found: exactly one of `ssm_parameter` and `image_id` is not "".

    `family` and `variant` are those of a base that is named by its family, `reference` is the name
    of an ExtendedAMI that is the base. What that shows in its status is the `image_id`, for which
    the gate of references has waited, and family and variant of what it is made of itself. Where
    they are "", and `architecture` is, only the image itself can tell them.
    """

    ssm_parameter: str = ""
    image_id: str = ""
    family: str = ""
    variant: str = ""
    architecture: str = ""
    reference: str = ""
    template: bool = False  # that ExtendedAMI has a launch template, too


@dataclass(frozen=True, slots=True)
class CpuWish:
    """Which part of the CPU instances use; None: all of it.

    `threads_per_core` 1 switches hyper-threading off (the kernel argument nosmt), `max_cpus` is the
    kernel's nr_cpus.
    """

    threads_per_core: int | None = None
    max_cpus: int | None = None


@dataclass(frozen=True, slots=True)
class Builder:
    """The instance that the image is made of. `keep_failed`: it is kept when a build has failed.

    Without `instance_types`, those of BUILDER_TYPES for the architecture of the base; without
    `subnets` and `security_group_ids`, EC2's own choice in the default VPC; `instance_profile` ""
    is none.
    """

    instance_types: tuple[str, ...]
    subnets: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    instance_profile: str
    timeout_seconds: int
    keep_failed: bool


@dataclass(frozen=True, slots=True)
class Verify:
    """How a new image is tried before it is used; `image` "" runs no container."""

    enabled: bool
    timeout_seconds: int
    image: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What makes a new build. `max_age_days` None: age alone does not."""

    on_spec_change: bool
    on_base_change: bool
    max_age_days: int | None


@dataclass(frozen=True, slots=True)
class Retention:
    """How many images are kept, the one in use included, and how old one is before it goes."""

    keep: int
    min_age_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """An image, or a launch template where no image has to be made (`bake`).

    `root` is EC2's Ebs shape for the root volume of instances, empty to leave it as the base has
    it, and `devices` are EC2's BlockDeviceMappings for the other volumes. `recipe` is what is done
    inside the image. `regions` are the further ones, `ssm_parameter` is where the image is
    published, "" nowhere, and `pin` is the earlier image that is to be used, "" for the newest.
    `users` are the objects that refer to this one, read when somebody asks. `adopts`: an image that
    is there may be taken over; it is marked as the `claim` says, which tells what AWS had before.
    What is made is the `owner`'s.

    Scripts whose text is in a ConfigMap (`borrowed`) have none in the recipe before it has been
    read (texts.py); `unread` says why one could not be, and then nothing new is made.
    """

    owner: Owner
    claim: Owner
    adopts: bool
    name: str
    namespace: str
    account_id: str
    region: str
    tags: WantedTags
    terms: Terms
    base: BaseSource
    root: Mapping[str, Any]
    devices: tuple[Mapping[str, Any], ...]
    cpu_options: CpuWish
    recipe: Recipe
    bake: Bake
    builder: Builder
    verify: Verify
    rebuild: Rebuild
    retention: Retention
    regions: tuple[str, ...]
    ssm_parameter: str
    pin: str
    borrowed: tuple[TextSource, ...] = ()
    unread: tuple[Finding, ...] = ()
    users: Sequence[Resource] = field(default=(), compare=False)


def desired_image(resource: Resource, targets: Targets, owner: Owner) -> Desired:
    """From the spec; its base may be another ExtendedAMI."""
    spec = ExtendedAmiSpec.model_validate(resource.spec)
    makes = replace(owner, adopted=False)
    return Desired(
        owner=makes,
        claim=owner,
        adopts=may_take_over(resource),
        name=resource.key.name,
        namespace=resource.key.namespace,
        account_id=targets.account_id,
        region=targets.region,
        tags=wanted_tags(resource, makes.tags()),
        terms=terms_of(resource),
        base=_base(spec.base, resource.key.namespace, targets),
        root=recipes.root_volume(spec.root_volume),
        devices=tuple(map(recipes.device, spec.volumes or ())),
        cpu_options=_cpu(spec),
        recipe=recipes.recipe(spec),
        borrowed=recipes.borrowed(spec),
        bake=decide(spec),
        builder=_builder(spec),
        verify=_verify(spec),
        rebuild=_rebuild(spec),
        retention=_retention(spec),
        regions=tuple(spec.regions or ()),
        ssm_parameter=spec.publish.ssm_parameter if spec.publish else "",
        pin=spec.pin or "",
        users=targets.users,
    )


def _base(base: Base, namespace: str, targets: Targets) -> BaseSource:
    if base.ami_ref is not None:
        name = base.ami_ref.name
        target = targets.found.get(ObjectKey("ExtendedAMI", namespace, name))
        status: Shape = {} if target is None else target.status
        told = status.get("base") or {}
        return BaseSource(
            image_id=str(status.get("imageId", "")),
            family=str(told.get("family", "")),
            variant=str(told.get("variant", "")),
            reference=name,
            template="launchTemplate" in status,
        )
    if base.family is None:
        return BaseSource(ssm_parameter=base.ssm_parameter or "", image_id=base.ami_id or "")
    variant, architecture = base.variant or "standard", base.architecture or "x86_64"
    # Beside the standard images there are some for x86_64 alone, and those for arm64.
    detail = variant if variant != "standard" else architecture
    path = _ECS_OPTIMIZED.format(detail="" if detail == "x86_64" else f"/{detail}")
    return BaseSource(path, family=base.family, variant=variant, architecture=architecture)


def _cpu(spec: ExtendedAmiSpec) -> CpuWish:
    if spec.cpu is None:
        return CpuWish()
    return CpuWish(spec.cpu.threads_per_core, spec.cpu.max_cpus)


def _builder(spec: ExtendedAmiSpec) -> Builder:
    given = spec.builder
    return Builder(
        instance_types=tuple(given.instance_types or ()) if given else (),
        subnets=tuple(given.subnets or ()) if given else (),
        security_group_ids=tuple(given.security_group_ids or ()) if given else (),
        instance_profile=(given.instance_profile or "") if given else "",
        timeout_seconds=(given and given.timeout_seconds) or _BUILD_SECONDS,
        keep_failed=given is not None and given.on_failure == "Keep",
    )


def _verify(spec: ExtendedAmiSpec) -> Verify:
    given = spec.verify
    container = given.container if given else None
    return Verify(
        enabled=given is None or given.enabled is not False,
        timeout_seconds=(given and given.timeout_seconds) or _VERIFY_SECONDS,
        image=container.image if container else "",
        command=tuple(container.command or ()) if container else (),
    )


def _rebuild(spec: ExtendedAmiSpec) -> Rebuild:
    given = spec.rebuild
    when = given.when if given and given.when is not None else ["SpecChange"]
    return Rebuild(
        on_spec_change="SpecChange" in when,
        on_base_change="BaseChange" in when,
        max_age_days=given.max_age_days if given else None,
    )


def _retention(spec: ExtendedAmiSpec) -> Retention:
    given = spec.retention
    days = given.min_age_days if given else None
    return Retention(
        keep=(given and given.keep) or _KEPT,
        min_age_days=_KEPT_DAYS if days is None else days,
    )
