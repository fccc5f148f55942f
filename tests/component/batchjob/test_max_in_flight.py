"""A JobQueue's maxInFlight: so many BatchJobs at a time, the others in the order of their age."""

from typing import Any

from tests.component.batchjob.runs import FOR_EVER, SPEC, alive, jobs, ready, script, submits
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import QUEUE, SPECS

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.kube.port import InvalidError

NOW = {**SPEC, "jobDefinitionRef": {"name": "simulate", "revision": 1}}  # without a grace


def named(name: str) -> ObjectKey:
    return ObjectKey("BatchJob", NAMESPACE, name)


def limited(there: Installation, limit: int | None) -> None:
    spec: dict[str, Any] = dict(SPECS[QUEUE])
    there.apply(QUEUE, spec if limit is None else spec | {"maxInFlight": limit})


async def filled(there: Installation, limit: int, *names: str) -> None:
    """Jobs that run long in a queue with that limit, applied one after the other."""
    await ready(there)
    limited(there, limit)
    await there.until_ready(QUEUE)
    script(there, FOR_EVER)
    for name in names:
        there.apply(named(name), NOW)
        await there.clock.advance(2)


def end(there: Installation, name: str) -> None:
    """Somebody ends the job in AWS."""
    job_id = there.status(named(name))["jobId"]
    there.aws().terminate_job(jobId=job_id, reason="enough")


def sent(there: Installation) -> list[str]:
    """The names of the objects in the order in which their jobs were submitted."""
    return [job.tags["awsbatch.dev/name"] for job in jobs(there)]


async def test_no_more_than_the_limit_are_under_way_and_the_oldest_goes_next():
    there = Installation()
    async with there.running():
        await filled(there, 2, "d", "c", "b", "a")
        message = await there.until(named("b"), "Reconciling", "QueueFull")
        assert "lets 2 BatchJobs be submitted and not finished at a time" in message
        await there.until(named("a"), "Reconciling", "QueueFull")
        assert sent(there) == ["d", "c"]
        end(there, "d")
        await there.clock.run_until(lambda: submits(there) == 3, within=600)
        assert sent(there) == ["d", "c", "b"]
        await there.clock.advance(60)
        assert (submits(there), alive(there)) == (3, 2)


async def test_all_of_a_burst_run_and_never_more_than_the_limit_at_a_time():
    there = Installation()
    async with there.running():
        await ready(there)
        limited(there, 3)
        await there.until_ready(QUEUE)
        script(there, 20)
        most = 0
        keys = [named(f"job-{number}") for number in range(7)]
        for key in keys:
            there.apply(key, NOW)
        while not all(there.is_true(key, "Complete") for key in keys):
            await there.clock.advance(10)
            most = max(most, alive(there))
        assert (most, submits(there)) == (3, 7)


async def test_raising_or_removing_the_limit_lets_the_waiting_ones_go_at_once():
    there = Installation()
    async with there.running():
        await filled(there, 1, "a", "b", "c", "d")
        await there.until(named("d"), "Reconciling", "QueueFull")
        limited(there, 2)
        await there.clock.run_until(lambda: submits(there) == 2, within=5)
        await there.clock.advance(30)
        assert sent(there) == ["a", "b"]
        limited(there, None)
        await there.clock.run_until(lambda: submits(there) == 4, within=5)


async def test_who_waits_costs_one_status_and_nothing_after_that():
    there = Installation()
    async with there.running():
        await filled(there, 1, "a")
        writes: list[str] = []
        there.kube.subscribe(
            lambda event, body: writes.append(event) if body["metadata"]["name"] == "b" else None
        )
        there.apply(named("b"), NOW)
        await there.clock.advance(1300)  # through two resyncs
        assert writes == ["ADDED", "MODIFIED"]
        assert submits(there) == 1


async def test_a_restart_forgets_neither_who_is_under_way_nor_who_waits_longest():
    there = Installation()
    async with there.running():
        await filled(there, 1, "b", "z", "c")
        await there.until(named("c"), "Reconciling", "QueueFull")
    async with there.running():
        there.apply(named("a"), NOW)
        await there.until(named("a"), "Reconciling", "QueueFull")
        assert submits(there) == 1
        end(there, "b")
        await there.clock.run_until(lambda: submits(there) == 2, within=600)
        assert sent(there) == ["b", "z"]


async def test_one_that_is_paused_or_refused_by_aws_does_not_hold_up_the_others():
    there = Installation()
    async with there.running():
        await filled(there, 1, "a", "paused")
        there.apply(named("refused"), NOW | {"shareIdentifier": "team"})
        there.apply(named("z"), NOW)
        await there.until(named("z"), "Reconciling", "QueueFull")
        there.apply(named("paused"), NOW, annotations={"awsbatch.dev/paused": "true"})
        end(there, "a")
        await there.until(named("refused"), "Stalled", within=600)
        await there.clock.run_until(lambda: "jobId" in there.status(named("z")), within=60)
        assert sent(there) == ["a", "z"]


async def test_one_whose_submission_cannot_be_written_down_does_not_keep_its_place(monkeypatch):
    there = Installation()
    patch = there.kube.patch

    async def refused(key: ObjectKey, operations: Any) -> Any:
        if key.name == "a":
            raise InvalidError(f"Cannot patch {key}: metadata.annotations: Too long (422).")
        return await patch(key, operations)

    async with there.running():
        await filled(there, 1)
        monkeypatch.setattr(there.kube, "patch", refused)
        there.apply(named("a"), NOW)
        await there.until(named("a"), "Stalled", "RecordRefused")
        there.apply(named("b"), NOW)
        await there.clock.run_until(lambda: "jobId" in there.status(named("b")), within=5)
