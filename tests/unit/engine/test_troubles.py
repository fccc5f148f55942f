"""What is logged when many turns fail for one reason: a few lines, and every failure counted."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from tests.support.clock import SteppedClock
from tests.unit.engine.rig import KINDS, Rig, job, manifest

from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.engine.reconciler import Again
from awsbatch_operator.engine.troubles import Troubles
from awsbatch_operator.kube.port import DeniedError, InvalidError, UnavailableError

JOBS = [job(f"job-{number:03d}") for number in range(200)]


class Desk:
    """Troubles at work; `answers` is what the API server has answered."""

    def __init__(self):
        self.clock = SteppedClock()
        self.answers = 0
        self.troubles = Troubles(clock=self.clock, answers=lambda: self.answers)

    @asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.troubles.run())
        await self.clock.advance(0)
        yield
        task.cancel()


@pytest.fixture
def desk():
    return Desk()


def said(logs, *names):
    return [tuple(line.get(name) for name in ("event", *names)) for line in logs]


async def test_a_lease_that_is_too_short_for_all_calls_is_a_few_lines(logs):
    """The API server does not answer, so the lease is not renewed: no turn may change anything."""
    rig = Rig()

    async def fenced(_):
        raise LeaseLostError("The lease lasts 9.0 s more and the call may take 13 s.")

    rig.turn = fenced
    for key in JOBS:
        rig.kube.apply(manifest(key))
    async with rig.running():
        await rig.clock.advance(15)
        assert len(rig.turns) > 2 * len(JOBS)
    assert len(logs) <= 2
    assert "lasts 9.0 s more" in logs[0]["error"]


async def test_an_outage_of_the_api_server_is_a_few_lines_however_many_turns_it_fails(logs):
    rig = Rig()
    away = True

    async def write(key):
        if away:
            raise UnavailableError(f"Cannot apply the status of {key}: connection refused")
        await rig.store.write_status(rig.resource(key), {"observedGeneration": 1})
        return Again()

    rig.turn = write
    for key in JOBS:
        rig.kube.apply(manifest(key))
    async with rig.running():
        await rig.clock.advance(179)
        failed = len(rig.turns)
        assert failed > 5 * len(JOBS)
        away = False
        await rig.clock.advance(700)
    began, *counts, over = [line for line in logs if "API server" in line["event"]]
    assert len(logs) == len(counts) + 2 <= 5
    assert (began["event"], began["log_level"]) == (
        "the API server does not answer; what fails is tried again",
        "error",
    )
    assert "connection refused" in began["error"]
    assert 0 < counts[0]["failures"] < counts[1]["failures"] < failed
    assert over["event"] == "the API server answers again"
    assert over["failures"] == failed


async def test_an_outage_without_an_answer_is_not_over_because_nobody_asks(desk, logs):
    async with desk.running():
        desk.troubles.failed(UnavailableError("no answer"))
        await desk.clock.advance(300)
        assert len(logs) == 1
        desk.answers += 1
        await desk.clock.advance(10)
        assert said(logs)[1:] == [("the API server answers again",)]


async def test_answers_between_failures_do_not_end_an_outage(desk, logs):
    async with desk.running():
        for _ in range(20):
            desk.troubles.failed(UnavailableError("one of two API servers is away"))
            desk.answers += 1
            await desk.clock.advance(6)
        assert {event for (event,) in said(logs)} == {
            "the API server does not answer; what fails is tried again",
            "the API server still does not answer",
        }
        await desk.clock.advance(10)
        assert said(logs, "failures")[-1] == ("the API server answers again", 20)


async def test_refusals_are_summed_up_by_error_and_kind(desk, logs):
    async with desk.running():
        for number in range(50):
            desk.troubles.failed(DeniedError(f"cannot patch job-{number}"), kind="BatchJob")
            desk.troubles.failed(DeniedError(f"cannot patch queue-{number}"), kind="JobQueue")
            desk.troubles.failed(InvalidError(f"job-{number}: too long"), kind="BatchJob")
        assert said(logs, "sort", "error") == [
            (
                "turn failed; others like it are counted",
                "DeniedError BatchJob",
                "DeniedError: cannot patch job-0",
            ),
            (
                "turn failed; others like it are counted",
                "DeniedError JobQueue",
                "DeniedError: cannot patch queue-0",
            ),
            (
                "turn failed; others like it are counted",
                "InvalidError BatchJob",
                "InvalidError: job-0: too long",
            ),
        ]
        logs.clear()
        await desk.clock.advance(65)
        assert said(logs, "failures") == [("turns fail", 50)] * 3
        logs.clear()
        await desk.clock.advance(1000)
        assert said(logs, "failures") == [("turns fail no longer", 50)] * 3
        desk.troubles.failed(DeniedError("again"), kind="BatchJob")
        assert said(logs)[-1] == ("turn failed; others like it are counted",)


async def test_without_trouble_nothing_is_checked(desk):
    async with desk.running():
        assert desk.clock.next_due() is None
        desk.troubles.failed(DeniedError("once"), kind="BatchJob")
        await desk.clock.advance(1000)
        assert desk.clock.next_due() is None


async def test_a_bug_is_logged_for_each_object_with_its_traceback(logs):
    rig = Rig()

    async def fail(key):
        raise ValueError("a bug")

    rig.turn = fail
    for key in JOBS[:3]:
        rig.kube.apply(manifest(key))
    async with rig.running():
        pass
    assert [line["event"] for line in logs if line.get("exc_info")] == ["turn failed"] * 3


async def test_all_kinds_that_may_not_be_listed_are_named_at_once(logs):
    """Whoever grants the rights should not learn of them one by one."""
    rig = Rig()
    first, second = KINDS[:2]
    whole, denied = rig.kube.list, [first, second]

    def denying(kind):
        if kind in denied:
            raise DeniedError(f"Cannot list {kind}")
        return whole(kind)

    rig.kube.list = denying  # type: ignore[method-assign]
    async with rig.running():
        await rig.clock.advance(1)
    told = [line["error"] for line in logs if "error" in line]
    assert told == [f"DeniedError: Cannot list {kind}" for kind in (first, second)]
