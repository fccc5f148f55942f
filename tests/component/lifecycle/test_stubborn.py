"""Conformance: AWS does not show what it took, and people take away what we hold on to."""

import asyncio

from tests.support.installation import Installation
from tests.support.manifests import LASTING, POLICY, SPECS, policy

from awsbatch_operator.api.metadata import FINALIZER, RESOLVED
from awsbatch_operator.kinds.schedulingpolicy.observe import Observed, Observer
from awsbatch_operator.kube.port import InvalidError


async def ready(there):
    for key in LASTING:
        there.apply(key, SPECS[key])
    await there.until_ready(*LASTING, within=900)


async def test_a_change_that_aws_never_shows_is_repeated_more_and_more_rarely(monkeypatch):
    there = Installation()
    seen: list[Observed | None] = []
    frozen = asyncio.Event()
    observe = Observer.__call__

    async def look(*arguments, **named):
        if not frozen.is_set():
            seen.append(await observe(*arguments, **named))
        return seen[-1]

    monkeypatch.setattr(Observer, "__call__", look)
    async with there.running():
        await ready(there)
        frozen.set()
        there.apply(POLICY, policy("2.5"))
        message = await there.until(POLICY, "Reconciling", "AWSBusy")
        assert "does not show it yet" in message
        await there.clock.advance(3600)
        assert there.calls.count("batch:UpdateSchedulingPolicy") < 60
        assert not there.is_true(POLICY, "Ready")
        frozen.clear()
        await there.until_ready(POLICY, within=600)


async def test_a_finalizer_that_was_taken_away_comes_back_and_nothing_leaks():
    there = Installation()
    async with there.running():
        await ready(there)
        for key in LASTING:
            there.kube.annotate(key, **{RESOLVED: None})
            there.kube.strip_finalizers(key)
        await there.clock.advance(10)
        for key in LASTING:
            assert there.kube.see(key)["metadata"]["finalizers"] == [FINALIZER]
            there.kube.remove(key)
        await there.until_gone(*LASTING, within=900)
    aws = there.aws()
    assert aws.describe_job_queues()["jobQueues"] == []
    assert aws.describe_compute_environments()["computeEnvironments"] == []


async def test_a_finalizer_is_not_put_on_what_is_not_ours():
    there = Installation()
    there.aws().create_scheduling_policy(name="theirs", fairsharePolicy={})
    async with there.running():
        there.apply(POLICY, policy(awsName="theirs"))
        await there.until(POLICY, "Stalled", "AlreadyExists")
        assert "finalizers" not in there.kube.see(POLICY)["metadata"]


async def test_a_record_that_the_api_server_refuses_is_said_and_nothing_is_sent(monkeypatch):
    there = Installation()

    async def refused(key, _operations):
        raise InvalidError(f"Cannot patch {key}: metadata.annotations: Too long (422).")

    async with there.running():
        monkeypatch.setattr(there.kube, "patch", refused)
        there.apply(POLICY, policy())
        message = await there.until(POLICY, "Stalled", "RecordRefused")
        assert "Too long" in message
        assert there.changes() == []
        monkeypatch.undo()
        there.kube.annotate(POLICY, **{"example.org/large": None})
        await there.until_ready(POLICY, within=900)
