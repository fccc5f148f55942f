"""What is wrong with a spec, alone or with its base, that the API server cannot see (pure).

The base may be named in a way that says nothing about it: its architecture and its system are only
known when it is looked at.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from awsbatch_operator.api import catalogue, image_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.words import some_of
from awsbatch_operator.kinds.architectures import architecture_of
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.rules import AL1_ENDED, AL2_ENDED
from awsbatch_operator.userdata.agent import check_setting

# Names of AWS's images: README of aws/amazon-ecs-ami, and of Bottlerocket's releases.
_AL2 = re.compile(r"^amzn2-|/amazon-linux-2/")
_AL1 = re.compile(r"^amzn-ami-|/amazon-linux/")
_REGION = 3  # arn:partition:kms:region:account:key/id
_BOTTLEROCKET = re.compile(r"^bottlerocket-|/bottlerocket/")


def spec_faults(resource: Resource) -> tuple[Finding, ...]:
    """What of a spec that fits its schema is wrong all the same."""
    given = resource.spec.get("ecsConfig") or {}
    looks = [check_setting(f"spec.ecsConfig.{name}", name, text) for name, text in given.items()]
    problems = [problem for look in looks for problem in look.problems]
    return tuple(
        Finding(catalogue.INVALID_SPEC, problem.message(), problem.remedy) for problem in problems
    )


def key_faults(desired: Desired) -> tuple[Finding, ...]:
    """Keys of another region than the instances': EC2 would end these as it launches them."""
    disks = [("rootVolume", desired.root)]
    disks += [(f"volumes at {each['DeviceName']}", each["Ebs"]) for each in desired.devices]
    keys = [(path, str(disk["KmsKeyId"]).split(":")) for path, disk in disks if "KmsKeyId" in disk]
    return tuple(
        Finding(
            image_reasons.KEY_ELSEWHERE,
            f"kmsKeyId of spec.{path} names a key of {parts[_REGION]}, and the volume is made in "
            f"{desired.region}.",
        )
        for path, parts in keys
        if len(parts) > _REGION and parts[_REGION] != desired.region
    )


def base_faults(desired: Desired, image: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Why nothing can be made of this base, as DescribeImages has it; and that its time is over."""
    return tuple(_base_faults(desired, image))


def _base_faults(desired: Desired, image: Mapping[str, Any]) -> Iterator[Finding]:
    base = f"base {image['ImageId']} ({image.get('Name', 'without a name')})"
    named = f"The {base}"
    yield from _architecture_faults(desired, image, named)
    have, asked = _root_gib(image), desired.recipe.root_gib
    if asked is not None and have > asked:
        yield Finding(
            image_reasons.BASE_UNFIT,
            f"The root volume of the {base} has {have} GiB, and EC2 makes none smaller from it.",
            f"Set spec.rootVolume.sizeGiB to {have} or more, or remove it.",
        )
    taken = {str(each.get("DeviceName")) for each in image.get("BlockDeviceMappings") or ()}
    for device in desired.devices:
        if device["DeviceName"] in taken:
            yield Finding(
                image_reasons.BASE_UNFIT,
                f"{named} has a volume at {device['DeviceName']} itself.",
                "Give the volume in spec.volumes another deviceName.",
            )
    yield from _system_faults(desired, image, named)


def _architecture_faults(
    desired: Desired, image: Mapping[str, Any], named: str
) -> Iterator[Finding]:
    architecture = str(image.get("Architecture") or "")
    if desired.recipe.no_smt and architecture == "arm64":
        yield Finding(
            image_reasons.BASE_UNFIT,
            f"{named} is for arm64, where a core has one thread: there is none to switch off.",
            "Remove spec.cpu.threadsPerCore, or name a base for x86_64.",
        )
    if desired.base.architecture not in ("", architecture):
        yield Finding(
            image_reasons.BASE_UNFIT,
            f"{named} is for {architecture}, and spec.base asks for {desired.base.architecture}.",
        )
    types = desired.builder.instance_types
    others = [each for each in types if architecture_of(each) != architecture]
    if architecture and others:
        yield Finding(
            image_reasons.BASE_UNFIT,
            f"{named} is for {architecture}, and {some_of(others)} in spec.builder.instanceTypes "
            "are of another architecture.",
            f"Name types of {architecture} in spec.builder.instanceTypes, or another base.",
        )


def _system_faults(desired: Desired, image: Mapping[str, Any], named: str) -> Iterator[Finding]:
    """By its name, or that of the parameter: an image of one's own may be called anything."""
    texts = (str(image.get("Name", "")), desired.base.ssm_parameter)
    if any(map(_BOTTLEROCKET.search, texts)) and desired.bake.needed:
        because = ", ".join(desired.bake.because)
        yield Finding(
            image_reasons.BASE_UNFIT,
            f"{named} is Bottlerocket, whose root volume cannot be changed: no image can be made "
            f"of it, and the spec needs one for {because}.",
            f"Set spec.base.family to AL2023, or remove {because}.",
        )
    for pattern, system, ended in ((_AL2, "2", AL2_ENDED), (_AL1, "1", AL1_ENDED)):
        if any(map(pattern.search, texts)):
            yield Finding(
                image_reasons.BASE_ENDED,
                f"{named} is of Amazon Linux {system}, whose support ended on {ended}.",
            )


def _root_gib(image: Mapping[str, Any]) -> int:
    """GiB of its root volume; 0 if it does not say."""
    for each in image.get("BlockDeviceMappings") or ():
        if each.get("DeviceName") == image.get("RootDeviceName"):
            return int((each.get("Ebs") or {}).get("VolumeSize") or 0)
    return 0
