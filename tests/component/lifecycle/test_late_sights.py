"""Conformance: AWS shows late what it made, and the object is deleted before that."""

from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, POLICY, SPECS

LAG = 12.0  # seconds


async def registered(there: Installation, seconds: float) -> None:
    """A definition, that long ago."""
    there.apply(DEFINITION, SPECS[DEFINITION])
    await there.until_ready(DEFINITION)
    await there.clock.advance(seconds)


async def leaves_nothing(there: Installation, within: float = 120) -> None:
    """The definition is deleted, and AWS has no revision then that new jobs can use."""
    there.kube.remove(DEFINITION)
    await there.until_gone(DEFINITION, within=within)
    await there.clock.advance(2 * LAG)
    assert there.aws().describe_job_definitions(status="ACTIVE")["jobDefinitions"] == []


async def test_a_deletion_waits_for_what_was_made_again_a_moment_ago():
    there = Installation()
    async with there.running():
        there.apply(POLICY, SPECS[POLICY])
        await there.until_ready(POLICY)
        await there.clock.advance(600)
        there.aws().delete_scheduling_policy(arn=there.status(POLICY)["arn"])
        there.lagging.seconds = LAG
        there.calls.clear()
        await there.clock.run_until(lambda: len(there.changes()) == 1, within=900)
        there.kube.remove(POLICY)
        await there.until_gone(POLICY, within=120)
    assert there.changes() == ["batch:CreateSchedulingPolicy", "batch:DeleteSchedulingPolicy"]


async def test_a_deletion_waits_for_a_first_revision_that_was_registered_a_moment_ago():
    there = Installation()
    there.lagging.seconds = LAG
    async with there.running():
        there.apply(DEFINITION, SPECS[DEFINITION])
        await there.until_ready(DEFINITION)
        await leaves_nothing(there)


async def test_a_deletion_waits_for_a_further_revision_that_was_registered_a_moment_ago():
    there = Installation()
    async with there.running():
        await registered(there, 600)
        there.lagging.seconds = LAG
        there.apply(DEFINITION, manifests.definition("false"))
        await there.until_ready(DEFINITION)
        await leaves_nothing(there)


async def test_a_deletion_waits_for_a_further_revision_whose_answer_was_lost():
    there = Installation()
    async with there.running():
        await registered(there, 600)
        there.lagging.seconds = LAG
        lost = {"service": "batch", "operation": "RegisterJobDefinition", "times": 1}
        there.fault(effect="drop_after", **lost)
        there.apply(DEFINITION, manifests.definition("false"))
        await there.until(DEFINITION, "Reconciling", "OutcomeUnknown")
        await leaves_nothing(there)


async def test_the_deletion_of_what_aws_has_shown_for_long_waits_for_nothing():
    there = Installation()
    async with there.running():
        await registered(there, 60)
        await leaves_nothing(there, within=5)
