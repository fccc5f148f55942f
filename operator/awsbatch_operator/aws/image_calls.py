"""The calls for machine images: rows of the call table, with the IAM actions that they need.

With those of SHARED, which capacity makes as well, they are a policy of their own,
deploy/iam/image-policy.json: whoever has no ExtendedAMI needs none of it. No key pair, no rule of a
security group, no role is ever made or changed.

Sources: [ec2], [ecs], [ssm] Service Authorization Reference, "Actions, resources, and condition
keys" of each service (docs.aws.amazon.com/service-authorization/latest/reference/).

**Only ours, by IAM too**, as in call_table.py. Images and snapshots belong to no account by their
ARNs. CreateImage acts on the builder, which is ours, and makes an image and snapshots with our tag;
CopyImage has the tag in its request. A parameter that is published carries our tag from the start.
"""

from awsbatch_operator.aws.calls import OURS, TO_BE_OURS, Call, Condition, Effect, Permission

PART = "image"
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
SHARED = frozenset(
    {
        "batch:DescribeComputeEnvironments",
        "ec2:CreateLaunchTemplate",
        "ec2:DeleteLaunchTemplate",
        "ec2:DescribeImages",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplates",
        "ec2:GetConsoleOutput",
        "ec2:RunInstances",
        "ec2:TerminateInstances",
        "ecs:DeregisterContainerInstance",
        "ecs:DescribeClusters",
        "ecs:DescribeContainerInstances",
        "ecs:ListContainerInstances",
        "ssm:GetParameter",
    }
)
_MADE_JUST_NOW = Condition("StringEquals", "ec2:CreateAction", ("CreateImage", "CopyImage"))


def _tag_when_made() -> Permission:
    return Permission("ec2:CreateTags", (IMAGES, SNAPSHOTS), (_MADE_JUST_NOW, TO_BE_OURS))


def _ec2(effect: Effect, operation: str, methods: str, *permissions: Permission) -> Call:
    own = permissions or (Permission(f"ec2:{operation}"),)
    return Call("ec2", operation, effect, tuple(methods.split()), own, _EC2, PART)


def _ours(operation: str, *resources: str) -> Permission:
    return Permission(f"ec2:{operation}", resources, (OURS,))


IMAGE_CALLS: tuple[Call, ...] = (
    _ec2(Effect.READS, "DescribeSnapshots", "own_snapshots"),
    _ec2(Effect.READS, "DescribeImageReferences", "references"),
    _ec2(
        Effect.MAKES,
        "CreateImage",
        "send",
        _ours("CreateImage", BUILDERS),
        Permission("ec2:CreateImage", (IMAGES, SNAPSHOTS), (TO_BE_OURS,)),
        _tag_when_made(),
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
        _tag_when_made(),
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
            Permission("ecs:TagResource", (VERIFY_CLUSTERS,), (TO_BE_OURS,)),
            # Its container instances are registered by agents, with or without tags.
            Permission("ecs:DescribeClusters", (VERIFY_CLUSTERS,)),
            Permission("ecs:DeregisterContainerInstance", (VERIFY_CLUSTERS,)),
        ),
        _ECS,
        PART,
    ),
    Call(
        "ecs",
        "DeleteCluster",
        Effect.ENDS,
        ("send",),
        (Permission("ecs:DeleteCluster", (VERIFY_CLUSTERS,), (OURS,)),),
        _ECS,
        PART,
    ),
    Call(
        "ssm",
        "PutParameter",
        Effect.CHANGES,
        ("send",),
        (
            Permission("ssm:PutParameter", (PARAMETERS,), (TO_BE_OURS,)),
            Permission("ssm:PutParameter", (PARAMETERS,), (OURS,)),
            Permission("ssm:AddTagsToResource", (PARAMETERS,), (TO_BE_OURS,)),
            # EC2's own check of a parameter of the type aws:ec2:image.
            Permission("ec2:DescribeImages"),
        ),
        _SSM,
        PART,
    ),
    Call(
        "ssm",
        "AddTagsToResource",
        Effect.CHANGES,
        ("send",),
        (Permission("ssm:AddTagsToResource", (PARAMETERS,), (OURS,)),),
        _SSM,
        PART,
    ),
    Call(
        "ssm",
        "RemoveTagsFromResource",
        Effect.CHANGES,
        ("send",),
        (Permission("ssm:RemoveTagsFromResource", (PARAMETERS,), (OURS,)),),
        _SSM,
        PART,
    ),
    Call(
        "ssm",
        "DeleteParameter",
        Effect.ENDS,
        ("send",),
        (Permission("ssm:DeleteParameter", (PARAMETERS,), (OURS,)),),
        _SSM,
        PART,
    ),
    Call(
        "ssm",
        "ListTagsForResource",
        Effect.READS,
        ("parameter",),
        (Permission("ssm:ListTagsForResource", (PARAMETERS,)),),
        _SSM,
        PART,
    ),
)
