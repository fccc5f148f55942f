"""The reasons of machine images; what the catalogue says of reasons holds for them."""

from awsbatch_operator.api.findings import note, stall, wait

IMAGE_BUILDING = wait(
    "ImageBuilding",
    "A builder instance makes the image: it starts, installs what the spec says, and shuts down.",
    seconds=30,
)
IMAGE_PENDING = wait(
    "ImagePending",
    "EC2 takes the image from the stopped builder, which takes minutes, with large disks hours.",
    seconds=30,
)
IMAGE_VERIFYING = wait(
    "ImageVerifying",
    "An instance of the new image has to boot and join an ECS cluster before the image is used.",
    seconds=30,
)
IMAGE_CLEANING = wait(
    "ImageCleaningUp",
    "What was launched or made on the way to the image is being removed.",
    seconds=15,
)
BUILD_RETRYING = wait(
    "BuildRetrying",
    "A build has failed and is tried once more after a pause.",
    "An edit of the spec, or a new value of the annotation awsbatch.dev/reconcile-at, begins at "
    "once.",
    seconds=60,
)
BUILD_ATTEMPT_FAILED = note(
    "BuildAttemptFailed",
    "An attempt to build the image has failed; status.build has the end of its console.",
    warning=True,
)
BUILD_FAILED = stall(
    "BuildFailed",
    "The image could not be built, and all attempts are used up. No builder is left behind.",
    "Mend what the message names (status.build has the end of the console), then change the spec "
    "or give the annotation awsbatch.dev/reconcile-at a new value.",
)
VERIFICATION_FAILED = stall(
    "VerificationFailed",
    "The image was built and did not pass its test, and all attempts are used up. It is not used.",
    "Mend what the message names, then change the spec or give the annotation "
    "awsbatch.dev/reconcile-at a new value.",
)
BUILDER_KEPT = note(
    "BuilderKept",
    "The builder of a failed build is kept for a look, as builder.onFailure says; it costs on.",
    warning=True,
)
BUILD_CAPACITY_SHORT = wait(
    "BuilderCapacityShort",
    "EC2 has no capacity, or the account no quota, for any type and subnet of the builder.",
    "Allow more types in builder.instanceTypes or subnets in builder.subnets, or ask AWS for a "
    "higher quota. It is tried again after a pause; Spot is never used to build.",
    seconds=60,
)
BASE_NOT_FOUND = stall(
    "BaseImageNotFound",
    "AWS has no image where spec.base says, or does not let this account use it.",
    "Correct spec.base, or have the image shared with this account.",
    300.0,
)
BASE_CIRCLE = stall(
    "BaseCircle",
    "ExtendedAMIs are made from each other in a circle, so that none of them can be the first.",
    "Give one of them another base: in its spec.base, set family, ssmParameter or amiId instead of "
    "amiRef, or name an ExtendedAMI outside the circle. The others go on by themselves.",
)
BASE_WITHDRAWN = note(
    "BaseImageWithdrawn",
    "The base image is gone from AWS. The image that was made of it is used on.",
    "Name another base when the image is to be built anew.",
    warning=True,
)
BASE_TEMPLATE_LEFT = note(
    "BaseTemplateLeft",
    "The ExtendedAMI that is the base has a launch template for what its image does not carry. The "
    "image alone is the base, and nothing of the template comes along.",
    "Where instances are to have it as well, say it in the spec of this object, too.",
    warning=True,
)
BASE_UPDATE_AVAILABLE = note(
    "BaseUpdateAvailable",
    "There is a newer base image, and spec.rebuild does not ask for a build because of it.",
)
SPEC_NOT_BUILT = note(
    "SpecNotBuilt",
    "The spec says another image than the one in use, and spec.rebuild does not ask for a build "
    "because of it.",
    "Add SpecChange to spec.rebuild.when, and it is built.",
)
NAME_TAKEN = stall(
    "ImageNameTaken",
    "AWS has an image of the name that this build would have, and it is not this object's. The "
    "builder was ended.",
    "Deregister that image, after copying it under another name if it is needed; this object then "
    "builds anew by itself.",
    300.0,
)
PIN_NOT_FOUND = stall(
    "PinnedImageNotFound",
    "spec.pin names an image that this object has not built, that did not pass its test, or that "
    "is gone.",
    "Name one of status.images, or remove the pin.",
    300.0,
)
USER_DATA_TOO_LONG = stall(
    "UserDataTooLong",
    "What the builder has to run is longer than EC2 takes as user data.",
    "Shorten files and scripts; or load what is long in a script, for instance from S3, or make it "
    "a package or a part of a container image.",
)
SCRIPT_MISSING = wait(
    "ScriptTextMissing",
    "A script's text is in a ConfigMap that does not exist, lacks the key, or cannot be read. An "
    "image that is there is used on, and nothing new is made.",
    "Create the ConfigMap in the namespace of the ExtendedAMI, with that key; or correct "
    "scripts[].contentFrom. It goes on by itself.",
    seconds=30,
)
SCRIPT_UNFIT = stall(
    "ScriptTextUnfit",
    "The text that a ConfigMap has for a script cannot be run. Nothing new is made of it.",
    "Begin it with a line such as #!/bin/bash, and convert such a file with dos2unix.",
    180.0,
)
VERIFY_NEEDS_PROFILE = stall(
    "VerifyNeedsProfile",
    "The image is to be tried in an ECS cluster, and its instance would have no right to join one.",
    "Name an instance profile in spec.builder.instanceProfile whose role has the policy "
    "AmazonEC2ContainerServiceforEC2Role, or set spec.verify.enabled to false.",
)
IMAGE_BUILT = note("ImageBuilt", "A builder has finished, and EC2 takes the image from it.")
IMAGE_VERIFIED = note("ImageVerified", "The image has passed its test and is used from now on.")
IMAGE_RETIRED = note("ImageRetired", "An image that was superseded, or failed, was removed.")
BUILD_STARTED = note("BuildStarted", "An instance is launched to build the image.")
IMAGE_COPYING = wait(
    "ImageCopying",
    "The image in use is being copied to the further regions of the spec.",
    seconds=60,
)
IMAGE_COPIED = note("ImageCopied", "A copy of the image in use is made in another region.")
COPY_FAILED = stall(
    "ImageCopyFailed",
    "EC2 could not copy the image in use to another region. It is tried again an hour later.",
    "Mend what the message names: mostly a KMS key that has no replica there, or that the operator "
    "may not use. To try at once, deregister the failed copy.",
    300.0,
)
KEY_ELSEWHERE = stall(
    "KeyElsewhere",
    "A volume is to be encrypted with a KMS key of another region, which EC2 does not do. Nothing "
    "was launched.",
    "Name a key of that region; of a multi-Region key, its id alone or the ARN of its replica "
    "there.",
)
IMAGE_IN_USE = stall(
    "ImageInUse",
    "The object is deleted, and something still uses its images.",
    "Let it use another image, or delete it; the deletion goes on by itself.",
    60.0,
)
TEMPLATE_MADE = note("LaunchTemplateMade", "A launch template carries what no image has to.")
TEMPLATE_TAKEN = stall(
    "LaunchTemplateTaken",
    "AWS has a launch template of the name that this object's would have, and its tags do not say "
    "that it is this object's. It is left alone.",
    "Delete it, or set its tags again; this object then goes on by itself.",
    300.0,
)
IMAGE_PUBLISHED = note("ImagePublished", "The parameter names the image in use now.")
PARAMETER_TAKEN = stall(
    "ParameterTaken",
    "publish.ssmParameter names a parameter that is not this object's. It is left alone.",
    "Name another one, or remove that parameter; this object then goes on by itself.",
    300.0,
)
BAKE_NOT_NEEDED = note(
    "BakeNotNeeded",
    "What the spec asks for needs no machine image of its own: the base and a launch template do.",
)
BASE_UNFIT = stall(
    "BaseUnfit",
    "The base image and what is to be made of it do not fit together. Nothing was launched.",
    "Name another base, or remove what it cannot have.",
)
BASE_ENDED = note(
    "BaseNoLongerSupported",
    "The base image is of a system that gets no more fixes.",
    "Set spec.base.family to AL2023, when what runs on it can do so.",
    warning=True,
)
IMAGE_UNFIT = stall(
    "ImageUnfit",
    "The image of an ExtendedAMI does not fit the compute environment that names it.",
    "Name instance types and an image type for which the image is made, or another ExtendedAMI.",
)
TWO_LAUNCH_TEMPLATES = stall(
    "TwoLaunchTemplates",
    "An ExtendedAMI brings a launch template, and the compute environment would have two.",
    "Remove the one that the environment names, or have an image made, which needs none.",
)
