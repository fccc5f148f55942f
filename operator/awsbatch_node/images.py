"""The images of the operator and of the simulator, built from the Dockerfile."""

import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from awsbatch_node import namespaces
from awsbatch_node.engine import Engine, build_words
from awsbatch_node.requirements import debian_suite, search_path
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.parts import Launcher, Part
from awsbatch_sandbox.paths import REPOSITORY
from awsbatch_sandbox.progress import Progress

BASE = "E2E_PYTHON_IMAGE"  # a variable that names another base than the Dockerfile's
OWN_BASE = "awsbatch-python:1"
# Debian's own Python under the name that the Dockerfile uses.
BASE_PACKAGES = ("ca-certificates", "netbase", "python3", "python3-venv", "python-is-python3")
CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")
# The names under which deploy/overlays/simulator looks for them.
REGISTRY = "registry.example.com"
LOOK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Images:
    """The names of the two images."""

    operator: str = f"{REGISTRY}/aws-batch-operator:0.1.0"
    simulator: str = f"{REGISTRY}/aws-batch-simulator:0.1.0"
    # The operator's once more under another name: what an upgrade goes to.
    newer: str = f"{REGISTRY}/aws-batch-operator:0.1.1"

    def by_target(self) -> dict[str, str]:
        """The names by the target of the Dockerfile."""
        return {"operator": self.operator, "simulator": self.simulator}

    def names(self) -> list[str]:
        """Everything that a cluster has to know."""
        return [self.operator, self.newer, self.simulator]


def build(engine: Engine, progress: Progress) -> Images:
    """Build both images with that engine."""
    with building(engine, progress) as built:
        return built()


@contextmanager
def building(engine: Engine, progress: Progress) -> Iterator[Callable[[], Images]]:
    """Both images, built by that engine while the block goes on; what it gets waits for them.

    Builds that nobody has waited for end with the block.
    """
    base = base_image(engine, progress)
    arguments = {"PYTHON_IMAGE": base} if base else {}
    builds: list[Part] = []
    with tempfile.TemporaryDirectory(prefix="awsbatch-builds-") as logs:
        launcher = Launcher(secrets.token_hex(4), Path(logs))
        try:
            for target, name in Images().by_target().items():
                progress.say(f"Building the image of the {target} …")
                words = build_words(REPOSITORY, target=target, name=name, arguments=arguments)
                command = ["docker", *words]
                builds.append(
                    launcher.start(target, command, environ=engine.environ, directory=REPOSITORY)
                )
            yield lambda: _built(engine, builds)
        finally:
            for build in builds:
                build.kill()


def _built(engine: Engine, builds: Sequence[Part]) -> Images:
    """The images, when they are there. SandboxError, with Docker's last words, if one fails."""
    for build in builds:
        while build.running():
            build.wait(LOOK_SECONDS)
        if build.exit_code() != 0:
            raise SandboxError(f"The image of the {build.name} was not built.{build.last_words()}")
    images = Images()
    engine("tag", images.operator, images.newer)
    return images


def base_image(engine: Engine, progress: Progress) -> str:
    """The base to build on; empty for the Dockerfile's own, which a registry must serve.

    Where none can be reached, the base is made from Debian's packages.
    """
    given = os.environ.get(BASE, "")
    if given or engine.has(OWN_BASE):
        return given or OWN_BASE
    theirs = dockerfile_base((REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    if engine.can_pull(theirs):
        return ""
    progress.say(f"{theirs} cannot be had: making a base from Debian's packages (once) …")
    _make_base(engine)
    return OWN_BASE


def dockerfile_base(text: str) -> str:
    """The base that a Dockerfile names as the default."""
    match = re.search(r"^ARG PYTHON_IMAGE=(\S+)$", text, re.MULTILINE)
    if match is None:
        raise SandboxError("The Dockerfile names no PYTHON_IMAGE: restore it from the repository.")
    return match.group(1)


def debootstrap_words(suite: str, root: Path) -> list[str]:
    """Command line that installs a small Debian with Python into a directory."""
    packages = ",".join(BASE_PACKAGES)
    return ["debootstrap", "--variant=minbase", f"--include={packages}", suite, str(root)]


def _make_base(engine: Engine) -> None:
    with tempfile.TemporaryDirectory(prefix="awsbatch-base-", dir="/var/tmp") as directory:
        root = Path(directory, "root")
        # It mounts /proc and /sys in there. Killed in its midst it must not leave them mounted:
        # what is in them would be removed with the directory.
        done = subprocess.run(
            namespaces.words(debootstrap_words(debian_suite(), root), network=False),
            capture_output=True,
            text=True,
            env=dict(os.environ) | {"PATH": search_path(dict(os.environ))},
            check=False,
        )
        if done.returncode != 0:
            raise SandboxError(
                f"debootstrap failed:\n{done.stdout[-2000:]}{done.stderr}\n"
                f"Mend that, or name an image with Python in {BASE}."
            )
        # Whom this machine trusts, the builds in it trust: it may reach PyPI through a proxy.
        shutil.copy(Path("/", CERTIFICATES), root / CERTIFICATES)
        (root / "etc/pip.conf").write_text(f"[global]\ncert = /{CERTIFICATES}\n", encoding="utf-8")
        for cache in ("var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(root / cache, ignore_errors=True)
        archive = Path(directory, "root.tar")
        subprocess.run(
            ["tar", "--directory", str(root), "--numeric-owner", "-cf", str(archive), "."],
            check=True,
        )
        engine("import", str(archive), OWN_BASE)
