"""Environments with an image type that AWS has ended: no new ones, and the old ones go on."""

from tests.support.installation import Installation
from tests.support.manifests import ENVIRONMENT, environment

OLD = environment(ec2Configuration=[{"imageType": "ECS_AL2"}])


async def test_a_new_environment_with_an_ended_image_type_is_stalled_without_a_call():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, OLD)
        message = await there.until(ENVIRONMENT, "Stalled", "NoLongerOffered")
        assert "Set spec.computeResources.ec2Configuration[0].imageType to ECS_AL2023" in message
        assert there.changes() == []
        there.apply(ENVIRONMENT, environment(ec2Configuration=[{"imageType": "ECS_AL2023"}]))
        await there.until_ready(ENVIRONMENT)


async def test_an_environment_that_aws_made_when_it_still_did_goes_on_as_it_is():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        await there.until_ready(ENVIRONMENT)
        (found,) = there.batch.environments.values()
        found.resources["ec2Configuration"] = [{"imageType": "ECS_AL2"}]
        there.calls.clear()
        there.apply(ENVIRONMENT, OLD)
        await there.clock.advance(700)
        assert there.ready(ENVIRONMENT)
    async with there.running():
        await there.clock.advance(700)
        assert there.ready(ENVIRONMENT)
    assert there.changes() == []
