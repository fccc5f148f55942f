"""A whole local installation: control plane, simulated AWS, and operators, each a process."""

import http.client
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from awsbatch_sandbox import installation, processes
from awsbatch_sandbox.aws import SimulatedAws
from awsbatch_sandbox.binaries import Binaries
from awsbatch_sandbox.controlplane import ControlPlane
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.interrupts import uninterrupted
from awsbatch_sandbox.parts import Launcher, Part
from awsbatch_sandbox.paths import REPOSITORY, Layout
from awsbatch_sandbox.ports import LOOPBACK, listening_port

READY_SECONDS = 60.0
SIMULATOR_GRACE_SECONDS = 5.0
OPERATOR_GRACE_SECONDS = 20.0  # it gives calls in flight up to 14 s
OPERATOR = "operator"
SIMULATOR = "simulator"


@dataclass(frozen=True, slots=True)
class Start:
    """How an operator was started, to start it again in the same way."""

    flags: tuple[str, ...]
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OperatorIdentity:
    """Who an operator is in the cluster, as its pod would know it."""

    kubeconfig: Path
    namespace: str

    def environment(self) -> dict[str, str]:
        """The variables that a pod of the Deployment has."""
        return {"KUBECONFIG": str(self.kubeconfig), "POD_NAMESPACE": self.namespace}


