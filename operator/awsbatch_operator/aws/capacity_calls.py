"""The calls for EC2 capacity: rows of the call table, with the IAM actions that they need.

They make a policy of their own, deploy/iam/capacity-policy.json: whoever has no UNMANAGED
environment with capacity needs none of it. DescribeInstances and DescribeContainerInstances, which
say of any job where it ran, stand in call_table.py.

Sources: [ec2], [ecs], [ssm], [pricing] Service Authorization Reference, "Actions, resources, and
condition keys" of each service (docs.aws.amazon.com/service-authorization/latest/reference/).

**Only ours, by IAM too.** As in call_table.py: what is made must carry our cluster's tag
(aws:RequestTag), and only what carries it is changed or ended (aws:ResourceTag). RunInstances and
CreateFleet demand the tag of the request on each type of resource that they make; ec2:CreateTags is
allowed for what one of our own calls is just making (ec2:CreateAction), and for nothing that is
there: the operator never sends CreateTags itself.

Without a condition stay what a launch only uses (image, subnet, security group, key, placement
group, snapshot, a capacity reservation of one's own) and what only reads. Container instances are
registered by agents, with or without tags, so they are told by their cluster: those that AWS Batch
makes for its environments, by both forms of name that it has given them.
"""

from awsbatch_operator.aws.calls import (
    LONGEST_WAIT,
    OURS,
    TO_BE_OURS,
    Call,
    Condition,
    Effect,
    Permission,
    pass_roles,
)

PART = "capacity"
_EC2 = "list_amazonec2.html"
_ECS = "list_amazonelasticcontainerservice.html"
_SSM = "list_awssystemsmanager.html"
_PRICING = "list_awspricelist.html"
_SQS = "list_amazonsqs.html"

CLUSTERS = ("arn:aws:ecs:*:*:cluster/AWSBatch-*", "arn:aws:ecs:*:*:cluster/*_Batch_*")
CONTAINER_INSTANCES = (
    "arn:aws:ecs:*:*:container-instance/AWSBatch-*/*",
    "arn:aws:ecs:*:*:container-instance/*_Batch_*/*",
)
QUEUES = "arn:aws:sqs:*:*:aws-batch-operator*"  # by the names of our guides
IMAGE_PARAMETERS = "arn:aws:ssm:*:*:parameter/aws/service/ecs/optimized-ami/*"
SERVICE_LINKED_ROLES = (
    "arn:aws:iam::*:role/aws-service-role/ec2fleet.amazonaws.com/*",
    "arn:aws:iam::*:role/aws-service-role/spot.amazonaws.com/*",
)


def _arn(kind: str) -> str:
    return f"arn:aws:ec2:*:*:{kind}/*"


INSTANCES, TEMPLATES, VOLUMES = _arn("instance"), _arn("launch-template"), _arn("volume")
RESERVATIONS = _arn("capacity-reservation")
# What a launch makes, and what it uses; images and snapshots belong to no account by their ARNs.
LAUNCHED = (INSTANCES, VOLUMES, _arn("network-interface"), _arn("spot-instances-request"))
FLEETS = _arn("fleet")
USED = (
    RESERVATIONS,
    "arn:aws:ec2:*::image/*",
    _arn("key-pair"),
    _arn("placement-group"),
    _arn("security-group"),
    "arn:aws:ec2:*::snapshot/*",
    _arn("subnet"),
)
_MAKERS = ("CreateCapacityReservation", "CreateFleet", "CreateLaunchTemplate", "RunInstances")
_MADE_JUST_NOW = Condition("StringEquals", "ec2:CreateAction", _MAKERS)


def _tag_when_made(*resources: str) -> Permission:
    return Permission("ec2:CreateTags", resources, (_MADE_JUST_NOW, TO_BE_OURS))


def _ec2(effect: Effect, operation: str, methods: str, *permissions: Permission) -> Call:
    own = permissions or (Permission(f"ec2:{operation}"),)
    return Call("ec2", operation, effect, tuple(methods.split()), own, _EC2, PART)


def _ec2_ours(effect: Effect, operation: str, methods: str, *resources: str) -> Call:
    """The operation on what carries our cluster's tag."""
    permission = Permission(f"ec2:{operation}", resources, (OURS,))
    return _ec2(effect, operation, methods, permission)


def _ecs(effect: Effect, operation: str, methods: str, resources: tuple[str, ...] = ("*",)) -> Call:
    permissions = (Permission(f"ecs:{operation}", resources),)
    return Call("ecs", operation, effect, tuple(methods.split()), permissions, _ECS, PART)


