"""What Batch launches an environment's instances with: templates and images, as it has read them.

It reads them when an environment is created and at each infrastructure update, and not in between:
a new version behind `$Latest` or `$Default`, and a newer image, change nothing until then. Sources:
LaunchTemplateSpecification.version, ComputeResourceUpdate.launchTemplate and
updateToLatestImageVersion, Ec2Configuration.batchImageStatus; the user guide's page "Updating
compute environments", Updating the AMI ID.
"""

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from awsbatch_simulator.batch.model import Environment, ReadTemplate
from awsbatch_simulator.ec2 import templates
from awsbatch_simulator.ec2.types import InstanceType, expand
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
DEFAULT_TYPE = "ECS_AL2023"
_GPU = "_NVIDIA"
# Of a template's data, what instances are launched with; Batch chooses the rest itself.
_FROM_TEMPLATE = (
    *("BlockDeviceMappings", "EbsOptimized", "KeyName", "MetadataOptions", "Monitoring"),
    *("Placement", "SecurityGroupIds", "TagSpecifications", "UserData"),
)


def read(region: Region, environment: Environment, *, newest: bool = False) -> None:
    """At creation, and with an infrastructure update; `newest`: updateToLatestImageVersion.

    The image of a template that instances are launched with stays until an update asks for the
    newest, whatever becomes of the template. Where a template cannot be read, `trouble` says why,
    and `read_again` tries once more.
    """
    launching, resources = environment.launching, environment.resources or {}
    launching.newest = newest or (launching.newest and bool(launching.trouble))
    try:
        found = tuple(_read(region, each) for each in specifications(resources))
    except AwsFailure as failure:
        launching.trouble = failure.message
        return
    default = next((each.image for each in found if not each.types), "")
    other = not launching.template_image and not _named(resources)
    if launching.newest or not launching.chosen or other:
        launching.template_image = default
    _read_images(region, environment, newest=launching.newest)
    launching.templates, launching.trouble, launching.newest = found, "", False
    launching.chosen = True


def read_again(region: Region, environment: Environment) -> None:
    """Once more, if there was no such template or version."""
    if environment.launching.trouble:
        read(region, environment)


def _read_images(region: Region, environment: Environment, *, newest: bool) -> None:
    """The images of Batch's own: of an image type that is new, or all of them if so asked.

    That of a type which stands for another one (with GPUs) is chosen when it is first needed.
    """
    launching, resources = environment.launching, environment.resources or {}
    kept = {} if newest else launching.images
    given = {str(each["imageType"]) for each in resources.get("ec2Configuration", ())}
    both = given | {_image_type(resources, gpu=gpu) for gpu in (False, True)}
    launching.images = {name: image for name, image in kept.items() if name in both}
    for name in given - launching.images.keys():
        launching.images[name] = newest_image(region, name)
    launching.used &= launching.images.keys()


def _read(region: Region, specification: Mapping[str, Any]) -> ReadTemplate:
    resolved = resolve(region, specification)
    return ReadTemplate(
        template_id=resolved.template.id,
        version=resolved.version.number,
        data=resolved.data,
        types=frozenset(
            each.name for each in expand(specification.get("targetInstanceTypes") or ())
        ),
    )


