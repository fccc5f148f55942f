"""Roles, instance profiles, subnets and security groups, as other services see them.

As long as nobody has used moto's IAM or EC2 in an account, only what `seeds` promises exists there,
and moto need not be loaded to know it.
"""

import json
from collections.abc import Sequence
from typing import Any

from awsbatch_simulator import seeds
from awsbatch_simulator.bridge.moto import MotoBridge
from awsbatch_simulator.context import Place


class MotoLookup:
    """The Lookup port over the seeds and moto."""

    def __init__(self, bridge: MotoBridge) -> None:
        self._bridge = bridge

    def role_exists(self, place: Place, role: str) -> bool:
        return self.trust_policy(place, role) is not None

    def trust_policy(self, place: Place, role: str) -> dict[str, Any] | None:
        """A role's (ARN, or path and name) trust policy; None if the account has no such role."""
        name = _resource(place, role, "role")
        if name is None:
            return None
        if not self._bridge.touched("iam", place.account):
            return next(
                (one.trust for one in seeds.ROLES if _full(one.path, one.name) == name), None
            )
        for found in self._bridge.backend("iam", place).get_roles():
            if _full(found.path, found.name) == name:
                policy: dict[str, Any] = json.loads(found.assume_role_policy_document)
                return policy
        return None

    def instance_profile_exists(self, place: Place, profile: str) -> bool:
        name = _resource(place, profile, "instance-profile")
        if not self._bridge.touched("iam", place.account):
            return name == seeds.INSTANCE_PROFILE
        profiles = self._bridge.backend("iam", place).get_instance_profiles()
        return any(_full(found.path, found.name) == name for found in profiles)

    def subnet_zone(self, place: Place, subnet: str) -> str | None:
        if not self._bridge.touched("ec2", place.account):
            return seeds.subnets(place.region).get(subnet)
        for zone, group in self._bridge.backend("ec2", place).subnets.items():
            if subnet in group:
                return str(zone)
        return None

    def security_group_exists(self, place: Place, group: str) -> bool:
        if not self._bridge.touched("ec2", place.account):
            return group == seeds.SECURITY_GROUP_ID
        groups = self._bridge.backend("ec2", place).groups
        return any(group in of_vpc for of_vpc in groups.values())

    def default_subnets(self, place: Place) -> Sequence[str]:
        return tuple(seeds.subnets(place.region))


def _resource(place: Place, name: str, kind: str) -> str | None:
    """Path and name without the leading slash; None for an ARN of another account or kind."""
    if not name.startswith("arn:"):
        return name.removeprefix("/")
    prefix = f"arn:aws:iam::{place.account}:{kind}/"
    return name.removeprefix(prefix) if name.startswith(prefix) else None


def _full(path: str, name: str) -> str:
    return f"{path}{name}".removeprefix("/")
