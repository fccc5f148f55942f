"""Puts what `seeds` promises into moto's fresh accounts."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any
from unittest.mock import patch

from awsbatch_simulator import seeds


def prepared(service: str, account: Any, where: str) -> Any:
    """Moto's backend of a service in an account (moto's mapping) and region, seeded."""
    match service:
        case "iam":
            return _iam(account[where])
        case "ec2":
            return _ec2(account, where)
        case _:
            return account[where]


def _iam(backend: Any) -> Any:
    for role in seeds.ROLES:
        backend.create_role(
            role_name=role.name,
            assume_role_policy_document=json.dumps(role.trust),
            path=role.path,
            permissions_boundary=None,
            description="Exists from the start in a simulated account",
            tags=[],
            max_session_duration="3600",
        )
    backend.create_instance_profile(
        name=seeds.INSTANCE_PROFILE, path="/", role_names=[seeds.INSTANCE_PROFILE]
    )
    return backend


def _ec2(account: Any, region: str) -> Any:
    """Moto gives the default network random ids while it makes it; they have to be fixed then."""
    with ExitStack() as stack:
        for name, prefix in (
            ("vpcs.random_vpc_id", "vpc"),
            ("subnets.random_subnet_id", "subnet"),
            ("security_groups.random_security_group_id", "sg"),
        ):
            numbers = count(1)
            stack.enter_context(patch(f"moto.ec2.models.{name}", _counter(prefix, numbers)))
        backend = account[region]
    zones = {subnet: zone for zone, group in backend.subnets.items() for subnet in group}
    if zones != seeds.subnets(region) or backend.default_vpc.id != seeds.VPC_ID:
        raise RuntimeError(f"moto's default network is not as expected: {zones}")
    return backend


def _counter(prefix: str, numbers: Iterator[int]) -> Callable[[], str]:
    return lambda: f"{prefix}-{next(numbers)}"
