"""Objects are handed over from one installation to another, or go to the one that is there."""

from tests.component.batchjob.runs import JOB, SPEC, lost_answer, script
from tests.component.lifecycle.test_side_by_side import LASTING, over, ready, submits
from tests.support.manifests import QUEUE, SPECS
from tests.support.side_by_side import Neighbours


async def test_what_a_gone_installation_served_is_served_by_whom_it_is_handed_to():
    there = Neighbours()
    async with there.at_work("old", cluster_id="lab"):
        await ready(there)
        script(there, 300)
        there.apply(JOB, SPEC)
        await there.run_until(lambda: "jobId" in there.status(JOB), within=600)
    async with there.at_work("new", cluster_id="lab"):
        await there.clock.advance(900)
        assert not over(there, JOB)  # nobody looks after it
        assert {who for who, _ in there.writes} == {"old"}
        there.hand_over("new", *LASTING, JOB)
        await there.run_until(lambda: over(there, JOB), within=60)
        await there.clock.advance(60)
        assert {there.server(key) for key in (*LASTING, JOB)} == {"new"}
    assert submits(there) == 1


async def test_who_has_handed_an_object_over_does_nothing_more_and_says_so():
    there = Neighbours()
    async with there.at_work("old"):
        await ready(there)
        there.hand_over("nobody", QUEUE)
        there.writes.clear()
        there.apply(QUEUE, {**SPECS[QUEUE], "priority": 99})
        await there.clock.advance(1500)
        assert there.writers(QUEUE) == set()
        assert there.aws().describe_job_queues()["jobQueues"][0]["priority"] == 10
        told = [text for reason, text in there.events(QUEUE) if reason == "HandedOver"]
        assert 1 <= len(told) <= 2  # before the edit and after it
        assert "nobody/aws-batch-operator" in told[0]


async def test_a_job_of_unknown_outcome_is_not_sent_again_under_another_cluster_id():
    there = Neighbours()
    async with there.at_work("old"):
        await ready(there)
        script(there, 60)
        lost_answer(there)
        there.apply(JOB, SPEC)
        await there.run_until(lambda: submits(there) == 1, within=600)
    assert "jobId" not in there.status(JOB)
    there.hand_over("new", JOB)
    async with there.at_work("new"):
        words = "under the cluster id old;"
        await there.run_until(
            lambda: words in there.condition(JOB, "Stalled").get("message", ""), within=300
        )
        there.remove(JOB)
        message = await there.until(JOB, "DeletionBlocked", within=900)
        assert "an installation of the operator with that cluster id" in message
    there.hand_over("old", JOB)
    async with there.at_work("old"):
        await there.until_gone(JOB)
    assert submits(there) == 1


async def test_a_job_of_unknown_outcome_is_found_by_whom_it_is_handed_to():
    there = Neighbours()
    async with there.at_work("old", cluster_id="lab"):
        await ready(there)
        script(there, 60)
        lost_answer(there)
        there.apply(JOB, SPEC)
        await there.run_until(lambda: submits(there) == 1, within=600)
    there.hand_over("new", JOB, *LASTING)
    async with there.at_work("new", cluster_id="lab"):
        await there.run_until(lambda: over(there, JOB), within=600)
    assert submits(there) == 1


async def test_objects_go_to_whom_serves_what_is_around_them_and_each_counts_its_own():
    there = Neighbours()
    async with there.at_work("one"):
        await ready(there)
    there.writes.clear()
    there.apply(JOB, SPEC)
    async with there.at_work("two") as (two,):  # with a cluster id of its own
        await there.clock.advance(60)
        assert there.writes == []
        assert there.number(two, "objects_of_others") == 3
        script(there, 30)
        async with there.at_work("one") as (one,):
            await there.run_until(lambda: over(there, JOB), within=900)
            assert there.writers(JOB) == {"one"}
            assert there.number(two, "objects_of_others") == 4
            assert there.number(two, "objects", condition="Stalled") == 0
            assert there.number(one, "objects_of_others") == 0
            assert there.number(one, "objects", condition="Stalled") == 4
