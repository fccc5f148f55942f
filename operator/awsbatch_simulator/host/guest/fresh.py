"""What each host has before anything is baked into its image or run: files and links."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from awsbatch_simulator.host.guest import kernel, packages, units

# A small machine without anything baked into its image: what `Guest.about` has of each.
MACHINE: Mapping[str, Any] = MappingProxyType(
    {
        "region": "eu-central-1",
        "nitro": True,
        "volumes": [{"device": "/dev/xvda", "gib": 30, "id": "vol-0"}],
        "profile": True,
        "missingPackages": [],  # globs
        "missingImages": [],
        "unreachable": [],  # of hosts of the internet
        "cpus": 2,
        "threads": 2,  # of a core
        "memoryMib": 8192,
        "architecture": "x86_64",
        "kernelArguments": list(kernel.USUAL),
        "fileSystems": {},  # by EC2's device name
    }
)
LINKS = {
    f"{units.ETC}/{units.DEFAULT_TARGET}.wants/{name}": f"/usr/lib/systemd/system/{name}"
    for name in units.ENABLED
}
FILES = {
    packages.DATABASE: packages.stored(packages.INSTALLED),
    kernel.ENTRY: kernel.entry(),
    "/etc/default/grub": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_TIMEOUT=0\n',
    "/etc/machine-id": "uninitialized\n",
}
