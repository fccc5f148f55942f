"""A pause and a deletion in each state of a replacement. Deaths: tests/integration/crash."""

from collections.abc import Awaitable, Callable

import pytest
from tests.component.batchjob import runs
from tests.component.lifecycle.test_replacement import (
    CREATE,
    NEW,
    OLD,
    WRONG,
    begin,
    environments,
    order,
    shown,
    with_a_job,
)
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, queue

from awsbatch_operator.api.metadata import PAUSED

State = Callable[[Installation], Awaitable[None]]


async def creating(there: Installation) -> None:
    there.apply(ENVIRONMENT, NEW)
    await there.clock.run_until(lambda: len(environments(there)) == 2)


async def invalid(there: Installation) -> None:
    there.apply(ENVIRONMENT, WRONG)
    await there.until(ENVIRONMENT, "Stalled", within=900)


async def swapping(there: Installation) -> None:
    there.fault(effect="deny", service="batch", operation="UpdateJobQueue")
    there.apply(ENVIRONMENT, NEW)
    await there.clock.run_until(lambda: shown(there).get("step") == "Swapping")


async def draining(there: Installation) -> None:
    await with_a_job(there, 400)
    there.apply(ENVIRONMENT, NEW)
    await there.clock.run_until(lambda: shown(there).get("runningJobs") == 1, within=900)


STATES = [creating, invalid, swapping, draining]
EACH_STATE = pytest.mark.parametrize("state", STATES, ids=lambda each: each.__name__)


@EACH_STATE
async def test_nothing_is_sent_while_the_object_is_paused_and_it_goes_on_afterwards(state: State):
    there = Installation()
    async with there.running():
        await begin(there)
        await state(there)
        there.kube.annotate(ENVIRONMENT, **{PAUSED: "true"})
        await there.clock.advance(30)
        there.mend()
        there.calls.clear()
        await there.clock.advance(120)
        assert [each for each in there.changes() if "ComputeEnvironment" in each] == []
        there.kube.annotate(ENVIRONMENT, **{PAUSED: None})
        there.apply(ENVIRONMENT, NEW)
        await there.until_ready(ENVIRONMENT, QUEUE, within=2000)
        assert order(there) == [there.status(ENVIRONMENT)["awsName"]]
        assert len(environments(there)) == 1


@EACH_STATE
async def test_a_deletion_of_everything_leaves_nothing_and_ends_no_job(state: State):
    there = Installation()
    async with there.running():
        await begin(there)
        await state(there)
        for key in (ENVIRONMENT, QUEUE, DEFINITION):
            there.remove(key)
        await there.clock.advance(60)
        there.mend()
        await there.until_gone(ENVIRONMENT, QUEUE, within=2000)
        assert environments(there) == {}
    assert all(job.status.value == "SUCCEEDED" for job in runs.jobs(there))


async def test_what_is_going_to_happen_stands_in_the_status_before_the_first_call():
    there = Installation()
    plans = []
    async with there.running():
        await begin(there)
        there.kube.subscribe(
            lambda _, body: (
                plans.append((len(there.changes()), body["status"].get("plan"), shown(there)))
                if body["kind"] == "ComputeEnvironment" and "status" in body
                else None
            )
        )
        there.apply(ENVIRONMENT, NEW)
        await there.clock.run_until(lambda: CREATE in there.calls)
    before = [(plan, replacement) for sent, plan, replacement in plans if not sent]
    plan, replacement = before[-1]
    assert (plan["action"], plan["fields"]) == ("Replacement", ["computeResources.subnets"])
    assert replacement["step"] == "Creating"


async def test_a_job_outlives_the_deletion_of_an_environment_that_was_taken_out_of_its_queue():
    there = Installation()
    other = ENVIRONMENT._replace(name="other")
    async with there.running():
        await begin(there)
        await with_a_job(there, 400)
        there.apply(other, OLD)
        there.apply(QUEUE, queue("other"))
        await there.until_ready(other, QUEUE)
        there.remove(ENVIRONMENT)
        message = await there.until(ENVIRONMENT, "Reconciling", "Draining")
        assert "(1 task), and are waited for as long as they take" in message
        await there.until(runs.JOB, "Complete", within=900)
        await there.until_gone(ENVIRONMENT)
    (job,) = runs.jobs(there)
    assert len(job.attempts) == 1