_LINKED_ROLES = Permission(
    "iam:CreateServiceLinkedRole",
    SERVICE_LINKED_ROLES,
    (
        Condition(
            "StringEquals",
            "iam:AWSServiceName",
            ("ec2fleet.amazonaws.com", "spot.amazonaws.com"),
        ),
    ),
)


def _launch(operation: str, *made: str) -> Call:
    """A call that launches; the volumes and interfaces of its template are made as well."""
    return _ec2(
        Effect.MAKES,
        operation,
        "change dry_run",
        Permission(f"ec2:{operation}", made, (TO_BE_OURS,)),
        Permission(f"ec2:{operation}", (TEMPLATES,), (OURS,)),
        Permission(f"ec2:{operation}", USED),
        _tag_when_made(*made),
        pass_roles("ec2.amazonaws.com"),
        _LINKED_ROLES,
    )


CAPACITY_CALLS: tuple[Call, ...] = (
    _ec2(Effect.READS, "DescribeInstanceTypes", "instance_types"),
    _ec2(Effect.READS, "DescribeInstanceTypeOfferings", "zones_of"),
    _ec2(Effect.READS, "DescribeSubnets", "subnets"),
    _ec2(Effect.READS, "DescribeSecurityGroups", "security_groups"),
    _ec2(
        Effect.READS,
        "DescribeImages",
        "images own_images image_named images_named_like snapshots_in_use",
    ),
    _ec2(Effect.READS, "DescribeLaunchTemplateVersions", "launch_template"),
    _ec2(Effect.READS, "DescribeCapacityReservations", "capacity_reservations"),
    _ec2(Effect.READS, "DescribeInstanceStatus", "troubled_instances"),
    _ec2(Effect.READS, "DescribeSpotInstanceRequests", "spot_requests"),
    _ec2(Effect.READS, "DescribeSpotPriceHistory", "spot"),
    _ec2(Effect.READS, "DescribeVolumes", "volumes"),
    _ec2_ours(Effect.READS, "GetConsoleOutput", "console_output", INSTANCES),
    _launch("RunInstances", *LAUNCHED),
    _launch("CreateFleet", FLEETS, *LAUNCHED),
    _ec2_ours(Effect.ENDS, "TerminateInstances", "change dry_run", INSTANCES),
    _ec2_ours(Effect.ENDS, "DeleteVolume", "change", VOLUMES),
    _ec2(
        Effect.MAKES,
        "CreateLaunchTemplate",
        "change dry_run",
        Permission("ec2:CreateLaunchTemplate", (TEMPLATES,), (TO_BE_OURS,)),
        _tag_when_made(TEMPLATES),
    ),
    _ec2_ours(Effect.ENDS, "DeleteLaunchTemplate", "change", TEMPLATES),
    _ec2(
        Effect.MAKES,
        "CreateCapacityReservation",
        "change dry_run",
        Permission("ec2:CreateCapacityReservation", (RESERVATIONS,), (TO_BE_OURS,)),
        _tag_when_made(RESERVATIONS),
    ),
    _ec2_ours(Effect.ENDS, "CancelCapacityReservation", "change", RESERVATIONS),
    _ecs(Effect.READS, "ListContainerInstances", "container_instances Feed"),
    _ecs(Effect.CHANGES, "UpdateContainerInstancesState", "change", CONTAINER_INSTANCES),
    _ecs(Effect.ENDS, "DeregisterContainerInstance", "change", CLUSTERS),
    Call(
        "ssm",
        "GetParameter",
        Effect.READS,
        ("image_parameter", "parameter"),
        (Permission("ssm:GetParameter", (IMAGE_PARAMETERS,)),),
        _SSM,
        PART,
    ),
    Call(
        "pricing",
        "GetProducts",
        Effect.READS,
        ("on_demand",),
        (Permission("pricing:GetProducts"),),
        _PRICING,
        PART,
    ),
    Call(
        "sqs",
        "ReceiveMessage",
        Effect.READS,
        ("NoticeBook", "JobEventBook"),
        (Permission("sqs:ReceiveMessage", (QUEUES,)),),
        _SQS,
        PART,
        waits=LONGEST_WAIT,
    ),
    Call(
        "sqs",
        "DeleteMessageBatch",
        Effect.ENDS,
        ("NoticeBook", "JobEventBook"),
        (Permission("sqs:DeleteMessage", (QUEUES,)),),  # there is none for the batch
        _SQS,
        PART,
    ),
)
