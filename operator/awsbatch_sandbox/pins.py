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


class Tool(StrEnum):
    """A binary that the sandbox runs."""

    KUBECTL = "kubectl"
    ETCD = "etcd"
    API_SERVER = "kube-apiserver"
    CONTROLLER_MANAGER = "kube-controller-manager"

    @property
    def module(self) -> str:
        """The Go module that it comes from."""
        return ETCD if self is Tool.ETCD else KUBERNETES

    @property
    def package(self) -> str:
        """The Go package to build."""
        return ETCD if self is Tool.ETCD else f"{KUBERNETES}/cmd/{self.value}"

    @property
    def version_arguments(self) -> tuple[str, ...]:
        """Arguments that make it print its version and end."""
        return ("version", "--client") if self is Tool.KUBECTL else ("--version",)


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


def read_pins(module: Path) -> Pins:
    """Read the pins of the Go module in that directory; ToolsMissing if they are not there."""
    try:
        mod, total = (module / "go.mod").read_bytes(), (module / "go.sum").read_bytes()
    except OSError as error:
        raise ToolsMissing(
            f"Cannot read {error.filename} ({error.strerror}): the sandbox takes the versions of "
            "its tools from there. Run it from a whole checkout of the repository."
        ) from error
    text = mod.decode()
    # The platform is part of the key: home directories are shared between machines.
    parts = (mod, total, platform.system().encode(), platform.machine().encode())
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
    return Pins(
        go=go_version(_find(r"^go (\S+)$", text, "a go directive")),
        kubernetes=_find(rf"^\s+{re.escape(KUBERNETES)} (\S+)", text, KUBERNETES),
        etcd=_find(rf"^\s+{re.escape(ETCD)} (v\S+)", text, ETCD),
        key=digest[:16],
    )


def go_version(text: str) -> tuple[int, ...]:
    """The numbers of a Go version such as "1.26.8" or "go1.27rc1"; empty if there are none."""
    match = re.match(r"(?:go)?(\d+)\.(\d+)(?:\.(\d+))?", text.strip())
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def _find(pattern: str, text: str, what: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise ToolsMissing(f"tools/go.mod names no {what}: restore it from the repository.")
    return match.group(1)
