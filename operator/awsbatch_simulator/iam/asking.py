"""What the tables of needs share: condition keys of tags, and roles that are passed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from awsbatch_simulator.iam.policy import Need
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
Asks = Callable[[Region, Fields], Iterable[Need]]


def request_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """aws:RequestTag, for each tag of the request."""
    return {f"aws:requesttag/{key.lower()}": value for key, value in tags.items()}


def resource_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """aws:ResourceTag, for each tag that the resource has."""
    return {f"aws:resourcetag/{key.lower()}": value for key, value in tags.items()}


def pass_role(region: Region, role: str, service: str) -> Iterator[Need]:
    """iam:PassRole of a role that a request names by its ARN, or by path and name."""
    if role:
        name = role.removeprefix("role/").lstrip("/")
        arn = role if role.startswith("arn:") else _role(region, name)
        yield Need("iam:PassRole", arn, {"iam:passedtoservice": service})


def pass_profile(region: Region, profile: str) -> Iterator[Need]:
    """iam:PassRole of the role in an instance profile, which is called as the profile is.

    That name is what AWS's console and guides make; IAM knows of others.
    """
    if profile:
        yield from pass_role(region, _role(region, profile.rpartition("/")[2]), "ec2.amazonaws.com")


def linked_role(region: Region, service: str, name: str) -> Iterator[Need]:
    """iam:CreateServiceLinkedRole, where the account does not have that role yet."""
    role = _role(region, f"aws-service-role/{service}/{name}")
    if not region.world.lookup.role_exists(region.place, role):
        yield Need("iam:CreateServiceLinkedRole", role, {"iam:awsservicename": service})


def _role(region: Region, name: str) -> str:
    return f"arn:aws:iam::{region.place.account}:role/{name}"
