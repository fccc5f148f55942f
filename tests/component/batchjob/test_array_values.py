"""The values of an array, in AWS: one job for each, and each finds its own."""

from tests.component.batchjob.inline_jobs import inline, job, with_queue
from tests.component.batchjob.runs import JOB, SPEC, jobs, ready
from tests.support.installation import Installation


def values(*listed):
    return {"variable": "SHARD", "values": list(listed)}


def environment(each):
    return {one["name"]: one["value"] for one in each.container["environment"]}


async def test_each_value_makes_a_job_of_the_array_that_has_all_of_them():
    there = Installation()
    environment_of_the_user = [{"name": "MODE", "value": "fast"}]
    async with there.running():
        await ready(there)
        overrides = {"containerOverrides": {"environment": environment_of_the_user}}
        there.apply(JOB, {**SPEC, **overrides, "arrayValues": values("17", "204", "9")})
        await there.until(JOB, "Complete", within=3600)
    parents = [each for each in jobs(there) if each.array_size]
    assert [each.array_size for each in parents] == [3]
    children = [each for each in jobs(there) if each not in parents]
    assert len(children) == 3
    for child in children:
        assert environment(child)["SHARD"] == "17,204,9"
        assert environment(child)["MODE"] == "fast"


async def test_one_value_makes_a_single_job():
    there = Installation()
    async with there.running():
        await with_queue(there)
        there.apply(job("one"), inline("date", arrayValues=values("17")))
        await there.until(job("one"), "Complete", within=3600)
    (only,) = jobs(there)
    assert environment(only)["SHARD"] == "17"
