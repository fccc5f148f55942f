"""The command lines of the node's parts. Pure: values in, lists of words out."""

import sys
from collections.abc import Sequence
from pathlib import Path

from awsbatch_node.place import (
    ADDRESS,
    API_PORT,
    NODE,
    RUNTIME_NAMESPACE,
    RUNTIME_SOCKET,
    SERVICE_CIDR,
    Place,
)
from awsbatch_node.trust import Credentials
from awsbatch_sandbox.flags import CLIENT_SOCKET, Audit, Trust


def inside(first: int, command: Sequence[str], *, directory: Path = Path("/")) -> list[str]:
    """A command in the namespaces of the node whose first process has that pid.

    Whoever enters a mount namespace stands at its root; hence `env`.
    """
    enter = ["nsenter", f"--target={first}", "--mount", "--net", "--pid", "--"]
    return [*enter, "env", f"--chdir={directory}", *command]


def in_network(first: int, command: Sequence[str]) -> list[str]:
    """A command with this machine's files in the node's network."""
    return ["nsenter", f"--target={first}", "--net", "--", *command]


def ctr(*arguments: str) -> list[str]:
    """The client of containerd itself, on what Kubernetes runs."""
    return ["ctr", f"--address={RUNTIME_SOCKET}", f"--namespace={RUNTIME_NAMESPACE}", *arguments]


def containerd(place: Place) -> list[str]:
    """Command line of containerd."""
    return ["containerd", f"--config={place.containerd_settings}"]


def outage(file: str, place: Place) -> list[str]:
    """Cut the power, which takes the volumes of the pods, too."""
    return [sys.executable, "-I", "-S", file, str(place.kubelet)]


def api_server(binary: Path, credentials: Credentials, audit: Audit) -> list[str]:
    """Command line of kube-apiserver, to run in etcd's directory: as in a cluster for users."""
    trust, kubelet_client = credentials.trust, credentials.kubelet_client
    return [
        str(binary),
        f"--etcd-servers=unix://{CLIENT_SOCKET}",
        "--bind-address=0.0.0.0",
        f"--advertise-address={ADDRESS}",
        f"--secure-port={API_PORT}",
        f"--tls-cert-file={trust.server.certificate}",
        f"--tls-private-key-file={trust.server.key}",
        f"--client-ca-file={trust.ca_file}",
        f"--kubelet-client-certificate={kubelet_client.certificate}",
        f"--kubelet-client-key={kubelet_client.key}",
        "--kubelet-preferred-address-types=InternalIP",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={trust.signing.public}",
        f"--service-account-signing-key-file={trust.signing.private}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        *audit.words(),
    ]


def controller_manager(binary: Path, place: Place, *, trust: Trust) -> list[str]:
    """Command line of kube-controller-manager, with all of its controllers, each as itself."""
    return [
        str(binary),
        f"--kubeconfig={place.kubeconfig_of('kube-controller-manager')}",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={trust.signing.private}",
        f"--root-ca-file={trust.ca_file}",
        "--leader-elect=false",
        "--secure-port=0",
    ]


def scheduler(binary: Path, place: Place) -> list[str]:
    """Command line of kube-scheduler."""
    return [
        str(binary),
        f"--kubeconfig={place.kubeconfig_of('kube-scheduler')}",
        "--leader-elect=false",
        "--secure-port=0",
    ]


def kubelet(binary: Path, place: Place) -> list[str]:
    """Command line of the kubelet."""
    return [
        str(binary),
        f"--config={place.kubelet_settings}",
        f"--kubeconfig={place.kubeconfig_of('kubelet')}",
        f"--hostname-override={NODE}",
        f"--node-ip={ADDRESS}",
        f"--root-dir={place.kubelet}",
        f"--cert-dir={place.kubelet / 'pki'}",
    ]


def proxy(binary: Path, place: Place) -> list[str]:
    """Command line of kube-proxy."""
    return [str(binary), f"--config={place.proxy_settings}"]
