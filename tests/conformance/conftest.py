"""Which subject is held to which point by which test, and the table that tells of it at the end."""

from collections.abc import Iterable
from typing import Any
from unittest import mock

import pytest
from tests.conformance.points import NOT_APPLICABLE, Point
from tests.conformance.subjects import SUBJECTS
from tests.support.cheap_clients import cheap_sessions, unburden
from tests.support.lagging import Lagging

from awsbatch_sandbox import binaries

CELL = "conforms"
STRUCK = "struck"  # how many calls a test has struck
CONTROL_PLANE = "control_plane"
WORDS = {"passed": "yes", "failed": "FAILED", "error": "FAILED", "": "not run"}


@pytest.fixture(autouse=True, scope="session")
def cheap():
    """Hundreds of installations, each with clients of its own, whose calls nobody has to sign."""
    connect = Lagging.connect

    def connected(lagging: Lagging, client: Any) -> None:
        connect(lagging, client)
        unburden(client)

    with cheap_sessions(), mock.patch.object(Lagging, "connect", connected):
        yield


def pytest_configure(config):
    config.addinivalue_line("markers", "conforms(point, *subjects): which cells a test fills")


def pytest_generate_tests(metafunc):
    """Run a test for each subject that its mark names; without any, for all that are left."""
    mark = metafunc.definition.get_closest_marker(CELL)
    if mark is not None:
        subjects = mark.args[1:] or subjects_of(mark.args[0])
        metafunc.parametrize("subject", subjects, ids=lambda subject: subject.id)


def subjects_of(point):
    """Those to which the point applies."""
    return tuple(subject for subject in SUBJECTS if (subject, point) not in NOT_APPLICABLE)


def pytest_collection_modifyitems(config, items):
    """Build the tools before any test's time runs."""
    needed = any(item.get_closest_marker(CONTROL_PLANE) for item in items)
    if needed and not config.option.collectonly:
        binaries.find()


def cells(item):
    """The cells of the table that the test fills."""
    marks = item.iter_markers(CELL)
    return [(item.callspec.params["subject"], mark.args[0]) for mark in marks]


def pytest_runtest_setup(item):
    """Say with each report which cells it is about."""
    for subject, point in cells(item):
        item.user_properties.append((CELL, f"{subject.id}|{point.name}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """What is skipped has not been held to anything, so it has failed."""
    report = yield
    if report.skipped:
        report.outcome, report.longrepr = "failed", f"{item.name}: nothing here may be skipped"
    return report


def pytest_terminal_summary(terminalreporter):
    """The table kind x point; a cell is filled when all of its tests have passed."""
    ends: dict[str, set[str]] = {}
    struck = 0
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.getreports(outcome):
            for name, value in getattr(report, "user_properties", ()):  # a collection has none
                if name == CELL:
                    ends.setdefault(value, set()).add(outcome)
                elif name == STRUCK and report.when == "call":
                    struck += value
    if ends:
        terminalreporter.section("conformance: kind x point")
        terminalreporter.write(
            "\n".join([*table(ends), f"deaths after a call, and lost answers: {struck}", ""])
        )


def table(ends) -> Iterable[str]:
    """The lines of the table, and why some cells are empty."""
    reasons = list(dict.fromkeys(NOT_APPLICABLE.values()))
    widths = [max(8, len(subject.id)) for subject in SUBJECTS]
    left = max(len(point.value) for point in Point)

    def line(first: str, words: Iterable[str]) -> str:
        listed = [f"{word:<{width}}" for word, width in zip(words, widths, strict=True)]
        return "  ".join([f"{first:<{left}}", *listed]).rstrip()

    yield line("", [subject.id for subject in SUBJECTS])
    for point in Point:
        yield line(point.value, [shown(ends, reasons, subject, point) for subject in SUBJECTS])
    yield ""
    for number, reason in enumerate(reasons, start=1):
        yield f"({number}) cannot apply: {reason}"


def shown(ends, reasons, subject, point) -> str:
    """What stands in a cell."""
    if (subject, point) in NOT_APPLICABLE:
        return f"({reasons.index(NOT_APPLICABLE[subject, point]) + 1})"
    outcomes = ends.get(f"{subject.id}|{point.name}", {""})
    return WORDS[max(outcomes, key=list(WORDS).index) if "" not in outcomes else ""]
