"""The calls for machine images: rows of the call table, with the IAM actions that they need.

They are policies of their own, beside the operator's: whoever has no ExtendedAMI needs none of
them. The core (PART, with those of SHARED, which capacity makes as well) builds images, keeps them
and removes them. What not everybody asks of an image is apart from it: to try it (VERIFY), to copy
it to further regions (COPIES), to publish it (PUBLISH), and to take over one that nobody has marked
(ADOPTED_IMAGES). No key pair, no rule of a security group, no role is ever made or changed.

Sources: [ec2], [ecs], [ssm] Service Authorization Reference, "Actions, resources, and condition
keys" of each service (docs.aws.amazon.com/service-authorization/latest/reference/).

**Only ours, by IAM too**, as in call_table.py. Images and snapshots belong to no account by their
ARNs. CreateImage acts on the builder, which is ours, and makes an image and snapshots with our tag;
CopyImage has the tag in its request. A parameter that is published carries our tag from the start.
"""

from collections.abc import Mapping

from awsbatch_operator.aws.calls import (
    NOBODYS,
    OURS,
    TO_BE_OURS,
    Call,
    Condition,
    Effect,
    Permission,
)

PART = "image"
VERIFY, COPIES, PUBLISH = "image-verify", "image-copies", "image-publish"
PARTS = (PART, VERIFY, COPIES, PUBLISH)
_EC2 = "list_amazonec2.html"
_ECS = "list_amazonelasticcontainerservice.html"
_SSM = "list_awssystemsmanager.html"

IMAGES = "arn:aws:ec2:*::image/*"
SNAPSHOTS = "arn:aws:ec2:*::snapshot/*"
LAUNCH_TEMPLATES = "arn:aws:ec2:*:*:launch-template/*"
BUILDERS = "arn:aws:ec2:*:*:instance/*"
VERIFY_CLUSTERS = "arn:aws:ecs:*:*:cluster/awsbatch-verify-*"
PARAMETERS = "arn:aws:ssm:*:*:parameter/*"

_TAGGED = (IMAGES, SNAPSHOTS, LAUNCH_TEMPLATES)

# What capacity makes as well; its rows say what they need.
SHARED: Mapping[str, frozenset[str]] = {
    PART: frozenset(
        {
            "ec2:CreateLaunchTemplate",
            "ec2:DeleteLaunchTemplate",
            "ec2:DescribeImages",
            "ec2:GetConsoleOutput",
            "ec2:RunInstances",
            "ec2:TerminateInstances",
            "ssm:GetParameter",
        }
    ),
    VERIFY: frozenset({"ecs:ListContainerInstances"}),
}
# What images ask for as well: the operator's own policy has it, or a row below.
BESIDES = frozenset(
    {
        "batch:DescribeComputeEnvironments",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplates",
        "ecs:DeregisterContainerInstance",
        "ecs:DescribeClusters",
        "ecs:DescribeContainerInstances",
    }
)
# Of RunInstances for Spot, which nothing of images is.
NOT_FOR_IMAGES = frozenset({"iam:CreateServiceLinkedRole"})


def _tag_when_made(action: str) -> Permission:
    just_now = Condition("StringEquals", "ec2:CreateAction", (action,))
    return Permission("ec2:CreateTags", (IMAGES, SNAPSHOTS), (just_now, TO_BE_OURS))


def _ec2(
    effect: Effect, operation: str, methods: str, *permissions: Permission, part: str = PART
) -> Call:
    own = permissions or (Permission(f"ec2:{operation}"),)
    return Call("ec2", operation, effect, tuple(methods.split()), own, _EC2, part)


def _ours(operation: str, *resources: str) -> Permission:
    return Permission(f"ec2:{operation}", resources, (OURS,))


# What `adoptionPolicy` of an ExtendedAMI takes besides, for those who want it: our mark on an image
# that no cluster has marked.
ADOPTED_IMAGES = Call(
    "ec2",
    "CreateTags",
    Effect.CHANGES,
    ("send",),
    (Permission("ec2:CreateTags", (IMAGES, SNAPSHOTS), (TO_BE_OURS, NOBODYS)),),
    _EC2,
    part="image-adoption",
)

