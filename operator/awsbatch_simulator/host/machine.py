"""What a host is told of itself when it boots: CPUs, memory, disks, and what it cannot reach."""

from typing import Any

from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ec2.types import InstanceType, instance_type
from awsbatch_simulator.faults import Fault
from awsbatch_simulator.host import sizes
from awsbatch_simulator.host.baking import BakedRoot, FileSystem
from awsbatch_simulator.host.guest import fresh, kernel
from awsbatch_simulator.region import Region

_ROOTS = frozenset({"/dev/xvda", "/dev/sda1"})
_OF_CALLS = ("command", "arguments")  # in a fault's match: known only when the command is called


def about(region: Region, instance: Instance, baked: BakedRoot | None) -> dict[str, Any]:
    """The machine, for `guest/`; what is another for each host stands in `identity`."""
    size = instance_type(instance.type)
    settings = region.world.settings.hosts
    found = dict(fresh.MACHINE) | {
        "region": region.place.region,
        "nitro": not sizes.xen(instance.type),
        "volumes": _volumes(instance),
        "profile": bool(instance.request.get("IamInstanceProfile")),
        "missingPackages": list(settings.missing_packages),
        "missingImages": list(settings.missing_images),
        "unreachable": _unreachable(region, instance),
    }
    if size is not None:
        found |= {
            "cpus": sizes.vcpus(size, instance.request),
            "threads": sizes.threads(size, instance.request),
            "memoryMib": sizes.memory(size, settings),
            "architecture": size.architecture,
        }
    if baked is not None:
        found["kernelArguments"] = list(baked.kernel_arguments)
        found["fileSystems"] = {
            device: _stored(made) for device, made in baked.file_systems.items()
        }
    return found


def _volumes(instance: Instance) -> list[dict[str, Any]]:
    """The root first."""
    found = sorted(instance.volumes, key=lambda each: each.device not in _ROOTS)
    return [{"device": each.device, "gib": each.size, "id": each.id} for each in found]


def _stored(made: FileSystem) -> dict[str, Any]:
    return {"kind": made.kind, "uuid": made.uuid, "label": made.label, "size": made.size}


def traits(instance: Instance) -> dict[str, Any]:
    """What faults of a host are matched against."""
    return {
        "instanceId": instance.id,
        "imageId": instance.image_id,
        "instanceType": instance.type,
        "subnetId": instance.interfaces[0].subnet_id,
        "tags": [f"{key}={value}" for key, value in instance.tags.items()],
    }


def _unreachable(region: Region, instance: Instance) -> list[str]:
    """Globs of hosts of the internet."""
    found = region.world.faults.of_world("no_way_to_host", ("host",), **traits(instance))
    return [fault.spec.match.get("host", "*") for fault in found]


def command_faults(region: Region, instance: Instance) -> tuple[dict[str, Any], ...]:
    """The faults of commands that hold for a host, for `guest/machine.py`."""
    found = region.world.faults.of_world("host_command_fails", _OF_CALLS, **traits(instance))
    return tuple(_written(each) for each in found)


def _written(fault: Fault) -> dict[str, Any]:
    spec = fault.spec
    return {
        "id": fault.id,
        "command": spec.match.get("command", "*"),
        "arguments": spec.match.get("arguments", "*"),
        "code": spec.exit_code,
        "words": spec.message,
        "skip": max(0, spec.skip - fault.seen),
        "left": None if spec.times is None else spec.times - fault.struck,
    }


def online(instance: Instance, size: InstanceType, baked: BakedRoot | None) -> int:
    """The CPUs that an instance's kernel has online, and its agent registers."""
    cpus = sizes.vcpus(size, instance.request)
    if baked is None:
        return cpus
    threads = sizes.threads(size, instance.request)
    return kernel.left_online(baked.kernel_arguments, cpus=cpus, threads=threads)
