"""The public machine images of a region, read from moto's files without loading its EC2."""

import gzip
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType


@cache
def public(region: str) -> Mapping[str, str]:
    """The ids that moto's DescribeImages shows in a fresh account, each with its architecture."""
    files = resources.files("moto").joinpath("ec2/resources")
    found: dict[str, str] = {}
    for name in ("amis", f"latest_amis/{region}", f"ecs/optimized_amis/{region}"):
        packed = files.joinpath(f"{name}.json.gz")
        if packed.is_file():  # moto knows fewer regions than there are
            for image in json.loads(gzip.decompress(packed.read_bytes())):
                found[image["ami_id"]] = image.get("architecture", "x86_64")
    return MappingProxyType(found)
