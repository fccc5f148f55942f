"""The cluster that the tests run on: the first that there is of three kinds.

1. The one of E2E_KUBECONFIG, with the images of E2E_OPERATOR_IMAGE and E2E_SIMULATOR_IMAGE, which
   it can pull.
2. kind, where kind is there and Docker runs.
3. A node of our own, on Linux as root.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from awsbatch_node import engine as engines
from awsbatch_node import images, leftovers, requirements
from awsbatch_node.engine import Engine
from awsbatch_node.images import Images
from awsbatch_node.node import Node
from awsbatch_sandbox.binaries import find
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.kubectl import Kubectl
from awsbatch_sandbox.paths import REPOSITORY, cache_directory
from awsbatch_sandbox.pins import Tool
from awsbatch_sandbox.progress import Progress

GIVEN = "E2E_KUBECONFIG"
GIVEN_OPERATOR, GIVEN_SIMULATOR = "E2E_OPERATOR_IMAGE", "E2E_SIMULATOR_IMAGE"
KIND_SETTINGS = REPOSITORY / "tests" / "e2e" / "kind.yaml"
KIND_SECONDS = 600.0
LOGS = REPOSITORY / ".e2e"  # git does not know it

Timed = Callable[[str], None]  # told when a step is done


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster with the images in it."""

    kubectl: Kubectl
    images: Images
    resolves_services: bool  # whether there is cluster DNS
    # SIGKILL to a container's first process, by its id in the runtime; None where nobody can.
    kill: Callable[[str], None] | None
    machine: Node | None = None  # where it is ours to freeze and to cut off its power
    stays: bool = False  # whether it lives on when the tests have ended


@contextmanager
def open_cluster(progress: Progress, done: Timed, environ: Mapping[str, str]) -> Iterator[Cluster]:
    """The cluster; what was made for it goes again. SandboxError if there is none."""
    if environ.get(GIVEN):
        yield given(environ)
        return
    own = engines.machines_own(environ)
    if own is not None and has_kind(own, environ):
        with kind(own, progress, done) as cluster:
            yield cluster
        return
    requirements.ensure(progress, engine=own is not None)
    with node(own, progress, done, environ) as cluster:
        yield cluster


def has_kind(own: Engine | None, environ: Mapping[str, str]) -> bool:
    """Whether kind can make a cluster on the machine's own engine."""
    return own is not None and shutil.which("kind", path=environ.get("PATH")) is not None


def given(environ: Mapping[str, str]) -> Cluster:
    """The cluster of E2E_KUBECONFIG. SandboxError without that file or the names of the images."""
    missing = [name for name in (GIVEN_OPERATOR, GIVEN_SIMULATOR) if not environ.get(name)]
    if missing:
        raise SandboxError(
            f"{GIVEN} is set, {' and '.join(missing)} not: name the images that the cluster can "
            "pull, built from the Dockerfile's targets operator and simulator."
        )
    path = Path(environ[GIVEN]).resolve()
    if not path.is_file():  # kubectl would look for a cluster on this machine
        raise SandboxError(
            f"{GIVEN} is {environ[GIVEN]}: there is no such file. Name a kubeconfig."
        )
    return Cluster(
        kubectl=_kubectl(path, LOGS / "kubectl-cache"),
        images=Images(
            environ[GIVEN_OPERATOR], environ[GIVEN_SIMULATOR], newer=environ[GIVEN_OPERATOR]
        ),
        resolves_services=True,
        kill=None,
        stays=True,
    )


@contextmanager
def kind(engine: Engine, progress: Progress, done: Timed) -> Iterator[Cluster]:
    """A cluster that kind makes on that engine."""
    built = images.build(engine, progress)
    done("images built")
    name = f"awsbatch-e2e-{secrets.token_hex(3)}"
    with TemporaryDirectory(prefix="awsbatch-kind-") as directory:
        path = Path(directory, "kubeconfig")
        try:
            _kind("create", "cluster", f"--config={KIND_SETTINGS}", "--wait=120s", name, path)
            for image in built.names():
                _kind("load", "docker-image", image, name, path)
            done("kind's cluster up, images loaded")
            yield Cluster(
                kubectl=_kubectl(path, Path(directory, "cache")),
                images=built,
                resolves_services=True,
                kill=lambda container: _kill_in_kind(engine, name, container),
            )
        finally:
            _kind("delete", "cluster", name, path)


@contextmanager
def node(
    own: Engine | None, progress: Progress, done: Timed, environ: Mapping[str, str]
) -> Iterator[Cluster]:
    """A node of our own; the images are built by the machine's engine or by one of ours."""
    leftovers.sweep()
    binaries = find(tuple(Tool), environ=environ, progress=progress)
    done("tools found or built")
    with ExitStack() as held:
        with _engine(own, progress, environ) as engine, images.building(engine, progress) as built:
            done("Docker engine up")
            made = held.enter_context(Node(binaries, logs=LOGS))
            done("node Ready")
            found = built()
            done("images built")
            archive = made.place.images / "built.tar"
            engine("save", f"--output={archive}", *found.names())
            done("images saved")
        made.load(archive)
        archive.unlink()
        done("images loaded")
        yield Cluster(
            kubectl=made.kubectl,
            images=found,
            resolves_services=False,
            kill=made.kill,
            machine=made,
        )
    done("torn down")


@contextmanager
def _engine(own: Engine | None, progress: Progress, environ: Mapping[str, str]) -> Iterator[Engine]:
    if own is not None:
        yield own
        return
    with engines.of_our_own(cache_directory(environ), progress) as engine:
        yield engine


def _kubectl(kubeconfig: Path, cache: Path) -> Kubectl:
    return Kubectl(find((Tool.KUBECTL,))[Tool.KUBECTL], kubeconfig, cache)


def _kind(*words: str | Path) -> None:
    """Run kind; the last two words are the cluster's name and where its kubeconfig goes."""
    *command, name, kubeconfig = map(str, words)
    done = subprocess.run(
        ["kind", *command, f"--name={name}"],
        env=dict(os.environ) | {"KUBECONFIG": kubeconfig},
        capture_output=True,
        text=True,
        timeout=KIND_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise SandboxError(f"kind {' '.join(command)} failed:\n{done.stderr.strip()}")


def _kill_in_kind(engine: Engine, name: str, container: str) -> None:
    kill = ("ctr", "--namespace=k8s.io", "task", "kill", "--signal=SIGKILL", container)
    engine("exec", f"{name}-control-plane", *kill)
