"""What AWS does with the members of its structures: the tables behind canonical.py.

A row is named by a member, or by the last members on the way to it (`devices.containerPath`); the
longest name that fits counts. They belong to canonical.VERSION.
"""

from collections.abc import Callable, Mapping
from typing import Any

Structure = dict[str, Any]

ORDERED = ""  # a list whose order means something
SET = "*"  # a list of words whose order means nothing

# Every list of what a definition, environment, queue or policy passes through, and the member that
# tells its entries apart where their order means nothing. A list that is not here is ORDERED.
LISTS: Mapping[str, str] = {
    "add": SET,
    "allowedInstanceTypes": SET,
    "args": ORDERED,
    "command": ORDERED,
    "computeEnvironmentOrder": "order",
    "consumableResourceList": "consumableResource",
    "containers": "name",
    "dependsOn": "containerName",
    "devices": "hostPath",
    "drop": SET,
    "ec2Configuration": ORDERED,
    "env": "name",
    "environment": "name",
    "evaluateOnExit": ORDERED,  # the first that matches decides
    "imagePullSecrets": "name",
    "initContainers": ORDERED,  # they run one after the other
    "instanceTypes": ORDERED,  # by what they are for: see canonical.py
    "jobStateTimeLimitActions": "reason",
    "mountOptions": ORDERED,
    "mountPoints": "containerPath",
    "nodeRangeProperties": "targetNodes",
    "overrides": ORDERED,
    "permissions": SET,
    "platformCapabilities": SET,
    "resourceRequirements": "type",
    "secretOptions": "name",
    "secrets": "name",
    "securityGroupIds": SET,
    "securityGroups": SET,
    "shareDistribution": "shareIdentifier",
    "subnets": SET,
    "targetInstanceTypes": SET,
    "taskProperties": ORDERED,
    "tmpfs": "containerPath",
    "ulimits": "name",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
# Lists whose order counts where a value says `$(NAME)`: Kubernetes puts in what a variable before
# it says, and leaves the name of a later one as it is.
EXPANDED = frozenset({"env"})
# Maps whose keys are the user's, not AWS's members.
MAPS = frozenset(
    {
        "annotations",
        "capacityTags",
        "labels",
        "limits",
        "options",
        "parameters",
        "requests",
        "tags",
    }
)
# Structures whose mere presence says something.
TELLING = frozenset({"emptyDir"})
# AWS does not keep an environment variable without a value (Terraform's acceptance tests of
# aws_batch_job_definition). Pods keep theirs: Kubernetes sets it to the empty text.
NEEDS_VALUE = frozenset({"environment"})
# AWS: "The values aren't case sensitive", and it answers in lower case.
CASELESS = frozenset({"evaluateOnExit.action"})
# AWS's defaults, from the Batch API reference of the member.
DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "allocationStrategy": ("BEST_FIT",),
    "allowPrivilegeEscalation": (False,),
    "assignPublicIp": ("DISABLED",),
    "attempts": (1,),
    "bidPercentage": (100,),
    "capacityOptionType": ("ON_DEMAND",),
    "computeReservation": (0,),
    "containerInsights": ("DISABLED",),
    "cpuArchitecture": ("X86_64",),
    "enableExecuteCommand": (False,),
    "essential": (True,),
    "fipsEnabled": (False,),
    "iam": ("DISABLED",),
    "initProcessEnabled": (False,),
    "instanceMetadataTagsPropagation": (False,),
    "jobExecutionTimeoutMinutes": (30,),
    "minScaleDownDelayMinutes": (0,),
    "minvCpus": (0,),
    "monitoring": ("BASIC",),  # as ECS's API reference says of it
    "networkMode": ("host",),
    "operatingSystemFamily": ("LINUX",),
    "optional": (False,),
    "permissions": (["MKNOD", "READ", "WRITE"],),
    "platformCapabilities": (["EC2"],),
    "platformVersion": ("LATEST",),
    "podProperties.containers.name": ("Default",),
    "podProperties.initContainers.name": ("Default",),
    "privileged": (False,),
    "propagateTags": (False, "NONE"),
    "readOnly": (False,),
    "readOnlyRootFilesystem": (False,),
    "readonlyRootFilesystem": (False,),
    "rootDirectory": ("/",),
    "shareDecaySeconds": (0,),
    "shareProcessNamespace": (False,),
    "state": ("ENABLED",),
    "terminateJobsOnUpdate": (False,),
    "transitEncryption": ("DISABLED",),
    "transitEncryptionPort": (0,),
    "unmanagedvCpus": (0,),
    "useLocalStorage": (False,),
    "userdataType": ("EKS_BOOTSTRAP_SH",),
    "version": ("$Default",),
    "weightFactor": ("1",),
}


_CLUSTER_DNS, _HOST_DNS = "ClusterFirst", "ClusterFirstWithHostNet"


def _device(device: Structure) -> Structure:
    """The path in the container is the host's, unless it is given (API reference of Device)."""
    if device.get("containerPath") == device.get("hostPath"):
        device.pop("containerPath", None)
    return device


def _pod(pod: Structure) -> Structure:
    """AWS: ClusterFirst; "if the hostNetwork parameter is not specified", …WithHostNet.

    So a pod that asks for the host's network, the default, has another policy than one that says
    nothing. The form says `hostNetwork` only where it is false, and the policy where that leaves
    another one.
    """
    policy = pod.pop("dnsPolicy", _CLUSTER_DNS if "hostNetwork" in pod else _HOST_DNS)
    if pod.get("hostNetwork") is True:
        del pod["hostNetwork"]
    if policy != (_CLUSTER_DNS if "hostNetwork" in pod else _HOST_DNS):
        pod["dnsPolicy"] = policy
    return pod


def _pod_container(container: Structure) -> Structure:
    """AWS: "defaults to IfNotPresent. However, if the :latest tag is specified, … Always"."""
    latest = str(container.get("image", "")).endswith(":latest")
    if container.get("imagePullPolicy") == ("Always" if latest else "IfNotPresent"):
        del container["imagePullPolicy"]
    return container


def _amounts(resources: Structure) -> Structure:
    """What a pod's container requests is, unless it says otherwise, what it is limited to."""
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    own = {name: amount for name, amount in requests.items() if limits.get(name) != amount}
    rest = {name: value for name, value in resources.items() if name != "requests"}
    return {**rest, "requests": own} if own else rest


def _container(container: Structure) -> Structure:
    """`vcpus` and `memory` are how resourceRequirements were written earlier; 0: not at all."""
    needs = {each.get("type"): each for each in container.get("resourceRequirements", ())}
    for member, kind in (("memory", "MEMORY"), ("vcpus", "VCPU")):
        amount = container.pop(member, None)
        if amount:
            needs.setdefault(kind, {"type": kind, "value": str(amount)})
    if needs:
        container["resourceRequirements"] = [needs[kind] for kind in sorted(needs, key=str)]
    return container


# What AWS fills in from elsewhere is left out of the form of these structures.
FILLED_IN: Mapping[str, Callable[[Structure], Structure]] = {
    "container": _container,
    "containerProperties": _container,
    "devices": _device,
    "podProperties": _pod,
    "podProperties.containers": _pod_container,
    "podProperties.containers.resources": _amounts,
    "podProperties.initContainers": _pod_container,
    "podProperties.initContainers.resources": _amounts,
}
