"""Which field of the spec EC2 or Systems Manager means when it refuses a request (pure).

AWS names parameters of its own, or ids. The codes are those of the EC2 API reference ("Error codes
for the Amazon EC2 API") and of PutParameter in that of Systems Manager; where one code is used for
many things (InvalidParameterValue), the name of the parameter in the message tells.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.kinds.extendedami.forms import DEVICE

_FURTHER = re.compile(DEVICE.pattern)


@dataclass(frozen=True, slots=True)
class _Row:
    """A refusal by its code, or by words of its message, and the field that it is about."""

    field: str
    code: str = ""
    words: str = ""

    def fits(self, code: str, message: str) -> bool:
        named = bool(self.code) and re.match(self.code, code) is not None
        told = bool(self.words) and re.search(self.words, message, re.IGNORECASE) is not None
        return named or told


# Of a volume: EC2's member in the request, and what its messages call it. The first that fits.
_DISK = (
    ("throughput", "Throughput", r"\bthroughput\b"),
    ("iops", "Iops", r"\biops\b"),
    ("initializationRateMiBps", "VolumeInitializationRate", r"initialization ?rate"),
    ("kmsKeyId", "KmsKeyId", r"\bkms|customer master key|\bCMK\b"),
    ("encrypted", "Encrypted", r"\bencrypt"),
    ("type", "VolumeType", r"volume ?type"),
    ("sizeGiB", "VolumeSize", r"volume ?size|volume of |size of the volume|\bGiB\b|smaller than"),
)
_LAUNCH = (
    _Row("spec.builder.subnets", code=r"InvalidSubnet", words=r"\bsubnet ?id\b"),
    _Row(
        "spec.builder.securityGroupIds",
        code=r"Invalid(Security)?Group|SecurityGroupsPerI",
        words=r"security ?groups?\b",
    ),
    _Row(
        "spec.builder.instanceProfile",
        code=r"InvalidIamInstanceProfile",
        words=r"iam ?instance ?profile",
    ),
    _Row(
        "spec.builder.instanceTypes",
        code=r"InvalidInstanceType",
        words=r"instance ?type\b|requested configuration is (currently )?not supported",
    ),
    _Row("spec.files and spec.scripts", code=r"InvalidUserData", words=r"user ?data\b"),
    _Row("spec.base", code=r"InvalidAMIID|InvalidAmi|OptInRequired", words=r"\bimage ?id\b"),
)
_TAGS = _Row("spec.tags", code=r"(Invalid)?Tag|TagPolicyViolation", words=r"\btags?( key)?\b")
_OTHERS: Mapping[str, tuple[_Row, ...]] = {
    "RunInstances": _LAUNCH,
    "CopyImage": (
        _Row("spec.regions", code=r"InvalidRegion|AuthFailure|OptInRequired", words=r"\bregion\b"),
        _Row("spec.rootVolume.kmsKeyId", words=r"\bkms"),
    ),
    "PutParameter": (
        _Row(
            "spec.publish.ssmParameter",
            code=r"Hierarchy|ParameterAlreadyExists|ParameterPatternMismatch|ParameterLimitExceed",
            words=r"parameter name|hierarch",
        ),
    ),
}


def field_meant(operation: str, code: str, message: str, request: Mapping[str, Any]) -> str:
    """The path of the field; "" where AWS's words do not tell."""
    rows = (*_OTHERS.get(operation, ()),)
    by_code = (each.field for each in rows if each.code and re.match(each.code, code))
    found = next(by_code, "") or _of_disk(code, message, request)
    found = found or next((each.field for each in rows if each.fits(code, message)), "")
    return found or (_TAGS.field if _TAGS.fits(code, message) else "")


def _of_disk(code: str, message: str, request: Mapping[str, Any]) -> str:
    data = request.get("LaunchTemplateData", request)
    mappings = data.get("BlockDeviceMappings") or ()
    for field, member, words in _DISK:
        if re.search(words, message, re.IGNORECASE) is None:
            continue
        owners = [each for each in mappings if member in each.get("Ebs", {})]
        named = [each for each in owners if f"{each['DeviceName']}" in message] or owners
        places = list(dict.fromkeys(_places(named)))
        if places:
            return " or ".join(f"{place}.{field}" for place in places)
    if code == "InvalidBlockDeviceMapping":
        return "spec.volumes" if any(map(_is_further, mappings)) else "spec.rootVolume"
    return ""


def _places(mappings: list[Mapping[str, Any]]) -> Iterator[str]:
    for each in mappings:
        device = each["DeviceName"]
        yield f"spec.volumes[deviceName={device}]" if _is_further(each) else "spec.rootVolume"


def _is_further(mapping: Mapping[str, Any]) -> bool:
    """Whether it is a volume besides the root."""
    return _FURTHER.match(str(mapping["DeviceName"])) is not None
