"""The public machine images of a region, read from moto's files without loading its EC2."""

import gzip
import json
from functools import cache
from importlib import resources


@cache
def public(region: str) -> frozenset[str]:
    """The ids that moto's DescribeImages shows in a fresh account."""
    files = resources.files("moto").joinpath("ec2/resources")
    found: set[str] = set()
    for name in ("amis", f"latest_amis/{region}", f"ecs/optimized_amis/{region}"):
        packed = files.joinpath(f"{name}.json.gz")
        if packed.is_file():  # moto knows fewer regions than there are
            found |= {image["ami_id"] for image in json.loads(gzip.decompress(packed.read_bytes()))}
    return frozenset(found)
