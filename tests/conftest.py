"""What holds for all tests: how many examples properties try, and what fails any of them.

Properties try a few examples at every change, more among the long tests (make test-days), and many
when somebody has the time: HYPOTHESIS_PROFILE=thorough. A test that costs more than a millisecond
an example says in a comment why it sets a number of its own.
"""

import contextlib
import gc
import importlib
import logging
import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import settings

from awsbatch_simulator import clock

# What tests share says as much as a test when it finds something wrong.
pytest.register_assert_rewrite("tests.support")

NO_TIME = "no time is left in this run"

settings.register_profile("quick", max_examples=20, deadline=None)
settings.register_profile("ci", settings.get_profile("quick"), derandomize=True, print_blob=True)
settings.register_profile("days", settings.get_profile("ci"), max_examples=100)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if "CI" in os.environ else "quick")
)


class _Kept(logging.Handler):
    """Keeps what is logged, as text."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@pytest.fixture(autouse=True)
def failed_timers() -> Iterator[list[str]]:
    """The timers of simulators in this process that have raised; a test fails if any is left here.

    A simulator has no other way to say that it has a fault where nobody has asked it anything.
    """
    kept = _Kept()
    clock.logger.addHandler(kept)
    try:
        yield kept.texts
    finally:
        clock.logger.removeHandler(kept)
    assert not kept.texts, "timers of a simulator have failed:\n" + "\n".join(kept.texts)


def pytest_collection(session: pytest.Session) -> None:
    """Let the workers compile different modules first, so that each finds half of them compiled.

    In a fresh clone each would else compile all of them, in the same order at the same time.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker is None or not session.config.args[0].endswith("tests/unit"):
        return
    root = session.config.rootpath
    modules = sorted((root / "tests/unit").rglob("test_*.py"))
    for path in modules[int(worker["workerid"].removeprefix("gw")) :: worker["workercount"]]:
        # What is wrong with a module is told when it is collected.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin no test behind `TESTS_UNTIL`, in seconds since 1970: CI has to end in a given time.

    A machine half as fast as usual then leaves out some of the long tests, others each time,
    because their order is random; it says which.
    """
    until = os.environ.get("TESTS_UNTIL")
    if until and time.time() > float(until):
        pytest.skip(NO_TIME)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was left out, however quiet the output is."""
    skipped = terminalreporter.stats.get("skipped", [])
    left_out = [each.nodeid for each in skipped if NO_TIME in str(each.longrepr)]
    if left_out:
        terminalreporter.section(f"{len(left_out)} tests NOT RUN: {NO_TIME}")
        terminalreporter.write_line("\n".join(sorted(left_out)))


def pytest_collection_finish() -> None:
    """Keep what lives as long as the tests do out of each look for garbage: a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
