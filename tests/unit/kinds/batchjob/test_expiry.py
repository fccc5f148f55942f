"""Deletions of finished jobs: at the moment they are due, of the version that was looked at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.unit.kinds.batchjob.jobs import NOW, first_submission, job

from awsbatch_operator.api.metadata import API_VERSION, SUBMISSION, ObjectKey, Resource
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.kinds.batchjob.expiry import DENIED_SECONDS, RETRY_SECONDS, Expiry
from awsbatch_operator.kinds.batchjob.over import job_is_over
from awsbatch_operator.kube.port import ConflictError, DeniedError, UnavailableError

TTL = 60

OWN = "ops/aws-batch-operator"


def key(name: str) -> ObjectKey:
    return ObjectKey("BatchJob", "climate", name)


def body(name: str, version: int = 1, *, ended: bool = True, **spec: Any) -> dict[str, Any]:
    """A job that ended when the clock began, as the API server sends it."""
    made = job(submission=first_submission(), job_id="job-1")
    condition = {
        "type": "Complete" if ended else "Reconciling",
        "status": "True",
        "reason": "Succeeded",
        "message": "",
        "observedGeneration": 1,
        "lastTransitionTime": NOW.rfc3339(),
    }
    return {
        "kind": "BatchJob",
        "apiVersion": API_VERSION,
        "metadata": {
            "name": name,
            "namespace": "climate",
            "uid": name,
            "resourceVersion": str(version),
            "generation": 1,
            "creationTimestamp": NOW.rfc3339(),
            "annotations": {SUBMISSION: made.annotations[SUBMISSION]},
        },
        "spec": {**made.spec, "ttlSecondsAfterFinished": TTL, **spec},
        "status": {**made.status, "observedGeneration": 1, "conditions": [condition]},
    }


class Kept:
    """In the place of the store: takes deletions, or answers them with what it was told to."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self.asked: list[tuple[str, str]] = []
        self.answers: list[Exception] = []
        self.denied: set[str] = set()
        self.live: dict[str, Any] | None = None

    async def delete(self, resource: Resource, *, unchanged: bool) -> None:
        assert unchanged
        self.asked.append((resource.key.name, resource.resource_version))
        if self.answers:
            raise self.answers.pop(0)
        if resource.key.name in self.denied:
            raise DeniedError("no rights there")
        self._cache.drop(resource.key, resource.uid)

    async def refresh(self, key: ObjectKey) -> None:
        if self.live is not None:
            self._cache.put(self.live)


class Rig:
    def __init__(self) -> None:
        self.clock = SteppedClock(start=NOW.epoch)
        self.cache = Cache(clock=self.clock, settled=job_is_over)
        self.store = Kept(self.cache)
        self.awaited: set[str] = set()
        self.expiry = Expiry(
            cache=self.cache,
            store=self.store,
            clock=self.clock,
            awaited=lambda key: key.name in self.awaited,
            installation=OWN,
        )
        self.cache.listen(self.expiry.heard)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.expiry.run())
        await self.clock.advance(0)
        try:
            yield
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_each_goes_when_it_is_due_in_the_version_that_was_seen_and_nothing_ticks_before():
    rig = Rig()
    rig.cache.put(body("late", ttlSecondsAfterFinished=90))
    async with rig.running():
        rig.cache.put(body("soon", 7))
        rig.cache.put(body("running", ended=False))
        assert rig.clock.next_due() == 90  # the first that it knew of
        await rig.clock.advance(TTL - 1)
        assert rig.store.asked == []
        await rig.clock.advance(1)
        assert rig.store.asked == [("soon", "7")]
        assert rig.clock.next_due() == 30
        await rig.clock.advance(30)
        assert rig.store.asked[1:] == [("late", "1")]
        assert rig.clock.next_due() is None


async def test_thousands_wait_for_one_moment_in_one_sleep():
    rig = Rig()
    for number in range(200):
        rig.cache.put(body(f"job-{number}", ttlSecondsAfterFinished=TTL + number % 2))
    async with rig.running():
        await rig.clock.advance(TTL - 1)
        assert (rig.store.asked, rig.clock.next_due()) == ([], 1)
        await rig.clock.advance(1)
        assert len(rig.store.asked) == 100


