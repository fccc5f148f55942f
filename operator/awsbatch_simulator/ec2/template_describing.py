"""DescribeLaunchTemplates and DescribeLaunchTemplateVersions.

Source: their fields in the EC2 API reference.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import filters, templates
from awsbatch_simulator.ec2.model import LaunchTemplate, TemplateVersion
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
PAGES = range(1, 201)
_TEMPLATE_FILTERS = {
    "create-time": ("CreateTime",),
    "launch-template-name": ("LaunchTemplateName",),
}
_DATA = "LaunchTemplateData"
_VERSION_FILTERS = {
    "create-time": ("CreateTime",),
    "ebs-optimized": (_DATA, "EbsOptimized"),
    "host-resource-group-arn": (_DATA, "Placement", "HostResourceGroupArn"),
    "http-endpoint": (_DATA, "MetadataOptions", "HttpEndpoint"),
    "http-protocol-ipv4": (),
    "http-tokens": (_DATA, "MetadataOptions", "HttpTokens"),
    "iam-instance-profile": (_DATA, "IamInstanceProfile", "Arn"),
    "image-id": (_DATA, "ImageId"),
    "instance-type": (_DATA, "InstanceType"),
    "is-default-version": ("DefaultVersion",),
    "kernel-id": (_DATA, "KernelId"),
    "license-configuration-arn": (_DATA, "LicenseSpecifications", "LicenseConfigurationArn"),
    "network-card-index": (_DATA, "NetworkInterfaces", "NetworkCardIndex"),
    "ram-disk-id": (_DATA, "RamDiskId"),
}


def template_view(template: LaunchTemplate) -> Fields:
    """LaunchTemplate as EC2 answers it."""
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "CreateTime": _moment(template.created_at),
        "CreatedBy": template.created_by,
        "DefaultVersionNumber": template.default,
        "LatestVersionNumber": template.latest,
        "Tags": [{"Key": key, "Value": value} for key, value in template.tags.items()],
    }


def version_view(template: LaunchTemplate, version: TemplateVersion) -> Fields:
    """LaunchTemplateVersion as EC2 answers it."""
    view: Fields = {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "VersionNumber": version.number,
        "CreateTime": _moment(version.created_at),
        "CreatedBy": version.created_by,
        "DefaultVersion": version.number == template.default,
        _DATA: version.data,
    }
    return (
        view if version.description is None else view | {"VersionDescription": version.description}
    )


def describe(region: Region, request: Fields) -> Fields:
    """DescribeLaunchTemplates: by ids, names or filters, by page, in the order of their ids."""
    ids, names = request.get("LaunchTemplateIds") or [], request.get("LaunchTemplateNames") or []
    if ids and names:
        message = "Specify either launch template IDs or launch template names, not both."
        raise AwsFailure("InvalidParameterCombination", message)
    found = [templates.find(region, {"LaunchTemplateId": each}) for each in ids]
    found += [templates.find(region, {"LaunchTemplateName": each}) for each in names]
    if not ids and not names:
        found = list(region.ec2.templates.values())
    unique = {each.id: template_view(each) for each in found}
    kept = filters.kept(unique.values(), request.get("Filters") or (), _TEMPLATE_FILTERS)
    shown, token = _page({each["LaunchTemplateId"]: each for each in kept}, request)
    return {"LaunchTemplates": shown} | ({"NextToken": token} if token else {})


def describe_versions(region: Region, request: Fields) -> Fields:
    """DescribeLaunchTemplateVersions: of one template, or the latest and default ones of all."""
    pairs = list(_versions(region, request))
    views = [version_view(template, version) for template, version in pairs]
    kept = filters.kept(views, request.get("Filters") or (), _VERSION_FILTERS, tags=False)
    # The newest version of a template first.
    by_key = {
        f"{each['LaunchTemplateId']}:{10**18 - each['VersionNumber']:019d}": each for each in kept
    }
    shown, token = _page(by_key, request)
    return {"LaunchTemplateVersions": shown} | ({"NextToken": token} if token else {})


def _versions(region: Region, request: Fields) -> Iterable[tuple[LaunchTemplate, TemplateVersion]]:
    wanted = request.get("Versions") or []
    bounds = [request.get(name) for name in ("MinVersion", "MaxVersion")]
    if wanted and any(bounds):
        message = "Versions cannot be combined with MinVersion and MaxVersion."
        raise AwsFailure("InvalidParameterCombination", message)
    one = request.get("LaunchTemplateId") or request.get("LaunchTemplateName")
    if one or not wanted:
        template = templates.find(region, request)
        least, most = (_bound(each) for each in bounds)
        for version in template.versions.values():
            fits = (least or 0) <= version.number <= (most or version.number)
            if not wanted and fits:
                yield template, version
        yield from ((template, templates.version_of(template, each)) for each in wanted)
        return
    if not set(wanted) <= {templates.LATEST, templates.DEFAULT}:
        message = "Without a launch template, versions can only be $Latest and $Default."
        raise AwsFailure("InvalidParameterValue", message)
    for template in region.ec2.templates.values():
        yield from ((template, templates.version_of(template, each)) for each in wanted)


def _bound(number: str | None) -> int | None:
    if number is None:
        return None
    if templates.VERSION_NUMBER.fullmatch(number) is None:
        message = f"Invalid launch template version: {number[:100]}. It is a number."
        raise AwsFailure("InvalidParameterValue", message)
    return int(number)


def _page(found: dict[str, Fields], request: Fields) -> tuple[list[Fields], str | None]:
    """In the order of the keys; the token is the last key shown."""
    size = request.get("MaxResults")
    if size is not None and size not in PAGES:
        raise AwsFailure("InvalidParameterValue", "MaxResults must be between 1 and 200")
    after = request.get("NextToken") or ""
    if after and not after.startswith("lt-"):
        raise AwsFailure("InvalidNextToken", "The token is none that was given")
    left = sorted(key for key in found if key > after)
    last = left[size - 1] if size is not None and len(left) > size else None
    return [found[key] for key in left[:size]], last


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
