"""Whether the subnets, security groups and the image that a pool names exist and fit together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.references import AMI_REF
from awsbatch_operator.api.tags import MAX_CPUS, THREADS_PER_CORE
from awsbatch_operator.api.words import some_of
from awsbatch_operator.userdata.model import Problem, pool_path

_IMAGE_ID = re.compile(r"ami-[0-9a-f]{1,17}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a look found: what a person must mend, what passes by itself, what is worth knowing."""

    wrong: tuple[Problem, ...] = ()
    short: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


# --- subnets and security groups ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a pool may launch: one subnet a zone, the one with most free addresses.

    A fleet takes the same type only once in a zone.
    """

    subnets: Mapping[str, str] = field(default_factory=dict)  # by zone
    checked: Checked = field(default_factory=Checked)
    network: bool = True  # whether what is named exists and is of one network


def places(
    pool: str, body: Shape, subnets: Mapping[str, Shape], groups: Mapping[str, Shape]
) -> Places:
    """Where the pool may launch, by what EC2 shows of its subnets and security groups."""
    named = list(dict.fromkeys(body["subnets"]))
    there = [subnets[each] for each in named if each in subnets]
    wrong = [*_absent(pool, "subnets", "subnet", named, subnets)]
    of_groups = _groups(pool, body.get("securityGroupIds") or (), there, groups)
    by_zone: dict[str, Shape] = {}
    for each in there:
        best = by_zone.get(each["AvailabilityZone"])
        if _free(each) and (best is None or _free(each) > _free(best)):
            by_zone[each["AvailabilityZone"]] = each
    full = [str(each["SubnetId"]) for each in there if not _free(each)]
    short = () if by_zone or not there else (_full(pool, full),)
    notes = (_full(pool, full),) if by_zone and full else ()
    return Places(
        subnets={zone: str(each["SubnetId"]) for zone, each in sorted(by_zone.items())},
        checked=Checked(wrong=(*wrong, *of_groups), short=short, notes=notes),
        network=bool(there) and not of_groups,
    )


def _free(subnet: Shape) -> int:
    """Its free addresses; of one that is just being made, none."""
    usable = subnet.get("State", "available") == "available"
    return int(subnet.get("AvailableIpAddressCount", 0)) if usable else 0


def _full(pool: str, full: Sequence[str]) -> Problem:
    what = f"{some_of(full)} has no free address"
    if len(full) > 1:
        what = f"{some_of(full)} have no free address"
    why = "Each instance takes one, so none is launched there"
    remedy = "Free addresses there, or name further subnets"
    return Problem(pool_path(pool, "subnets"), what, why, remedy)


def _absent(
    pool: str, member: str, thing: str, named: Sequence[str], there: Mapping[str, Shape]
) -> tuple[Problem, ...]:
    missing = [each for each in named if each not in there]
    if not missing:
        return ()
    what = f"EC2 has no {thing} {some_of(missing)} in this account and region"
    remedy = f"Correct the id, or name another {thing}"
    return (Problem(pool_path(pool, member), what, "Nothing can be launched with it", remedy),)


def _groups(
    pool: str, named: Sequence[str], subnets: Sequence[Shape], groups: Mapping[str, Shape]
) -> tuple[Problem, ...]:
    """Security groups belong to one VPC, and all subnets have to be in it."""
    if not named:
        return ()
    absent = _absent(pool, "securityGroupIds", "security group", named, groups)
    vpcs = sorted({str(each["VpcId"]) for each in subnets})
    if len(vpcs) > 1:
        what = f"the subnets are in several VPCs ({some_of(vpcs)})"
        why = "The security groups of the pool belong to one of them"
        remedy = "Name subnets of one VPC, or make a pool for each VPC"
        return (*absent, Problem(pool_path(pool, "subnets"), what, why, remedy))
    strangers = [
        f"{each} ({groups[each]['VpcId']})"
        for each in dict.fromkeys(named)
        if each in groups and vpcs and groups[each]["VpcId"] != vpcs[0]
    ]
    if not strangers:
        return absent
    what = f"{some_of(strangers)} is of another VPC than the subnets, {vpcs[0]}"
    why = "EC2 refuses such a launch"
    remedy = f"Name security groups of {vpcs[0]}"
    return (*absent, Problem(pool_path(pool, "securityGroupIds"), what, why, remedy))


# --- image ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a pool's image comes from: an id, or a parameter in Systems Manager that holds it."""

    image_id: str = ""
    parameter: str = ""
    given: bool = True  # by the spec; False: it is our default
    made: bool = False  # by an ExtendedAMI that the spec names

    @property
    def field(self) -> str:
        """The member of the pool in the spec."""
        if not self.given:
            return "image"
        if self.made:
            return f"image.{AMI_REF}"
        return "image.amiId" if self.image_id else "image.ssmParameter"


