"""The log at info is an operator's story: each thing that was done once, and nothing at rest."""

from collections import Counter

import pytest
from structlog.testing import capture_logs
from tests.component.batchjob.runs import JOB, SPEC, script
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, POLICY, QUEUE, SPECS

HOUR = 3600
ABOVE = {"info", "warning", "error", "critical"}


def told(lines):
    """What was logged at info and above: message, kind and name, each with how often."""
    return Counter(
        (line["event"], line.get("kind", ""), line.get("name", ""))
        for line in lines
        if line["log_level"] in ABOVE
    )


def story(*deeds):
    return Counter((deed, key.kind, key.name) for deed, key in deeds)


@pytest.mark.timeout(300)
async def test_each_deed_is_told_once_and_at_rest_nothing_is():
    there = Installation()
    async with there.running():
        with capture_logs() as lines:
            for key in (ENVIRONMENT, QUEUE, DEFINITION):
                there.apply(key, SPECS[key])
            await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION, within=900)
            script(there, 5)
            there.apply(JOB, SPEC)
            await there.until(JOB, "Complete", within=HOUR)
        made = [
            (word, key) for key in (ENVIRONMENT, QUEUE, DEFINITION) for word in ("created", "ready")
        ]
        assert told(lines) == story(*made, ("created", JOB), ("ended", JOB))

        with capture_logs() as lines:
            there.apply(QUEUE, manifests.queue(priority=20))
            await there.run_until(lambda: "changed" in {line["event"] for line in lines})
            await there.clock.advance(60)
        assert told(lines) == story(("changed", QUEUE))

        with capture_logs() as lines:
            there.aws().update_job_queue(jobQueue=there.status(QUEUE)["arn"], priority=3)
            await there.run_until(
                lambda: "repaired" in {line["event"] for line in lines}, within=HOUR
            )
            await there.clock.advance(60)
        assert told(lines) == story(("repaired", QUEUE))

        with capture_logs() as lines:
            await there.clock.advance(HOUR)
        assert told(lines) == Counter()


async def test_what_needs_a_person_is_told_once_however_often_it_is_tried_again():
    there = Installation()
    there.fault(effect="deny", service="batch", operation="CreateSchedulingPolicy")
    async with there.running():
        with capture_logs() as lines:
            there.apply(POLICY, SPECS[POLICY])
            await there.until(POLICY, "Stalled", "PermissionDenied")
            await there.clock.advance(HOUR / 2)
        assert there.calls.count("batch:CreateSchedulingPolicy") > 3
        found = told(lines)
        assert found.pop(("call to AWS failed", "", ""), 0) <= 1
        assert found == story(("needs a person", POLICY))
        there.mend()
        with capture_logs() as lines:
            await there.until_ready(POLICY, within=HOUR)
        assert told(lines) == story(("created", POLICY), ("ready", POLICY))