class Sandbox:
    """One local installation below a directory of its own.

    A context manager that ends all of it. The parts die with this process, however it ends, unless
    the launcher is detached. Start what you need in this order: control plane, simulator,
    `install`, operators. With a `control_plane` that runs already (tests share one), that one is
    used and left running.
    """

    def __init__(
        self,
        directory: Path,
        *,
        controllers: bool = False,
        binaries: Binaries | None = None,
        launcher: Launcher | None = None,
        control_plane: ControlPlane | None = None,
    ) -> None:
        self.layout = Layout(directory)
        self.layout.create()
        self.launcher = launcher or Launcher(secrets.token_hex(4), self.layout.logs)
        self._shares_control_plane = control_plane is not None
        self.control_plane = control_plane or ControlPlane(
            directory, controllers=controllers, binaries=binaries, launcher=self.launcher
        )
        self._aws: SimulatedAws | None = None
        self._simulator: Part | None = None
        self._identity: OperatorIdentity | None = None
        self._operators: dict[str, Part] = {}
        self._starts: dict[str, Start] = {}

    @property
    def cluster_id(self) -> str:
        """The cluster id of this sandbox's operators: new for every sandbox, as its AWS is."""
        return f"sandbox-{self.launcher.sandbox_id}"

    @property
    def aws(self) -> SimulatedAws:
        """The simulated AWS, once it has been started."""
        if self._aws is None:
            raise SandboxError("The simulator has not been started: call start_simulator first.")
        return self._aws

    def start_control_plane(self) -> ControlPlane:
        """Start etcd and the API server; nothing of ours is installed yet."""
        return self.control_plane.start()

    def start_simulator(
        self, *flags: str, environ: Mapping[str, str] | None = None
    ) -> SimulatedAws:
        """Start the simulated AWS on a free port and return how to reach it."""
        ready = self.layout.simulator_ready
        ready.unlink(missing_ok=True)
        command = ["--port", "0", "--ready-file", str(ready), *flags]
        self._simulator = self._start_python(
            SIMULATOR,
            ["awsbatch_simulator", *command],
            environ=environ or {},
            grace_seconds=SIMULATOR_GRACE_SECONDS,
        )
        self._simulator.wait_until(ready.exists, what="it listens", seconds=READY_SECONDS)
        self._aws = SimulatedAws.read(ready)
        return self._aws

    def install(self) -> None:
        """Install the CRDs and the operator's identity."""
        installation.install_crds(self.control_plane.kubectl)
        self.install_operator_identity()

    def install_operator_identity(self, directory: Path = installation.BASE) -> None:
        """Install the operator's ServiceAccount and its RBAC, and get it a token."""
        account = installation.install_operator_identity(self.control_plane.kubectl, directory)
        path = self.control_plane.service_account_kubeconfig(account.namespace, account.name)
        self._identity = OperatorIdentity(path, account.namespace)

    @property
    def operator_namespace(self) -> str:
        """Where the operator's ServiceAccount and its lease are."""
        return self._known_identity().namespace

    def start_operator(
        self,
        *flags: str,
        name: str = OPERATOR,
        environ: Mapping[str, str] | None = None,
        until: str = "/readyz",
    ) -> Part:
        """Start an operator and return once it is ready, which does not mean that it leads.

        `name` tells replicas apart. `environ` comes on top of the credentials of the operator's
        ServiceAccount and of the simulated AWS. One that cannot become ready is waited for `until`
        it answers at "/livez".
        """
        if name in self._operators:
            raise SandboxError(f"{name} has been started already: stop it, or use another name.")
        self._starts[name] = Start(flags, environ or {})
        return self._start_operator(name, until=until)

    def stop_operator(self, name: str = OPERATOR) -> None:
        """End an operator as Kubernetes does: SIGTERM, and SIGKILL if it takes too long."""
        self._operators.pop(name).stop()

    def kill_operator(self, name: str = OPERATOR) -> None:
        """End an operator as a crash does: SIGKILL."""
        self._operators.pop(name).kill()

    def restart_operator(self, name: str = OPERATOR) -> Part:
        """Start an operator again as it was started before, ending it first if it still runs."""
        if name in self._operators:
            self.stop_operator(name)
        return self._start_operator(name)

    def check(self) -> None:
        """ProcessFailed if the simulator or an operator has ended by itself."""
        for part in (self._simulator, *self._operators.values()):
            if part is not None:
                part.check()

    def wait(self, seconds: float) -> None:
        """Return when the simulator or an operator has ended, or when the time is up."""
        parts = (self._simulator, *self._operators.values())
        processes.wait_for_one((part.identity for part in parts if part is not None), seconds)

    def stop(self) -> None:
        """End everything: operators, simulator, control plane."""
        with uninterrupted():
            for part in reversed(list(self._operators.values())):
                part.stop()
            self._operators.clear()
            if self._simulator is not None:
                self._simulator.stop()
                self._simulator = None
            if not self._shares_control_plane:
                self.control_plane.stop()
            self.launcher.end_leftovers()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def operator_url(self, name: str = OPERATOR) -> str | None:
        """Where an operator serves /livez, /readyz and /metrics; None if it does not listen."""
        return _url(self._operators[name])

    def operator_last_words(self, name: str = OPERATOR) -> str:
        """The end of an operator's log, as a paragraph of an error message."""
        return self._operators[name].last_words()

    def _start_operator(self, name: str, *, until: str = "/readyz") -> Part:
        start, identity = self._starts[name], self._known_identity()
        command = ["run", "--cluster-id", self.cluster_id, "--identity", name]
        listen = ["--listen-host", LOOPBACK, "--listen-port", "0"]
        # One that is killed leaves the certificates there that its clients were made with.
        own = {"TMPDIR": str(self.layout.temporary)}
        part = self._start_python(
            name,
            ["awsbatch_operator", *command, *listen, *start.flags],
            environ=self.aws.environment() | identity.environment() | own | dict(start.environ),
            grace_seconds=OPERATOR_GRACE_SECONDS,
        )
        self._operators[name] = part
        wait_until_ready(part, at=until)
        return part

    def _known_identity(self) -> OperatorIdentity:
        if self._identity is None:
            raise SandboxError("The operator has no ServiceAccount yet: call install first.")
        return self._identity

    def _start_python(
        self,
        name: str,
        module: Sequence[str],
        *,
        environ: Mapping[str, str],
        grace_seconds: float,
    ) -> Part:
        paths = {"PYTHONPATH": str(REPOSITORY / "operator"), "PYTHONUNBUFFERED": "1"}
        return self.launcher.start(
            name,
            [sys.executable, "-m", *module],
            environ=paths | dict(environ),
            directory=self.layout.root,
            grace_seconds=grace_seconds,
        )


def wait_until_ready(operator: Part, *, at: str = "/readyz") -> None:
    """Return once an operator is ready, which does not mean that it leads. ProcessFailed if not."""
    operator.wait_until(lambda: _is_well(operator, at), what="it is ready", seconds=READY_SECONDS)


def _is_well(operator: Part, path: str) -> bool:
    url = _url(operator)
    return url is not None and _answers(url, path)


def _url(operator: Part) -> str | None:
    port = listening_port(operator.identity.pid)
    return None if port is None else f"http://{LOOPBACK}:{port}"


def _answers(url: str, path: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
