"""The names of an object in AWS: as values, in its record, and changed by a plan."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.gadget_rig import Rig
from tests.unit.kinds.gadgets import Gadget, step
from tests.unit.kinds.values import RECORDED

from awsbatch_operator.api.names import AWS_NAME_LIMIT, may_succeed, successor_name
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.kinds import gates
from awsbatch_operator.kube.port import ConflictError

RESOLVED = "awsbatch.dev/resolved"
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", fullmatch=True)
ONES = ScopeRecord("", "111122223333", "eu-central-1", "one")


@given(first=NAMES, taken=st.integers(0, 3), generation=st.integers(1, 99))
def test_a_successor_has_a_name_that_aws_takes_and_does_not_know(first, taken, generation):
    known = {first}
    for _ in range(taken + 1):
        name = successor_name(first, known, "uid-1", str(generation))
        assert name == successor_name(first, known, "uid-1", str(generation))
        assert name not in known
        assert len(name) <= AWS_NAME_LIMIT
        assert may_succeed(name, first)
        known.add(name)


@pytest.mark.parametrize(
    ("name", "first"),
    [("pool", "pool"), ("pool-b", "pool"), ("pools-0123abcd", "pool"), ("0123abcd", "pool")],
)
def test_no_other_name_is_taken_for_a_successors(name, first):
    assert not may_succeed(name, first)


def test_a_record_has_at_most_one_successor_and_lets_none_go_that_serves():
    begun = RECORDED.succeeded_by("b")
    with pytest.raises(ValueError, match="being made already"):
        begun.succeeded_by("c")
    promoted = begun.promoted()
    assert promoted.names == ("b", RECORDED.aws_name)
    with pytest.raises(ValueError, match="serves now"):
        promoted.without("b")
    assert promoted.without(RECORDED.aws_name).names == ("b",)
    assert begun.without("b") == RECORDED


def test_a_record_that_is_made_up_from_the_status_knows_what_has_succeeded_the_first_name():
    name = successor_name(RECORDED.aws_name, (), "uid-1", "2")
    shown = replace(RECORDED, aws_name="", current=name)  # all that the status has
    assert gates.scope_changed(shown, RECORDED) is None
    whole = gates.completed(shown, RECORDED)
    assert (whole.aws_name, whole.serving) == (RECORDED.aws_name, name)
    assert gates.scope_changed(replace(RECORDED, aws_name="another"), RECORDED) is not None


def names_in(rig: Rig) -> dict[str, object]:
    written = json.loads(rig.annotations()[RESOLVED])
    return {name: written.get(name) for name in ("current", "successor", "predecessors")}


async def test_a_plan_writes_other_names_before_its_step_and_the_next_look_is_by_them():
    rig = Rig()
    rig.apply()
    seen = []
    rig.kind.before_call = lambda _: seen.append(names_in(rig)["successor"])
    begin = Plan(steps=(step("A"),), recorded=ONES.succeeded_by("two"))

    def script(_, observed):
        return begin if observed is None else Plan()

    rig.kind.script = script
    await rig.turn()
    assert seen == ["two"]
    assert rig.journal.count(f"record finalizer {RESOLVED}") == 1


async def test_a_plan_of_other_names_alone_is_written_after_a_fresh_look_and_looked_at_again():
    rig = Rig()
    rig.apply()
    await rig.turn()
    promoted = ONES.succeeded_by("two").promoted()
    tags = rig.kind.things["one"].tags if "one" in rig.kind.things else {}
    rig.kind.things["two"] = Gadget(("A",), tags)
    looked = []

    def script(_, observed):
        looked.append(observed)
        return Plan() if observed is not None else Plan(recorded=promoted)

    rig.kind.script = script
    await rig.turn()
    assert names_in(rig) == {"current": "two", "successor": None, "predecessors": ["one"]}
    assert rig.journal[:2] == ["feed", "look"]
    assert rig.status()["awsName"] == "two"


async def test_a_conflict_in_that_write_leaves_the_names_and_sends_nothing():
    rig = Rig()
    rig.apply()
    rig.kind.script = lambda *_: Plan(steps=(step("A"),), recorded=ONES.succeeded_by("two"))
    rig.kube.refuses = ConflictError("somebody was faster")
    with pytest.raises(ConflictError):
        await rig.turn()
    assert rig.calls == []
    assert RESOLVED not in rig.annotations()
