"""What a spec names in AWS: every member of AWS's model is guarded, or harmless for a reason."""

import re
from collections.abc import Iterator

import botocore.session
import pytest
import yaml

from awsbatch_operator.kinds.named_resources import (
    FREE_MAPS,
    PROFILE_FIELDS,
    RESOURCE_FIELDS,
    ROLE_FIELDS,
    Guard,
    Member,
)
from awsbatch_operator.schema.forms import RESOURCE_PATTERN
from awsbatch_sandbox.paths import REPOSITORY

OPERATIONS = (
    "CreateComputeEnvironment",
    "UpdateComputeEnvironment",
    "CreateJobQueue",
    "UpdateJobQueue",
    "RegisterJobDefinition",
    "SubmitJob",
    "CreateSchedulingPolicy",
    "UpdateSchedulingPolicy",
)
# Why a string of AWS's requests needs no guard. By structure and member, or member alone for all.
HARMLESS = {
    "the operator sets it itself, from what it has made or proved to be its own": """
        UpdateSchedulingPolicyRequest.arn  UpdateComputeEnvironmentRequest.computeEnvironment
        CreateComputeEnvironmentRequest.computeEnvironmentName  CreateJobQueueRequest.jobQueueName
        RegisterJobDefinitionRequest.jobDefinitionName  SubmitJobRequest.jobName
        UpdateJobQueueRequest.jobQueue  CreateSchedulingPolicyRequest.name""",
    "a …Ref stands in its place, and an ARN in that is guarded": """
        ComputeEnvironmentOrder.computeEnvironment  CreateJobQueueRequest.schedulingPolicyArn
        UpdateJobQueueRequest.schedulingPolicyArn  SubmitJobRequest.jobQueue
        SubmitJobRequest.jobDefinition""",
    "not in our CRDs": """
        CreateComputeEnvironmentRequest.context  UpdateComputeEnvironmentRequest.context
        ServiceEnvironmentOrder.serviceEnvironment""",
    "waiting for somebody's job gives nothing but the moment of its end": "JobDependency.jobId",
    "what may be pulled is decided by the execution role, which is guarded": """
        ContainerProperties.image  TaskContainerProperties.image  EksContainer.image
        EksContainerOverride.image""",
    "a place on the instance, which belongs to the environment": """
        Device.hostPath  Host.sourcePath  EksHostPath.path  EksSeccompProfile.localhostProfile""",
    "a place inside the container or inside a file system that is guarded": """
        Device.containerPath  MountPoint.containerPath  Tmpfs.containerPath  Tmpfs.mountOptions
        EksContainerVolumeMount.mountPath  EksContainerVolumeMount.subPath
        EFSVolumeConfiguration.rootDirectory  S3FilesVolumeConfiguration.rootDirectory""",
    "names within the same spec": """
        EksContainer.name  EksContainerOverride.name  EksContainerVolumeMount.name  EksVolume.name
        TaskContainerProperties.name  TaskContainerOverrides.name  TaskContainerDependency.condition
        TaskContainerDependency.containerName  Volume.name  MountPoint.sourceVolume
        LaunchTemplateSpecification.version  LaunchTemplateSpecificationOverride.version""",
    "the job's own words": """
        args  command  Secret.name  KeyValuePair.name  KeyValuePair.value
        EksContainerEnvironmentVariable.name  EksContainerEnvironmentVariable.value  user
        shareIdentifier  onExitCode  onReason  onStatusReason  reason""",
    "settings that name nothing": """
        add  drop  allowedInstanceTypes  batchImageStatus  cpuArchitecture  dnsPolicy
        imageKubernetesVersion  imagePullPolicy  imageType  instanceType  instanceTypes  ipcMode
        medium  monitoring  networkMode  operatingSystemFamily  pidMode  platformVersion
        propagateTags  reservationPreference  sizeLimit  targetInstanceTypes  targetNodes
        capacityOptionType  Ulimit.name  ResourceRequirement.value""",
}

# The same of the texts in our CRDs that AWS's requests do not have; by parent and name.
OURS = {
    "claims a name; who owns it is looked at in AWS": [".awsName"],
    "AWSAccount.spec.allowedRegions guards it": [".region", ".regions"],
    "an object of the same namespace, or an AWSAccount, which serves namespaces that it lists": [
        f"{kind}Ref.name"
        for kind in (
            *("account", "ami", "computeEnvironment", "jobDefinition", "jobQueue", "job"),
            "schedulingPolicy",
        )
    ],
    "waiting for somebody's job gives nothing but the moment of its end": ["jobRef.jobId"],
    "what runs on the user's own instances, as the instance profile lets it, which is guarded": [
        *("userData.script", "userData.cloudConfig", "userData.mime"),
    ],
    "what is done on a builder of the user's own, as its instance profile lets it, or at boot": [
        *(".packages", ".kernelArguments", "files.mode", "files.content", "scripts.content"),
    ],
    "no image but one that the object has made itself is taken": [".pin"],
    "an object of the same namespace, whose text becomes a script of a builder of the user's own": [
        *("configMapKeyRef.name", "configMapKeyRef.key"),
    ],
    "what a job's own code gets to read": [
        *("arrayValues.variable", "arrayValues.values", "retryFailedIndexes.indexMapVariable"),
    ],
    "settings that name nothing": [
        *("limits.maxHourlyCost", "pools.maxPricePerHour", "instanceRequirements.families"),
        *("blockDeviceMappings.deviceName", "blockDeviceMappings.virtualName"),
        "volumes.deviceName",
    ],
}


