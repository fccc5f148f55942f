"""Conformance: AWS shows late what it made, and the object is deleted before that."""

from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, POLICY, SPECS


async def test_a_deletion_waits_for_what_was_made_again_a_moment_ago():
    there = Installation()
    async with there.running():
        there.apply(POLICY, SPECS[POLICY])
        await there.until_ready(POLICY)
        await there.clock.advance(600)
        there.aws().delete_scheduling_policy(arn=there.status(POLICY)["arn"])
        there.lagging.seconds = 12
        there.calls.clear()
        await there.clock.run_until(lambda: len(there.changes()) == 1, within=900)
        there.kube.remove(POLICY)
        await there.until_gone(POLICY, within=120)
    assert there.changes() == ["batch:CreateSchedulingPolicy", "batch:DeleteSchedulingPolicy"]


async def test_a_deletion_waits_for_a_first_revision_that_was_registered_a_moment_ago():
    there = Installation()
    there.lagging.seconds = 12
    async with there.running():
        there.apply(DEFINITION, SPECS[DEFINITION])
        await there.until_ready(DEFINITION)
        there.kube.remove(DEFINITION)
        await there.until_gone(DEFINITION, within=120)
    assert active(there) == []


async def test_a_deletion_waits_for_a_further_revision_that_was_registered_a_moment_ago():
    there = Installation()
    async with there.running():
        there.apply(DEFINITION, SPECS[DEFINITION])
        await there.until_ready(DEFINITION)
        await there.clock.advance(600)
        there.lagging.seconds = 12
        there.apply(DEFINITION, manifests.definition("false"))
        await there.until_ready(DEFINITION)
        there.kube.remove(DEFINITION)
        await there.until_gone(DEFINITION, within=120)
    assert active(there) == []


async def test_a_deletion_waits_for_a_further_revision_whose_answer_was_lost():
    there = Installation()
    async with there.running():
        there.apply(DEFINITION, SPECS[DEFINITION])
        await there.until_ready(DEFINITION)
        await there.clock.advance(600)
        there.lagging.seconds = 12
        lost = {"service": "batch", "operation": "RegisterJobDefinition", "times": 1}
        there.fault(effect="drop_after", **lost)
        there.apply(DEFINITION, manifests.definition("false"))
        await there.until(DEFINITION, "Reconciling", "OutcomeUnknown")
        there.kube.remove(DEFINITION)
        await there.until_gone(DEFINITION, within=120)
    assert active(there) == []


async def test_the_deletion_of_what_aws_has_shown_for_long_waits_for_nothing():
    there = Installation()
    async with there.running():
        there.apply(DEFINITION, SPECS[DEFINITION])
        await there.until_ready(DEFINITION)
        await there.clock.advance(60)
        there.kube.remove(DEFINITION)
        await there.until_gone(DEFINITION, within=5)
    assert active(there) == []


def active(there: Installation) -> list[int]:
    """The revisions in AWS that new jobs can use."""
    found = there.aws().describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    return [each["revision"] for each in found]
