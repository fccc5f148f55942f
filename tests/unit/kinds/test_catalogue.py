"""The catalogue of reasons."""

import ast
import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from awsbatch_operator.api import (
    capacity_reasons,
    catalogue,
    conditions,
    image_reasons,
    job_reasons,
)
from awsbatch_operator.api.findings import Reason, Severity
from awsbatch_operator.kinds.batchjob.failure_causes import Failure

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
# Of a job that has not ended, the reason is AWS's own state, written as a word.
STATES = {"Submitted", "Pending", "Runnable", "Starting", "Running"}
# Where a call names its reason: position and keyword.
GIVEN = {"Verdict": (1, "reason"), "ExtraCondition": (2, "reason"), "event": (None, "reason")}
WORD = re.compile(r"[A-Z][A-Za-z]+")  # as metav1.Condition wants a reason, and in CamelCase


@functools.cache
def modules() -> Mapping[Path, ast.Module]:
    """The operator's code; parsed when a test first asks for it, not whenever tests are listed."""
    return {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for path in (ROOT / "operator" / "awsbatch_operator").rglob("*.py")
    }


@functools.cache
def calls(tree: ast.Module) -> Sequence[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def name_of(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def argument(call: ast.Call, position: int | None, keyword: str) -> ast.expr | None:
    for given in call.keywords:
        if given.arg == keyword:
            return given.value
    if position is not None and position < len(call.args):
        return call.args[position]
    return None


def words(tree: ast.Module, node: ast.expr | None) -> Iterator[str]:
    """The text of a literal, or of a constant of the module."""
    match node:
        case ast.Constant(value=str(word)):
            yield word
        case ast.Name(id=name):
            for each in tree.body:
                match each:
                    case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                        yield from words(tree, value)
        case ast.IfExp(body=yes, orelse=no):
            yield from words(tree, yes)
            yield from words(tree, no)


def reasons_given(tree: ast.Module, call: ast.Call) -> Iterator[str]:
    if (place := GIVEN.get(name_of(call))) is not None:
        yield from words(tree, argument(call, *place))


def test_every_condition_of_the_table_has_a_meaning():
    assert {name for states in conditions._STATES.values() for name in states} <= conditions.TYPES


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


def test_every_reason_that_is_given_as_a_word_is_in_the_catalogue_and_on_the_page():
    """Of verdicts, of a kind's own conditions, and of events; wherever in the operator."""
    known = {reason.name for reason in catalogue.reasons()}
    known |= {failure.value for failure in Failure}
    assert known >= STATES
    given = [
        (path, word)
        for path, tree in modules().items()
        for call in calls(tree)
        for word in reasons_given(tree, call)
    ]
    assert [(path.name, word) for path, word in given if word not in known] == []
    assert [(path.name, word) for path, word in given if f"| `{word}` |" not in PAGE] == []


def test_every_entry_of_the_catalogue_is_on_the_page_and_used():
    used = Counter(
        word for path in modules() for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
    )
    for module in (catalogue, job_reasons, capacity_reasons, image_reasons):
        for name, value in vars(module).items():
            if isinstance(value, Reason):
                assert f"| `{value.name}` | {value.meaning} | {value.remedy} |" in PAGE, name
                if value.name in STATES:
                    continue
                assert used[name] > 1, f"{name} is used nowhere but where it stands itself"


def test_every_condition_in_the_code_is_counted_by_its_name_and_explained():
    """A kind's own condition that `TYPES` lacks would be counted as "Other" in the metrics."""
    own = {
        word
        for tree in modules().values()
        for call in calls(tree)
        if name_of(call) == "ExtraCondition"
        for word in words(tree, argument(call, 0, "type"))
    }
    assert own
    assert own <= conditions.TYPES
    assert all(f"| `{name}` |" in PAGE for name in conditions.TYPES)


def test_no_remedy_asks_for_a_change_that_the_api_refuses():
    """Account, region and name are for ever: another one takes another object."""
    for reason in catalogue.reasons():
        if re.search(r"awsName|accountRef|spec\.region|\bmove\b", reason.remedy):
            assert "create it again" in reason.remedy, reason.name
