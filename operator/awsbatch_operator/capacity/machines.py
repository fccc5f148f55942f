"""What the instances of a pool are made of, and the launch template that says so to EC2."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from awsbatch_operator.api.encoding import canonical
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.names import short_hash
from awsbatch_operator.api.tags import CONTENT, ECS_CLUSTER, POOL, PURPOSE, Owner
from awsbatch_operator.capacity.model import InstanceType, Market, Pool, Rung
from awsbatch_operator.userdata.model import Refused, Rendered, UserData
from awsbatch_operator.userdata.render import render

CAPACITY = "capacity"  # the purpose, as a tag says it
_METADATA: Mapping[str, Any] = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the instances of a pool are made of, with every reference of the spec resolved.

    `user_data` names the image, too. Its ends are left empty: a block fills in its own.
    """

    user_data: UserData
    security_groups: tuple[str, ...]  # none: the default one of the subnet's VPC
    instance_profile: str  # name or ARN
    key_name: str = ""
    block_devices: tuple[Shape, ...] = ()  # EC2's shape
    metadata_options: Shape = field(default_factory=dict)  # over our defaults
    placement: Shape = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A launch template as it is to be. `content` is the pool's, whatever the end and the cores."""

    name: str
    content: str
    cluster: str  # that its instances join
    request: Shape


def markets(pool: Pool) -> tuple[Market, ...]:
    """Where EC2 is asked for the pool's instances: OnDemand, Spot, or both in this order."""
    if pool.spot_block is None:
        return (pool.market,)
    spot = Rung.SPOT in pool.spot_block.fallback
    return (Market.ON_DEMAND, Market.SPOT) if spot else (Market.ON_DEMAND,)


@lru_cache(maxsize=256)
def rendered(wish: UserData) -> Rendered | Refused:
    """The user data, kept for as long as it is asked for again: each plan needs it."""
    return render(wish)


def template(
    owner: Owner,
    pool: Pool,
    machine: Machine,
    *,
    about: InstanceType | None = None,
    end: Instant | None = None,
    market: Market | None = None,
) -> Template | Refused:
    """The launch template for instances of that type (of any, without cpuOptions) and end.

    Without a market, for the one that the pool buys on first. Only a launch on Spot can tag Spot
    requests, so a block that may go either way has a template for each.
    """
    base = rendered(machine.user_data)
    made = base if end is None else rendered(replace(machine.user_data, ends_at=end))
    if isinstance(base, Refused):
        return base
    if isinstance(made, Refused):
        return made
    shared = owned(owner, pool.name)
    data = _data(machine)
    content = _hash(owner.uid, [data, base.hash, pool.threads_per_core, shared])
    if pool.threads_per_core is not None and about is not None:
        cores = {"CoreCount": about.default_cores, "ThreadsPerCore": pool.threads_per_core}
        data["CpuOptions"] = cores
    tags = {**shared, CONTENT: content, ECS_CLUSTER: machine.user_data.cluster}
    kinds = ["instance", "volume", "network-interface"]
    kinds += ["spot-instances-request"] if (market or markets(pool)[0]) is Market.SPOT else []
    name = f"awsbatch-{_hash(owner.uid, [data, made.hash, tags, kinds])}"
    data["UserData"] = base64.b64encode(made.content).decode()
    data["TagSpecifications"] = [tagged(kind, tags) for kind in kinds]
    request = {
        "LaunchTemplateName": name,
        "LaunchTemplateData": data,
        "TagSpecifications": [tagged("launch-template", tags)],
    }
    cluster = machine.user_data.cluster
    return Template(name=name, content=content, cluster=cluster, request=request)


def _data(machine: Machine) -> dict[str, Any]:
    profile = machine.instance_profile
    named = {"Arn": profile} if profile.startswith("arn:") else {"Name": profile}
    data: dict[str, Any] = {
        "ImageId": machine.user_data.image_id,
        "IamInstanceProfile": named,
        "InstanceInitiatedShutdownBehavior": "terminate",
        "MetadataOptions": {**_METADATA, **machine.metadata_options},
    }
    if machine.security_groups:
        data["SecurityGroupIds"] = list(machine.security_groups)
    if machine.key_name:
        data["KeyName"] = machine.key_name
    if machine.block_devices:
        data["BlockDeviceMappings"] = [dict(each) for each in machine.block_devices]
    if machine.placement:
        data["Placement"] = dict(machine.placement)
    return data


def _hash(uid: str, value: Any) -> str:
    return short_hash(uid, canonical(value).decode(), digits=32)


def owned(owner: Owner, pool: str) -> dict[str, str]:
    """The tags of everything that is made for a pool."""
    return {**owner.tags(), PURPOSE: CAPACITY, POOL: pool}


def tagged(kind: str, tags: Mapping[str, str]) -> Shape:
    """An entry of TagSpecifications."""
    rows = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
    return {"ResourceType": kind, "Tags": rows}
