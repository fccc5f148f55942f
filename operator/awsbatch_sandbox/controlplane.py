"""A real Kubernetes control plane on this machine: etcd and kube-apiserver.

On request with some of kube-controller-manager's controllers. There are no nodes, so no pods; all
else is as in any cluster.
"""

import http.client
import os
import secrets
import shutil
import ssl
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from awsbatch_sandbox import flags, kubeconfig
from awsbatch_sandbox.binaries import Binaries, find
from awsbatch_sandbox.certificates import Authority, KeyPair, service_account_keys
from awsbatch_sandbox.flags import Audit, Trust
from awsbatch_sandbox.interrupts import uninterrupted
from awsbatch_sandbox.kubeconfig import Cluster
from awsbatch_sandbox.kubectl import Kubectl
from awsbatch_sandbox.parts import Launcher, Part
from awsbatch_sandbox.paths import Layout
from awsbatch_sandbox.pins import Tool
from awsbatch_sandbox.ports import LOOPBACK, ReservedPort

READY_SECONDS = 60.0  # takes about 3 s on two idle cores
DURATION = "8760h"  # of a token: `make up` may stay up for long
SERVER_NAMES = (LOOPBACK, "localhost", "kubernetes.default.svc")


class ControlPlane:
    """One control plane with its data, keys and logs below a directory of its own.

    Always starts empty. A context manager; the processes die with this one unless the launcher
    is detached.
    """

    def __init__(
        self,
        directory: Path,
        *,
        controllers: bool = False,
        audited: bool = False,
        binaries: Binaries | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        self.layout = Layout(directory)
        self.kubeconfig = self.layout.kubeconfig
        self.ca_file = self.layout.pki / "ca.crt"
        self._controllers = controllers
        self._audited = audited
        self._binaries = binaries or find()
        self._owns_launcher = launcher is None
        self._launcher = launcher or Launcher(secrets.token_hex(4), self.layout.logs)
        self.kubectl = Kubectl(
            self._binaries[Tool.KUBECTL], self.kubeconfig, self.layout.kubectl_cache
        )
        self._parts: list[Part] = []
        self._port: ReservedPort | None = None

    @property
    def server(self) -> str:
        """The address of the API server."""
        if self._port is None:
            raise RuntimeError("the control plane has not been started")
        return f"https://{LOOPBACK}:{self._port.number}"

    @property
    def sandbox_id(self) -> str:
        """The mark that its processes carry."""
        return self._launcher.sandbox_id

    def start(self) -> Self:
        """Start it and return once it is ready. ProcessFailed if it cannot be."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End it. Its data serve nobody any more, so nothing is asked to end gracefully."""
        with uninterrupted():
            for part in reversed(self._parts):
                part.kill()
            self._parts.clear()
            if self._port is not None:
                self._port.release()
            if self._owns_launcher:
                self._launcher.end_leftovers()

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """A kubeconfig with a token of that ServiceAccount, which must exist.

        With it nothing is allowed but what RBAC gives the ServiceAccount.
        """
        asked = self.kubectl(
            "create", "token", name, f"--namespace={namespace}", f"--duration={DURATION}"
        )
        return kubeconfig.write_with_token(
            self.layout.accounts / f"{namespace}.{name}.kubeconfig",
            self._cluster(),
            user=f"system:serviceaccount:{namespace}:{name}",
            token=asked.stdout.strip(),
            namespace=namespace,
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self) -> None:
        shutil.rmtree(self.layout.etcd, ignore_errors=True)  # what an earlier run left
        self.layout.create()
        self._port = ReservedPort()
        authority = Authority(name="awsbatch-sandbox", now=datetime.now(UTC))
        authority.write(self.ca_file)
        trust = Trust(
            self.ca_file,
            authority.server(self.layout.pki, "kube-apiserver", hosts=SERVER_NAMES),
            service_account_keys(self.layout.pki),
        )
        admin = self._client(authority, "admin", groups=["system:masters"], path=self.kubeconfig)
        etcd = self._launch(Tool.ETCD, flags.etcd(self._binaries[Tool.ETCD]))
        api_server = self._launch(
            Tool.API_SERVER,
            flags.api_server(
                self._binaries[Tool.API_SERVER],
                port=self._port.number,
                trust=trust,
                audit=self._audit() if self._audited else None,
            ),
        )
        etcd.wait_until(self._etcd_listens, what="etcd listens", seconds=READY_SECONDS)
        probe = Probe(self._port.number, self.ca_file, admin)
        api_server.wait_until(probe, what="the API server is ready", seconds=READY_SECONDS)
        if self._controllers:
            self._start_controllers(authority, trust)

    def _audit(self) -> Audit:
        policy = self.layout.root / "audit-policy.yaml"
        policy.write_text(flags.AUDIT_POLICY, encoding="utf-8")
        return Audit(policy, self.layout.audit_log)

    def _start_controllers(self, authority: Authority, trust: Trust) -> None:
        path = self.layout.accounts / "kube-controller-manager.kubeconfig"
        self._client(authority, "system:kube-controller-manager", groups=[], path=path)
        manager = self._launch(
            Tool.CONTROLLER_MANAGER,
            flags.controller_manager(
                self._binaries[Tool.CONTROLLER_MANAGER],
                kubeconfig=path,
                ca_file=trust.ca_file,
                signing=trust.signing,
            ),
        )
        manager.wait_until(
            lambda: self.kubectl("get", "serviceaccount/default", check=False).returncode == 0,
            what="the namespace default has its ServiceAccount",
            seconds=READY_SECONDS,
        )

    def _client(self, authority: Authority, user: str, *, groups: list[str], path: Path) -> KeyPair:
        """A client certificate for a user, and the kubeconfig that carries it."""
        name = user.rpartition(":")[2]
        pair = authority.client(self.layout.pki, name, user=user, groups=groups)
        kubeconfig.write_with_certificate(path, self._cluster(), user=user, pair=pair)
        return pair

    def _cluster(self) -> Cluster:
        return Cluster(self.server, self.ca_file)

    def _launch(self, tool: Tool, command: list[str]) -> Part:
        part = self._launcher.start(
            tool, command, environ=flags.environ(_memory()), directory=self.layout.etcd
        )
        self._parts.append(part)
        return part

    def _etcd_listens(self) -> bool:
        path = self.layout.etcd / flags.CLIENT_SOCKET
        return path.exists()


class Probe:
    """Asks an API server whether it is ready: its own checks, and the namespaces that it makes."""

    def __init__(self, port: int, ca_file: Path, client: KeyPair) -> None:
        self._port = port
        self._context = ssl.create_default_context(cafile=str(ca_file))
        self._context.load_cert_chain(client.certificate, client.key)

    def __call__(self) -> bool:
        return all(
            self._get(path)
            for path in (
                "/readyz",
                "/api/v1/namespaces/default",
                "/api/v1/namespaces/kube-system",
            )
        )

    def _get(self, path: str) -> bool:
        connection = http.client.HTTPSConnection(
            LOOPBACK, self._port, context=self._context, timeout=5
        )
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _memory() -> int:
    """Of this machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
