"""Instance types: their sizes, and what `optimal` or a family's name stands for.

The sizes are moto's copy of DescribeInstanceTypes, so that Batch, EC2 and what moto answers agree.
"""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

# Source: CreateComputeEnvironment, computeResources.instanceTypes.
_BUNDLES = {
    "optimal": ("m6i", "c6i", "r6i", "c7i"),
    "default_x86_64": ("m6i", "c6i", "r6i", "c7i"),
    "default_arm64": ("m6g", "c6g", "r6g", "c7g"),
}


_MAKERS = {"Intel": "intel", "AMD": "amd", "AWS": "amazon-web-services"}


@dataclass(frozen=True, slots=True, order=True)
class InstanceType:
    """Size of an instance type; small ones sort first."""

    vcpus: int
    memory: int  # MiB
    name: str
    architecture: str
    cores: int = field(default=1, compare=False)
    threads: int = field(default=1, compare=False)  # of a core
    valid_cores: tuple[int, ...] = field(default=(), compare=False)
    valid_threads: tuple[int, ...] = field(default=(), compare=False)
    gpus: int = field(default=0, compare=False)
    metal: bool = field(default=False, compare=False)
    burstable: bool = field(default=False, compare=False)
    current: bool = field(default=True, compare=False)  # generation
    local_storage: bool = field(default=False, compare=False)
    maker: str = field(default="", compare=False)  # intel, amd or amazon-web-services
    markets: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def family(self) -> str:
        """What stands before the dot."""
        return self.name.partition(".")[0]


@cache
def _table() -> dict[str, bytes]:
    """What EC2 says of each type, as JSON: all of it as values would take 30 MB."""
    packed = resources.files("moto").joinpath("ec2/resources/instance_types.json.gz").read_bytes()
    return {
        name: json.dumps(about).encode()
        for name, about in json.loads(gzip.decompress(packed)).items()
    }


@cache
def _catalogue() -> dict[str, InstanceType]:
    found = {}
    for name in _table():
        about = described(name)
        supported = about["ProcessorInfo"]["SupportedArchitectures"]
        cpus = about["VCpuInfo"]
        found[name] = InstanceType(
            vcpus=cpus["DefaultVCpus"],
            memory=about["MemoryInfo"]["SizeInMiB"],
            name=name,
            architecture="arm64" if "arm64" in supported else "x86_64",
            cores=cpus.get("DefaultCores", cpus["DefaultVCpus"]),
            threads=cpus.get("DefaultThreadsPerCore", 1),
            valid_cores=tuple(cpus.get("ValidCores", ())),
            valid_threads=tuple(cpus.get("ValidThreadsPerCore", ())),
            gpus=sum(each.get("Count", 0) for each in about.get("GpuInfo", {}).get("Gpus", ())),
            metal=about.get("BareMetal", False),
            burstable=about.get("BurstablePerformanceSupported", False),
            current=about.get("CurrentGeneration", False),
            local_storage=about.get("InstanceStorageSupported", False),
            maker=_MAKERS.get(about["ProcessorInfo"].get("Manufacturer", ""), ""),
            markets=frozenset(about.get("SupportedUsageClasses", ())),
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


def described(name: str) -> dict[str, Any]:
    """What DescribeInstanceTypes says of a type. KeyError if EC2 has none of that name."""
    about: dict[str, Any] = json.loads(_table()[name])
    return about


def in_region(region: str) -> frozenset[str]:
    """The names of the types that EC2 has in some zone there; if nothing is known of it, all."""
    return frozenset(name for name, _ in _offered(region)) & _catalogue().keys() or frozenset(
        _catalogue()
    )


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


def every() -> Iterable[InstanceType]:
    """All types that there are, small ones first."""
    return sorted(_catalogue().values())


@cache
def _offered(region: str) -> frozenset[tuple[str, str]]:
    """Types with the zones in which EC2 has them, as DescribeInstanceTypeOfferings tells."""
    place = resources.files("moto").joinpath("ec2/resources/instance_type_offerings")
    packed = place.joinpath(f"availability-zone/{region}.json.gz")
    if not packed.is_file():  # moto knows fewer regions than there are
        return frozenset()
    found = json.loads(gzip.decompress(packed.read_bytes()))
    return frozenset((each["InstanceType"], each["Location"]) for each in found)


def offered(region: str, name: str, zone: str) -> bool:
    """Whether EC2 has a type in a zone; in a region that nothing is known of it has all."""
    known = _offered(region)
    return not known or (name, zone) in known
