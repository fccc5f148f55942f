"""The command lines of the control plane's processes. Pure: values in, lists of words out."""

from dataclasses import dataclass
from pathlib import Path

from awsbatch_sandbox.certificates import KeyPair, SigningKeys
from awsbatch_sandbox.ports import LOOPBACK

# etcd listens on sockets in its own directory, which only this user can enter: no port to find,
# and nobody else on the machine can reach it. etcd wants a name with a port even for a socket;
# relative names (both processes run in that directory) keep within the 108 bytes of a path.
CLIENT_SOCKET = "client:0"
PEER_SOCKET = "peer:0"

# As many as the operator needs: what an owner reference or a namespace drags along is deleted,
# a namespace gets its default ServiceAccount, and aggregated roles are filled.
CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
)


_LEAST_HEAP = 2**30  # bytes


def environ(memory: int) -> dict[str, str]:
    """How Go's collector paces itself in all of them, on a machine with so many bytes of memory.

    By default it begins anew whenever a heap has doubled, which was a quarter of the API server's
    work: for 1,000 jobs it now takes 41 s of CPU in the place of 51, and 1.0 GB in the place of
    0.65. Beyond a quarter of the memory it paces itself by that; the API server of 10,000 jobs
    wants more than a gigabyte, and collected all the time where it might have no more.
    """
    return {"GOGC": "400", "GOMEMLIMIT": str(max(memory // 4, _LEAST_HEAP))}


@dataclass(frozen=True, slots=True)
class Trust:
    """Who is believed: the authority for clients, and the keys of ServiceAccount tokens."""

    ca_file: Path
    server: KeyPair
    signing: SigningKeys


def etcd(binary: Path) -> list[str]:
    """Command line of etcd for a throw-away cluster of one: nothing is forced to the disk."""
    return [
        str(binary),
        "--name=sandbox",
        "--data-dir=data",
        f"--listen-client-urls=unix://{CLIENT_SOCKET}",
        f"--advertise-client-urls=unix://{CLIENT_SOCKET}",
        f"--listen-peer-urls=unix://{PEER_SOCKET}",
        f"--initial-advertise-peer-urls=unix://{PEER_SOCKET}",
        f"--initial-cluster=sandbox=unix://{PEER_SOCKET}",
        "--unsafe-no-fsync",
        # Alone, it has nobody to wait for before it elects itself (default: a second).
        "--heartbeat-interval=20",
        "--election-timeout=200",
        "--log-level=warn",
    ]


# Who asked for what, once each request is answered; no bodies.
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
"""


@dataclass(frozen=True, slots=True)
class Audit:
    """Where the audit policy is, and where the log goes."""

    policy: Path
    log: Path

    def words(self) -> list[str]:
        """The flags of kube-apiserver."""
        return [f"--audit-policy-file={self.policy}", f"--audit-log-path={self.log}"]


def api_server(binary: Path, *, port: int, trust: Trust, audit: Audit | None = None) -> list[str]:
    """Command line of kube-apiserver: loopback only, TLS, RBAC, ServiceAccount tokens."""
    return [
        *_api_server(binary, port=port, trust=trust),
        *(audit.words() if audit else ()),
    ]


def _api_server(binary: Path, *, port: int, trust: Trust) -> list[str]:
    return [
        str(binary),
        f"--etcd-servers=unix://{CLIENT_SOCKET}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        "--permit-port-sharing",  # see ports.ReservedPort
        f"--tls-cert-file={trust.server.certificate}",
        f"--tls-private-key-file={trust.server.key}",
        f"--client-ca-file={trust.ca_file}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={trust.signing.public}",
        f"--service-account-signing-key-file={trust.signing.private}",
        "--service-cluster-ip-range=10.0.0.0/24",
        # Endpoints of the service "kubernetes" cannot be a loopback address; nothing here uses it.
        "--endpoint-reconciler-type=none",
    ]


def controller_manager(
    binary: Path, *, kubeconfig: Path, ca_file: Path, signing: SigningKeys
) -> list[str]:
    """Command line of kube-controller-manager: `CONTROLLERS` only, each as itself."""
    return [
        str(binary),
        f"--kubeconfig={kubeconfig}",
        f"--controllers={','.join(CONTROLLERS)}",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={signing.private}",
        f"--root-ca-file={ca_file}",
        "--leader-elect=false",
        "--secure-port=0",
    ]
