"""An UNMANAGED environment with `capacity`, as long as the operator launches nothing for it."""

from tests.support.crd_cases.capacity import pool
from tests.support.crd_cases.cases import patched
from tests.support.installation import Installation
from tests.support.manifests import ENVIRONMENT, ROLE


async def test_capacity_changes_nothing_in_aws_and_its_removal_goes_on():
    asked = patched({}, {**pool(), "serviceRole": ROLE})
    without = {name: value for name, value in asked.items() if name != "capacity"}
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, asked)
        message = await there.until(ENVIRONMENT, "Stalled", "NotSupportedYet")
        assert "spec.capacity is not honoured." in message
        assert "remove capacity" in message
        assert there.changes() == []
        there.apply(ENVIRONMENT, without)
        await there.until_ready(ENVIRONMENT)
        assert len(there.changes()) == 1
        there.calls.clear()
        there.apply(ENVIRONMENT, asked)
        await there.until(ENVIRONMENT, "Stalled", "NotSupportedYet")
        assert there.changes() == []
