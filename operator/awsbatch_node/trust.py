"""Who is who in a node's cluster: certificates of the API server, and kubeconfigs of its parts."""

from dataclasses import dataclass
from datetime import UTC, datetime

from awsbatch_node.place import ADDRESS, API_PORT, API_SERVICE, NODE, Place
from awsbatch_sandbox import kubeconfig
from awsbatch_sandbox.certificates import Authority, KeyPair, service_account_keys
from awsbatch_sandbox.flags import Trust
from awsbatch_sandbox.kubeconfig import Cluster

SERVER_NAMES = (
    ADDRESS,
    API_SERVICE,
    "127.0.0.1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
# Who the parts are, to the API server: user and groups.
USERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("admin", ("system:masters",)),
    "kube-controller-manager": ("system:kube-controller-manager", ()),
    "kube-scheduler": ("system:kube-scheduler", ()),
    "kube-proxy": ("system:kube-proxy", ()),
    "kubelet": (f"system:node:{NODE}", ("system:nodes",)),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the API server believes, and what it shows to the kubelet."""

    trust: Trust
    kubelet_client: KeyPair


def create(place: Place) -> Credentials:
    """Make all keys, and a kubeconfig for each part."""
    pki, now = place.pki, datetime.now(UTC)
    authority = Authority(name="awsbatch-node", now=now)
    ca_file = authority.write(pki / "ca.crt")
    cluster = Cluster(f"https://{ADDRESS}:{API_PORT}", ca_file)
    for part, (user, groups) in USERS.items():
        pair = authority.client(pki, part, user=user, groups=groups)
        path = place.kubeconfig_of(part)
        kubeconfig.write_with_certificate(path, cluster, user=user, pair=pair)
    server = authority.server(pki, "kube-apiserver", hosts=SERVER_NAMES)
    client = authority.client(
        pki, "kubelet-client", user="kube-apiserver-kubelet-client", groups=["system:masters"]
    )
    return Credentials(Trust(ca_file, server, service_account_keys(pki)), client)
