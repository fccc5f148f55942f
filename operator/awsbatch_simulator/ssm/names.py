"""Names of parameters: what they may be, and what is meant by a name, an ARN, a version.

Sources: PutParameter.Name and GetParameter.Name in the API reference of Systems Manager.
"""

import re
from dataclasses import dataclass

from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

CHARACTERS = 1011
LEVELS = 15
PUBLIC = "/aws/"
_NAME = re.compile(r"[a-zA-Z0-9_.\-/]+")


@dataclass(frozen=True, slots=True)
class Reference:
    """A parameter that somebody means, and which version of it."""

    name: str
    selector: str = ""  # a number or a label; empty: the latest version


def check_new(region: Region, name: str) -> str:
    """The name as it is kept. Raises AwsFailure for one that no parameter may have."""
    name = name.strip()
    if len(region.arn("ssm", f"parameter/{name.lstrip('/')}")) > CHARACTERS:
        raise invalid(f"Parameter name: up to {CHARACTERS} characters with its ARN.")
    if name.lower().startswith(PUBLIC):
        raise AwsFailure("AccessDeniedException", f"No access to reserved parameter name: {name}.")
    if not _NAME.fullmatch(name) or name.endswith("/") or "//" in name:
        raise invalid(
            "Invalid parameter name. Please use correct syntax for referencing a version/label "
            "<name>:<version/label>"
        )
    if name.lstrip("/").lower().startswith(("aws", "ssm")):
        raise invalid(
            'Parameter name: can\'t be prefixed with "ssm" (case-insensitive) or "aws" '
            "(case-insensitive)."
        )
    if "/" in name and not name.startswith("/"):
        raise invalid("Parameter name must be a fully qualified name.")
    if name.count("/") > LEVELS:
        message = f"A hierarchy can have a maximum of {LEVELS} levels."
        raise AwsFailure("HierarchyLevelLimitExceededException", message)
    return name


def meant(region: Region, given: str) -> Reference:
    """A name, or an ARN of this place, with or without `:VERSION`."""
    given = given.strip()
    prefix = region.arn("ssm", "parameter/")
    if given.startswith("arn:"):
        # What is of another account, or of another region, is not found by its name either.
        rest = given.removeprefix(prefix) if given.startswith(prefix) else ""
        name, _, selector = rest.partition(":")
        known = f"/{name}" if f"/{name}" in region.ssm.parameters else name
        return Reference(known, selector)
    name, _, selector = given.partition(":")
    return Reference(name, selector)


def arn(region: Region, name: str) -> str:
    """The ARN of a parameter; one of AWS's own belongs to no account."""
    if name.startswith(PUBLIC):
        return f"arn:aws:ssm:{region.place.region}::parameter{name}"
    return region.arn("ssm", f"parameter/{name.lstrip('/')}")


def invalid(message: str) -> AwsFailure:
    """A request that Systems Manager does not understand."""
    return AwsFailure("ValidationException", message)
