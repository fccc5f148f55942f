"""Finished BatchJobs are deleted after their ttl, and cost nothing until then."""

from typing import Any

import pytest
from tests.component.batchjob.runs import JOB, SPEC, ready, script
from tests.support.installation import NAMESPACE, Installation

from awsbatch_operator.api.metadata import ObjectKey

TTL_SECONDS = 700  # longer than a resync takes
TTL = {"ttlSecondsAfterFinished": TTL_SECONDS}
HOUR = 3600
TRACKED = {
    "argocd.argoproj.io/tracking-id": f"science:awsbatch.dev/BatchJob:{NAMESPACE}/{JOB.name}"
}
FLUX = {"kustomize.toolkit.fluxcd.io/name": "science"}


async def finished(there: Installation, metadata: dict[str, Any], **spec: Any) -> None:
    await ready(there)
    script(there, 5)
    there.apply(JOB, SPEC | TTL | spec, **metadata)
    await there.until(JOB, "Complete", within=HOUR)


def traffic(there: Installation) -> list[str]:
    """Grows by one for each write to a BatchJob, from now on."""
    writes: list[str] = []
    there.kube.subscribe(
        lambda event, body: writes.append(event) if body["kind"] == "BatchJob" else None
    )
    return writes


async def test_a_finished_job_goes_after_its_ttl_and_costs_nothing_before():
    there = Installation()
    async with there.running():
        owners = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "it", "uid": "u"}]
        await finished(there, {"ownerReferences": owners})
        writes = traffic(there)
        await there.clock.advance(TTL_SECONDS - 60)
        assert not writes
    async with there.running():
        await there.clock.advance(20)
        assert not writes
        await there.until_gone(JOB, within=60)


@pytest.mark.parametrize("metadata", [{"annotations": TRACKED}, {"labels": FLUX}])
async def test_what_git_would_bring_back_stays_and_it_is_told_once(metadata):
    there = Installation()
    async with there.running():
        await finished(there, metadata)
        message = there.condition(JOB, "TTLIgnored")["message"]
        assert "awsbatch.dev/ttl-with-gitops" in message
    async with there.running():
        await there.clock.advance(2 * TTL_SECONDS)
        assert there.kube.exists(JOB)
        told = [note for reason, note in there.events(JOB) if reason == "TTLIgnored"]
        assert told == [message]


async def test_whoever_knows_better_says_so_by_an_annotation_and_it_is_deleted():
    there = Installation()
    async with there.running():
        await finished(there, {"labels": FLUX})
        await there.clock.advance(2 * TTL_SECONDS)
        said = {"awsbatch.dev/ttl-with-gitops": "true"}
        body = there.kube.see(JOB)["metadata"]["annotations"]
        there.apply(JOB, SPEC | TTL, labels=FLUX, annotations={**body, **said})
        await there.until_gone(JOB, within=60)


async def test_a_job_stays_while_another_that_waits_for_it_has_not_been_submitted():
    there = Installation()
    after = ObjectKey("BatchJob", NAMESPACE, "after")
    async with there.running():
        await ready(there)
        script(there, 5)
        depends = [{"jobRef": {"name": JOB.name}}, {"jobRef": {"name": "later"}}]
        there.apply(after, SPEC | {"dependsOn": depends})
        there.apply(JOB, SPEC | {"ttlSecondsAfterFinished": 0})
        await there.until(JOB, "Complete", within=HOUR)
        await there.clock.advance(60)
        assert there.kube.exists(JOB)
        there.apply(ObjectKey("BatchJob", NAMESPACE, "later"), SPEC)
        await there.until_gone(JOB, within=60)
        await there.until(after, "Complete", within=HOUR)


async def test_a_change_that_nobody_has_seen_yet_keeps_the_object_until_it_is_looked_at():
    there = Installation()
    async with there.running():
        await finished(there, {})
        await there.clock.advance(TTL_SECONDS - 30)
        there.kube.hold_events()
        there.apply(JOB, SPEC | {"ttlSecondsAfterFinished": 2 * TTL_SECONDS})
        await there.clock.advance(60)
        there.kube.release_events()
        assert there.kube.exists(JOB)
        await there.until_gone(JOB, within=TTL_SECONDS)
