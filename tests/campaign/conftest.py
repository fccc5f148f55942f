"""Prints how many transitions there were and how they ended: with none, all would pass, too."""

from collections import Counter

import pytest
from tests.support.cheap_clients import cheap_sessions, collect_garbage_rarely
from tests.support.one_process import World

TRANSITIONS = "transitions"


@pytest.fixture(autouse=True, scope="session")
def cheap_days():
    collect_garbage_rarely()
    with cheap_sessions(), World().credentials():
        yield


def pytest_terminal_summary(terminalreporter):
    counted: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if report.when == "call":
                counted[name] += value
    for name, number in sorted(counted.items()):
        terminalreporter.write_line(f"{name}: {number}")
