"""Instance types: their sizes, and what `optimal` or a family's name stands for.

The sizes are moto's copy of DescribeInstanceTypes, so that Batch, EC2 and what moto answers agree.
"""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

# Source: CreateComputeEnvironment, computeResources.instanceTypes.
_BUNDLES = {
    "optimal": ("m6i", "c6i", "r6i", "c7i"),
    "default_x86_64": ("m6i", "c6i", "r6i", "c7i"),
    "default_arm64": ("m6g", "c6g", "r6g", "c7g"),
}


@dataclass(frozen=True, slots=True, order=True)
class InstanceType:
    """Size of an instance type; small ones sort first."""

    vcpus: int
    memory: int  # MiB
    name: str
    architecture: str

    @property
    def family(self) -> str:
        """What stands before the dot."""
        return self.name.partition(".")[0]


@cache
def _catalogue() -> dict[str, InstanceType]:
    packed = resources.files("moto").joinpath("ec2/resources/instance_types.json.gz").read_bytes()
    found = {}
    for name, about in json.loads(gzip.decompress(packed)).items():
        supported = about["ProcessorInfo"]["SupportedArchitectures"]
        found[name] = InstanceType(
            vcpus=about["VCpuInfo"]["DefaultVCpus"],
            memory=about["MemoryInfo"]["SizeInMiB"],
            name=name,
            architecture="arm64" if "arm64" in supported else "x86_64",
        )
    return found


@cache
def _families() -> dict[str, tuple[InstanceType, ...]]:
    found: dict[str, list[InstanceType]] = {}
    for each in sorted(_catalogue().values()):
        if not each.name.endswith(".metal") and ".metal-" not in each.name:
            found.setdefault(each.family, []).append(each)
    return {family: tuple(types) for family, types in found.items()}


def instance_type(name: str) -> InstanceType | None:
    """The type of that name, None if EC2 has none."""
    return _catalogue().get(name)


def known(name: str) -> bool:
    """Whether Batch accepts the name: a type, a family or a bundle."""
    return bool(expand((name,)))


def expand(names: Iterable[str]) -> Sequence[InstanceType]:
    """All types that the names of types, families and bundles stand for, in the names' order."""
    found: dict[str, InstanceType] = {}
    for name in names:
        if (exact := instance_type(name)) is not None:
            found[name] = exact
        for family in _BUNDLES.get(name, (name,)):
            found.update((each.name, each) for each in _families().get(family, ()))
    return tuple(found.values())


def architectures(names: Iterable[str]) -> frozenset[str]:
    """The architectures among those types."""
    return frozenset(each.architecture for each in expand(names))
