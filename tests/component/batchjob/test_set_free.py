"""Jobs that AWS fails because a job they wait for was held, changed or deleted: they run again."""

from typing import Any

from tests.component.batchjob.runs import FOR_EVER, SPEC, alive, ready, script, submits
from tests.component.batchjob.test_dependencies import (
    FIRST,
    SECOND,
    THIRD,
    after,
    in_aws,
    waits_for,
)
from tests.support.installation import Installation

from awsbatch_operator.api.metadata import ObjectKey

ON_CHANGE = SPEC | {"rerunPolicy": "OnChange"}
CHAIN = (FIRST, SECOND, THIRD)


async def chained(there: Installation, first: dict[str, Any] = SPEC) -> None:
    """The first one runs, the second waits for it in AWS, and the third for the second."""
    await ready(there)
    script(there, FOR_EVER)
    there.apply(FIRST, first)
    there.apply(SECOND, SPEC | after("first"))
    there.apply(THIRD, SPEC | after("second"))
    await there.clock.run_until(
        lambda: there.status(FIRST).get("awsStatus") == "RUNNING" and submits(there) == 3,
        within=900,
    )


def ever_failed(there: Installation) -> list[str]:
    """The names of the jobs that were called Failed, from now on."""
    seen: list[str] = []

    def note(_: str, body: dict[str, Any]) -> None:
        listed = body.get("status", {}).get("conditions", ())
        if any(each["type"] == "Failed" for each in listed):
            seen.append(body["metadata"]["name"])

    there.kube.subscribe(note)
    return seen


def history(there: Installation, key: ObjectKey) -> list[tuple[int, str]]:
    return [(each["run"], each["result"]) for each in there.status(key).get("history", ())]


async def all_complete(there: Installation, runs: int) -> None:
    script(there, 5)
    for key in CHAIN:
        await there.until(key, "Complete", within=3600)
        assert there.status(key)["run"] == runs
    ids = [in_aws(there, key).id for key in CHAIN]
    sent = [in_aws(there, key).static["dependsOn"] for key in CHAIN[1:]]
    assert sent == [[{"jobId": ids[0]}], [{"jobId": ids[1]}]]
    assert submits(there) == runs * 3


async def test_whoever_waits_in_aws_for_a_job_that_is_held_runs_when_that_is_let_go():
    there = Installation()
    async with there.running():
        await chained(there)
        failed = ever_failed(there)
        there.apply(FIRST, SPEC | {"suspend": True})
        await there.until(SECOND, "Reconciling", "WaitingForJob", within=120)
        assert "BatchJob first is held by spec.suspend." in waits_for(there, SECOND)
        await there.until(THIRD, "Reconciling", "WaitingForJob", within=120)
        assert "BatchJob second waits for its own jobs again" in waits_for(there, THIRD)
        await there.until(FIRST, "Suspended", within=120)
        assert alive(there) == 0
        calls = len(there.calls)
        await there.clock.advance(650)
        assert not [each for each in there.calls[calls:] if each.endswith(("Job", "Jobs"))]
    async with there.running():  # another operator
        script(there, 5)
        there.apply(FIRST, SPEC)
        await all_complete(there, runs=2)
    assert failed == []
    assert history(there, SECOND) == history(there, THIRD) == [(1, "DependencyStopped")]
    assert there.status(SECOND)["runCause"] == "DependencyStopped"
    assert history(there, FIRST) == [(1, "Suspended")]


async def test_whoever_waits_in_aws_for_a_job_that_is_changed_waits_for_its_next_run():
    there = Installation()
    async with there.running():
        await chained(there, ON_CHANGE)
        failed = ever_failed(there)
        script(there, 5)
        there.apply(FIRST, ON_CHANGE | {"parameters": {"year": "2025"}})
        await all_complete(there, runs=2)
        assert failed == []


async def test_whoever_waits_in_aws_for_a_job_that_is_deleted_waits_for_another_of_its_name():
    there = Installation()
    async with there.running():
        await chained(there)
        failed = ever_failed(there)
        there.remove(FIRST)
        await there.until(SECOND, "Reconciling", "ReferenceNotFound", within=120)
        assert "BatchJob science/first does not exist yet" in waits_for(there, SECOND)
        script(there, 5)
        there.apply(FIRST, SPEC)
        for key in CHAIN:
            await there.until(key, "Complete", within=3600)
        assert failed == []
