"""What RunInstances refuses, with EC2's own codes.

Sources: RunInstances and the shapes it takes in the EC2 API reference; "Error codes for the Amazon
EC2 API"; for BlockDurationMinutes, which AWS ended in 2022, what users were answered since.
Snapshots are not simulated (what makes one answers NotImplemented), so whatever a request names of
them does not exist.
"""

import base64
import binascii
import re
from typing import Any

from awsbatch_simulator.ec2 import disks, images, tags
from awsbatch_simulator.ec2.image_model import Image
from awsbatch_simulator.ec2.types import InstanceType, instance_type
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
AT_ONCE = 1000
USER_DATA_BYTES = 16_384  # before it is encoded
HOPS = range(1, 65)
TAGGED = frozenset({"instance", "volume", "spot-instances-request", "network-interface"})
TAGGED_BY_TEMPLATES = TAGGED | {"elastic-gpu"}
PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?|\.[0-9]{1,9}")  # US dollars an hour
# By path: what EC2 takes. Its model says so, and botocore does not check it.
_CHOICES: tuple[tuple[str, frozenset[str]], ...] = (
    ("Placement.Tenancy", frozenset({"default", "dedicated", "host"})),
    ("MetadataOptions.HttpTokens", frozenset({"optional", "required"})),
    ("MetadataOptions.HttpEndpoint", frozenset({"disabled", "enabled"})),
    ("MetadataOptions.HttpProtocolIpv6", frozenset({"disabled", "enabled"})),
    ("MetadataOptions.InstanceMetadataTags", frozenset({"disabled", "enabled"})),
    ("InstanceInitiatedShutdownBehavior", frozenset({"stop", "terminate"})),
    ("InstanceMarketOptions.SpotOptions.SpotInstanceType", frozenset({"one-time", "persistent"})),
    (
        "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior",
        frozenset({"hibernate", "stop", "terminate"}),
    ),
    (
        "InstanceMarketOptions.MarketType",
        frozenset({"spot", "capacity-block", "interruptible-capacity-reservation"}),
    ),
    (
        "CapacityReservationSpecification.CapacityReservationPreference",
        frozenset({"capacity-reservations-only", "open", "none"}),
    ),
)
_NOT_SIMULATED = (
    *("ElasticGpuSpecification", "ElasticInferenceAccelerators", "LicenseSpecifications"),
    *("SecondaryInterfaces", "Ipv6AddressCount", "Ipv6Addresses", "KernelId", "RamdiskId"),
    *("Placement.HostId", "Placement.HostResourceGroupArn", "Placement.SpreadDomain"),
)


def check(region: Region, request: Fields) -> None:
    """Raise AwsFailure for a request that EC2 refuses whatever capacity there is."""
    least, most = request["MinCount"], request["MaxCount"]
    if not 1 <= least <= most <= AT_ONCE:
        raise _invalid(f"MinCount {least} and MaxCount {most} do not fit")
    image = _image(region, request.get("ImageId"))
    size = instance_type(request.get("InstanceType", ""))
    if size is None:
        raise _invalid(f"Invalid value '{request.get('InstanceType')}' for InstanceType.")
    _check_fit(request, image, size)
    for path, choices in _CHOICES:
        value = _at(request, path)
        if value is not None and value not in choices:
            raise _invalid(f"Invalid value '{value}' for {path}.")
    for path in _NOT_SIMULATED:
        if _at(request, path):
            raise not_implemented("ec2", f"RunInstances with {path}")
    _check_key_pair(region, request.get("KeyName"))
    _check_profile(region, request.get("IamInstanceProfile") or {})
    _check_reservation(request.get("CapacityReservationSpecification") or {})
    _check_market(request.get("InstanceMarketOptions") or {})
    hops = _at(request, "MetadataOptions.HttpPutResponseHopLimit")
    if hops is not None and hops not in HOPS:
        raise _invalid(f"HttpPutResponseHopLimit must be between {HOPS.start} and {HOPS[-1]}.")
    _check_user_data(request.get("UserData") or "")
    disks.check(region, image, request.get("BlockDeviceMappings") or ())
    tags_for(request, "instance")


def check_template_data(data: Fields) -> None:
    """Raise AwsFailure for what EC2 refuses to keep in a launch template; the rest it tries."""
    _check_user_data(data.get("UserData") or "")
    tags_for(data, "instance", among=TAGGED_BY_TEMPLATES)