IMAGE_CALLS: tuple[Call, ...] = (
    _ec2(Effect.READS, "DescribeSnapshots", "own_snapshots"),
    _ec2(Effect.READS, "DescribeImageReferences", "references"),
    _ec2(
        Effect.MAKES,
        "CreateImage",
        "send",
        _ours("CreateImage", BUILDERS),
        Permission("ec2:CreateImage", (IMAGES, SNAPSHOTS), (TO_BE_OURS,)),
        _tag_when_made("CreateImage"),
    ),
    # The verdict on an image is a tag; and an edit of the spec's tags reaches what there is.
    _ec2(Effect.CHANGES, "CreateTags", "send", _ours("CreateTags", *_TAGGED)),
    _ec2(Effect.CHANGES, "DeleteTags", "send", _ours("DeleteTags", *_TAGGED)),
    _ec2(
        Effect.MAKES,
        "CopyImage",
        "send",
        Permission("ec2:CopyImage", (SNAPSHOTS,), (TO_BE_OURS,)),
        Permission("ec2:CopyImage", (IMAGES,)),  # the source, of another region, as well
        _tag_when_made("CopyImage"),
        part=COPIES,
    ),
    _ec2(
        Effect.CHANGES,
        "EnableImageDeprecation",
        "send",
        _ours("EnableImageDeprecation", IMAGES),
    ),
    _ec2(
        Effect.CHANGES,
        "DisableImageDeprecation",
        "send",
        _ours("DisableImageDeprecation", IMAGES),
    ),
    _ec2(
        Effect.ENDS,
        "DeregisterImage",
        "send",
        _ours("DeregisterImage", IMAGES),
        _ours("DeleteSnapshot", SNAPSHOTS),
    ),
    _ec2(Effect.ENDS, "DeleteSnapshot", "send", _ours("DeleteSnapshot", SNAPSHOTS)),
    Call(
        "ecs",
        "CreateCluster",
        Effect.MAKES,
        ("send",),
        (
            Permission("ecs:CreateCluster", (VERIFY_CLUSTERS,), (TO_BE_OURS,)),
            Permission("ecs:TagResource", (VERIFY_CLUSTERS,), (TO_BE_OURS, NOBODYS)),
            # Its container instances are registered by agents, with or without tags.
            Permission("ecs:DescribeClusters", (VERIFY_CLUSTERS,)),
            Permission("ecs:DeregisterContainerInstance", (VERIFY_CLUSTERS,)),
        ),
        _ECS,
        VERIFY,
    ),
    # Clusters whose object is gone: there is no other way to find them.
    Call(
        "ecs",
        "ListClusters",
        Effect.READS,
        ("verify_clusters",),
        (Permission("ecs:ListClusters"),),
        _ECS,
        VERIFY,
    ),
    Call(
        "ecs",
        "DeleteCluster",
        Effect.ENDS,
        ("send",),
        (Permission("ecs:DeleteCluster", (VERIFY_CLUSTERS,), (OURS,)),),
        _ECS,
        VERIFY,
    ),
    Call(
        "ssm",
        "PutParameter",
        Effect.CHANGES,
        ("send",),
        (
            Permission("ssm:PutParameter", (PARAMETERS,), (TO_BE_OURS,)),
            Permission("ssm:PutParameter", (PARAMETERS,), (OURS,)),
            Permission("ssm:AddTagsToResource", (PARAMETERS,), (TO_BE_OURS, NOBODYS)),
            # EC2's own check of a parameter of the type aws:ec2:image.
            Permission("ec2:DescribeImages"),
        ),
        _SSM,
        PUBLISH,
    ),
    Call(
        "ssm",
        "AddTagsToResource",
        Effect.CHANGES,
        ("send",),
        (Permission("ssm:AddTagsToResource", (PARAMETERS,), (OURS,)),),
        _SSM,
        PUBLISH,
    ),
    Call(
        "ssm",
        "RemoveTagsFromResource",
        Effect.CHANGES,
        ("send",),
        (Permission("ssm:RemoveTagsFromResource", (PARAMETERS,), (OURS,)),),
        _SSM,
        PUBLISH,
    ),
    Call(
        "ssm",
        "DeleteParameter",
        Effect.ENDS,
        ("send",),
        (Permission("ssm:DeleteParameter", (PARAMETERS,), (OURS,)),),
        _SSM,
        PUBLISH,
    ),
    Call(
        "ssm",
        "ListTagsForResource",
        Effect.READS,
        ("parameter",),
        (Permission("ssm:ListTagsForResource", (PARAMETERS,)),),
        _SSM,
        PUBLISH,
    ),
)
