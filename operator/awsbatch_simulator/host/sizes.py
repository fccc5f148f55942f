"""What the agent registers of an instance type: CPU, memory and GPUs.

The agent registers the memory that the kernel sees (Docker's ReadMemInfo), which is less than the
nominal size. AWS names one figure; the formulas for all others go through what users have seen.
"""

import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from awsbatch_simulator.ec2.types import InstanceType
from awsbatch_simulator.hosting import Hosts

# MiB. Source: Batch user guide, "Compute resource memory management" (8373026816 bytes).
_MEASURED = {"m4.large": 7985}
_XEN_FIXED, _XEN_SHARE = 80, 64  # MiB, and one MiB of so many
_NITRO_FIXED, _NITRO_SHARE = 50, 393  # MiB, and of ten thousand

MANAGED_RESERVED = 32  # ECS_RESERVED_MEMORY that Batch sets on its own instances: aws/aws-cdk#9900


@dataclass(frozen=True, slots=True)
class _About:
    xen: bool
    gpus: int


@cache
def _catalogue() -> dict[str, _About]:
    packed = resources.files("moto").joinpath("ec2/resources/instance_types.json.gz").read_bytes()
    return {
        name: _About(
            about.get("Hypervisor") == "xen",
            sum(each.get("Count", 0) for each in about.get("GpuInfo", {}).get("Gpus", ())),
        )
        for name, about in json.loads(gzip.decompress(packed)).items()
    }


def memory(size: InstanceType, settings: Hosts) -> int:
    """MiB that are registered, before ECS_RESERVED_MEMORY."""
    if (given := settings.registered_memory.get(size.name)) is not None:
        return given
    if (measured := _MEASURED.get(size.name)) is not None:
        return measured
    if _catalogue()[size.name].xen:
        return size.memory - _XEN_FIXED - size.memory // _XEN_SHARE
    return size.memory - _NITRO_FIXED - size.memory * _NITRO_SHARE // 10_000


def gpus(type_name: str) -> int:
    """How many GPUs a type has."""
    about = _catalogue().get(type_name)
    return about.gpus if about is not None else 0


def vcpus(size: InstanceType, request: dict[str, Any]) -> int:
    """The vCPUs of an instance: those of its CpuOptions, if it has any."""
    options = request.get("CpuOptions") or {}
    cores = int(options.get("CoreCount") or size.vcpus // size.threads)
    return cores * threads(size, request) if options else size.vcpus


def threads(size: InstanceType, request: dict[str, Any]) -> int:
    """Threads of a core of an instance."""
    options = request.get("CpuOptions") or {}
    return int(options.get("ThreadsPerCore") or size.threads)


def xen(type_name: str) -> bool:
    """Whether a type runs on Xen, and not on Nitro."""
    about = _catalogue().get(type_name)
    return about is not None and about.xen