def is_image_id(text: str) -> bool:
    """Whether it has the form of one."""
    return bool(_IMAGE_ID.fullmatch(text))


def lacks_image(body: Shape) -> bool:
    """Whether the pool names an ExtendedAMI, and the image that it has made is not known."""
    image = body.get("image") or {}
    return AMI_REF in image and "amiId" not in image


def given_source(body: Shape) -> Source | None:
    """What the spec names; None: nothing."""
    image = body.get("image") or {}
    if image.get("amiId"):
        return Source(image_id=image["amiId"], made=AMI_REF in image)
    return Source(parameter=image["ssmParameter"]) if image.get("ssmParameter") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCpus:
    """What of an instance's CPUs the kernel of its image uses, and so ECS registers. None: all."""

    threads_per_core: int | None = None
    max_cpus: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The image of a pool. Without an id there is none that instances could start from."""

    image_id: str = ""
    architecture: str = ""
    cpus: ImageCpus = field(default_factory=ImageCpus)
    checked: Checked = field(default_factory=Checked)


def image(
    pool: str, source: Source, held: str | None, found: Mapping[str, Shape], now: Instant
) -> Image:
    """The image by what AWS says of it; `held` is the value of the parameter, None: no such."""
    path = pool_path(pool, source.field)
    image_id = source.image_id or held or ""
    if source.parameter and held is None:
        what = f"Systems Manager has no parameter {source.parameter} in this account and region"
        return _no_image(path, what, "Correct the name, or set image.amiId")
    if source.parameter and not is_image_id(image_id):
        what = f"the parameter {source.parameter} holds no image id"
        return _no_image(
            path, what, "Put the id of an image into it, such as ami-0123456789abcdef0"
        )
    body = found.get(image_id)
    of = f" (of {source.parameter})" if source.parameter else ""
    if body is None:
        what = f"EC2 has no image {image_id}{of} in this region that this account may use"
        return _no_image(path, what, "Name an image that exists, or have it shared")
    if body.get("State", "available") != "available":
        what = f"the image {image_id}{of} is {body['State']}, not available"
        return _no_image(path, what, "Name an image that is available")
    if str(body.get("Platform", "")).lower() == "windows":
        what = f"the image {image_id}{of} is of Windows"
        return _no_image(path, what, "Name an image of Linux with the ECS agent")
    return Image(
        image_id=image_id,
        architecture=str(body.get("Architecture", "x86_64")),
        cpus=_cpus(body),
        checked=Checked(notes=_deprecated(path, f"the image {image_id}{of}", source, body, now)),
    )


def _cpus(body: Shape) -> ImageCpus:
    """What of an instance's CPUs the image uses, by the tags that an ExtendedAMI gives it."""
    tags = {each["Key"]: each["Value"] for each in body.get("Tags", ())}
    threads, most = (_number(tags.get(each, "")) for each in (THREADS_PER_CORE, MAX_CPUS))
    return ImageCpus(threads_per_core=threads, max_cpus=most)


def _number(text: str) -> int | None:
    """None if the text is no positive number; whoever may write tags may write anything."""
    return int(text) if re.fullmatch("[1-9][0-9]{0,5}", text) else None


def unreadable(pool: str, source: Source, identity: str) -> Image:
    """A parameter of the user's that the operator may not read: deploy/iam allows AWS's own."""
    what = f"{identity} may not read the parameter {source.parameter}"
    remedy = f"Grant ssm:GetParameter on it to {identity}, or set image.amiId"
    return _no_image(pool_path(pool, source.field), what, remedy)


def _no_image(path: str, what: str, remedy: str) -> Image:
    problem = Problem(path, what, "Instances could not be started", remedy)
    return Image(checked=Checked(wrong=(problem,)))


def _deprecated(
    path: str, name: str, source: Source, body: Shape, now: Instant
) -> tuple[Problem, ...]:
    """That somebody named an image which its owner advises against since some day."""
    since = body.get("DeprecationTime")
    if not since or not source.given or now < Instant.parse(since):
        return ()
    what = f"{name} is deprecated since {since}"
    why = "Its owner may withdraw it at any time, and instances could not be started any more"
    return (Problem(path, what, why, "Name a newer image"),)
