"""What EC2's errors about a launch mean: what is short, and what a person must mend.

Sources: EC2's API error codes, and the codes in the errors of an instant fleet, which are the same
words. Karpenter's list of what counts as short capacity was read beside them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from awsbatch_operator.api.words import many, sentence, without_request_ids


class Extent(StrEnum):
    """How much of what a pool may buy an error speaks of."""

    OFFER = "Offer"  # this type in this zone is short
    QUOTA = "Quota"  # the account's limit for the market and a group of types
    POOL = "Pool"  # no launch of the pool can succeed until a person mends it
    THROTTLED = "Throttled"  # nothing was done; the same again later
    TOKEN = "Token"  # noqa: S105  the client token was used before: another round
    TEMPLATE = "Template"  # our launch template is gone: make it anew
    UNKNOWN = "Unknown"  # it may have been done


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One error of a launch. `field` is the path below the pool in the spec, "" if none."""

    extent: Extent
    code: str
    message: str
    field: str = ""
    remedy: str = ""
    pauses: bool = False  # whether the offer is paused, too: others of the pool may do
    limit: int | None = None  # of a quota, if the message names it


_SHORT = frozenset(
    {
        "InsufficientInstanceCapacity",
        "InsufficientCapacity",
        "InsufficientHostCapacity",
        "InsufficientReservedInstanceCapacity",
        "UnfulfillableCapacity",
        "ReservationCapacityExceeded",
        "SpotMaxPriceTooLow",
        "Unsupported",
        "UnsupportedOperation",
    }
)
_QUOTA = frozenset(
    {
        "VcpuLimitExceeded",
        "MaxSpotInstanceCountExceeded",
        "InstanceLimitExceeded",
        "MaxFleetCountExceeded",
        "SpotInstanceCountExceeded",
    }
)
_THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "ResourceCountExceeded",
        "Throttling",
        "ThrottlingException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
    }
)
_TOKEN = frozenset({"IdempotentParameterMismatch", "IdempotentInstanceTerminated"})
_UNKNOWN = frozenset(
    {"InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "ServerInternal"}
)
_DENIED = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"})

_SUBNETS = "Name a subnet that exists and has free addresses, or free some in it."
_SPOT_ROLE = (
    "Make the role once: aws iam create-service-linked-role --aws-service-name spot.amazonaws.com"
)
_GRANT = "Grant the action to the operator's identity; deploy/iam has the policy."
# By the beginning of the code: the field of the pool, and what mends it.
_FIELDS: Mapping[str, tuple[str, str]] = {
    "InsufficientFreeAddressesInSubnet": ("subnets", _SUBNETS),
    "InvalidSubnet": ("subnets", _SUBNETS),
    "InvalidGroup": ("securityGroupIds", "Name security groups of the subnets' VPC."),
    "InvalidSecurityGroupID": ("securityGroupIds", "Name security groups of the subnets' VPC."),
    "SecurityGroupsPerInterfaceLimitExceeded": ("securityGroupIds", "Name fewer of them."),
    "InvalidIamInstanceProfile": ("instanceProfile", "Name an instance profile that exists."),
    "InvalidAMI": ("image", "Name an image that is available to the account in this region."),
    "AMI": ("image", "Name an image that is available to the account in this region."),
    "InvalidKeyPair": ("keyName", "Name a key pair of this region, or none."),
    "InvalidPlacementGroup": ("placement.groupName", "Make the placement group, or name none."),
    "InvalidBlockDeviceMapping": ("blockDeviceMappings", "Correct the volumes."),
    "InvalidSnapshot": ("blockDeviceMappings", "Name a snapshot that exists."),
    "VolumeLimitExceeded": ("blockDeviceMappings", "Ask for smaller volumes, or a higher quota."),
    "MaxIOPSLimitExceeded": ("blockDeviceMappings", "Ask for fewer IOPS, or a higher quota."),
    "InvalidUserData": ("userData", "Correct the user data."),
    "InvalidInstanceType": ("instanceTypes", "Name types that EC2 has in this region."),
    "InvalidCapacityReservation": ("spotBlock", "Name no reservation, or one that is active."),
    "AuthFailure.ServiceLinkedRoleCreationNotPermitted": ("market", _SPOT_ROLE),
    "SpotSLRCreationFailed": ("market", _SPOT_ROLE),
    "PendingVerification": ("", "AWS is still verifying the account; its support can tell more."),
    "OptInRequired": ("image", "Accept the image's terms in AWS Marketplace, or subscribe to EC2."),
    "Blocked": ("", "AWS has blocked the account; its support can tell more."),
}
# By words of a message whose code says little.
_WORDS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"iam:PassRole"), "instanceProfile", "Allow the operator iam:PassRole on it."),
    (re.compile(r"(?i)instance ?profile"), "instanceProfile", "Name a profile that exists."),
    (re.compile(r"(?i)BlockDurationMinutes"), "spotBlock", "AWS ended spot blocks in 2022."),
    (re.compile(r"(?i)security group"), "securityGroupIds", "Name groups of the subnets' VPC."),
    (re.compile(r"(?i)subnet"), "subnets", _SUBNETS),
    (re.compile(r"(?i)architecture"), "image", "Name types and an image of one architecture."),
    (re.compile(r"(?i)cpu ?options|threads? per core"), "cpuOptions", "Leave out cpuOptions."),
    (re.compile(r"(?i)image|\bami\b"), "image", "Name an image that is available."),
    (re.compile(r"(?i)device|volume|snapshot"), "blockDeviceMappings", "Correct the volumes."),
)
_LIMIT = re.compile(r"limit of (\d+)")


