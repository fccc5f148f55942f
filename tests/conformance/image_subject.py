"""The ExtendedAMI as a subject: made by many calls, by builders that follow a script."""

from typing import Any

from tests.conformance.subject import Subject
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation

from awsbatch_operator.api.metadata import ObjectKey

IMAGE_KEY = ObjectKey("ExtendedAMI", NAMESPACE, "atmos")
PARAMETER = "/images/atmos"


def _image(*packages: str, **changes: Any) -> dict[str, Any]:
    return {
        "base": {"family": "AL2023"},
        "packages": list(packages or ("htop",)),
        "builder": {"subnets": ["subnet-1"], "instanceProfile": manifests.PROFILE},
        "publish": {"ssmParameter": PARAMETER},
        **changes,
    }


def _image_drifts(there: Installation) -> object:
    return there.aws("ssm").put_parameter(Name=PARAMETER, Value="ami-theirs", Overwrite=True)


def _image_goes(there: Installation) -> object:
    image = there.status(IMAGE_KEY)["imageId"]
    return there.aws("ec2").deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)


_BUILD = (
    "ec2:CreateImage",
    "ec2:CreateTags",  # with the verdict
    *["ec2:RunInstances"] * 4,  # builder and verifier, each asked first whether it would work
    *["ec2:TerminateInstances"] * 2,
    "ecs:CreateCluster",
    "ecs:DeleteCluster",
    "ssm:PutParameter",
)
IMAGE = Subject(
    id="ExtendedAMI",
    key=IMAGE_KEY,
    spec=_image(),
    makes="ec2:CreateImage",
    making=_BUILD,
    unmakes="ec2:DeregisterImage",
    enters="ec2:RunInstances",
    edited=_image("jq"),
    edit_calls=tuple(sorted((*_BUILD, "ec2:EnableImageDeprecation"))),  # of the one before
    unfelt=_image(deletionPolicy="Delete"),
    beyond=_image("jq", retention={"keep": 1, "minAgeDays": 0}),
    drift=_image_drifts,
    goes=_image_goes,
    drift_calls=("ssm:PutParameter",),
    mistakes=(
        (_image("-y htop"), "spec.packages"),
        (_image(base={}), "spec.base"),
        (_image(volumes=[{"name": "x", "deviceName": "sdf", "sizeGiB": 1}]), "deviceName"),
        (_image(kernelArguments=["quiet; reboot"]), "spec.kernelArguments"),
        (_image(packges=["htop"]), "packges"),
    ),
    selectors=("status.imageId=ami-078b9e98c4449bf43", "status.base.upToDate=true"),
    ends_within=300.0,
    external=("parameter/images/atmos",),
    at_once={"base": {"family": "AL2023"}, "rootVolume": {"sizeGiB": 111}},
)
