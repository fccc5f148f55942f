"""What a node of our own needs from this machine, and which Debian packages it comes from."""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from awsbatch_node.settings import CNI_PLUGINS
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.progress import Progress

SYSTEM_PATH = "/usr/sbin:/sbin"  # not on everybody's PATH, but where these commands are
COMMANDS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "dockerd": "docker.io",
    "docker": "docker.io",
    "debootstrap": "debootstrap",
}
MUCH_MEMORY = 6 * 1024 * 1024  # kB that are available
ENGINE = ("docker", "dockerd")
INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends")


class NotInstalledError(SandboxError):
    """The machine's package manager has not given what is missing; it says why."""


def search_path(environ: dict[str, str]) -> str:
    """The PATH on which system commands are found."""
    return ":".join(filter(None, (environ.get("PATH", ""), SYSTEM_PATH)))


def missing_packages(has: Callable[[str], bool], *, plugins: bool) -> list[str]:
    """The Debian packages of what is not there; `plugins` says whether CNI's are."""
    wanted = {package for command, package in COMMANDS.items() if not has(command)}
    if not plugins:
        wanted.add("containernetworking-plugins")
    return sorted(wanted)


def why_not(*, system: str, user: int) -> str:
    """Why no node can run here whatever is installed; empty if one can."""
    if system != "Linux":
        return f"this is {system}, and a node of our own needs Linux"
    return "a node of our own needs root" if user else ""


def ensure(progress: Progress, *, engine: bool) -> None:
    """Have all that a node needs, installing packages where CI is set; SandboxError if not.

    NotInstalledError where CI is set and the packages are not to be had.

    `engine` says whether a Docker engine runs already.
    """
    reason = why_not(system=platform.system(), user=os.geteuid())
    if reason:
        raise SandboxError(
            "There is no cluster for the tests: E2E_KUBECONFIG is not set, there is no kind with a "
            f"running Docker, and {reason}. Set one of them up, then run this again."
        )
    packages = _missing(engine=engine)
    if packages and os.environ.get("CI"):
        progress.say(f"Installing {', '.join(packages)} …")
        _install(packages)
        packages = _missing(engine=engine)
    if packages:
        raise SandboxError(
            "A node of our own needs more from this machine. Install it, then run this again:\n"
            f"    {' '.join(INSTALL)} {' '.join(packages)}"
        )


def _missing(*, engine: bool) -> list[str]:
    path, given = search_path(dict(os.environ)), ENGINE if engine else ()
    return missing_packages(
        lambda command: command in given or shutil.which(command, path=path) is not None,
        plugins=(CNI_PLUGINS / "bridge").exists() and (CNI_PLUGINS / "host-local").exists(),
    )


def _install(packages: list[str]) -> None:
    environ = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (("apt-get", "update", "--quiet"), (*INSTALL, "--quiet", *packages)):
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
        except FileNotFoundError as error:
            raise NotInstalledError(f"there is no {command[0]}") from error
        if done.returncode != 0:
            raise NotInstalledError(f"{' '.join(command)} failed: {' '.join(done.stderr.split())}")


def much_memory(information: Path = Path("/proc/meminfo")) -> bool:
    """Whether the node's images (1.5 GB) may be in memory, where they come and go faster."""
    lines = information.read_text(encoding="ascii").splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return int(found.get("MemAvailable", "0 kB").split()[0]) >= MUCH_MEMORY


def debian_suite(release: Path = Path("/etc/os-release")) -> str:
    """The codename of this Debian."""
    lines = release.read_text(encoding="utf-8").splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    return found.get("VERSION_CODENAME", "").strip('"') or "stable"
