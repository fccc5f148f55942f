"""What AWS publishes in a region, read from moto's files without loading its EC2 and SSM.

Images are those that moto's DescribeImages shows in a fresh account, parameters those of its SSM
for ECS-optimized images and Amazon Linux.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from awsbatch_simulator.ports import PublicImage, PublicParameter

_VALUE = "Value"


@cache
def images(region: str) -> Mapping[str, PublicImage]:
    """The public images of a region, by id."""
    found: dict[str, PublicImage] = {}
    for name in ("amis", f"latest_amis/{region}", f"ecs/optimized_amis/{region}"):
        for one in _read("ec2", name) or ():
            found[one["ami_id"]] = PublicImage(
                id=one["ami_id"],
                name=one["name"],
                owner=one["owner_id"],
                architecture=one.get("architecture", "x86_64"),
                description=one.get("description") or "",
                root_device=one.get("root_device_name") or "/dev/xvda",
                windows=one.get("platform") == "windows",
            )
    return MappingProxyType(found)


@cache
def parameters(region: str) -> Mapping[str, PublicParameter]:
    """The public parameters of a region, by name.

    Values that AWS has as JSON are JSON; moto answers them as Python would print them.
    """
    found = {
        each["Name"]: PublicParameter(
            each["Name"], each[_VALUE], each["Version"], each["LastModifiedDate"]
        )
        for each in _read("ssm", f"ami-amazon-linux-latest/{region}") or ()
    }
    for each in _of_tree("", _read("ssm", f"ecs/optimized_amis/{region}") or {}, 0.0):
        found[each.name] = each
    return MappingProxyType(found)


def _of_tree(path: str, tree: Mapping[str, Any], changed_at: float) -> Iterator[PublicParameter]:
    """The parameters of a tree of names; what has a value may have names below it as well."""
    if _VALUE in tree:
        value = tree[_VALUE]
        changed_at = _released(value) or changed_at
        text = value if isinstance(value, str) else json.dumps(value)
        yield PublicParameter(path, text, changed_at=changed_at)
    for name, below in tree.items():
        if name != _VALUE:
            yield from _of_tree(f"{path}/{name}", below, changed_at)


def _released(value: Any) -> float:
    """When an image came out, by its version (`2023.0.20260330`); 0: it does not say."""
    version = value.get("image_version", "") if isinstance(value, dict) else ""
    try:
        return (
            datetime.strptime(version.rpartition(".")[2], "%Y%m%d").replace(tzinfo=UTC).timestamp()
        )
    except ValueError:
        return 0.0


def _read(service: str, name: str) -> Any:
    """One of moto's files; None for a region that it does not know."""
    file = resources.files("moto").joinpath(f"{service}/resources/{name}.json.gz")
    return json.loads(gzip.decompress(file.read_bytes())) if file.is_file() else None
