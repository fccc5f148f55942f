"""Conformance: what ECS could never start is not called Ready."""

from tests.support import manifests
from tests.support.installation import ACCOUNT, Installation
from tests.support.manifests import DEFINITION


async def test_secrets_without_an_execution_role_are_not_registered_until_there_is_one():
    there = Installation()
    spec = manifests.definition()
    container = spec["containerProperties"]
    container["secrets"] = [{"name": "KEY", "valueFrom": "key"}]
    async with there.running():
        there.apply(DEFINITION, spec)
        message = await there.until(DEFINITION, "Stalled", "ExecutionRoleMissing")
        assert "spec.containerProperties.secrets" in message
        assert "batch:RegisterJobDefinition" not in there.calls
        container["executionRoleArn"] = f"arn:aws:iam::{ACCOUNT}:role/ecsTaskExecutionRole"
        there.apply(DEFINITION, spec)
        await there.until_ready(DEFINITION)
