"""Where a node's files are, and the addresses in its own network."""

from dataclasses import dataclass
from pathlib import Path

from awsbatch_sandbox.flags import Audit

NODE = "node"
# The node has a network of its own, so these clash with nobody's.
ADDRESS = "172.30.0.10"
GATEWAY = "172.30.0.1"
PREFIX_LENGTH = 24
API_PORT = 6443
POD_CIDR = "10.244.0.0/24"
SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"  # the first address of SERVICE_CIDR is the API server's
RUNTIME_SOCKET = "/run/containerd/containerd.sock"  # in the node's own /run
RUNTIME_NAMESPACE = "k8s.io"  # where containerd keeps what Kubernetes runs
PAUSE_IMAGE = "docker.io/library/awsbatch-pause:1"


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one node below a directory of its own."""

    root: Path

    def create(self) -> None:
        """Make the directories, readable by this user only: they hold private keys."""
        places = (self.logs, self.pki, self.etcd, self.cni, self.images, self.containerd)
        for directory in (self.root, *places):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def name(self) -> str:
        """What tells this node from another one on the same machine."""
        return self.root.name

    @property
    def logs(self) -> Path:
        """One log file a part."""
        return self.root / "logs"

    @property
    def pki(self) -> Path:
        """Keys, certificates and kubeconfigs."""
        return self.root / "pki"

    @property
    def etcd(self) -> Path:
        """The data of etcd and its socket."""
        return self.root / "etcd"

    @property
    def cni(self) -> Path:
        """How pods are connected."""
        return self.root / "cni"

    @property
    def images(self) -> Path:
        """Archives of images on their way into containerd."""
        return self.root / "images"

    @property
    def kubelet(self) -> Path:
        """The kubelet's volumes, and its own certificate."""
        return self.root / "kubelet"

    @property
    def containerd(self) -> Path:
        """The images and containers."""
        return self.root / "containerd"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.pki / "admin.kubeconfig"

    def kubeconfig_of(self, part: str) -> Path:
        """The kubeconfig of a part of the cluster."""
        return self.pki / f"{part}.kubeconfig"

    @property
    def containerd_settings(self) -> Path:
        """The settings of containerd."""
        return self.root / "containerd.toml"

    @property
    def kubelet_settings(self) -> Path:
        """The settings of the kubelet."""
        return self.root / "kubelet.json"

    @property
    def proxy_settings(self) -> Path:
        """The settings of kube-proxy."""
        return self.root / "kube-proxy.json"

    @property
    def audit(self) -> Audit:
        """What the API server notes down of writes into our objects, and where."""
        return Audit(self.root / "audit-policy.yaml", self.logs / "audit.log")

    @property
    def resolver(self) -> Path:
        """The resolv.conf of pods."""
        return self.root / "resolv.conf"

    @property
    def ready(self) -> Path:
        """Written by the node's first process once its namespaces are set up."""
        return self.root / "ready"
