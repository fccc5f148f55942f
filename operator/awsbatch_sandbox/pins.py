"""Which versions tools/go.mod pins, and the key under which the built tools are kept."""

import hashlib
import platform
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from awsbatch_sandbox.errors import ToolsMissing

KUBERNETES = "k8s.io/kubernetes"
ETCD = "go.etcd.io/etcd/server/v3"
OURS = "awsbatch.dev/tools"


class Tool(StrEnum):
    """A binary that is built from the Go module."""

    KUBECTL = "kubectl"
    ETCD = "etcd"
    API_SERVER = "kube-apiserver"
    CONTROLLER_MANAGER = "kube-controller-manager"
    SCHEDULER = "kube-scheduler"
    KUBELET = "kubelet"
    PROXY = "kube-proxy"
    PAUSE = "pause"

    @property
    def module(self) -> str:
        """The Go module that it comes from."""
        match self:
            case Tool.ETCD:
                return ETCD
            case Tool.PAUSE:
                return OURS
            case _:
                return KUBERNETES

    @property
    def package(self) -> str:
        """The Go package to build."""
        match self:
            case Tool.ETCD:
                return ETCD
            case Tool.PAUSE:
                return f"{OURS}/{self.value}"
            case _:
                return f"{KUBERNETES}/cmd/{self.value}"

    @property
    def version_arguments(self) -> tuple[str, ...]:
        """Arguments that make it print its version and end."""
        return ("version", "--client") if self is Tool.KUBECTL else ("--version",)


# A control plane without nodes; the rest is for a node.
CONTROL_PLANE = (Tool.KUBECTL, Tool.ETCD, Tool.API_SERVER, Tool.CONTROLLER_MANAGER)


@dataclass(frozen=True, slots=True)
class Pins:
    """What go.mod and go.sum say."""

    go: tuple[int, ...]  # the least Go version
    kubernetes: str  # "v1.36.3"
    etcd: str  # "v3.6.8"
    key: str  # changes when anything that is built may differ

    def version(self, tool: Tool) -> str:
        """The pinned version of a tool, with its leading v."""
        return self.etcd if tool is Tool.ETCD else self.kubernetes


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module that pins tools."""

    text: str  # go.mod
    go: tuple[int, ...]  # the least Go version
    key: str  # changes when anything that is built may differ


def read_module(directory: Path) -> Module:
    """Read the Go module in that directory; ToolsMissing if it is not there."""
    try:
        mod, total = (directory / "go.mod").read_bytes(), (directory / "go.sum").read_bytes()
        ours = [path.read_bytes() for path in sorted(directory.glob("*/*.go"))]
    except OSError as error:
        raise ToolsMissing(
            f"Cannot read {error.filename} ({error.strerror}): the sandbox takes the versions of "
            "its tools from there. Run it from a whole checkout of the repository."
        ) from error
    text = mod.decode()
    # The platform is part of the key: home directories are shared between machines.
    parts = (mod, total, *ours, platform.system().encode(), platform.machine().encode())
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
    least = go_version(find_in(r"^go (\S+)$", text, "a go directive"))
    return Module(text, least, digest[:16])


def read_pins(directory: Path) -> Pins:
    """Read the pins of the sandbox's tools; ToolsMissing if they are not in that directory."""
    module = read_module(directory)
    return Pins(
        go=module.go,
        kubernetes=find_in(rf"^\s+{re.escape(KUBERNETES)} (\S+)", module.text, KUBERNETES),
        etcd=find_in(rf"^\s+{re.escape(ETCD)} (v\S+)", module.text, ETCD),
        key=module.key,
    )


def go_version(text: str) -> tuple[int, ...]:
    """The numbers of a Go version such as "1.26.8" or "go1.27rc1"; empty if there are none."""
    match = re.match(r"(?:go)?(\d+)\.(\d+)(?:\.(\d+))?", text.strip())
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def find_in(pattern: str, text: str, what: str) -> str:
    """What go.mod has for a pattern's group; ToolsMissing if it has nothing."""
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise ToolsMissing(f"tools/go.mod names no {what}: restore it from the repository.")
    return match.group(1)
