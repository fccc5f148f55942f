"""Roles, profiles, subnets, security groups, images and key pairs, as other services see them.

As long as nobody has used moto's IAM or EC2 in a place, only what `seeds` promises exists there,
and moto need not be loaded to know it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from awsbatch_simulator import seeds
from awsbatch_simulator.bridge import public
from awsbatch_simulator.bridge.moto import MotoBridge
from awsbatch_simulator.context import Place
from awsbatch_simulator.ports import PublicImage, PublicParameter, SecurityGroup


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
        if not self._bridge.touched("iam", place):
            return next(
                (one.trust for one in seeds.ROLES if _full(one.path, one.name) == name), None
            )
        for found in self._bridge.backend("iam", place).get_roles():
            if _full(found.path, found.name) == name:
                policy: dict[str, Any] = json.loads(found.assume_role_policy_document)
                return policy  # `bridge.trust` lets nothing else into a role
        return None

    def instance_profile_exists(self, place: Place, profile: str) -> bool:
        name = _resource(place, profile, "instance-profile")
        if not self._bridge.touched("iam", place):
            return name == seeds.INSTANCE_PROFILE
        profiles = self._bridge.backend("iam", place).get_instance_profiles()
        return any(_full(found.path, found.name) == name for found in profiles)

    def subnet_zone(self, place: Place, subnet: str) -> str | None:
        if not self._bridge.touched("ec2", place):
            return seeds.subnets(place.region).get(subnet)
        for zone, group in self._bridge.backend("ec2", place).subnets.items():
            if subnet in group:
                return str(zone)
        return None

    def subnet_vpc(self, place: Place, subnet: str) -> str | None:
        if not self._bridge.touched("ec2", place):
            return seeds.VPC_ID if subnet in seeds.subnets(place.region) else None
        for group in self._bridge.backend("ec2", place).subnets.values():
            if subnet in group:
                return str(group[subnet].vpc_id)
        return None

    def subnet_network(self, place: Place, subnet: str) -> str | None:
        if not self._bridge.touched("ec2", place):
            return seeds.networks(place.region).get(subnet)
        for group in self._bridge.backend("ec2", place).subnets.values():
            if subnet in group:
                return str(group[subnet].cidr_block)
        return None

    def zone_ids(self, place: Place) -> Mapping[str, str]:
        zones = self._bridge.backend("ec2", place).describe_availability_zones()
        return {str(each.name): str(each.zone_id) for each in zones}

    def public_image(self, region: str, image: str) -> PublicImage | None:
        return public.images(region).get(image)

    def public_images(self, region: str) -> Mapping[str, PublicImage]:
        return public.images(region)

    def public_parameters(self, region: str) -> Mapping[str, PublicParameter]:
        return public.parameters(region)

    def security_group_exists(self, place: Place, group: str) -> bool:
        return self.security_group(place, group) is not None

    def security_group(self, place: Place, group: str) -> SecurityGroup | None:
        return next((each for each in self._groups(place) if each.id == group), None)

    def security_group_named(self, place: Place, vpc: str, name: str) -> SecurityGroup | None:
        return next(
            (each for each in self._groups(place) if (each.vpc_id, each.name) == (vpc, name)), None
        )

    def _groups(self, place: Place) -> Iterator[SecurityGroup]:
        if not self._bridge.touched("ec2", place):
            yield SecurityGroup(seeds.SECURITY_GROUP_ID, "default", seeds.VPC_ID)
            return
        for vpc, groups in self._bridge.backend("ec2", place).groups.items():
            for group in groups.values():
                yield SecurityGroup(str(group.id), str(group.name), str(vpc))

    def key_pair_exists(self, place: Place, name: str) -> bool:
        if not self._bridge.touched("ec2", place):
            return False
        return name in self._bridge.backend("ec2", place).key_pairs

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
