"""ComputeEnvironment: machine images, and the placement group of its instances."""

from tests.support.crd_cases.cases import case
from tests.support.crd_cases.environment_parts import UNMANAGED, fargate, image, resources

CASES = {
    "one-placement-group": case(
        accepts=[
            resources(managedPlacementGroup=True),
            resources(managedPlacementGroup=False, placementGroup="near"),
            fargate(managedPlacementGroup=False),
        ],
        refuses=[
            resources(managedPlacementGroup=True, placementGroup="near"),
            fargate(managedPlacementGroup=True),
        ],
    ),
    "one-image": case(
        accepts=[image(amiRef={"name": "atmos"}), image(imageIdOverride="ami-0a1b2c3d")],
        refuses=image(amiRef={"name": "atmos"}, imageIdOverride="ami-0a1b2c3d"),
    ),
    "image-updates-of-instances": case(
        accepts=[
            {"imageUpdates": "Track"},
            {"imageUpdates": "Manual", **fargate()},
        ],
        refuses=[
            {"imageUpdates": "Track", **fargate()},
            fargate(updateToLatestImageVersion=True),
            {"imageUpdates": "Track", **UNMANAGED},
        ],
    ),
    "image-updates-said-once": case(
        accepts=[
            {"imageUpdates": "Track", **resources(updateToLatestImageVersion=True)},
            {"imageUpdates": "Manual", **resources(updateToLatestImageVersion=False)},
            resources(updateToLatestImageVersion=True),
        ],
        refuses={"imageUpdates": "Manual", **resources(updateToLatestImageVersion=True)},
    ),
    "image-id": case(
        accepts=[resources(imageId="ami-0a1b2c3d"), resources(imageId="")],
        refuses=[resources(imageId="my-image"), resources(imageId="ami-XYZ")],
        says="imageId is the id of a machine image",
    ),
    "image-id-override": case(
        accepts=resources(
            ec2Configuration=[{"imageType": "ECS_AL2023", "imageIdOverride": "ami-0a1b2c3d"}]
        ),
        refuses=resources(
            ec2Configuration=[{"imageType": "ECS_AL2023", "imageIdOverride": "my-image"}]
        ),
        says="imageIdOverride is the id of a machine image",
    ),
    "image-type": case(
        accepts=resources(
            ec2Configuration=[{"imageType": "ECS_AL2023_NVIDIA"}, {"imageType": "EKS_AL2023"}]
        ),
        refuses=[
            resources(ec2Configuration=[{"imageType": name}])
            for name in ("AL2023", "ecs_al2023", "ami-0a1b2c3d")
        ],
        says="imageType is one of AWS's words",
    ),
}
