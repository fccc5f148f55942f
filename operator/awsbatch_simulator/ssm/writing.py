"""PutParameter, DeleteParameter and tags of parameters.

Sources: PutParameter (Overwrite, Tags, DataType, Tier), DeleteParameter and AddTagsToResource in
the API reference of Systems Manager. A value of the type `aws:ec2:image` is looked at after the
answer, and a version of it comes only if EC2 has that image and it is available.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from awsbatch_simulator.ec2 import images
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.region import Region
from awsbatch_simulator.ssm import names
from awsbatch_simulator.ssm.names import invalid
from awsbatch_simulator.ssm.store import IMAGE_TYPE, Parameter, Version

Fields = dict[str, Any]
TEXT = "text"
TYPES = frozenset({"String", "StringList"})
TIERS: Mapping[str, int] = {"Standard": 4096, "Advanced": 8192}  # characters of a value
MOST = 10_000  # standard parameters
VERSIONS = 100
TAGS = 50
_CHECKED_TYPES = frozenset(
    {
        *("aws:ssm:integration", "aws:region", "aws:account:id", "boolean", "integer", "float"),
        *("binary", "hostname", "email", "ipv4-address", "ipv6-address", "url", "json", "jsonc"),
    }
)
_NOT_SIMULATED = ("AllowedPattern", "Policies", "KeyId")


def put(region: Region, request: Fields, principal: str) -> Fields:
    """PutParameter: a new parameter, or with Overwrite a new version."""
    name = names.check_new(region, request["Name"])
    before = region.ssm.parameters.get(name)
    _check(request, before)
    tier = _tier(request, before)
    if before is not None and not request.get("Overwrite"):
        raise _exists()
    if before is None and len(region.ssm.parameters) >= MOST:
        raise AwsFailure("ParameterLimitExceeded", f"There are {MOST} parameters already.")
    number = 1 if before is None else before.latest.number + 1
    tags = checked_tags(request.get("Tags") or ())
    order = (name, {**request, "Tier": tier, "Tags": tags}, principal)
    if request.get("DataType", TEXT) == IMAGE_TYPE:
        seconds = region.world.settings.delays.parameter_validating
        region.world.clock.call_after(seconds, _write_image, region, *order)
    else:
        _write(region, *order)
    return {"Version": number, "Tier": tier}


def _check(request: Fields, before: Parameter | None) -> None:
    """Raise AwsFailure for what Systems Manager refuses whatever there is."""
    for member in _NOT_SIMULATED:
        if request.get(member):
            raise not_implemented("ssm", f"PutParameter with {member}")
    _check_type(request.get("Type"), before)
    _check_data_type(request, before)
    if not request["Value"]:
        raise invalid("Value: at least one character")
    if request.get("Tags") and request.get("Overwrite"):
        raise invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter "
            "with tags, please remove overwrite flag. To update tags for an existing parameter, "
            "please use AddTagsToResource or RemoveTagsFromResource."
        )


def _check_type(kind: str | None, before: Parameter | None) -> None:
    if kind == "SecureString":
        raise not_implemented("ssm", "SecureString parameters")
    if kind is None and before is None:
        raise invalid("A parameter type is required when you create a parameter.")
    if kind is not None and kind not in TYPES:
        raise AwsFailure("UnsupportedParameterType", f"There is no type {kind[:100]}")
    if before is not None and kind not in {None, before.type}:
        message = "You can't change a parameter's type: create a new, unique parameter."
        raise AwsFailure("HierarchyTypeMismatchException", message)


def _check_data_type(request: Fields, before: Parameter | None) -> None:
    data_type = request.get("DataType", TEXT)
    if data_type in _CHECKED_TYPES:
        raise not_implemented("ssm", f"PutParameter with the data type {data_type}")
    if data_type not in {TEXT, IMAGE_TYPE}:
        raise invalid(f"The following data type is not supported: {data_type[:100]}")
    kind = request.get("Type") or (before.type if before is not None else "")
    if data_type == IMAGE_TYPE and kind != "String":
        raise invalid(f"The data type {IMAGE_TYPE} is for the type String only.")


def _tier(request: Fields, before: Parameter | None) -> str:
    """The tier of the parameter from now on; an advanced one never becomes a standard one."""
    tier = request.get("Tier") or "Standard"
    if tier == "Intelligent-Tiering":
        tier = "Standard" if len(request["Value"]) <= TIERS["Standard"] else "Advanced"
    if tier not in TIERS:
        raise invalid(f"There is no tier {tier[:100]}")
    if before is not None and before.tier == "Advanced":
        tier = "Advanced"
    if len(request["Value"]) > TIERS[tier]:
        raise invalid(
            f"{tier} tier parameters support a maximum parameter value of {TIERS[tier]} characters."
        )
    return str(tier)


def _exists() -> AwsFailure:
    return AwsFailure(
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the "
        "request to true.",
    )


def _write_image(region: Region, name: str, request: Fields, principal: str) -> None:
    """The value names an image that can be used, or nothing comes of the request."""
    taken = name in region.ssm.parameters and not request.get("Overwrite")
    if not images.trouble(region, request["Value"]) and not taken:
        _write(region, name, request, principal)


def _write(region: Region, name: str, request: Fields, principal: str) -> None:
    found = region.ssm.parameters.get(name)
    if found is None:
        kind = request.get("Type") or "String"
        found = Parameter(name, kind, request["Tier"], dict(request["Tags"]))
        region.ssm.parameters[name] = found
    found.tier = request["Tier"]
    number = found.latest.number + 1 if found.versions else 1
    found.versions[number] = Version(
        number=number,
        value=request["Value"],
        data_type=request.get("DataType", TEXT),
        changed_at=region.world.clock.now(),
        changed_by=principal,
        description=request.get("Description") or "",
    )
    for old in sorted(found.versions)[:-VERSIONS]:
        del found.versions[old]


def delete(region: Region, request: Fields, _principal: str) -> Fields:
    """DeleteParameter: all versions."""
    name = request["Name"].strip()
    if region.ssm.parameters.pop(name, None) is None:
        raise not_found(name)
    return {}


def delete_many(region: Region, request: Fields, _principal: str) -> Fields:
    """DeleteParameters: those that there are."""
    given = list(dict.fromkeys(each.strip() for each in request["Names"]))
    gone = [each for each in given if region.ssm.parameters.pop(each, None) is not None]
    return {"DeletedParameters": gone, "InvalidParameters": [n for n in given if n not in gone]}


def not_found(name: str) -> AwsFailure:
    """There is no such parameter."""
    return AwsFailure("ParameterNotFound", f"Parameter {name[:2048]} not found.")


def tag(region: Region, request: Fields, _principal: str) -> Fields:
    """AddTagsToResource."""
    found = _tagged(region, request)
    wanted = found.tags | checked_tags(request["Tags"])
    if len(wanted) > TAGS:
        raise AwsFailure("TooManyTagsError", f"A parameter can have up to {TAGS} tags")
    found.tags.update(wanted)
    return {}


def untag(region: Region, request: Fields, _principal: str) -> Fields:
    """RemoveTagsFromResource."""
    found = _tagged(region, request)
    for key in request["TagKeys"]:
        found.tags.pop(key, None)
    return {}


def list_tags(region: Region, request: Fields, _principal: str) -> Fields:
    """ListTagsForResource."""
    found = _tagged(region, request)
    return {"TagList": [{"Key": key, "Value": value} for key, value in found.tags.items()]}


def _tagged(region: Region, request: Fields) -> Parameter:
    if request["ResourceType"] != "Parameter":
        raise not_implemented("ssm", f"tags of {request['ResourceType'][:100]}")
    found = region.ssm.parameters.get(request["ResourceId"])
    if found is None:
        message = "The resource ID isn't valid. Verify that you entered the correct ID."
        raise AwsFailure("InvalidResourceId", message)
    return found


def checked_tags(given: Iterable[Fields]) -> dict[str, str]:
    """Tags by key. Raises AwsFailure for keys that are AWS's own, and for too many."""
    found = {str(each["Key"]): str(each["Value"]) for each in given}
    if any(key.lower().startswith("aws:") for key in found):
        raise invalid("Tag keys that begin with aws: are reserved.")
    if len(found) > TAGS:
        raise AwsFailure("TooManyTagsError", f"A parameter can have up to {TAGS} tags")
    return found