async def test_what_was_edited_is_due_when_the_edit_says():
    rig = Rig()
    rig.cache.put(body("one"))
    async with rig.running():
        rig.cache.put(body("one", 2, ttlSecondsAfterFinished=2 * TTL))
        await rig.clock.advance(TTL)
        assert rig.store.asked == []
        rig.cache.put(body("one", 3, ttlSecondsAfterFinished=None))
        await rig.clock.advance(5 * TTL)
        assert rig.store.asked == []


@pytest.mark.parametrize(
    ("newer", "later"),
    [
        (body("one", 2), [("one", "2")]),
        (body("one", 2, ttlSecondsAfterFinished=2 * TTL), []),
        (body("one", 2, ended=False), []),
    ],
)
async def test_a_version_that_nobody_has_seen_is_read_and_judged_anew(newer, later):
    rig = Rig()
    rig.cache.put(body("one"))
    rig.store.answers, rig.store.live = [ConflictError("changed")], newer
    async with rig.running():
        await rig.clock.advance(TTL)
        assert rig.store.asked == [("one", "1"), *later]


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (UnavailableError("away"), RETRY_SECONDS),
        (DeniedError("not allowed"), DENIED_SECONDS),
        (ConflictError("as it was"), RETRY_SECONDS),
    ],
)
async def test_what_fails_is_tried_again_and_does_not_become_a_storm(error, seconds):
    rig = Rig()
    for name in ("one", "two", "three"):
        rig.cache.put(body(name))
    rig.store.answers = [error, error]
    async with rig.running():
        await rig.clock.advance(TTL)
        await rig.clock.advance(seconds - 1)
        assert len(rig.store.asked) == 1
        await rig.clock.advance(2 * seconds)
        assert {name for name, _ in rig.store.asked} == {"one", "two", "three"}
        assert "one" not in [each.key.name for each in rig.cache.of_kind("BatchJob")]


async def test_one_that_failed_without_being_submitted_goes_as_well():
    rig = Rig()
    unsent = body("one", ended=False)
    (failed,) = unsent["status"]["conditions"]
    failed |= {"type": "Failed", "reason": "DependencyFailed"}
    del unsent["status"]["jobId"], unsent["metadata"]["annotations"]
    rig.cache.put(unsent)
    assert not rig.cache.settled(key("one"))  # it goes on when the other job is run again
    async with rig.running():
        await rig.clock.advance(TTL)
        assert rig.store.asked == [("one", "1")]


async def test_one_that_another_installation_serves_is_left_to_that_one():
    rig = Rig()
    for name, server in (("ours", OWN), ("theirs", "team/aws-batch-operator")):
        made = body(name)
        made["status"]["installation"] = server
        rig.cache.put(made)
    async with rig.running():
        await rig.clock.advance(2 * TTL)
        assert rig.store.asked == [("ours", "1")]


async def test_one_that_is_awaited_goes_when_it_is_freed():
    rig = Rig()
    rig.cache.put(body("one"))
    rig.awaited.add("one")
    async with rig.running():
        await rig.clock.advance(3 * TTL)
        assert rig.store.asked == []
        rig.awaited.clear()
        rig.expiry.freed(key("one"))
        await rig.clock.advance(0)
        assert rig.store.asked == [("one", "1")]


async def test_what_may_not_be_deleted_keeps_nothing_waiting_that_may():
    rig = Rig()
    rig.cache.put(body("kept"))
    rig.cache.put(body("beside", 2))
    elsewhere = body("elsewhere", 3)
    elsewhere["metadata"]["namespace"] = "other"
    rig.cache.put(elsewhere)
    rig.store.denied.add("kept")
    async with rig.running():
        await rig.clock.advance(TTL + 1)
        assert [name for name, _ in rig.store.asked] == ["kept", "elsewhere"]
        await rig.clock.advance(DENIED_SECONDS - 2)
        assert len(rig.store.asked) == 2
        await rig.clock.advance(2 + RETRY_SECONDS)
        assert [name for name, _ in rig.store.asked] == ["kept", "elsewhere", "beside", "kept"]
        rig.store.denied.clear()
        await rig.clock.advance(DENIED_SECONDS + 2 * RETRY_SECONDS)
        assert len(rig.cache) == 0
