"""The calls that make, name and mark what belongs to an image (pure)."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api.encoding import canonical
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.names import short_hash
from awsbatch_operator.api.tags import (
    ATTEMPT,
    BASE_IMAGE,
    BASE_SOURCE,
    BUILD,
    CONTENT,
    INTENT,
    MAX_CPUS,
    ROLE,
    THREADS_PER_CORE,
    VERDICT,
    Owner,
)
from awsbatch_operator.kinds.extendedami.desired import BUILDER_TYPES, Desired
from awsbatch_operator.kinds.extendedami.observed import Base, Role
from awsbatch_operator.kinds.extendedami.record import Build
from awsbatch_operator.userdata.images.build import build_user_data
from awsbatch_operator.userdata.images.verify import verify_user_data

NAME_LIMIT = 128  # CreateImage, Name (EC2 API reference): 3 to 128 characters
_METADATA: Mapping[str, Any] = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}
_LAUNCHED = ("instance", "volume", "network-interface")


@dataclass(frozen=True, slots=True)
class ImageCall:
    """One call to AWS: the service, the operation and its input; `region` "" is the object's.

    `token` is the client token that goes with it, where that is no part of what is asked for: the
    same is then asked for more and more rarely, by whatever token.
    """

    service: str
    operation: str
    request: Mapping[str, Any]
    region: str = ""
    token: str = field(default="", compare=False, repr=False)

    @property
    def call(self) -> str:
        """How the call table names it."""
        return f"{self.service}:{self.operation}"

    @property
    def trial(self) -> str:
        """What it tries, of a call that is only a trial (DryRun); "" for any other."""
        request = self.request
        about = f"{request.get('InstanceId', '')}{''.join(request.get('InstanceIds', ()))}"
        return f"{self.operation} {about}{self.region}" if request.get("DryRun") else ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A type in a subnet; "" is the default subnet of a zone of EC2's choice."""

    instance_type: str
    subnet: str


def offers(desired: Desired, architecture: str) -> tuple[Offer, ...]:
    """Where a builder or a verifier may be launched, in the order in which that is tried."""
    usual = BUILDER_TYPES.get(architecture, BUILDER_TYPES["x86_64"])
    types = desired.builder.instance_types or usual
    subnets = desired.builder.subnets or ("",)
    return tuple(Offer(each, subnet) for each in types for subnet in subnets)


def image_name(namespace: str, name: str, build: str) -> str:
    """The name of the image: the same for the same build, and no other one's."""
    readable = f"awsbatch-{namespace}-{name}"
    return f"{readable[: NAME_LIMIT - len(build) - 1]}-{build}"


def verify_cluster(owner: Owner) -> str:
    """The ECS cluster that the object's images are tried in, and nobody else's.

    Of one that several objects shared, nobody could tell whether another operator with the same
    cluster id was just about to launch into it. An object that is made anew has the same one.
    """
    place = (owner.key.namespace, owner.key.name)
    return f"awsbatch-verify-{short_hash(owner.cluster_id, *place, 'verify', digits=12)}"


def tags_of_build(desired: Desired, build: Build) -> dict[str, str]:
    """The tags of all that one attempt makes; ours last, no tag of the user's takes their place."""
    ours = {
        **desired.tags.all,
        **desired.owner.tags(),
        BUILD: build.build,
        ATTEMPT: str(build.attempt),
        BASE_IMAGE: build.base,
        BASE_SOURCE: build.source,
    }
    return ours if build.content == build.build else {**ours, CONTENT: build.content}


def tagged(kind: str, tags: Mapping[str, str]) -> Shape:
    """An entry of TagSpecifications."""
    rows = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
    return {"ResourceType": kind, "Tags": rows}


def builder(desired: Desired, build: Build, base: Base, offer: Offer) -> ImageCall:
    """RunInstances of the builder: the base, on disks as large as the image is to have them.

    CreateImage takes the sizes of the builder's volumes, it cannot change them. Raises
    UserDataTooLongError.
    """
    wanted = desired.builder
    root = {"DeviceName": base.root_device, "Ebs": dict(desired.root)}
    devices = [dict(each) for each in desired.devices]
    mappings = [root, *devices] if desired.root and base.root_device else devices
    data = build_user_data(
        desired.recipe,
        nonce=build.nonce,
        timeout_seconds=wanted.timeout_seconds,
        keep=wanted.keep_failed,
    )
    more: dict[str, Any] = {"BlockDeviceMappings": mappings} if mappings else {}
    return _run(desired, build, Role.BUILDER, offer, image=base.id, user_data=data, more=more)


def verifier(desired: Desired, build: Build, offer: Offer) -> ImageCall:
    """RunInstances of an instance of the new image, which joins the cluster of verification."""
    wanted = desired.verify
    data = verify_user_data(
        desired.recipe,
        nonce=build.verify_nonce,
        cluster=verify_cluster(desired.owner),
        timeout_seconds=wanted.timeout_seconds,
        container=(wanted.image, *wanted.command) if wanted.image else (),
    )
    return _run(desired, build, Role.VERIFIER, offer, image=build.image, user_data=data, more={})


