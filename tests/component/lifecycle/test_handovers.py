"""One operator hands over to the next at once, just after an answer of AWS was lost.

AWS's listings lag by more seconds than that takes, so the next one sees nothing of what the call
has made, and knows of it only what was written down before the call.
"""

from dataclasses import dataclass

import pytest
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, LASTING, POLICY, QUEUE, SPECS

from awsbatch_operator.api.metadata import REGISTERING

REGISTER = "batch:RegisterJobDefinition"
HANDOVER = 20.0  # seconds that the clock goes on until the one operator has ended
LAG = HANDOVER + 20.0
MAKES = {
    ENVIRONMENT: "CreateComputeEnvironment",
    QUEUE: "CreateJobQueue",
    DEFINITION: "RegisterJobDefinition",
    POLICY: "CreateSchedulingPolicy",
}


async def answer_lost(there: Installation, operation: str) -> None:
    """AWS does it and nobody is told; the operator that called ends in good order."""
    there.lagging.seconds = LAG
    there.fault(effect="drop_after", service="batch", operation=operation, times=1)
    await there.clock.run_until(lambda: f"batch:{operation}" in there.calls, within=900)


def made(there: Installation, operation: str) -> int:
    """How often AWS has done it, whatever anybody was told."""
    calls = there.simulator.dispatcher.calls
    return sum(calls.count("batch", operation, told) for told in ("OK", "DroppedAfterCommit"))


@pytest.mark.parametrize("key", LASTING, ids=lambda key: key.kind)
async def test_what_was_made_without_an_answer_is_not_made_again_after_a_handover(key):
    there = Installation()
    before = () if key is not QUEUE else (ENVIRONMENT,)
    async with there.running():
        for each in before:
            there.apply(each, SPECS[each])
        await there.until_ready(*before)
        there.apply(key, SPECS[key])
        await answer_lost(there, MAKES[key])
    async with there.running():
        await there.until_ready(key)
        await there.clock.advance(900)
        assert there.ready(key)
    assert made(there, MAKES[key]) == 1


@dataclass(frozen=True)
class Change:
    """What a definition was before, and what has it registered once more, as which number."""

    id: str
    before: tuple[str, ...]
    number: int
    edit: str = ""
    theirs: str = ""


CHANGES = (
    Change("an edit", before=("one",), edit="two", number=2),
    Change("a revert", before=("one", "two"), edit="one", number=3),
    Change("a revision of somebody else", before=("one",), theirs="two", number=3),
)


@pytest.mark.parametrize("deletion", [False, True], ids=["goes on", "is deleted"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.id)
async def test_no_change_of_a_definition_is_registered_twice_after_a_handover(change, deletion):
    there = Installation()
    async with there.running():
        for word in change.before:
            there.apply(DEFINITION, manifests.definition(word))
            await there.until_ready(DEFINITION)
        await there.clock.advance(600)
        there.calls.clear()
        if change.theirs:
            name, spec = there.status(DEFINITION)["awsName"], manifests.definition(change.theirs)
            there.aws().register_job_definition(jobDefinitionName=name, **spec)
        else:
            there.apply(DEFINITION, manifests.definition(change.edit))
        await answer_lost(there, "RegisterJobDefinition")
    if deletion:
        there.kube.remove(DEFINITION)
    async with there.running():
        if deletion:
            await there.until_gone(DEFINITION)
        await there.clock.advance(900)
    assert made(there, "RegisterJobDefinition") == change.number
    found = there.aws().describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    ours = [each["revision"] for each in found if each["tags"]]
    assert max(ours, default=None) == (None if deletion else change.number)


async def test_a_deletion_waits_for_what_the_operator_before_has_registered_a_moment_ago():
    there = Installation()
    there.lagging.seconds = HANDOVER + 8.0
    async with there.running():
        there.apply(DEFINITION, SPECS[DEFINITION])
        await there.until_ready(DEFINITION)
    there.kube.remove(DEFINITION)
    async with there.running():
        await there.until_gone(DEFINITION, within=60)
    assert not there.aws().describe_job_definitions(status="ACTIVE")["jobDefinitions"]


async def test_the_next_operator_does_not_wait_where_the_outcome_is_known():
    """Neither for what stands in the status, nor for a definition that is new to it."""
    there = Installation()
    async with there.running():
        there.apply(DEFINITION, SPECS[DEFINITION])
        await there.until_ready(DEFINITION)
    async with there.running():
        there.apply(DEFINITION, manifests.definition("two"))
        assert await there.until_ready(DEFINITION) < 2
        there.apply(DEFINITION, manifests.definition("three"))
        assert await there.until_ready(DEFINITION) < 2
    assert there.changes() == [REGISTER] * 3


async def test_each_registration_costs_one_write_before_it_and_a_repeat_of_a_refused_one_none():
    there = Installation()
    written: list[str] = []
    async with there.running():
        there.apply(DEFINITION, SPECS[DEFINITION])
        await there.until_ready(DEFINITION)
        there.fault(effect="error", service="batch", operation="RegisterJobDefinition", status=400)
        there.kube.subscribe(
            lambda _, body: written.append(body["metadata"]["annotations"].get(REGISTERING, ""))
        )
        there.apply(DEFINITION, manifests.definition("two"))
        await there.clock.advance(1800)
        there.mend()
        await there.until_ready(DEFINITION, within=900)
        await there.clock.advance(1800)
    assert there.changes().count(REGISTER) > 3
    assert written.count('{"after":1}') == len(written) - 1  # all but the user's own edit
    assert len(written) <= 5


async def test_a_refusal_that_stands_in_the_status_stays_there_while_the_next_operator_waits():
    there = Installation()
    async with there.running():
        there.apply(DEFINITION, SPECS[DEFINITION])
        there.fault(effect="deny", service="batch", operation="RegisterJobDefinition")
        await there.until(DEFINITION, "Stalled", "PermissionDenied")
        before = there.kube.see(DEFINITION)
    async with there.running():
        await there.clock.advance(120)
        assert there.kube.see(DEFINITION) == before
        there.mend()
        await there.until_ready(DEFINITION, within=900)
    assert made(there, "RegisterJobDefinition") == 1
