import asyncio
import io
import json
import logging
import sys

import pytest
import structlog

from awsbatch_operator.telemetry.logs import LogStyle, about, configure


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def restored():
    """Logging as it was before, whatever a test sets up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("kopf").setLevel(logging.NOTSET)
    structlog.reset_defaults()


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_level_and_message():
    stream = io.StringIO()
    configure(style=LogStyle.JSON, stream=stream)
    structlog.get_logger().info("lease won", identity="one")
    (line,) = lines(stream)
    assert (line["message"], line["level"], line["identity"]) == ("lease won", "info", "one")
    assert line["timestamp"].endswith("Z")


def test_the_object_stands_in_every_line_of_its_task_and_in_no_other():
    stream = io.StringIO()
    configure(style=LogStyle.JSON, stream=stream)

    async def work(name):
        with about(kind="BatchJob", namespace="science", name=name):
            await asyncio.sleep(0)
            structlog.get_logger().info("ours")
            logging.getLogger("botocore").warning("theirs: %s", 7)

    async def both():
        await asyncio.gather(work("one"), work("two"))

    asyncio.run(both())
    structlog.get_logger().info("outside")
    found = lines(stream)
    assert [line.get("name") for line in found] == ["one", "one", "two", "two", None]
    assert found[1]["message"] == "theirs: 7"
    assert {"kind", "namespace", "name"}.isdisjoint(found[-1])


def test_secrets_are_masked_in_our_lines_in_theirs_and_in_tracebacks():
    stream = io.StringIO()
    configure(style=LogStyle.JSON, stream=stream)
    structlog.get_logger().warning("sent", password="hunter2", note="token=hunter2")
    logging.getLogger("botocore").error("answer {'SecretAccessKey': 'hunter2'}")
    structlog.get_logger().error("failed", exc_info=ValueError("password=hunter2"))
    assert "hunter2" not in stream.getvalue()
    assert "ValueError" in lines(stream)[-1]["exception"]


def test_a_person_at_a_terminal_gets_lines_instead_of_json():
    stream = Terminal()
    configure(style=LogStyle.AUTO, stream=stream)
    structlog.get_logger().info("lease won", identity="one")
    assert "lease won" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_without_a_terminal_json_is_chosen():
    stream = io.StringIO()
    configure(style=LogStyle.AUTO, stream=stream)
    structlog.get_logger().info("lease won")
    assert lines(stream)


def test_lines_for_a_person_hold_tracebacks_and_no_colours_in_a_file():
    stream = io.StringIO()
    configure(style=LogStyle.HUMAN, stream=stream)
    structlog.get_logger().error("turn failed", exc_info=ValueError("a bug"))
    text = stream.getvalue()
    assert "ValueError: a bug" in text
    assert "\x1b" not in text


def test_levels_are_obeyed_also_those_of_other_libraries():
    stream = io.StringIO()
    configure(style=LogStyle.JSON, level="WARNING", stream=stream, quiet={"kopf": "ERROR"})
    structlog.get_logger().info("too quiet")
    structlog.get_logger().warning("loud")
    logging.getLogger("kopf").warning("too quiet")
    assert [line["message"] for line in lines(stream)] == ["loud"]


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="LOUD"):
        configure(level="LOUD", stream=io.StringIO())


def test_a_long_traceback_keeps_where_it_began_and_what_happened():
    stream = io.StringIO()
    configure(style=LogStyle.JSON, stream=stream)

    text = "\n".join([f"step {number} of many" for number in range(2000)] + ["the reason"])
    structlog.get_logger().error("failed", exc_info=ValueError(text))
    (line,) = lines(stream)
    assert len(line["exception"]) <= 8192
    shown = line["exception"].splitlines()
    assert (shown[0], shown[-1]) == ("ValueError: step 0 of many", "the reason")
    assert "…" in shown


def test_one_endless_line_in_a_traceback_is_cut_and_its_secrets_stay_hidden():
    stream = io.StringIO()
    configure(style=LogStyle.JSON, stream=stream)
    text = "x" * 7000 + " password=" + "hunter2" * 5000
    structlog.get_logger().error("failed", exc_info=ValueError(text))
    assert "hunter2" not in stream.getvalue()
    assert len(stream.getvalue()) < 10_000


def test_a_line_says_which_module_wrote_it():
    stream = io.StringIO()
    configure(style=LogStyle.JSON, stream=stream)
    structlog.get_logger("awsbatch_operator.engine.turns").info("ours")
    logging.getLogger("botocore.endpoint").warning("theirs")
    assert [line["logger"] for line in lines(stream)] == [
        "awsbatch_operator.engine.turns",
        "botocore.endpoint",
    ]


class Full(io.StringIO):
    """A stream whose disk is full."""

    def write(self, _):
        raise OSError(28, "No space left on device")


class Unshowable:
    def __str__(self):
        raise ValueError("it has no text")


class Closed(io.StringIO):
    """A stream that is closed, as stderr may be while a process ends."""

    def write(self, _):
        raise ValueError("I/O operation on closed file")


@pytest.mark.parametrize("what", ["the stream", "the value"])
@pytest.mark.parametrize("stderr", [io.StringIO, Closed], ids=lambda each: each.__name__)
def test_a_line_that_cannot_be_written_ends_nothing(what, stderr, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stderr())
    stream = Full() if what == "the stream" else io.StringIO()
    configure(style=LogStyle.JSON, stream=stream)
    structlog.get_logger().info("said", value=Unshowable())
    configure(style=LogStyle.JSON, stream=(after := io.StringIO()))
    structlog.get_logger().info("the next")
    assert [line["message"] for line in lines(after)] == ["the next"]
