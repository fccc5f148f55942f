"""The operations that make, change and delete launch templates.

Sources: CreateLaunchTemplate, CreateLaunchTemplateVersion, ModifyLaunchTemplate,
DeleteLaunchTemplate and DeleteLaunchTemplateVersions in the EC2 API reference; "Error codes for the
Amazon EC2 API".
"""

import copy
from typing import Any

from awsbatch_simulator.ec2 import once, requests, templates
from awsbatch_simulator.ec2.model import LaunchTemplate
from awsbatch_simulator.ec2.template_describing import template_view, version_view
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
AT_ONCE = 200  # versions that one request deletes


def create(region: Region, request: Fields, principal: str) -> Fields:
    """CreateLaunchTemplate: the template with its first version, which is the default."""

    def make() -> Fields:
        name, data = request["LaunchTemplateName"], request["LaunchTemplateData"]
        templates.check_name(name)
        requests.check_template_data(data)
        tags = requests.tags_for(request, "launch-template", among=frozenset({"launch-template"}))
        if region.ec2.template_named(name) is not None:
            raise AwsFailure(
                "InvalidLaunchTemplateName.AlreadyExistsException",
                "Launch template name already in use.",
            )
        now = region.world.clock.now()
        template = LaunchTemplate(f"lt-{region.world.hex_id(17)}", name, now, principal, tags)
        template.add(
            copy.deepcopy(data), at=now, by=principal, description=request.get("VersionDescription")
        )
        region.ec2.templates[template.id] = template
        return {"LaunchTemplate": template_view(template)}

    return once.per_token(region, "CreateLaunchTemplate", request, make)


def create_version(region: Region, request: Fields, principal: str) -> Fields:
    """CreateLaunchTemplateVersion: what it does not say comes from the source version, if any."""

    def make() -> Fields:
        template = templates.find(region, request)
        data = copy.deepcopy(request["LaunchTemplateData"])
        requests.check_template_data(data)
        if source := request.get("SourceVersion"):
            data = _inherited(templates.version_of(template, source).data) | data
        version = template.add(
            data,
            at=region.world.clock.now(),
            by=principal,
            description=request.get("VersionDescription"),
        )
        return {"LaunchTemplateVersion": version_view(template, version)}

    return once.per_token(region, "CreateLaunchTemplateVersion", request, make)


def _inherited(data: Fields) -> Fields:
    """A source version's data; its snapshots are not taken over."""
    found = copy.deepcopy(data)
    for mapping in found.get("BlockDeviceMappings", ()):
        mapping.get("Ebs", {}).pop("SnapshotId", None)
    return found


def modify(region: Region, request: Fields) -> Fields:
    """ModifyLaunchTemplate: another default version, by its number."""

    def make() -> Fields:
        template = templates.find(region, request)
        if number := request.get("DefaultVersion"):
            template.default = templates.numbered(template, number).number
        return {"LaunchTemplate": template_view(template)}

    return once.per_token(region, "ModifyLaunchTemplate", request, make)


def delete(region: Region, request: Fields) -> Fields:
    """DeleteLaunchTemplate: with all its versions; instances that it launched stay."""
    template = templates.find(region, request)
    del region.ec2.templates[template.id]
    return {"LaunchTemplate": template_view(template)}


def delete_versions(region: Region, request: Fields) -> Fields:
    """DeleteLaunchTemplateVersions: those that can be; the answer says which could not."""
    if not 1 <= len(request["Versions"]) <= AT_ONCE:
        message = f"Versions: 1 to {AT_ONCE} can be deleted at once."
        raise AwsFailure("InvalidParameterValue", message)
    template = templates.find(region, request)
    gone: list[Fields] = []
    left: list[Fields] = []
    for number in request["Versions"]:
        trouble = _delete_version(template, number)
        item: Fields = {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
        }
        if templates.VERSION_NUMBER.fullmatch(number):
            item["VersionNumber"] = int(number)
        if trouble is None:
            gone.append(item)
        else:
            left.append(item | {"ResponseError": trouble})
    return {
        "SuccessfullyDeletedLaunchTemplateVersions": gone,
        "UnsuccessfullyDeletedLaunchTemplateVersions": left,
    }


def _delete_version(template: LaunchTemplate, number: str) -> Fields | None:
    try:
        version = templates.numbered(template, number)
    except AwsFailure as failure:
        return {"Code": "launchTemplateVersionDoesNotExist", "Message": failure.message}
    if version.number == template.default:
        message = f"Version {number} is the default version, which cannot be deleted."
        return {"Code": "unexpectedError", "Message": message}
    del template.versions[version.number]
    return None
