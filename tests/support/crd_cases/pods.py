"""JobDefinition: what is about pods on EKS."""

from tests.support.crd_cases.cases import case


def pod(**members):
    body = {"containers": [{"image": "busybox"}], **members}
    return {"containerProperties": None, "eksProperties": {"podProperties": body}}


def seccomp(**members):
    return pod(securityContext={"seccompProfile": members})


CASES = {
    "pod-variable-reserved": case(
        accepts=pod(containers=[{"image": "busybox", "env": [{"name": "MODE"}]}]),
        refuses=pod(containers=[{"image": "busybox", "env": [{"name": "AWS_BATCH_JQ_NAME"}]}]),
    ),
    "seccomp-localhost": case(
        accepts=[
            seccomp(type="RuntimeDefault"),
            seccomp(type="Localhost", localhostProfile="profiles/audit.json"),
        ],
        refuses=[
            seccomp(type="Localhost"),
            seccomp(type="Unconfined", localhostProfile="profiles/audit.json"),
        ],
    ),
    "pod-namespace": case(
        accepts=[pod(metadata={"namespace": "batch"}), pod(metadata={"labels": {"a": "b"}})],
        refuses=[pod(metadata={"namespace": name}) for name in ("default", "kube-system")],
    ),
    "pod-volume-one-source": case(
        accepts=[
            pod(volumes=[{"name": "scratch", "emptyDir": {"medium": "Memory"}}]),
            pod(volumes=[{"name": "scratch", "emptyDir": {}, "hostPath": {}}]),
        ],
        refuses=pod(
            volumes=[{"name": "scratch", "emptyDir": {}, "hostPath": {"path": "/scratch"}}]
        ),
    ),
}
