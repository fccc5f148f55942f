"""The catalogue of reasons."""

import re
from pathlib import Path

from awsbatch_operator.api import catalogue, conditions
from awsbatch_operator.api.findings import Severity
from awsbatch_operator.kinds.batchjob.failure_causes import Failure

ROOT = Path(__file__).resolve().parents[3]
WORD = re.compile(r"[A-Z][A-Za-z]+")  # as metav1.Condition wants a reason, and in CamelCase


def test_every_reason_is_one_word_that_means_one_thing():
    names = [reason.name for reason in catalogue.reasons()]
    assert len(names) == len(set(names))
    assert all(WORD.fullmatch(name) for name in names)
    assert not set(names) & {failure.value for failure in Failure}


def test_whatever_a_person_must_mend_says_how():
    for reason in catalogue.reasons():
        assert reason.meaning.endswith(".")
        if reason.severity is Severity.STALL:
            assert reason.remedy.endswith("."), reason.name


def test_every_reason_in_the_code_is_in_the_catalogue():
    """Verdicts are made with `catalogue.X.name`, or with a word that stands there."""
    known = {reason.name for reason in catalogue.reasons()}
    known |= {failure.value for failure in Failure}
    literal = re.compile(r"Verdict\(\s*Situation\.\w+,\s*\"(\w+)\"")
    for path in (ROOT / "operator" / "awsbatch_operator" / "kinds").rglob("*.py"):
        assert set(literal.findall(path.read_text(encoding="utf-8"))) <= known, path


def test_every_condition_in_the_code_is_counted_by_its_name():
    """A kind's own condition that `TYPES` lacks would be counted as "Other" in the metrics."""
    own = re.compile(r"ExtraCondition\(\s*(?:type=)?\"(\w+)\"")
    for path in (ROOT / "operator" / "awsbatch_operator").rglob("*.py"):
        assert set(own.findall(path.read_text(encoding="utf-8"))) <= conditions.TYPES, path


def test_no_remedy_asks_for_a_change_that_the_api_refuses():
    """Account, region and name are for ever: another one takes another object."""
    for reason in catalogue.reasons():
        if re.search(r"awsName|accountRef|spec\.region|\bmove\b", reason.remedy):
            assert "create it again" in reason.remedy, reason.name
