"""GetParameter, GetParameters, GetParametersByPath, GetParameterHistory and DescribeParameters.

Sources: their texts in the API reference of Systems Manager.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import public_images
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.ports import PublicParameter
from awsbatch_simulator.region import Region
from awsbatch_simulator.ssm import names
from awsbatch_simulator.ssm.names import Reference, invalid
from awsbatch_simulator.ssm.store import Parameter, Version
from awsbatch_simulator.ssm.writing import TEXT, not_found

Fields = dict[str, Any]
BY_PATH, LISTED = 10, 50  # of a page at most


def get(region: Region, request: Fields, _principal: str) -> Fields:
    """GetParameter: by name or ARN, the latest version or one that is named."""
    return {"Parameter": _found(region, request["Name"])}


def get_many(region: Region, request: Fields, _principal: str) -> Fields:
    """GetParameters: those that there are, in alphabetical order."""
    found: list[Fields] = []
    missing: list[str] = []
    for name in dict.fromkeys(request["Names"]):
        try:
            found.append(_found(region, name))
        except AwsFailure:
            missing.append(name)
    return {
        "Parameters": sorted(found, key=lambda each: str(each["Name"])),
        "InvalidParameters": missing,
    }


def _found(region: Region, given: str) -> Fields:
    reference = names.meant(region, given)
    if reference.name.startswith(names.PUBLIC):
        public = public_images.parameter(region.world, region.place.region, reference.name)
        if public is None:
            raise not_found(given)
        if reference.selector not in {"", str(public.version)}:
            raise _no_version(reference)
        return _selected(_public(region, public), reference)
    found = region.ssm.parameters.get(reference.name)
    if found is None:
        raise not_found(given)
    return _selected(_view(region, found, _version(found, reference)), reference)


def _version(found: Parameter, reference: Reference) -> Version:
    """The version that is meant; nothing has a label here."""
    selector = reference.selector
    if not selector:
        return found.latest
    number = int(selector) if selector.isdecimal() and len(selector) < len("9" * 10) else 0
    if number not in found.versions:
        raise _no_version(reference)
    return found.versions[number]


def _no_version(reference: Reference) -> AwsFailure:
    return AwsFailure(
        "ParameterVersionNotFound",
        f"Systems Manager could not find version {reference.selector[:100]} of {reference.name}. "
        "Verify the version and try again.",
    )


def _selected(view: Fields, reference: Reference) -> Fields:
    return view | ({"Selector": f":{reference.selector}"} if reference.selector else {})


def _view(region: Region, found: Parameter, version: Version) -> Fields:
    return {
        "Name": found.name,
        "Type": found.type,
        "Value": version.value,
        "Version": version.number,
        "LastModifiedDate": _moment(version.changed_at),
        "ARN": names.arn(region, found.name),
        "DataType": version.data_type,
    }


def _public(region: Region, found: PublicParameter) -> Fields:
    return {
        "Name": found.name,
        "Type": "String",
        "Value": found.value,
        "Version": found.version,
        "LastModifiedDate": _moment(found.changed_at),
        "ARN": names.arn(region, found.name),
        "DataType": TEXT,
    }


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def by_path(region: Region, request: Fields, _principal: str) -> Fields:
    """GetParametersByPath: what stands right below a path, or anywhere below it."""
    path = request["Path"].strip()
    if not path.startswith("/"):
        raise invalid("The parameter path must begin with a slash /.")
    _no_filters(request, "ParameterFilters")
    prefix = f"{path.rstrip('/')}/"
    views: Iterable[Fields]
    if prefix.startswith(names.PUBLIC):
        known = public_images.parameters(region.world, region.place.region)
        views = (_public(region, each) for name, each in known.items() if name.startswith(prefix))
    else:
        views = (
            _view(region, each, each.latest)
            for name, each in region.ssm.parameters.items()
            if name.startswith(prefix)
        )
    deep = bool(request.get("Recursive"))
    found = [each for each in views if deep or "/" not in each["Name"].removeprefix(prefix)]
    return _page("Parameters", found, request, BY_PATH, key="Name")


def history(region: Region, request: Fields, _principal: str) -> Fields:
    """GetParameterHistory: the versions that are kept, the oldest first."""
    name = names.meant(region, request["Name"]).name
    found = region.ssm.parameters.get(name)
    if found is None:
        raise not_found(request["Name"])
    views = [
        {
            **_described(region, found, version),
            "Value": version.value,
            "_key": f"{version.number:010d}",
        }
        for version in found.versions.values()
    ]
    for each in views:
        each.pop("ARN")
    return _page("Parameters", views, request, LISTED, key="_key")


def describe(region: Region, request: Fields, _principal: str) -> Fields:
    """DescribeParameters: the account's own, without their values."""
    for member in ("Filters", "ParameterFilters"):
        _no_filters(request, member)
    views = [_described(region, each, each.latest) for each in region.ssm.parameters.values()]
    return _page("Parameters", [] if request.get("Shared") else views, request, LISTED, key="Name")


def _described(region: Region, found: Parameter, version: Version) -> Fields:
    view = {name: each for name, each in _view(region, found, version).items() if name != "Value"}
    view |= {"LastModifiedUser": version.changed_by, "Tier": found.tier, "Policies": []}
    return view | ({"Description": version.description} if version.description else {})


def _no_filters(request: Fields, member: str) -> None:
    if request.get(member):
        raise not_implemented("ssm", f"{member} of parameters")


def _page(member: str, views: Iterable[Fields], request: Fields, most: int, *, key: str) -> Fields:
    size = request.get("MaxResults") or most
    if not 1 <= size <= most:
        raise invalid(f"MaxResults must be between 1 and {most}")
    after = request.get("NextToken") or ""
    left = sorted((each for each in views if each[key] > after), key=lambda each: str(each[key]))
    shown = [{name: each[name] for name in each if name != "_key"} for each in left[:size]]
    answer: Fields = {member: shown}
    return answer | ({"NextToken": left[size - 1][key]} if len(left) > size else {})