def _run(
    desired: Desired,
    build: Build,
    role: Role,
    offer: Offer,
    *,
    image: str,
    user_data: bytes,
    more: Shape,
) -> ImageCall:
    wanted, profile = desired.builder, desired.builder.instance_profile
    request: dict[str, Any] = {
        "ImageId": image,
        "InstanceType": offer.instance_type,
        "MinCount": 1,
        "MaxCount": 1,
        # The image is made of the stopped builder, and of both the console stays readable.
        "InstanceInitiatedShutdownBehavior": "stop",
        "MetadataOptions": dict(_METADATA),
        **more,
    }
    if offer.subnet:
        request["SubnetId"] = offer.subnet
    if wanted.security_group_ids:
        request["SecurityGroupIds"] = list(wanted.security_group_ids)
    if profile:
        named = {"Arn": profile} if profile.startswith("arn:") else {"Name": profile}
        request["IamInstanceProfile"] = named
    tags = {**tags_of_build(desired, build), ROLE: role.value}
    text = canonical([request, base64.b64encode(user_data).decode(), tags]).decode()
    token = f"awsbatch-{short_hash(desired.owner.uid, text, digits=40)}"
    tags[INTENT] = token
    request["ClientToken"] = token
    request["UserData"] = user_data  # boto3 encodes it
    request["TagSpecifications"] = [tagged(kind, tags) for kind in _LAUNCHED]
    return ImageCall("ec2", "RunInstances", request)


def create_image(desired: Desired, build: Build, instance: str) -> ImageCall:
    """CreateImage of the stopped builder."""
    tags = tags_of_build(desired, build)
    request = {
        "InstanceId": instance,
        "Name": image_name(desired.namespace, desired.name, build.build),
        "Description": f"Made of {build.base} for {desired.namespace}/{desired.name}",
        "TagSpecifications": [
            tagged("image", {**tags, **_cpu_tags(desired)}),
            tagged("snapshot", tags),
        ],
    }
    return ImageCall("ec2", "CreateImage", request)


def trials(desired: Desired, build: Build, instance: str) -> tuple[ImageCall, ...]:
    """What will be done with a builder, and with its image at once, tried beforehand.

    A right that is missing is told while the builder works, and not when it has. That of CopyImage
    is tried with the base: which image it is does not matter to IAM. Systems Manager and ECS have
    no such trials.
    """
    made = create_image(desired, build, instance).request
    specified = {name: made[name] for name in ("Name", "TagSpecifications")}
    source = {"SourceImageId": build.base, "SourceRegion": desired.region}
    calls = [
        ImageCall("ec2", "CreateImage", {**made, "DryRun": True}),
        ImageCall("ec2", "TerminateInstances", {"InstanceIds": [instance], "DryRun": True}),
    ]
    for region in desired.regions:
        if region != desired.region:
            request = {**specified, **source, "DryRun": True}
            calls.append(ImageCall("ec2", "CopyImage", request, region=region))
    return tuple(calls)


def _cpu_tags(desired: Desired) -> dict[str, str]:
    """What of an instance's CPUs the image leaves, for whoever counts jobs on instances of it."""
    wish = desired.cpu_options
    cpus = {THREADS_PER_CORE: wish.threads_per_core, MAX_CPUS: wish.max_cpus}
    return {key: str(value) for key, value in cpus.items() if value is not None}


def terminate(ids: tuple[str, ...]) -> ImageCall:
    """TerminateInstances."""
    return ImageCall("ec2", "TerminateInstances", {"InstanceIds": list(ids)})


def judge(image: str, verdict: str) -> ImageCall:
    """Write the verdict on an image into its tags."""
    tags = [{"Key": VERDICT, "Value": verdict}]
    return ImageCall("ec2", "CreateTags", {"Resources": [image], "Tags": tags})


def deregister(image: str) -> ImageCall:
    """DeregisterImage, with its snapshots."""
    request = {"ImageId": image, "DeleteAssociatedSnapshots": True}
    return ImageCall("ec2", "DeregisterImage", request)


def delete_snapshot(snapshot: str) -> ImageCall:
    """DeleteSnapshot of one that no image has."""
    return ImageCall("ec2", "DeleteSnapshot", {"SnapshotId": snapshot})


def create_cluster(desired: Desired) -> ImageCall:
    """CreateCluster; one that is there is answered as it is."""
    tags = desired.owner.tags()
    request = {
        "clusterName": verify_cluster(desired.owner),
        "tags": [{"key": key, "value": value} for key, value in sorted(tags.items())],
    }
    return ImageCall("ecs", "CreateCluster", request)


def delete_cluster(owner: Owner) -> ImageCall:
    """DeleteCluster of the cluster of verification."""
    return ImageCall("ecs", "DeleteCluster", {"cluster": verify_cluster(owner)})


def deregister_member(owner: Owner, member: str) -> ImageCall:
    """DeregisterContainerInstance of one whose instance is gone.

    ECS does that by itself only for an instance that was ended while its agent was connected (ECS
    developer guide, "Deregistering an Amazon ECS container instance").
    """
    request = {
        "cluster": verify_cluster(owner),
        "containerInstance": member,
        "force": True,
    }
    return ImageCall("ecs", "DeregisterContainerInstance", request)


def delete_template(template: str) -> ImageCall:
    """DeleteLaunchTemplate."""
    return ImageCall("ec2", "DeleteLaunchTemplate", {"LaunchTemplateId": template})
