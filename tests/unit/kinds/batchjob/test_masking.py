"""What a job printed, as it may stand in a status; and that no output holds the operator up."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import SteppedClock
from tests.unit.kinds.batchjob.jobs import SCOPE, job, known

from awsbatch_operator.kinds.batchjob.masking import LIMIT_BYTES, masked_lines
from awsbatch_operator.kinds.batchjob.output import OutputReader

LONG = 262_144
KEY_BODY = [
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
    "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu",
    "q5Mh",
]
BEGIN, END = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"


def size(lines):
    return sum(len(line.encode()) for line in lines)


def test_a_line_that_does_not_fit_is_cut_at_its_end_and_the_others_stay_whole():
    for lines in (
        ["older", "ValueError: " + "x" * 5000, "exit 1"],
        ["Traceback", "exit 1", "{" + "x" * 100_000],
        ["x" * 5000, "older", "newer"],
    ):
        shown = masked_lines(lines)
        for line, whole in zip(shown, lines, strict=True):
            assert line == whole or (line.endswith("x…") and whole.startswith(line[:-1]))
        assert LIMIT_BYTES - 8 <= size(shown) <= LIMIT_BYTES


@given(st.lists(st.integers(0, 5000), max_size=20))
def test_of_any_lines_none_is_left_out_and_only_the_longest_are_cut(lengths):
    shown = masked_lines(["x" * length for length in lengths])
    assert len(shown) == len(lengths)
    assert size(shown) <= LIMIT_BYTES
    if sum(lengths) <= LIMIT_BYTES:
        assert list(map(len, shown)) == lengths
        return
    longest = max(map(size, [[line] for line in shown]))
    for line, length in zip(shown, lengths, strict=True):
        assert len(line) == length or size([line]) >= longest - 3
    assert size(shown) >= LIMIT_BYTES - 4 * len(lengths)


def test_of_a_progress_bar_the_last_state_is_shown_as_on_a_terminal():
    assert masked_lines(["\r 1 %|   |\r 50 %|#  |\r100 %|###|\r"]) == ("100 %|###|",)


@pytest.mark.parametrize("place", range(LIMIT_BYTES - 45, LIMIT_BYTES + 5))
def test_a_secret_across_the_cut_is_not_shown_in_part(place):
    line = "x" * (place - 1) + " gh" + "p_abcdefghijklmnopqrstuvwxyz012345 more"
    assert "abcd" not in masked_lines([line + "y" * 5000])[0]


@pytest.mark.parametrize(
    "lines",
    [
        [BEGIN, *KEY_BODY, END],
        [BEGIN, *KEY_BODY],
        [*KEY_BODY, END],
        KEY_BODY[:2],
        [f"key: {BEGIN}", *(f"  {line}" for line in KEY_BODY), f"  {END}"],
    ],
)
def test_no_line_of_a_private_key_is_shown_whichever_of_its_lines_are_the_last(lines):
    shown = "\n".join(masked_lines(lines))
    for line in KEY_BODY:
        assert line not in shown


def test_what_stands_around_a_private_key_is_shown():
    assert masked_lines(["before", BEGIN, *KEY_BODY, END, "after"])[::6] == ("before", "after")


def test_a_checksum_on_a_line_of_its_own_is_no_key():
    line = "0123456789abcdef" * 4
    assert masked_lines([line]) == (line,)


def test_characters_that_are_no_text_are_shown_as_something_else():
    assert masked_lines(["half \ud800 of a pair", "bell\x07\x9b"]) == ("half ? of a pair", "bell")


class Printed:
    """A LogsPort over lines that a job printed."""

    def __init__(self, lines):
        self._lines = lines

    async def last_lines(self, _scope, _group, _stream, *, count):
        return self._lines[-count:]


async def longest_pause(work):
    """The longest time for which this thread's event loop ran nothing else, in CPU seconds.

    CPU seconds of this thread, so that a busy machine changes nothing.
    """
    pauses = [0.0]
    done = False

    async def beat():
        last = time.thread_time()
        while not done:
            await asyncio.sleep(0)
            now = time.thread_time()
            pauses.append(now - last)
            last = now

    beating = asyncio.ensure_future(beat())
    await asyncio.sleep(0)
    await work
    await asyncio.sleep(0)
    done = True
    await beating
    return max(pauses)


@pytest.mark.parametrize("head", ["token", "password=", "--", "-----BEGIN ", "eyJ", "//a", "\x00"])
async def test_a_job_that_prints_a_quarter_megabyte_in_a_line_does_not_pause_the_loop(head):
    lines = [(head * (LONG // len(head) + 1))[:LONG]] * 20
    output = OutputReader(Printed(lines), SteppedClock())
    observed = known("FAILED", container={"logStreamName": "s"})
    asking = job(spec={"logs": {"statusLines": 20}})
    answers = []

    async def read():
        answers.append(await output.added(asking, observed, SCOPE))

    assert await longest_pause(read()) < 0.1  # seen: 0.007 to 0.052, on a slow machine
    assert size(answers[0].output.lines) <= LIMIT_BYTES
