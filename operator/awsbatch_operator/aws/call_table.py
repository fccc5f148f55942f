"""Every call that the operator makes to AWS, with the IAM actions it needs.

Sources: [auth] Service Authorization Reference, "Actions, resources, and condition keys for AWS
Batch", tables "API operations" and "Actions" (docs.aws.amazon.com/service-authorization/latest/
reference/list_batch.html); [full] the AWS managed policy AWSBatchFullAccess; [logs] and [sts] the
same reference for CloudWatch Logs and STS.

DescribeComputeEnvironments and the other Describe and List operations of Batch have no
resource-level permissions, so they need "*" [auth].
"""

from awsbatch_operator.aws.calls import Call, CallTable, Condition, Effect, Permission

_AUTH = "list_batch.html"
_LOGS = "list_amazoncloudwatchlogs.html"
_STS = "list_awssecuritytokenservice.html"

ENVIRONMENTS = "arn:aws:batch:*:*:compute-environment/*"
QUEUES = "arn:aws:batch:*:*:job-queue/*"
DEFINITIONS = "arn:aws:batch:*:*:job-definition/*"  # with and without a revision
POLICIES = "arn:aws:batch:*:*:scheduling-policy/*"
JOBS = "arn:aws:batch:*:*:job/*"
CONSUMABLES = "arn:aws:batch:*:*:consumable-resource/*"
JOB_LOGS = "arn:aws:logs:*:*:log-group:/aws/batch/job:log-stream:*"
SERVICE_LINKED_ROLE = "arn:aws:iam::*:role/aws-service-role/batch.amazonaws.com/*"
# The names that AWS's own guides and [full] give these roles, and one prefix of ours.
PASSED_ROLES = (
    "arn:aws:iam::*:role/AWSBatchServiceRole",
    "arn:aws:iam::*:role/aws-ec2-spot-fleet-role",
    "arn:aws:iam::*:role/batch-*",
    "arn:aws:iam::*:role/ecsInstanceRole",
    "arn:aws:iam::*:role/ecsTaskExecutionRole",
    "arn:aws:iam::*:role/service-role/AWSBatchServiceRole",
)
ACCOUNT_ROLES = ("arn:aws:iam::*:role/batch-operator*",)


def _may(action: str, *resources: str) -> Permission:
    return Permission(f"batch:{action}", resources or ("*",))


def _pass_roles(*services: str) -> Permission:
    condition = Condition("StringEquals", "iam:PassedToService", services)
    return Permission("iam:PassRole", PASSED_ROLES, condition)


def _tag(*resources: str) -> Permission:
    return _may("TagResource", *resources)


def _batch(
    effect: Effect, operation: str, methods: str, *permissions: Permission, source: str = _AUTH
) -> Call:
    own = permissions or (_may(operation),)
    return Call("batch", operation, effect, tuple(methods.split()), own, source)


_SERVICE_LINKED = Permission(
    "iam:CreateServiceLinkedRole",
    (SERVICE_LINKED_ROLE,),
    Condition("StringEquals", "iam:AWSServiceName", ("batch.amazonaws.com",)),
)
_TAGGED = (ENVIRONMENTS, QUEUES, DEFINITIONS, POLICIES)

CALLS = CallTable(
    (
        _batch(
            Effect.READS,
            "DescribeComputeEnvironments",
            "compute_environment Feed",
        ),
        _batch(Effect.READS, "DescribeJobQueues", "job_queue job_queues Feed"),
        _batch(Effect.READS, "DescribeJobDefinitions", "job_definitions Feed"),
        _batch(Effect.READS, "DescribeSchedulingPolicies", "scheduling_policy Feed"),
        _batch(Effect.READS, "ListSchedulingPolicies", "scheduling_policy Feed"),
        _batch(Effect.READS, "DescribeJobs", "job JobFeed"),
        _batch(Effect.READS, "ListJobs", "active_jobs jobs_by_name JobFeed"),
        _batch(
            Effect.MAKES,
            "CreateComputeEnvironment",
            "change",
            _may("CreateComputeEnvironment", ENVIRONMENTS),
            _tag(ENVIRONMENTS),
            _may("SetCapacityTags", ENVIRONMENTS),
            _pass_roles(
                "batch.amazonaws.com",
                "ec2.amazonaws.com",
                "ecs.amazonaws.com",
                "spotfleet.amazonaws.com",
            ),
            _SERVICE_LINKED,
            source=f"{_AUTH}; AWSBatchFullAccess",
        ),
        _batch(
            Effect.CHANGES,
            "UpdateComputeEnvironment",
            "change",
            _may("UpdateComputeEnvironment", ENVIRONMENTS),
            _pass_roles("batch.amazonaws.com", "ec2.amazonaws.com", "ecs.amazonaws.com"),
        ),
        _batch(
            Effect.ENDS,
            "DeleteComputeEnvironment",
            "change",
            _may("DeleteComputeEnvironment", ENVIRONMENTS),
        ),
        _batch(
            Effect.MAKES,
            "CreateJobQueue",
            "change",
            _may("CreateJobQueue", QUEUES, ENVIRONMENTS, POLICIES),
            _tag(QUEUES),
        ),
        _batch(
            Effect.CHANGES,
            "UpdateJobQueue",
            "change",
            _may("UpdateJobQueue", QUEUES, ENVIRONMENTS, POLICIES),
        ),
        _batch(Effect.ENDS, "DeleteJobQueue", "change", _may("DeleteJobQueue", QUEUES)),
        _batch(
            Effect.MAKES,
            "RegisterJobDefinition",
            "change",
            _may("RegisterJobDefinition", DEFINITIONS, CONSUMABLES),
            _tag(DEFINITIONS),
            _pass_roles("ecs-tasks.amazonaws.com"),
        ),
        _batch(
            Effect.ENDS,
            "DeregisterJobDefinition",
            "change",
            _may("DeregisterJobDefinition", DEFINITIONS),
        ),
        _batch(
            Effect.MAKES,
            "CreateSchedulingPolicy",
            "change",
            _may("CreateSchedulingPolicy", POLICIES),
            _tag(POLICIES),
        ),
        _batch(
            Effect.CHANGES,
            "UpdateSchedulingPolicy",
            "change",
            _may("UpdateSchedulingPolicy", POLICIES),
        ),
        _batch(
            Effect.ENDS,
            "DeleteSchedulingPolicy",
            "change",
            _may("DeleteSchedulingPolicy", POLICIES),
        ),
        _batch(Effect.CHANGES, "TagResource", "change", _tag(*_TAGGED)),
        _batch(Effect.CHANGES, "UntagResource", "change", _may("UntagResource", *_TAGGED)),
        _batch(
            Effect.MAKES,
            "SubmitJob",
            "submit_job",
            _may("SubmitJob", JOBS, DEFINITIONS, QUEUES, CONSUMABLES),
            _tag(JOBS),
        ),
        _batch(Effect.ENDS, "TerminateJob", "terminate_job", _may("TerminateJob", JOBS)),
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
    )
)
