"""Members that say nothing, as AWS returns them: accepted, not sent, and no change."""

import pytest
from tests.support.installation import Installation
from tests.support.manifests import ENVIRONMENT, environment, fargate

# What DescribeComputeEnvironments returns besides what a spec has.
RETURNED_ONLY = frozenset(
    {"computeEnvironmentName", "computeEnvironmentArn", "ecsClusterArn", "tags", "status"}
    | {"statusReason", "uuid", "containerOrchestrationType"}
)
SILENT = {
    "desiredvCpus": 0,
    "ec2Configuration": [],
    "tags": {},
    "imageId": "",
    "ec2KeyPair": "",
    "placementGroup": "",
    "updateToLatestImageVersion": False,
}
SILENT_ON_FARGATE = {**SILENT, "minvCpus": 0, "instanceTypes": [], "instanceRole": ""}
SILENT_ON_INSTANCES = {
    **SILENT,
    "scalingPolicy": {"minScaleDownDelayMinutes": 0},
    "ec2Configuration": [{"imageType": "ECS_AL2023", "imageIdOverride": ""}],
}


def in_aws(there):
    return there.aws().describe_compute_environments()["computeEnvironments"][0]


@pytest.mark.parametrize(
    ("base", "silent"), [(fargate, SILENT_ON_FARGATE), (environment, SILENT_ON_INSTANCES)]
)
async def test_members_that_say_nothing_are_neither_sent_nor_a_change(base, silent):
    there = Installation()
    policy = {"terminateJobsOnUpdate": False, "jobExecutionTimeoutMinutes": 30}
    spec = base(**silent) | {"unmanagedvCpus": 0, "serviceRole": "", "ecsSettings": {}}
    spec |= {"updatePolicy": policy}
    async with there.running():
        there.apply(ENVIRONMENT, spec)
        await there.until_ready(ENVIRONMENT)
        there.calls.clear()
        there.apply(ENVIRONMENT, base())
        await there.until_ready(ENVIRONMENT)
        there.apply(ENVIRONMENT, spec)
        await there.until_ready(ENVIRONMENT)
    assert there.changes() == []


async def test_what_describe_returns_of_an_environment_can_be_applied_and_changes_nothing():
    there = Installation()
    async with there.running():
        for spec in (environment(), fargate()):
            there.apply(ENVIRONMENT, spec)
            await there.until_ready(ENVIRONMENT)
            found = in_aws(there)
            shown = {name: value for name, value in found.items() if name not in RETURNED_ONLY}
            there.calls.clear()
            there.apply(ENVIRONMENT, shown)
            await there.until_ready(ENVIRONMENT)
            assert there.changes() == []
            there.kube.remove(ENVIRONMENT)
            await there.until_gone(ENVIRONMENT)