def specifications(resources: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The launch template, and those for some of the instance types."""
    if template := resources.get("launchTemplate"):
        yield template
        yield from template.get("overrides", ())


def resolve(region: Region, specification: Mapping[str, Any]) -> templates.Resolved:
    """What a template's specification means today. Raises AwsFailure where there is none."""
    names = ("launchTemplateId", "launchTemplateName", "version")
    return templates.resolve(
        region, {name[0].upper() + name[1:]: specification.get(name) for name in names}
    )


def names_image(region: Region, resources: Mapping[str, Any]) -> bool:
    """Whether a launch template of an environment has an image of its own, as it is today."""
    try:
        return any(resolve(region, each).data.get("ImageId") for each in specifications(resources))
    except AwsFailure:
        return False


def newest_image(region: Region, image_type: str) -> str:
    """The newest image that Batch has of a type; by the setting, or one that never changes."""
    told = region.world.settings.batch_images.get(image_type)
    return told or f"ami-{zlib.crc32(image_type.encode()):017x}"


def own_images(environment: Environment) -> list[str]:
    """The images that a user has chosen and that instances may be launched with."""
    resources, launching = environment.resources or {}, environment.launching
    overrides = [each.image for each in launching.templates if each.types and each.image]
    if launching.template_image:
        return [launching.template_image, *overrides]
    configured = [
        each["imageIdOverride"]
        for each in resources.get("ec2Configuration", ())
        if each.get("imageIdOverride")
    ]
    every = len(configured) == len(resources.get("ec2Configuration", ())) > 0
    given = [] if every or not resources.get("imageId") else [resources["imageId"]]
    return [*configured, *given, *overrides]


def launched(region: Region, environment: Environment, size: InstanceType) -> tuple[Fields, str]:
    """What a template adds to the launch of an instance of that size, and its image.

    Launch template before imageIdOverride before imageId before the newest that Batch had when it
    looked last. An override for the type takes the place of the template.
    """
    launching, resources = environment.launching, environment.resources or {}
    template = _template_for(environment, size)
    data = {name: template.data[name] for name in _FROM_TEMPLATE if name in template.data}
    if template.types and template.image:
        return data, template.image
    image_type = _image_type(resources, gpu=bool(size.gpus))
    configured = next(
        (
            str(each["imageIdOverride"])
            for each in resources.get("ec2Configuration", ())
            if each["imageType"] == image_type and each.get("imageIdOverride")
        ),
        "",
    )
    own = launching.template_image or configured or str(resources.get("imageId") or "")
    if own:
        return data, own
    launching.used.add(image_type)
    return data, launching.images.setdefault(image_type, newest_image(region, image_type))


def _template_for(environment: Environment, size: InstanceType) -> ReadTemplate:
    found = environment.launching.templates
    special = [each for each in found if size.name in each.types]
    general = [each for each in found if not each.types]
    return [*special, *general, ReadTemplate("", 0, {})][0]


def _image_type(resources: Mapping[str, Any], *, gpu: bool) -> str:
    """The image type for sizes with or without GPUs. Source: Ec2Configuration.imageType."""
    types = [str(each["imageType"]) for each in resources.get("ec2Configuration", ())]
    fitting = [each for each in types if each.endswith(_GPU) == gpu]
    if fitting:
        return fitting[0]
    default = (types or [DEFAULT_TYPE])[0]
    return f"{default}{_GPU}" if gpu else default


def _named(resources: Mapping[str, Any]) -> bool:
    """Whether imageId or imageIdOverride names an image."""
    configured = resources.get("ec2Configuration", ())
    return bool(resources.get("imageId") or any(e.get("imageIdOverride") for e in configured))


def described(region: Region, environment: Environment) -> Fields:
    """ComputeResource as it is described: with the status of Batch's own images.

    Not before instances have been launched with one, nor with an image or an override of the
    user's. Source: Ec2Configuration.batchImageStatus.
    """
    resources, launching = environment.resources or {}, environment.launching
    if not launching.used or own_images(environment) or any(t.types for t in launching.templates):
        return resources
    return resources | {
        "ec2Configuration": [
            each | _status(region, environment, each["imageType"])
            for each in resources["ec2Configuration"]
        ]
    }


def _status(region: Region, environment: Environment, image_type: str) -> Fields:
    launching = environment.launching
    if image_type not in launching.used:
        return {}
    latest = launching.images[image_type] == newest_image(region, image_type)
    return {"batchImageStatus": "LATEST" if latest else "UPDATE_AVAILABLE"}


def report(environment: Environment) -> Fields:
    """What the state page shows: the versions and images that instances are launched with."""
    launching = environment.launching
    return {
        "launchTemplates": [f"{each.template_id}:{each.version}" for each in launching.templates],
        "images": own_images(environment) or sorted(launching.images.values()),
    }
