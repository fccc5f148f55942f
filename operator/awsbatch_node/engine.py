"""A Docker engine: the machine's own where one runs, else one that we start for a while.

Ours leaves the machine's network as it is: what is built uses it directly. It keeps its layers in
our cache, so that the next build finds the dependencies installed.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from awsbatch_node import cgroups, namespaces
from awsbatch_node.requirements import search_path
from awsbatch_sandbox import processes
from awsbatch_sandbox.errors import ProcessFailed, SandboxError
from awsbatch_sandbox.interrupts import uninterrupted
from awsbatch_sandbox.locks import exclusive
from awsbatch_sandbox.parts import Launcher, Part
from awsbatch_sandbox.progress import Progress

SOCKET = "docker.sock"
READY_SECONDS = 60.0
END_SECONDS = 20.0
KEPT = "72h"  # how long our engine keeps what has no name
PULL_SECONDS = 60.0


def daemon_words(root: Path) -> list[str]:
    """Command line of our dockerd, with a /run of its own."""
    command = [
        "dockerd",
        f"--config-file={root / 'daemon.json'}",
        f"--data-root={root / 'data'}",
        "--exec-root=/run/docker",
        "--pidfile=/run/docker.pid",
        f"--host=unix://{root / SOCKET}",
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
        "--exec-opt=native.cgroupdriver=cgroupfs",
        f"--cgroup-parent=/{cgroup(root)}",
    ]
    script = 'mount -t tmpfs -o mode=755 tmpfs /run && exec "$@"'
    return namespaces.words(["sh", "-c", script, "sh", *command], network=False)


def cgroup(root: Path) -> str:
    """The cgroup of what our engine runs."""
    return f"awsbatch-{root.name}"


def build_words(source: Path, *, target: str, name: str, arguments: Mapping[str, str]) -> list[str]:
    """Command line that builds a target of the repository's Dockerfile."""
    given = [f"--build-arg={key}={value}" for key, value in arguments.items()]
    return ["build", "--network=host", f"--target={target}", f"--tag={name}", *given, str(source)]


@dataclass(frozen=True, slots=True)
class Engine:
    """Docker's client with the engine that it shall talk to."""

    environ: Mapping[str, str]

    def __call__(self, *arguments: str, seconds: float | None = None) -> str:
        """Run docker and return what it printed; SandboxError with its words if it fails."""
        done = self.run(*arguments, seconds=seconds)
        if done.returncode != 0:
            words = "\n".join([*done.stdout.splitlines()[-20:], done.stderr.strip()])
            raise SandboxError(f"docker {' '.join(arguments)} failed:\n{words}")
        return done.stdout

    def run(
        self, *arguments: str, seconds: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run docker, whatever comes of it; one that takes longer has failed."""
        command = ["docker", *arguments]
        try:
            return subprocess.run(
                command,
                capture_output=True,
                text=True,
                env=dict(self.environ),
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, "", f"no answer within {seconds:.0f} s")

    def has(self, image: str) -> bool:
        """Whether the engine has an image of that name."""
        return self.run("image", "inspect", image).returncode == 0

    def can_pull(self, image: str) -> bool:
        """Whether the engine has an image, or gets it from its registry."""
        return self.has(image) or (
            self.run("pull", "--quiet", image, seconds=PULL_SECONDS).returncode == 0
        )


def machines_own(environ: Mapping[str, str]) -> Engine | None:
    """The engine that this machine's docker talks to; None if there is none."""
    if shutil.which("docker", path=environ.get("PATH")) is None:
        return None
    found = Engine(_client_environment(environ))
    return found if found.run("version", seconds=READY_SECONDS).returncode == 0 else None


@contextmanager
def of_our_own(cache: Path, progress: Progress) -> Iterator[Engine]:
    """An engine that ends with the block, and with this process. ProcessFailed if it cannot run."""
    root = cache / "engine"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    said = "Another process uses our Docker engine; waiting for it …"
    with exclusive(root / "lock", on_wait=lambda: progress.say(said)), _daemon(root) as daemon:
        environ = dict(os.environ) | {"DOCKER_HOST": f"unix://{root / SOCKET}"}
        engine = Engine(_client_environment(environ))
        daemon.wait_until(
            lambda: engine.run("version").returncode == 0,
            what="Docker answers",
            seconds=READY_SECONDS,
        )
        # Each change of the code leaves an image that nobody uses any more. The build's own steps
        # go with them and are made anew: once in some days.
        for kind, *choice in (("container",), ("image", f"--filter=until={KEPT}")):
            engine(kind, "prune", "--force", *choice)
        yield engine


@contextmanager
def _daemon(root: Path) -> Iterator[Part]:
    """Our dockerd, which ends in its own way, so that its layers stay whole."""
    (root / "dockerd.log").unlink(missing_ok=True)
    (root / "daemon.json").write_text("{}\n", encoding="ascii")
    launcher = Launcher(secrets.token_hex(4), root)
    path = search_path(dict(os.environ))
    daemon = launcher.start("dockerd", daemon_words(root), environ={"PATH": path}, directory=root)
    try:
        yield daemon
    finally:
        with uninterrupted():
            with suppress(ProcessFailed):  # it has ended by itself
                first = namespaces.first_process(daemon)
                processes.end([first], grace_seconds=END_SECONDS)
            daemon.kill()
            launcher.end_leftovers()
            cgroups.remove(cgroup(root))


def _client_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """A client without its plugin for BuildKit refuses to build unless it is told not to use it."""
    kept = dict(environ) | {"PATH": search_path(dict(environ))}
    done = subprocess.run(
        ["docker", "buildx", "version"], capture_output=True, env=kept, check=False
    )
    return kept if done.returncode == 0 else kept | {"DOCKER_BUILDKIT": "0"}