def tags_for(request: Fields, kind: str, *, among: frozenset[str] = TAGGED) -> dict[str, str]:
    """The tags of a kind of resource, of those that the operation makes.

    Raises AwsFailure for another kind, and for tags that no resource may have.
    """
    found: dict[str, dict[str, str]] = {}
    for specification in request.get("TagSpecifications") or ():
        resource = specification.get("ResourceType")
        if resource not in among:
            message = f"'{resource}' is not a valid taggable resource type for this operation."
            raise _invalid(message)
        if resource in found:
            raise _invalid(f"Duplicate resource type '{resource}' in tag specifications.")
        found[resource] = tags.checked(specification.get("Tags") or ())
    return found.get(kind, {})


def _at(request: Fields, path: str) -> Any:
    value: Any = request
    for name in path.split("."):
        value = (value or {}).get(name)
    return value


def _image(region: Region, image_id: str | None) -> Image:
    if not image_id:
        raise AwsFailure("MissingParameter", "The request must contain the parameter ImageId")
    return images.to_launch(region, image_id)


def _check_fit(request: Fields, image: Image, size: InstanceType) -> None:
    """Whether image and CPU options fit the type."""
    if image.architecture != size.architecture:
        raise _invalid(
            f"The architecture '{size.architecture}' of the specified instance type does not match "
            f"the architecture '{image.architecture}' of the specified AMI. Specify an instance "
            "type and an AMI that have matching architectures, and try again."
        )
    options = request.get("CpuOptions") or {}
    cores, threads = options.get("CoreCount"), options.get("ThreadsPerCore")
    for name, value, valid in (
        ("CoreCount", cores, size.valid_cores),
        ("ThreadsPerCore", threads, size.valid_threads),
    ):
        if value is not None and value not in valid:
            raise _invalid(f"The {name} {value} is not valid for the instance type {size.name}.")
    if (cores is None) != (threads is None):
        message = "CpuOptions need both CoreCount and ThreadsPerCore."
        raise AwsFailure("InvalidParameterCombination", message)


def _check_key_pair(region: Region, name: str | None) -> None:
    if name is not None and not region.world.lookup.key_pair_exists(region.place, name):
        raise AwsFailure("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")


def _check_profile(region: Region, profile: Fields) -> None:
    arn, name = profile.get("Arn"), profile.get("Name")
    if arn and name:
        raise AwsFailure(
            "InvalidParameterCombination",
            "The parameter 'iamInstanceProfile.name' may not be used in combination with "
            "'iamInstanceProfile.arn'",
        )
    given = arn or name
    if given and not region.world.lookup.instance_profile_exists(region.place, given):
        member = "arn" if arn else "name"
        message = f"Value ({given}) for parameter iamInstanceProfile.{member} is invalid."
        raise _invalid(message)


def _check_reservation(specification: Fields) -> None:
    """Its contradictions; whether there is such a reservation is seen when instances need it."""
    target = specification.get("CapacityReservationTarget") or {}
    if target.get("CapacityReservationResourceGroupArn"):
        raise not_implemented("ec2", "RunInstances with a resource group of reservations")
    if target and specification.get("CapacityReservationPreference") in {"none", "open"}:
        message = "A capacity reservation target contradicts the preference none or open."
        raise AwsFailure("InvalidParameterCombination", message)


def _check_market(options: Fields) -> None:
    spot = options.get("SpotOptions") or {}
    if "BlockDurationMinutes" in spot:
        raise _invalid("BlockDurationMinutes is not a valid parameter")
    if options.get("MarketType") not in {None, "spot"}:
        raise not_implemented("ec2", f"RunInstances with the market {options['MarketType']}")
    if not PRICE.fullmatch(spot.get("MaxPrice") or "1"):
        raise _invalid(f"Invalid value '{spot['MaxPrice'][:100]}' for MaxPrice.")
    stays = spot.get("InstanceInterruptionBehavior") in {"hibernate", "stop"}
    if stays and spot.get("SpotInstanceType", "one-time") == "one-time":
        message = (  # seen in harmony-one/harmony-ops#285
            "The request with type 'one-time' is not supported when instanceInterruptionBehavior "
            f"is set to '{spot['InstanceInterruptionBehavior']}'."
        )
        raise AwsFailure("InvalidParameterCombination", message)
    if spot.get("SpotInstanceType") == "persistent" and not stays:
        message = "A persistent Spot request needs the interruption behavior hibernate or stop."
        raise AwsFailure("InvalidParameterCombination", message)


def _check_user_data(encoded: str) -> None:
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        message = "Invalid BASE64 encoding of user data."
        raise AwsFailure("InvalidUserData.Malformed", message) from None
    if len(content) > USER_DATA_BYTES:
        raise _invalid(f"User data is limited to {USER_DATA_BYTES} bytes")


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterValue", message)
