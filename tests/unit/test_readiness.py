"""What /readyz and the log say of what keeps an operator from its work."""

import asyncio

from structlog.testing import capture_logs
from tests.support.clock import SteppedClock

from awsbatch_operator.readiness import LOOK_SECONDS, Readiness


async def test_all_parts_are_told_a_line_each_and_those_that_are_well_are_not():
    there = {"one": "CRDs are missing. Apply them.", "two": None}
    readiness = Readiness(SteppedClock(), **{name: lambda n=name: there[n] for name in there})
    assert readiness.not_ready() == "CRDs are missing. Apply them."
    readiness.ask(three=lambda: "No credentials.")
    assert readiness.not_ready() == "CRDs are missing. Apply them.\nNo credentials."
    readiness.ask(one=lambda: None, three=lambda: None)
    assert readiness.not_ready() is None


async def test_it_is_logged_when_it_begins_when_it_differs_and_when_it_is_over_and_never_between():
    clock, now = SteppedClock(), [""]
    readiness = Readiness(clock, only=lambda: now[0] or None)
    telling = asyncio.create_task(readiness.told())
    with capture_logs() as lines:
        for words in ("", "a", "a", "b", "", ""):
            now[0] = words
            await clock.advance(3 * LOOK_SECONDS)
        telling.cancel()
    assert [(line["event"], line.get("why", "")) for line in lines] == [
        ("not ready", "a"),
        ("not ready", "b"),
        ("ready again", ""),
    ]
    assert [line["log_level"] for line in lines] == ["warning", "warning", "info"]


async def test_a_moment_at_the_start_before_anything_was_asked_is_no_news():
    clock, now = SteppedClock(), ["no answer yet"]
    readiness = Readiness(clock, only=lambda: now[0] or None)
    telling = asyncio.create_task(readiness.told())
    with capture_logs() as lines:
        await clock.advance(LOOK_SECONDS / 2)
        now[0] = ""
        await clock.advance(600)
        telling.cancel()
    assert lines == []
