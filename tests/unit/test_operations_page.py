"""docs/operations.md names the metrics and the words that there are."""

import re

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.metrics import MetricWrapperBase
from tests.support.expressions import rules

from awsbatch_operator.api import catalogue, conditions, job_reasons
from awsbatch_operator.api.findings import Severity
from awsbatch_operator.assembly import KINDS
from awsbatch_operator.aws.errors import ErrorKind
from awsbatch_operator.kinds.activity_log import Activity
from awsbatch_operator.kinds.batchjob.gauges import SUCCEEDED
from awsbatch_operator.kinds.computeenvironment.gauges import STAGES
from awsbatch_operator.telemetry.metrics import PREFIX, Metrics
from awsbatch_operator.visibility import FAILURES
from awsbatch_sandbox.paths import REPOSITORY

PAGE = (REPOSITORY / "docs" / "operations.md").read_text()
WORDS = {
    "kind": frozenset(KINDS),
    "condition": conditions.TYPES,
    "status": {"True", "False"},
    "stage": STAGES,
    "result": FAILURES | {SUCCEEDED},
    "outcome": {"ok"} | {kind.value for kind in ErrorKind},
    "reason": FAILURES | {reason.name for reason in catalogue.reasons()},
}


def rows(heading):
    """The first cells of the table below a heading."""
    (section,) = [part for part in PAGE.split("\n## ") if part.startswith(heading)]
    return [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| `")]


@pytest.fixture(scope="module")
def code():
    """All of the operator's code, in which metrics are declared where they are read."""
    folder = REPOSITORY / "operator" / "awsbatch_operator"
    return "\n".join(path.read_text() for path in folder.rglob("*.py"))


def test_the_table_of_metrics_has_all_of_them(code):
    declared = re.findall(r"\.(_counter|_histogram|gauges?|counts)\(\s*\"(\w+)\"", code)
    names = {name + ("_total" if how in {"_counter", "counts"} else "") for how, name in declared}
    names |= set(re.findall(r"\{PREFIX\}_(\w+)\"", code))
    assert len(names) > 15
    listed = [name for row in rows("Metrics") for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(names)


def test_each_metric_of_the_table_has_the_labels_that_stand_beside_it():
    """A query by a label that a metric lacks has no answer, and an alert never fires."""
    registry = CollectorRegistry()
    Metrics(registry)
    table = {
        name: set(re.findall(r"`(\w+)`", labels))
        for names, labels in re.findall(r"^\| (`\w+`[^|]*)\|([^|]*)\|", PAGE, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }
    for each in registry._collector_to_names:
        assert isinstance(each, MetricWrapperBase)
        suffix = "_total" if isinstance(each, Counter) else ""
        name = f"{each._name.removeprefix(f'{PREFIX}_')}{suffix}"
        assert table[name] == set(each._labelnames), name


def test_alerts_are_about_words_that_there_are():
    told = [
        (label, word)
        for rule in rules()
        for label, word in re.findall(r"(\w+)!?=\"(\w+)\"", rule["expr"])
    ]
    assert len(told) > 15
    for label, word in told:
        assert word in WORDS[label], (label, word)


def test_a_job_that_needs_a_person_has_no_reason_of_one_that_has_failed():
    """AWSBatchJobStalled leaves out the reasons of failed jobs, and would hide it."""
    failed = FAILURES | {job_reasons.DEADLINE_EXCEEDED.name}
    stalled = {each.name for each in catalogue.reasons() if each.severity is Severity.STALL}
    assert not stalled & failed


def test_the_table_of_log_lines_has_all_of_them():
    assert [row.strip("`") for row in rows("Logs")] == [each.value for each in Activity]
