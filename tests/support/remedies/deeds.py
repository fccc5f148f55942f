"""What breaks compute environments and mends them, past the operator."""

import json
from typing import Any

from tests.support.installation import ACCOUNT, NAMESPACE
from tests.support.manifests import ENVIRONMENT, environment
from tests.support.remedies.rows import Deed, There

from awsbatch_operator.api.metadata import ObjectKey

SECOND = ObjectKey("ComputeEnvironment", NAMESPACE, "second")
BATCH_ROLE = "service-role/ours"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{BATCH_ROLE}"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/AWSBatchServiceRole"
OTHER_PROFILE = f"arn:aws:iam::{ACCOUNT}:instance-profile/other"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "batch.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
ANEW = "made anew by itself"
REMADE = ["UpdateComputeEnvironment", "DeleteComputeEnvironment", "CreateComputeEnvironment"]


def iam(operation: str, **request: str) -> Deed:
    """Somebody changes IAM."""

    async def do(there: There) -> None:
        own = {name: there.named(text) for name, text in request.items()}
        getattr(there.aws("iam"), operation)(**own)

    return do


MAKE_PROFILE = iam("create_instance_profile", InstanceProfileName="other")
DROP_PROFILE = iam("delete_instance_profile", InstanceProfileName="other")
MAKE_ROLE = iam(
    "create_role",
    RoleName="ours",
    Path="/service-role/",
    AssumeRolePolicyDocument=json.dumps(TRUST),
)
DROP_ROLE = iam("delete_role", RoleName="ours")


def ec2(operation: str, **request: Any) -> Deed:
    """Somebody changes EC2."""

    async def do(there: There) -> None:
        getattr(there.aws("ec2"), operation)(**request)

    return do


def make_template(name: str) -> Deed:
    """Somebody makes a launch template."""
    data = {"EbsOptimized": True}
    return ec2("create_launch_template", LaunchTemplateName=name, LaunchTemplateData=data)


MAKE_TEMPLATE, MAKE_FOLLOWED = make_template("web"), make_template("followed")


def with_role(**changes: Any) -> dict[str, Any]:
    return environment(**changes) | {"serviceRole": ROLE}


async def drop_cluster(there: There) -> None:
    """Somebody deletes the ECS cluster of the environment."""
    await there.until_ready(ENVIRONMENT)
    there.aws("ecs").delete_cluster(cluster=there.status(ENVIRONMENT)["ecsClusterArn"])
