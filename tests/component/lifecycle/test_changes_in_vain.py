"""What AWS takes, works at and never shows is asked for more and more rarely, not for ever."""

from collections.abc import Mapping
from typing import Any

from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import ENVIRONMENT, QUEUE, SPECS

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.batch import queues
from awsbatch_simulator.ec2 import template_describing

IMAGE = ObjectKey("ExtendedAMI", QUEUE.namespace, "atmos")

UPDATE = "batch:UpdateJobQueue"
HALF_AN_HOUR = 1800
AT_MOST = 6  # in that time; at once again it would be one every six seconds


async def test_a_change_that_aws_takes_and_does_not_make_is_not_asked_for_over_and_over(
    monkeypatch,
):
    there, shown = Installation(), dict[str, int]()
    described = queues._described  # AWS has a will of its own here

    def as_before(queue: Any) -> Mapping[str, Any]:
        return {**described(queue), **shown}

    monkeypatch.setattr(queues, "_described", as_before)
    async with there.running():
        for key in (ENVIRONMENT, QUEUE):
            there.apply(key, SPECS[key])
        await there.until_ready(ENVIRONMENT, QUEUE)
        shown["priority"] = 10
        there.apply(QUEUE, manifests.queue(priority=20))
        await there.clock.advance(300)
        there.calls.clear()
        await there.clock.advance(HALF_AN_HOUR)
        assert 1 < there.calls.count(UPDATE) <= AT_MOST
        message = await there.until(QUEUE, "Reconciling", "AWSBusy", within=HALF_AN_HOUR)
        assert "shows nothing of it" in message
        there.apply(QUEUE, manifests.queue(priority=30))
        await there.clock.run_until(lambda: UPDATE in there.calls, within=1)
        shown.clear()
        await there.until_ready(QUEUE, within=HALF_AN_HOUR)


async def test_a_tag_that_aws_takes_and_never_shows_is_not_asked_for_over_and_over(monkeypatch):
    there = Installation()
    described = queues._described

    def without_team(queue: Any) -> Mapping[str, Any]:
        found = described(queue)
        tags = {name: text for name, text in found.get("tags", {}).items() if name != "team"}
        return {**found, "tags": tags}

    async with there.running():
        for key in (ENVIRONMENT, QUEUE):
            there.apply(key, SPECS[key])
        await there.until_ready(ENVIRONMENT, QUEUE)
        with monkeypatch.context() as odd:
            odd.setattr(queues, "_described", without_team)
            there.apply(QUEUE, {**SPECS[QUEUE], "tags": {"team": "climate"}})
            await there.clock.advance(300)
            there.calls.clear()
            await there.clock.advance(HALF_AN_HOUR)
            assert 1 < there.calls.count("batch:TagResource") <= AT_MOST
        await there.until_ready(QUEUE, within=HALF_AN_HOUR)
        await there.clock.run_until(lambda: not there.is_true(QUEUE, "Reconciling"), within=60)


async def test_what_is_made_and_never_shown_is_not_made_over_and_over(monkeypatch):
    described, hidden = template_describing.describe, [True]

    def nothing(*asked: Any) -> Any:
        return {"LaunchTemplates": []} if hidden else described(*asked)

    monkeypatch.setattr(template_describing, "describe", nothing)
    there = Installation(limited=False)
    spec = {"base": {"family": "AL2023"}, "rootVolume": {"sizeGiB": 50}}
    async with there.running():
        there.apply(IMAGE, spec)
        await there.clock.advance(300)
        there.calls.clear()
        await there.clock.advance(HALF_AN_HOUR)
        assert 1 < there.calls.count("ec2:CreateLaunchTemplate") <= AT_MOST
        hidden.clear()
        await there.until_ready(IMAGE, within=HALF_AN_HOUR)
        assert there.status(IMAGE)["launchTemplate"]["id"]
