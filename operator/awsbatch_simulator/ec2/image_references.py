"""DescribeImageReferences: what of the account's names an image.

Source: its text, ResourceTypeRequest and ResourceTypeOption in the EC2 API reference.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from awsbatch_simulator.ec2 import paging
from awsbatch_simulator.ec2.images import missing
from awsbatch_simulator.ec2.network import id_like
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
Options = Mapping[str, list[str]]
IMAGES = range(1, 11)
PAGE = 5
DEPTHS = range(1, 10_001)
DEPTH = 10  # versions of a template, from the newest
_STATES = frozenset({"pending", "running", "shutting-down", "terminated", "stopping", "stopped"})
_INSTANCE, _TEMPLATE, _PARAMETER = "ec2:Instance", "ec2:LaunchTemplate", "ssm:Parameter"
# Nothing of EC2 Image Builder is simulated, so nothing of it names an image.
_RECIPES = ("imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe")
_ITS_OPTION = {_INSTANCE: "state-name", _TEMPLATE: "version-depth"}


def describe(region: Region, request: Fields) -> Fields:
    """DescribeImageReferences: instances, launch templates and parameters, by page."""
    wanted = _wanted(request)
    image_ids = list(dict.fromkeys(request["ImageIds"]))
    if len(image_ids) not in IMAGES:
        raise _invalid(f"ImageIds: {IMAGES.start} to {IMAGES[-1]}")
    for image_id in image_ids:
        if not id_like(image_id, "ami"):
            raise missing(image_id)
    found = [
        {"ImageId": image_id, "ResourceType": kind, "Arn": arn, "_key": f"{image_id}{arn}"}
        for image_id in image_ids
        for kind, options in wanted.items()
        for arn in _FINDERS[kind](region, image_id, options)
    ]
    answer = paging.answer("ImageReferences", found, request, key="_key", most=1000, least=PAGE)
    for each in answer["ImageReferences"]:
        del each["_key"]
    return answer


def _wanted(request: Fields) -> dict[str, Options]:
    """The types to look at, with their options. Raises AwsFailure."""
    given = request.get("ResourceTypes") or []
    everything = bool(request.get("IncludeAllResourceTypes"))
    if not given and not everything:
        message = "Either IncludeAllResourceTypes or ResourceTypes must be specified."
        raise AwsFailure("MissingParameter", message)
    wanted: dict[str, Options] = {kind: {} for kind in _FINDERS} if everything else {}
    for each in given:
        kind = each.get("ResourceType") or ""
        if kind not in _FINDERS:
            raise _invalid(f"Invalid value '{kind}' for ResourceType.")
        wanted[kind] = dict(_option(kind, one) for one in each.get("ResourceTypeOptions") or ())
    return wanted


def _option(kind: str, given: Fields) -> tuple[str, list[str]]:
    name, values = given.get("OptionName") or "", list(given.get("OptionValues") or ())
    if name != _ITS_OPTION.get(kind):
        raise _invalid(f"{kind} has no option '{name}'.")
    sound = _STATES.issuperset(values)
    if name == "version-depth":
        sound = len(values) == 1 and values[0].isdecimal() and int(values[0][:9]) in DEPTHS
    if not sound or not values:
        raise _invalid(f"Invalid values {values} for {name}.")
    return name, values


def _instances(region: Region, image_id: str, options: Options) -> Iterator[str]:
    states = options.get("state-name") or _STATES
    for each in region.ec2.instances.values():
        if each.image_id == image_id and each.state.value in states:
            yield region.arn("ec2", f"instance/{each.id}")


def _templates(region: Region, image_id: str, options: Options) -> Iterator[str]:
    depth = int((options.get("version-depth") or [str(DEPTH)])[0])
    for each in region.ec2.templates.values():
        newest = sorted(each.versions, reverse=True)[:depth]
        if any(each.versions[number].data.get("ImageId") == image_id for number in newest):
            yield region.arn("ec2", f"launch-template/{each.id}")


def _parameters(region: Region, image_id: str, _options: Options) -> Iterator[str]:
    for each in region.ssm.parameters.values():
        if each.names_image and each.value == image_id:
            yield region.arn("ssm", f"parameter/{each.name.lstrip('/')}")


def _nothing(_region: Region, _image_id: str, _options: Options) -> Iterable[str]:
    return ()


_FINDERS: Mapping[str, Callable[[Region, str, Options], Iterable[str]]] = {
    _INSTANCE: _instances,
    _TEMPLATE: _templates,
    _PARAMETER: _parameters,
    **dict.fromkeys(_RECIPES, _nothing),
}


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterValue", message)