def harmless() -> set[str]:
    return {name for names in HARMLESS.values() for name in names.split()}


def below(shape, owners: tuple[str, ...] = (), names: tuple[str, ...] = ()) -> Iterator[tuple]:
    """(structure, parent member, member, shape) of every member below, strings of lists too."""
    if shape.type_name == "structure" and shape.name not in owners:
        for name, inner in shape.members.items():
            yield shape.name, names[-1] if names else "", name, inner
            yield from below(inner, (*owners, shape.name), (*names, name))
    elif shape.type_name == "list":
        yield from below(shape.member, owners, names)


@pytest.fixture(scope="module")
def named():
    """All members of the requests."""
    model = botocore.session.get_session().get_service_model("batch")
    return [
        found
        for operation in OPERATIONS
        for found in below(model.operation_model(operation).input_shape)
    ]


def is_text(shape) -> bool:
    while shape.type_name == "list":
        shape = shape.member
    return shape.type_name == "string" and not shape.enum


def test_every_text_of_awss_requests_is_guarded_or_harmless_for_a_reason(named):
    excused = harmless()
    open_to_all = {
        f"{owner}.{name}"
        for owner, parent, name, shape in named
        if is_text(shape)
        and name not in ROLE_FIELDS | PROFILE_FIELDS
        and Member("", parent, name, "").resource_type is None
        and name not in excused
        and f"{owner}.{name}" not in excused
    }
    assert open_to_all == set()


def texts_of_crd(schema, parent: str = "", name: str = "") -> Iterator[tuple[str, str]]:
    """(parent member, member) of every text in a CRD's schema."""
    match schema.get("type"):
        case "object":
            for inner, below_it in schema.get("properties", {}).items():
                yield from texts_of_crd(below_it, name, inner)
        case "array":
            yield from texts_of_crd(schema["items"], parent, name)
        case "string" if "enum" not in schema:
            yield parent, name


def texts_of_ours() -> set[tuple[str, str]]:
    """Those of the specs in crds/; an AWSAccount is an administrator's."""
    found: set[tuple[str, str]] = set()
    for path in (REPOSITORY / "crds").glob("awsbatch*.yaml"):
        crd = yaml.load(path.read_text(), yaml.CSafeLoader)["spec"]
        if crd["names"]["kind"] != "AWSAccount":
            schema = crd["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
            found |= set(texts_of_crd(schema))
    return found


def test_every_text_of_ours_in_the_crds_is_guarded_or_harmless_for_a_reason(named):
    awss = {name for _, _, name, _ in named}
    excused = {name for names in OURS.values() for name in names}
    open_to_all = {
        f"{parent}.{name}"
        for parent, name in texts_of_ours()
        if Member("", parent, name, "").resource_type is None
        and not Member("", parent, name, "").names_role
        and (parent.endswith("Ref") or name not in awss)
    }
    assert open_to_all == excused


def test_every_role_of_awss_model_is_guarded(named):
    found = {
        name
        for _, _, name, shape in named
        if is_text(shape) and name.lower().endswith(("role", "rolearn", "profilearn"))
    }
    assert found
    assert found <= ROLE_FIELDS | PROFILE_FIELDS


def test_nothing_is_excused_that_aws_does_not_have_or_that_is_guarded(named):
    texts = [found for found in named if is_text(found[3])]
    there = {name for _, _, name, _ in texts} | {f"{owner}.{name}" for owner, _, name, _ in texts}
    assert harmless() - there == set()
    guarded = {
        f"{owner}.{name}"
        for owner, parent, name, _ in texts
        if Member("", parent, name, "").resource_type is not None
    }
    assert guarded & harmless() == set()


def test_every_guarded_member_is_one_that_aws_or_a_crd_has(named):
    pairs = {(parent, name) for _, parent, name, _ in named} | texts_of_ours()
    there = {name for _, name in pairs} | {f"{parent}.{name}" for parent, name in pairs}
    assert set(RESOURCE_FIELDS) - there == {"options.awslogs-group"}


def test_names_of_free_maps_are_maps_throughout_awss_model(named):
    """Otherwise a member below such a name would pass unguarded."""
    maps = {name for _, _, name, shape in named if shape.type_name == "map"}
    others = {name for _, _, name, shape in named if shape.type_name != "map"}
    assert maps == FREE_MAPS
    assert FREE_MAPS & others == set()


def test_what_the_crd_takes_as_an_entry_is_what_can_match():
    prefixes = {kind.prefix for kind in RESOURCE_FIELDS.values() if kind.prefix}
    prefixes |= {f"{kind.name}{kind.separator}" for kind in RESOURCE_FIELDS.values() if kind.name}
    for entry in ["arn:", *prefixes]:
        assert re.match(RESOURCE_PATTERN, f"{entry}x"), entry
    alternatives = set(re.findall(r"[a-z][a-z-]*", RESOURCE_PATTERN)) - {"arn"}
    assert alternatives == {prefix.rstrip("-/:") for prefix in prefixes}
    for typo in ("sg1", "security_group/x", "*", "role/x", "subnets-1"):
        assert not re.match(RESOURCE_PATTERN, typo)


def test_both_sorts_of_guard_are_used():
    assert {kind.guard for kind in RESOURCE_FIELDS.values()} == set(Guard)
