"""JobDefinitions, from the manifest to AWS and back."""

from tests.support.installation import NAMESPACE, Installation

from awsbatch_operator.api.metadata import ObjectKey

KEY = ObjectKey("JobDefinition", NAMESPACE, "simulate")
SPEC = {
    "type": "container",
    "containerProperties": {
        "image": "busybox",
        "command": ["true"],
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"},
            {"type": "MEMORY", "value": "512"},
        ],
    },
}


async def test_a_definition_is_registered_once_and_ready():
    there = Installation()
    async with there.running():
        there.apply(KEY, SPEC)
        await there.until_ready(KEY)
    assert there.changes() == ["batch:RegisterJobDefinition"]
    assert there.status(KEY)["revision"] == 1
