"""Launch templates as those use them that launch instances.

Sources: LaunchTemplateSpecification, RequestLaunchTemplateData and RunInstances.LaunchTemplate in
the EC2 API reference; "Error codes for the Amazon EC2 API". The words of a version that there is
not: eksctl-io/eksctl#7786.
"""

import re
from dataclasses import dataclass
from typing import Any

from awsbatch_simulator.ec2.model import LaunchTemplate, TemplateVersion
from awsbatch_simulator.ec2.network import id_like
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
NAME = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}")
LATEST, DEFAULT = "$Latest", "$Default"
VERSION_NUMBER = re.compile(r"[0-9]{1,18}")
# Members of RequestLaunchTemplateData that RunInstances calls otherwise.
_RENAMED = {"RamDiskId": "RamdiskId", "ElasticGpuSpecifications": "ElasticGpuSpecification"}
ID_TAG, VERSION_TAG = "aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The version of a launch template that a specification means."""

    template: LaunchTemplate
    version: TemplateVersion

    @property
    def data(self) -> Fields:
        """RequestLaunchTemplateData; not to be changed."""
        return self.version.data

    @property
    def tags(self) -> dict[str, str]:
        """AWS's own tags of an instance that is launched with it."""
        return {ID_TAG: self.template.id, VERSION_TAG: str(self.version.number)}


def resolve(region: Region, specification: Fields) -> Resolved:
    """What a LaunchTemplateSpecification means: id or name, and a version ($Default without one).

    Raises AwsFailure with EC2's code where there is no such template or version.
    """
    template = find(region, specification)
    return Resolved(template, version_of(template, specification.get("Version") or DEFAULT))


def find(region: Region, specification: Fields) -> LaunchTemplate:
    """The template of `LaunchTemplateId` or `LaunchTemplateName`, exactly one of which is given."""
    by_id, by_name = (specification.get(f"LaunchTemplate{name}") for name in ("Id", "Name"))
    if by_id and by_name:
        message = "Specify either a launch template ID or a launch template name, not both."
        raise AwsFailure("InvalidParameterCombination", message)
    if by_id:
        return _of_id(region, by_id)
    if not by_name:
        message = "Either a launch template ID or a launch template name must be specified."
        raise AwsFailure("MissingParameter", message)
    check_name(by_name)
    template = region.ec2.template_named(by_name)
    if template is None:
        message = f"The specified launch template, with template name {by_name}, does not exist."
        raise AwsFailure("InvalidLaunchTemplateName.NotFoundException", message)
    return template


def _of_id(region: Region, template_id: str) -> LaunchTemplate:
    template = region.ec2.templates.get(template_id)
    if template is not None:
        return template
    if not id_like(template_id, "lt"):
        message = f'Invalid id: "{template_id}" (expecting "lt-...")'
        raise AwsFailure("InvalidLaunchTemplateId.Malformed", message)
    message = f"The specified launch template, with template ID {template_id}, does not exist."
    raise AwsFailure("InvalidLaunchTemplateId.NotFound", message)


def check_name(name: str) -> None:
    """Raise AwsFailure for what no launch template can be called."""
    if NAME.fullmatch(name) is None:
        message = f"A launch template name has 3 to 128 letters, digits and ().-/_: {name}"
        raise AwsFailure("InvalidLaunchTemplateName.MalformedException", message)


def version_of(template: LaunchTemplate, version: str) -> TemplateVersion:
    """The version of that number, `$Latest` or `$Default`."""
    match version:
        case "$Latest":
            return template.versions[template.latest]
        case "$Default":
            return template.versions[template.default]
        case _:
            return numbered(template, version)


def numbered(template: LaunchTemplate, version: str) -> TemplateVersion:
    """The version of that number."""
    if VERSION_NUMBER.fullmatch(version) is None:
        message = f"Invalid launch template version: {version[:100]}. It is a number."
        raise AwsFailure("InvalidParameterValue", message)
    found = template.versions.get(int(version))
    if found is None:
        message = (
            f"Could not find the specified version {version} for the launch template with ID "
            f"{template.id}."
        )
        raise AwsFailure("InvalidLaunchTemplateId.VersionNotFound", message)
    return found


def applied(resolved: Resolved, request: Fields) -> Fields:
    """RunInstances' request with what the version says where the request says nothing.

    A member of the request takes the place of the template's whole member of that name. Raises
    AwsFailure for a template that chooses types by their attributes, which RunInstances cannot.
    """
    if resolved.data.get("InstanceRequirements"):
        message = (
            f"The launch template {resolved.template.id} specifies InstanceRequirements, which "
            "RunInstances does not support."
        )
        raise AwsFailure("InvalidParameterCombination", message)
    return merged(resolved.data, request)


def merged(data: Fields, request: Fields) -> Fields:
    """A template's data under RunInstances' names, and over it what the request says itself."""
    return {_RENAMED.get(name, name): value for name, value in data.items()} | request
