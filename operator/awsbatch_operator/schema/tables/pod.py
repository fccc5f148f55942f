"""Pods of jobs that run on EKS."""

from awsbatch_operator.schema.additions import (
    EXACT,
    MAP,
    TEXT,
    TEXTS,
    Additions,
    Member,
    Struct,
    many,
    plain,
    text,
    words,
)
from awsbatch_operator.schema.forms import IMAGE, NAMESPACE
from awsbatch_operator.schema.rules import Rule, one_given

_ID = Member(doc="Numeric user id.", low=0, high=2**32 - 1)
_GROUP = Member(doc="Numeric group id.", low=0, high=2**32 - 1)
_NAMESPACE = text(
    "Namespace of the pod; not default and not kube….",
    63,
    form=NAMESPACE,
)
_PROFILE = plain("Seccomp profile.")
_COMMAND = many("Entry point instead of the image's.", (0, TEXTS), length=(0, TEXT))
_ARGS = many("Arguments of the entry point.", (0, TEXTS), length=(0, TEXT))
_ENV = many("Environment variables.", key="name")
_RESOURCES = plain("CPU, memory and GPUs.")
_AMOUNTS = (0, MAP)

SHAPES: Additions = {
    "EksProperties": Struct(members={"podProperties": plain("The pod.")}),
    "EksPodProperties": Struct(
        members={
            "serviceAccountName": text("Service account of the pod."),
            "hostNetwork": plain("Whether the pod uses the host's network. Default: true."),
            "dnsPolicy": words(
                "DNS policy of the pod.", "Default", "ClusterFirst", "ClusterFirstWithHostNet"
            ),
            "imagePullSecrets": many("Secrets to pull images with."),
            "containers": many("Containers of the pod.", (1, 10)),
            "initContainers": many("Containers that run first, one after the other.", (0, 10)),
            "volumes": many("Volumes that volumeMounts can name.", key="name"),
            "metadata": plain("Labels, annotations and namespace of the pod."),
            "shareProcessNamespace": plain("Whether containers see each other's processes."),
            "securityContext": plain("Security settings of all containers."),
        },
    ),
    "ImagePullSecret": Struct(members={"name": text("Name of the secret.")}),
    "EksContainer": Struct(
        members={
            "name": text("Name of the container. AWS's default: Default.", 253),
            "image": text("Image to run, by tag or digest.", 1024, form=IMAGE),
            "imagePullPolicy": words("When to pull.", "Always", "IfNotPresent", "Never"),
            "command": _COMMAND,
            "args": _ARGS,
            "env": _ENV,
            "resources": _RESOURCES,
            "volumeMounts": many("Where volumes appear.", key="mountPath"),
            "securityContext": plain("Security settings of the container."),
        },
    ),
    "EksContainerEnvironmentVariable": Struct(
        members={
            "name": text("Name of the variable."),
            "value": text("Value of the variable.", TEXT, low=0),
        },
        rules=(
            Rule(
                id="pod-variable-reserved",
                cel="!self.name.startsWith('AWS_BATCH')",
                message=(
                    "Variables that begin with AWS_BATCH are set by AWS Batch itself. Rename the "
                    "variable."
                ),
                field=".name",
            ),
        ),
    ),
    "EksContainerResourceRequirements": Struct(
        members={
            "limits": many("Most that the container may use.", _AMOUNTS, length=(1, 64)),
            "requests": many("What is set aside for the container.", _AMOUNTS, length=(1, 64)),
        },
    ),
    "EksContainerVolumeMount": Struct(
        members={
            "name": text("Name of the volume."),
            "mountPath": text("Path in the container.", 4096),
            "subPath": text("Path inside the volume.", 4096),
            "readOnly": plain("Whether the container may only read."),
        },
        required=("name", "mountPath"),
    ),
    "EksContainerSecurityContext": Struct(
        members={
            "runAsUser": _ID,
            "runAsGroup": _GROUP,
            "privileged": plain("Whether the container may do what root on the host may."),
            "allowPrivilegeEscalation": plain("Whether a process may gain privileges."),
            "readOnlyRootFilesystem": plain("Whether the root file system is read-only."),
            "runAsNonRoot": plain("Whether running as user 0 is refused."),
            "capabilities": plain("Linux capabilities added and dropped."),
            "seccompProfile": _PROFILE,
        },
    ),
    "EksContainerLinuxCapabilities": Struct(
        members={
            "add": many("Capabilities added.", (0, 64), length=(1, 64), unordered=True),
            "drop": many("Capabilities dropped.", (0, 64), length=(1, 64), unordered=True),
        },
    ),
    "EksSeccompProfile": Struct(
        members={
            "type": plain("Kind of profile."),
            "localhostProfile": text("Path of the profile on the node, for type Localhost.", 512),
        },
        rules=(
            Rule(
                id="seccomp-localhost",
                cel="(self.type == 'Localhost') == has(self.localhostProfile)",
                message=(
                    "localhostProfile is the file that type Localhost reads. Set both, or neither."
                ),
                field=".localhostProfile",
            ),
        ),
    ),
    "EksVolume": Struct(
        members={
            "name": text("Name for volumeMounts.", 63),
            "hostPath": plain("A directory of the host."),
            "emptyDir": plain("A directory that goes with the pod."),
            "secret": plain("A secret of the cluster as files."),
            "persistentVolumeClaim": plain("A persistent volume of the cluster."),
        },
        rules=(
            one_given(
                "pod-volume-one-source",
                {
                    "emptyDir": "has(self.emptyDir)",  # means something by being there
                    "hostPath": "has(self.hostPath) && has(self.hostPath.path)",
                    "secret": "has(self.secret)",
                    "persistentVolumeClaim": "has(self.persistentVolumeClaim)",
                },
                "A volume comes from one place. Keep one of hostPath, emptyDir, secret and "
                "persistentVolumeClaim.",
            ),
        ),
    ),
    "EksHostPath": Struct(members={"path": text("Path on the host.", 4096)}),
    "EksEmptyDir": Struct(
        members={
            "medium": Member(doc="Memory, or empty for the node's disk.", enum=("", "Memory")),
            "sizeLimit": text("Largest size, such as 10Gi.", 64),
        },
    ),
    "EksSecret": Struct(
        members={
            "secretName": text("Name of the secret."),
            "optional": plain("Whether the pod starts without it."),
        },
    ),
    "EksPersistentVolumeClaim": Struct(
        members={
            "claimName": text("Name of the claim."),
            "readOnly": plain("Whether the pod may only read."),
        },
    ),
    "EksMetadata": Struct(
        members={
            "labels": many("Labels of the pod.", (0, MAP), length=(0, 63)),
            "annotations": many("Annotations of the pod.", (0, MAP), length=(0, TEXT)),
            "namespace": _NAMESPACE,
        },
        rules=(
            Rule(
                id="pod-namespace",
                cel="""!has(self.__namespace__) || (self.__namespace__ != 'default'
                    && !self.__namespace__.startsWith('kube'))""",
                message=(
                    "AWS Batch does not run pods in default or in system namespaces. Name another "
                    "namespace."
                ),
                field=".namespace",
            ),
        ),
    ),
    "EksPodSecurityContext": Struct(
        members={
            "runAsUser": _ID,
            "runAsGroup": _GROUP,
            "runAsNonRoot": plain("Whether running as user 0 is refused."),
            "seccompProfile": _PROFILE,
            "fsGroup": Member(doc="Group id of mounted volumes.", low=0, high=EXACT),
        },
    ),
    "EksPropertiesOverride": Struct(
        members={"podProperties": plain("Overrides of the pod.")},
    ),
    "EksPodPropertiesOverride": Struct(
        members={
            "containers": many("Overrides by container.", (0, 10)),
            "initContainers": many("Overrides by init container.", (0, 10)),
            "metadata": plain("Overrides of labels, annotations and namespace."),
        },
    ),
    "EksContainerOverride": Struct(
        members={
            "name": text("Name of the container in the definition.", 253),
            "image": text("Image instead of the definition's.", 1024, form=IMAGE),
            "command": _COMMAND,
            "args": _ARGS,
            "env": _ENV,
            "resources": _RESOURCES,
        },
    ),
}