INTERRUPTED = Fault(
    extent=Extent.OFFER,
    code="SpotInterruption",
    message="EC2 took an instance of this offer back.",
    pauses=True,
)

NOTHING_LAUNCHED = Fault(
    extent=Extent.OFFER,
    code="NothingLaunched",
    message="EC2 launched nothing and does not say why.",
    pauses=True,
)


RESERVATION_GONE = frozenset({"cancelled", "expired", "failed", "payment-failed", "unsupported"})
"""States of a capacity reservation that has come to its end."""


def reservation_gone(state: str) -> Fault:
    """A reservation that was made for a block is gone before anything was launched into it.

    Somebody has cancelled it, or EC2 could not keep it.
    """
    return Fault(
        extent=Extent.OFFER,
        code="ReservationGone",
        message=f"The reservation that was made for it is {state}.",
    )


def classify(code: str, message: str = "") -> Fault:
    """What an error of RunInstances, of CreateFleet or in a fleet's answer means.

    A code that is in no table counts as one of the pool's: launches that fail for unknown reasons
    must not be repeated quickly. No code at all is an unknown outcome.
    """
    text = sentence(without_request_ids(message)) or f"EC2 answers {code}."
    if not code or code in _UNKNOWN:
        return Fault(extent=Extent.UNKNOWN, code=code, message=text)
    if code in _TOKEN:
        return Fault(extent=Extent.TOKEN, code=code, message=text)
    if code in _THROTTLED:
        return Fault(extent=Extent.THROTTLED, code=code, message=text)
    if code in _SHORT:
        return Fault(extent=Extent.OFFER, code=code, message=text, pauses=True)
    if code in _QUOTA:
        named = _LIMIT.search(message)
        limit = int(named[1]) if named else None
        remedy = "Ask AWS for a higher quota (Service Quotas, EC2), or lower the limits."
        return Fault(extent=Extent.QUOTA, code=code, message=text, remedy=remedy, limit=limit)
    if code.startswith("InvalidLaunchTemplate"):
        return Fault(extent=Extent.TEMPLATE, code=code, message=text)
    return _of_the_pool(code, message, text)


def _of_the_pool(code: str, message: str, text: str) -> Fault:
    by_code = [names for begin, names in _FIELDS.items() if code.startswith(begin)]
    by_words = [(field, remedy) for words, field, remedy in _WORDS if words.search(message)]
    field, remedy = next(iter((*by_code, *by_words)), ("", "Correct the pool as EC2 says."))
    if code in _DENIED and field != "instanceProfile":
        field, remedy = "", _GRANT
    return Fault(
        extent=Extent.POOL,
        code=code,
        message=text,
        field=field,
        remedy=remedy,
        pauses=code.startswith("InsufficientFreeAddresses"),  # other subnets may have some
    )


def quota_message(said: str, *, group: str, used: int, held: int) -> str:
    """What is told of a quota: its limit in vCPUs, if EC2 has said it, and what of it we use.

    `said` are EC2's words, `group` the market and the types that share the quota, `held` the vCPUs
    of the smallest type that it does not allow any more (0: of any).
    """
    named = _LIMIT.search(said)
    limit = f" of {many(int(named[1]), 'vCPU')}" if named else ""
    size = f" of {many(held, 'vCPU')} or more" if held else ""
    return (
        f"The account's EC2 quota{limit} for {group} instances allows no further one{size}; this "
        f"environment uses {many(used, 'vCPU')} of it, other instances of the account the rest."
    )
