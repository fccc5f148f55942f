"""Definitions in jobs while turns run side by side, while processes die, and where not allowed."""

import random

import pytest
from tests.component.batchjob.inline_jobs import (
    DEREGISTER,
    REGISTER,
    commands,
    inline,
    job,
    until_submitted,
    with_queue,
)
from tests.component.batchjob.runs import FOR_EVER, jobs, script
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.research import REFERRING, RESEARCH, research
from tests.support.simulated_aws import make_simulator

MANY = 25


class SlowRunner:
    """Each call takes some time, and others begin meanwhile."""

    def __init__(self, there):
        self._there = there
        self._dice = random.Random(1)

    async def run(self, work, *, priority, account):
        await self._there.clock.sleep(self._dice.uniform(0.01, 0.4))
        return work()

    def close(self):
        return


@pytest.fixture
def slow():
    """An installation whose calls to AWS take up to 0.4 s."""
    there = Installation(make_simulator(limits=False))
    there._settings["runner"] = SlowRunner(there)
    return there


async def test_turns_that_run_side_by_side_register_once(slow):
    keys = [job(f"equal-{number}") for number in range(MANY)]
    async with slow.running():
        await with_queue(slow)
        script(slow, FOR_EVER)
        for key in keys:
            slow.apply(key, inline("date"))
        await until_submitted(slow, *keys)
        assert slow.calls.count(REGISTER) == 1
        assert len(jobs(slow)) == MANY
        for key in keys:
            slow.remove(key)
        await slow.until_gone(*keys)
        assert slow.calls.count(DEREGISTER) == 1
    assert commands(slow) == []


@pytest.mark.parametrize("wait", [0.1, 0.3, 0.6])
async def test_a_job_that_comes_while_the_last_one_goes_runs_and_leaves_nothing(slow, wait):
    first, second = job("first"), job("second")
    async with slow.running():
        await with_queue(slow)
        slow.apply(first, inline("date"))
        await slow.until(first, "Complete", within=3600)
        script(slow, FOR_EVER)
        slow.remove(first)
        await slow.clock.advance(wait)
        slow.apply(second, inline("date"))
        await slow.until_gone(first)
        await until_submitted(slow, second, within=60)
        assert commands(slow) == ["date"], "what runs is still there"
        slow.remove(second)
        await slow.until_gone(second)
    assert commands(slow) == []


async def test_whoever_starts_next_knows_of_finished_jobs_that_have_the_definition():
    there = Installation()
    first, second = job("first"), job("second")
    async with there.running():
        await with_queue(there)
        for key in (first, second):
            there.apply(key, inline("date"))
            await there.until(key, "Complete", within=3600)
    async with there.running():
        there.remove(first)
        await there.until_gone(first)
        assert commands(there) == ["date"]
        there.calls.clear()
        await there.clock.advance(700)
        assert [call for call in there.calls if "JobDefinition" in call] == [], "nothing at rest"
        there.remove(second)
        await there.until_gone(second)
    assert commands(there) == []


async def test_a_definition_that_a_process_before_has_registered_and_aws_lists_late_is_waited_for():
    there = Installation()
    async with there.running():
        await with_queue(there)
        there.fault(effect="drop_after", service="batch", operation="RegisterJobDefinition")
        there.apply(job("one"), inline("date"))
        await there.clock.run_until(lambda: there.calls.count(REGISTER) > 0)
        registered = there.clock.monotonic()
    there.mend()
    there.lagging.seconds = there.clock.monotonic() - registered + 15
    async with there.running():
        there.apply(job("two"), inline("date"))
        await until_submitted(there, job("one"), job("two"))
    assert there.lagging.hidden > 0
    assert there.calls.count(REGISTER) == 1


async def test_a_finished_job_waits_for_its_account_rather_than_leave_its_definition_behind():
    there = Installation()
    one = job("one")
    async with there.running():
        there.apply(RESEARCH, research())
        await there.until_ready(RESEARCH)
        await with_queue(there, **REFERRING)
        there.apply(one, inline("date", **REFERRING))
        await there.until(one, "Complete", within=3600)
        there.kube.strip_finalizers(RESEARCH)
        there.remove(RESEARCH)
        there.remove(one)
        await there.clock.advance(60)
        assert not there.gone(one)
        there.apply(RESEARCH, research())
        await there.until_gone(one, within=1800)
    assert commands(there) == []


async def test_what_the_account_does_not_allow_is_refused_in_a_definition_in_a_job_too():
    there = Installation()
    role = f"arn:aws:iam::{ACCOUNT}:role/admin"
    spec = inline("date", **REFERRING)
    container = spec["jobDefinition"]["containerProperties"]
    async with there.running():
        there.apply(RESEARCH, research(allowedRoleArns=[f"arn:aws:iam::{ACCOUNT}:role/batch-*"]))
        await there.until_ready(RESEARCH)
        there.calls.clear()
        container["jobRoleArn"] = role
        there.apply(job("role"), spec)
        words = await there.until(job("role"), "Stalled", "NotAllowed")
        assert f"spec.jobDefinition.containerProperties.jobRoleArn ({role})" in words
        del container["jobRoleArn"]
        container["executionRoleArn"] = f"arn:aws:iam::{ACCOUNT}:role/batch-x"
        container["secrets"] = [{"name": "KEY", "valueFrom": "other-team"}]
        there.apply(job("secret"), spec)
        words = await there.until(job("secret"), "Stalled", "NotAllowed")
        assert "spec.jobDefinition.containerProperties.secrets[0].valueFrom" in words
        assert there.calls == []


async def test_a_job_that_names_the_definition_by_arn_keeps_it_too():
    there = Installation()
    one, other = job("one"), job("other")
    async with there.running():
        await with_queue(there)
        script(there, FOR_EVER)
        there.apply(one, inline("date"))
        await until_submitted(there, one)
        arn = there.status(one)["jobDefinitionArn"]
        there.apply(other, {"jobQueueRef": {"name": "main"}, "jobDefinitionRef": {"arn": arn}})
        await until_submitted(there, other)
        there.remove(one)
        await there.until_gone(one)
        assert commands(there) == ["date"]
        there.remove(other)
        await there.until_gone(other)
    assert commands(there) == []
    assert NAMESPACE in arn
