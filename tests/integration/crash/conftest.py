"""Prints how many points were tried: a crash test that tried none would pass, too."""

from collections import Counter

import pytest
from tests.integration.crash.branches import Branches
from tests.support.cheap_clients import cheap_sessions, collect_garbage_rarely
from tests.support.one_process import World

POINTS = "crash points"


@pytest.fixture(autouse=True, scope="session")
def cheap_days():
    collect_garbage_rarely()
    with cheap_sessions():
        yield


@pytest.fixture(autouse=True)
def credentials():
    with World().credentials():
        yield


@pytest.fixture
def branches(failed_timers):
    return Branches(failed_timers)


def pytest_terminal_summary(terminalreporter):
    counted: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name.startswith(POINTS):
                counted[name] += value
    for name, number in sorted(counted.items()):
        terminalreporter.write_line(f"{name}: {number}")
    if counted:
        terminalreporter.write_line(f"{POINTS} in all: {counted.total()}, each to the same end")
