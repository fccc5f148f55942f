"""Every panel and every alert has something to tell, in a run in which its case occurs.

The whole operator lives each run of `monitored`, and Prometheus's own engine evaluates the files of
deploy/ over what it has served. An alert fires in its runs and in no other.
"""

import functools
import tempfile
from pathlib import Path

import pytest
from tests.support import monitored, prometheus
from tests.support.expressions import expressions, panels, rule_file, rules, substituted
from tests.support.installation import NAMESPACE
from tests.support.prometheus import Answers

# The longest run is of nearly three hours with instances; the first test of it lives it.
pytestmark = pytest.mark.timeout(1200)
PREFIX = "AWSBatch"
ALERTS = sorted(rule["alert"] for rule in rules())


def pytest_generate_tests(metafunc):
    if "scenario" in metafunc.fixturenames:
        names = [scenario.__name__ for scenario in monitored.SCENARIOS]
        metafunc.parametrize("scenario", list(monitored.SCENARIOS), ids=names)


@functools.cache
def answers(scenario: monitored.Scenario) -> Answers:
    """What Prometheus makes of that run: lived once for all tests of a process."""
    with tempfile.TemporaryDirectory() as folder:
        scrapes = monitored.live(scenario, Path(folder))
        return prometheus.ask(scrapes, expressions(), rule_file())


def test_what_should_fire_fires_and_nothing_else(scenario):
    fired = {alert.name.removeprefix(PREFIX) for alert in answers(scenario).alerts}
    assert fired == monitored.SCENARIOS[scenario]


def test_what_is_said_of_an_alert_has_its_values(scenario):
    for alert in answers(scenario).alerts:
        for text in alert.annotations.values():
            assert "{{" not in text, text
            assert "<no value>" not in text, text
        assert "  " not in alert.annotations["summary"], alert  # a label that is not there
        # Not that of the operator's pod, which Prometheus would put in its place.
        assert alert.labels.get("namespace", NAMESPACE) == NAMESPACE


def test_every_alert_has_a_run_in_which_it_fires():
    told = frozenset().union(*monitored.SCENARIOS.values())
    assert sorted(f"{PREFIX}{name}" for name in told) == ALERTS


@pytest.mark.parametrize(("dashboard", "panel", "query"), panels())
def test_every_query_has_data_that_is_not_nothing(dashboard, panel, query):
    values = [
        value
        for scenario in monitored.SCENARIOS
        for series in answers(scenario).series[substituted(query)]
        for _, value in series["values"]
    ]
    assert values, f"{dashboard}: {panel}"
    assert any(values), f"{dashboard}: {panel} is zero in every run"
