"""The settings of the node's parts. Pure: values in, texts out."""

import json
from pathlib import Path
from typing import Any

from awsbatch_node.place import (
    ADDRESS,
    NODE,
    PAUSE_IMAGE,
    POD_CIDR,
    RUNTIME_SOCKET,
    Place,
)

# Who has written into which of our objects; who reads is nobody's business.
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  verbs: [get, list, watch]
- level: Metadata
  resources:
  - group: awsbatch.dev
- level: None
"""
CNI_PLUGINS = Path("/usr/lib/cni")  # of Debian's containernetworking-plugins


def containerd(place: Place) -> str:
    """The settings of containerd.

    It may not raise anybody's chances against the kernel's memory killer where this machine's own
    rights are limited, and cgroups are made directly, for there is no systemd in the node.
    """
    return f"""\
version = 2
root = {json.dumps(str(place.containerd))}
state = "/run/containerd"

[grpc]
  address = "{RUNTIME_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "{PAUSE_IMAGE}"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = {json.dumps(str(place.cni))}
"""


def pod_network() -> str:
    """How pods are connected: a bridge in the node."""
    addresses = {
        "type": "host-local",
        "dataDir": "/run/cni-ipam",
        "ranges": [[{"subnet": POD_CIDR}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,  # a pod reaches itself through its Service
        "ipam": addresses,
    }
    return _text({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]})


def kubelet(place: Place, *, cgroup: str) -> str:
    """The kubelet's settings; `cgroup` is the one below which all pods' cgroups are made."""
    return _text(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "failCgroupV1": False,  # it runs on machines of either version
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": cgroup,
            "enforceNodeAllocatable": [],
            "failSwapOn": False,
            "containerRuntimeEndpoint": f"unix://{RUNTIME_SOCKET}",
            "address": ADDRESS,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": False},
                "x509": {"clientCAFile": str(place.pki / "ca.crt")},
            },
            "authorization": {"mode": "AlwaysAllow"},
            "resolvConf": str(place.resolver),
            "clusterDomain": "cluster.local",
            # Images are imported and cannot be pulled again: they must not be cleared away.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {
                "memory.available": "50Mi",
                "nodefs.available": "1%",
                "nodefs.inodesFree": "1%",
                "imagefs.available": "1%",
            },
            "nodeStatusUpdateFrequency": "2s",
            "syncFrequency": "5s",
            "podLogsDir": str(place.root / "pod-logs"),
            "volumePluginDir": str(place.root / "volume-plugins"),
            "staticPodPath": "",
        }
    )


def proxy(place: Place) -> str:
    """kube-proxy's settings: Services by iptables, and no limits of the machine's own changed."""
    return _text(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": str(place.kubeconfig_of("kube-proxy"))},
            "mode": "iptables",
            "clusterCIDR": POD_CIDR,
            "hostnameOverride": NODE,
            "bindAddress": ADDRESS,
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        }
    )


def _text(settings: dict[str, Any]) -> str:
    """As JSON, which is YAML too and needs no quoting rules of our own."""
    return json.dumps(settings, indent=2) + "\n"
