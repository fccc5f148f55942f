"""Each remedy that the message of a broken ComputeEnvironment gives is carried out, and heals."""

from tests.component.remedies.faults import happens_and_heals
from tests.support.manifests import ENVIRONMENT
from tests.support.remedies.deeds import REMADE
from tests.support.remedies.environments import (
    LACKING_ITS_ROLE,
    MADE_ANEW,
    NOT_REMOVED,
    USED,
    VALID_AGAIN,
)
from tests.support.remedies.rows import table


@table(MADE_ANEW)
async def test_what_is_invalid_for_good_is_made_anew_once_its_typo_is_corrected(fault):
    there = await happens_and_heals(fault)
    assert there.changes()[1:] == [f"batch:{operation}" for operation in REMADE]
    assert "Remade" in [reason for reason, _ in there.events(ENVIRONMENT)]


@table(VALID_AGAIN)
async def test_what_can_become_valid_again_does_so_without_another_environment(fault):
    there = await happens_and_heals(fault)
    assert "batch:DeleteComputeEnvironment" not in there.changes()


@table(USED)
async def test_what_a_queue_uses_is_made_anew_when_no_queue_uses_it_any_more(fault):
    there = await happens_and_heals(fault)
    assert there.changes().count("batch:DeleteComputeEnvironment") == 1


@table(NOT_REMOVED)
async def test_what_may_not_be_removed_says_what_else_helps(fault):
    await happens_and_heals(fault)


@table(LACKING_ITS_ROLE)
async def test_a_deletion_that_lacks_the_role_goes_on_with_one(fault):
    there = await happens_and_heals(fault)
    assert there.aws().describe_compute_environments()["computeEnvironments"] == []
