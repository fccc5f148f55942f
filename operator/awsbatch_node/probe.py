"""Whether `make e2e` can have a cluster here: tried on this machine, and not guessed.

Ends with 0 if it can, or if a cluster is given; with CANNOT, after saying what is missing, if this
machine cannot run a node whatever is installed on it, or, where CI is set, if it cannot install
what is missing. What a person can mend by installing something is an error as everywhere.
"""

import os
import platform
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping

from awsbatch_node import cgroups, namespaces, requirements
from awsbatch_node import engine as engines
from awsbatch_node.clusters import GIVEN, has_kind
from awsbatch_node.requirements import search_path
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.progress import Progress

CANNOT = 3
# What a node does in namespaces of its own, as a shell says it.
NAMESPACES = "namespaces for processes, mounts and the network"
NEEDS = {
    "mounts (tmpfs)": "mount -t tmpfs tmpfs /mnt",
    "layered mounts (overlayfs)": (
        "mount -t tmpfs tmpfs /mnt && mkdir /mnt/a /mnt/b /mnt/c /mnt/d && "
        "mount -t overlay -o lowerdir=/mnt/a,upperdir=/mnt/b,workdir=/mnt/c overlay /mnt/d"
    ),
    "networks of its own (bridge, veth)": (
        "ip link add node0 type bridge && ip link add pod0 type veth peer name pod1"
    ),
    "a packet filter of its own (iptables, with its table nat)": (
        "iptables -t nat -A PREROUTING -m comment --comment probe -j ACCEPT"
    ),
    "forwarding between networks": "echo 1 > /proc/sys/net/ipv4/ip_forward",
}


def cannot(tried: Callable[[str], str]) -> list[str]:
    """What the machine does not allow, each with what it said itself."""
    if said := tried("true"):
        return [f"{NAMESPACES}: {said}"]  # without which nothing else can be tried
    found = [f"{what}: {said}" for what, script in NEEDS.items() if (said := tried(script))]
    said = _cgroups()
    return [*found, *([f"cgroups that can be written: {said}"] if said else [])]


def in_namespaces(script: str) -> str:
    """Run that as a node would; what it said if it failed, else nothing."""
    done = subprocess.run(
        namespaces.words(["sh", "-c", script], network=True),
        capture_output=True,
        text=True,
        env=dict(os.environ) | {"PATH": search_path(dict(os.environ))},
        check=False,
    )
    if done.returncode == 0:
        return ""
    return " ".join(done.stderr.split()) or f"exit code {done.returncode}"


def _cgroups() -> str:
    name = f"awsbatch-probe-{secrets.token_hex(4)}"
    try:
        if not cgroups.hierarchies(cgroups.MOUNTS.read_text(encoding="utf-8")):
            return "none are mounted"
        cgroups.create(name)
    except OSError as error:
        return str(error)
    finally:
        cgroups.remove(name)
    return ""


def look(progress: Progress, environ: Mapping[str, str]) -> list[str]:
    """What is missing for a cluster; SandboxError if it only has to be installed."""
    if environ.get(GIVEN):
        return []
    own = engines.machines_own(environ)
    if has_kind(own, environ):
        return []
    reason = requirements.why_not(system=platform.system(), user=os.geteuid())
    if reason:
        return [reason]
    try:
        requirements.ensure(progress, engine=own is not None)
    except requirements.NotInstalledError as error:
        return [f"packages: {error}"]
    return cannot(in_namespaces)


def main() -> int:
    """Say loudly what is missing, if something is."""
    try:
        missing = look(Progress(sys.stderr), os.environ)
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    if not missing:
        return 0
    print(
        "\nThis machine cannot run a Kubernetes node, and no other cluster is named "
        f"({GIVEN}, or kind with a running Docker). What it lacks or forbids:",
        *(f"  - {each}" for each in missing),
        "So nothing of the installation was tried in a real cluster.",
        f"e2e NOT RUN: {'; '.join(missing)}",
        sep="\n",
    )
    return CANNOT


if __name__ == "__main__":
    sys.exit(main())
