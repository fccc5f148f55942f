"""A job, its queue, definition, policy and environment, deleted in each of their 120 orders.

The day is lived once until the job runs; from there it goes on in a process of its own for each
order. Once more while AWS takes half a minute to forget that a queue used an environment.
"""

from itertools import permutations

import pytest
from tests.component.batchjob.runs import FOR_EVER, JOB, alive, script
from tests.integration.crash.conftest import POINTS
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, POLICY, QUEUE, SPECS

LAG = 30.0  # seconds
APART = 2.0  # seconds between two deletions, in which the first is well under way
KEYS = {key.kind: key for key in (JOB, QUEUE, DEFINITION, POLICY, ENVIRONMENT)}
ORDERS = [" ".join(order) for order in permutations(KEYS)]


async def started(there: Installation) -> None:
    """One of each kind; the job would run for ever."""
    script(there, FOR_EVER)
    for key in (ENVIRONMENT, POLICY, DEFINITION):
        there.apply(key, SPECS[key])
    there.apply(QUEUE, manifests.queue(schedulingPolicyRef={"name": POLICY.name}))
    there.apply(JOB, manifests.job(shareIdentifier="team"))
    await there.run_until(lambda: there.status(JOB).get("awsStatus") == "RUNNING", within=900)
    there.calls.clear()


def nothing_is_left(there: Installation) -> bool:
    batch = there.batch
    revisions = [one for each in batch.definitions.values() for one in each.values() if one.active]
    things = (batch.environments, batch.queues, batch.policies, revisions)
    return not any(things) and alive(there) == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("lag", [0.0, LAG], ids=["", "relation lag"])
async def test_any_order_of_deletion_leaves_nothing(lag, branches, record_property):
    there = Installation()
    if lag:
        there.fault(effect="world", name="relation_lag", seconds=lag)

    async def delete(order: str) -> None:
        for kind in order.split():
            there.kube.remove(KEYS[kind])
            await there.clock.advance(APART)
        await there.until_gone(*KEYS.values(), within=300)
        assert nothing_is_left(there)
        made = [call for call in there.changes() if "Create" in call or "Register" in call]
        assert made == []

    async with there.running():
        await started(there)
        number = await branches.each(ORDERS, delete)
    assert number == len(ORDERS)
    record_property(f"{POINTS} (orders of deletion{', relation lag' if lag else ''})", number)
