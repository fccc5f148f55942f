"""The life cycle's steps: lanes, records, permits, announcements, and what the next look shows."""

import pytest
from tests.unit.kinds.gadget_rig import Rig
from tests.unit.kinds.gadgets import ONE, Do, Has, missing, step

from awsbatch_operator.api.findings import SLOWLY
from awsbatch_operator.api.metadata import RECONCILE_AT
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.scope import LeaseLostError, NoTokenError
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kube.port import ConflictError, InvalidError

RESOLVED = "awsbatch.dev/resolved"


def refused(operation: str, kind: ErrorKind = ErrorKind.INVALID) -> AwsError:
    return AwsError(kind, operation=operation, message="It says no")


def rig_with(*steps: Step[Do]) -> Rig:
    rig = Rig()
    rig.apply()
    rig.kind.script = missing(*steps)
    return rig


async def test_a_turn_looks_takes_its_tokens_looks_afresh_records_calls_and_looks_again():
    rig = rig_with(step("A"))
    again = await rig.turn()
    assert rig.journal == [
        "feed",
        "permit AddA",
        "look",
        f"record finalizer {RESOLVED}",
        "call AddA",
        "look",
        "status",
    ]
    assert rig.holds("Ready") == "Ready"
    assert again.after is None
    await rig.turn()
    assert rig.journal == ["feed"]


@pytest.mark.parametrize("error", [NoTokenError(3.0), refused("Look", ErrorKind.THROTTLED)])
async def test_a_look_that_a_person_asked_for_is_owed_until_it_was_made(error):
    rig = rig_with()
    looks = rig.kind.observe

    async def fails(*details, fresh):
        await looks(*details, fresh=fresh)
        raise error

    rig.kube.annotate(ONE, **{RECONCILE_AT: "now"})
    rig.kind.observe = fails  # type: ignore[method-assign]
    await rig.turn()
    assert rig.journal[0] == "look"
    rig.kind.observe = looks  # type: ignore[method-assign]
    await rig.turn()
    assert rig.journal[0] == "look"
    await rig.turn()
    assert rig.journal == ["feed"]


async def test_a_lane_that_fails_ends_there_and_another_goes_on():
    rig = rig_with(step("A1", "a"), step("A2", "a", record="a2"), step("B1", "b"), step("B2", "b"))
    rig.kind.errors["AddA1"] = refused("AddA1")
    await rig.turn()
    assert rig.calls == ["AddA1", "AddB1", "AddB2"]
    assert rig.holds("Stalled") == "InvalidRequest"
    assert "test/a2" not in rig.annotations()
    assert [message for reason, message in rig.told if reason == "Updated"] == [
        "Added B1.",
        "Added B2.",
    ]


async def test_of_two_lanes_that_fail_both_are_told():
    rig = rig_with(step("A", "a"), step("B", "b"))
    rig.kind.errors = {"AddA": refused("AddA"), "AddB": refused("AddB", ErrorKind.DENIED)}
    await rig.turn()
    (stalled,) = [each for each in rig.status()["conditions"] if each["type"] == "Stalled"]
    assert "AddA" in stalled["message"]
    assert "AddB" in stalled["message"]


async def test_a_step_has_its_record_and_its_permit_just_before_it_goes_out():
    rig = rig_with(step("A", record="a"), step("B", record="b"))
    await rig.turn()
    assert rig.journal[3:] == [
        f"record finalizer {RESOLVED} test/a",
        "call AddA",
        "permit AddB",
        "record test/b",
        "call AddB",
        "look",
        "status",
    ]


async def test_the_record_stands_in_the_object_when_the_call_goes_out():
    rig = rig_with(step("A", record="a"), step("B", record="b"))
    seen: dict[str, list[str]] = {}

    def look(action: Do) -> None:
        seen[action.operation] = sorted(rig.annotations())

    rig.kind.before_call = look
    await rig.turn()
    assert seen == {
        "AddA": [RESOLVED, "test/a"],
        "AddB": [RESOLVED, "test/a", "test/b"],
    }


async def test_records_of_steps_that_go_out_together_are_one_write():
    rig = rig_with(
        step("A1", "a", record="a1"), step("A2", "a", record="a2"), step("B1", "b", record="b1")
    )
    rig.kind.script = _with_record(rig.kind.script, {"test/plan": "x"})
    await rig.turn()
    records = [entry for entry in rig.journal if entry.startswith("record")]
    assert records == [
        f"record finalizer {RESOLVED} test/a1 test/b1 test/plan",
        "record test/a2",
    ]


def _with_record(script, record):
    def plan(desired, observed):
        made = script(desired, observed)
        return Plan(steps=made.steps, record=record)

    return plan


async def test_a_record_that_no_step_needs_is_written_by_itself_and_once():
    rig = Rig()
    rig.apply()
    rig.kind.script = lambda *_: Plan(record={"test/only": "1"})
    await rig.turn()
    assert rig.journal == ["feed", f"record finalizer {RESOLVED} test/only", "status"]
    await rig.turn()
    assert rig.journal == ["feed"]


@pytest.mark.parametrize("refusal", [ConflictError("409"), InvalidError("too large")])
async def test_a_record_that_is_refused_gives_every_permit_back_and_nothing_is_sent(refusal):
    rig = rig_with(step("A", "a"), step("B", "b"))
    rig.kube.refuses = refusal
    if isinstance(refusal, ConflictError):
        with pytest.raises(ConflictError):
            await rig.turn()
    else:
        again = await rig.turn()
        assert rig.holds("Stalled") == "RecordRefused"
        assert again.after == SLOWLY
    assert rig.calls == []
    assert sorted(entry for entry in rig.journal if "A" in entry or "B" in entry) == [
        "give back AddA",
        "give back AddB",
        "permit AddA",
        "permit AddB",
    ]


async def test_the_record_of_a_second_step_that_is_refused_gives_its_permit_back():
    rig = rig_with(step("A"), step("B", record="b"))

    def refuse_next(_: Do) -> None:
        rig.kube.refuses = ConflictError("409")

    rig.kind.before_call = refuse_next
    with pytest.raises(ConflictError):
        await rig.turn()
    assert rig.calls == ["AddA"]
    assert rig.journal[-2:] == ["permit AddB", "give back AddB"]


async def test_a_lost_lease_gives_back_the_permits_of_what_was_not_sent():
    rig = rig_with(step("A", "a"), step("B", "b"), step("C", "c"))
    rig.kind.errors["AddB"] = LeaseLostError("too short")
    with pytest.raises(LeaseLostError):
        await rig.turn()
    assert rig.calls == ["AddA", "AddB"]
    assert rig.journal[-1] == "give back AddC"
    assert "give back AddA" not in rig.journal


async def test_two_equal_steps_in_a_row_both_go_out_when_the_first_is_seen():
    rig = Rig()
    rig.apply()
    fleet = Step(Do("Launch", "fleet"), expects=Has("fleet"))

    def two(_, observed):
        have = 0 if observed is None else observed.parts.count("fleet")
        return Plan(steps=(fleet,) if have < 2 else ())

    rig.kind.script = two
    await rig.turn()
    assert rig.calls == ["Launch", "Launch"]
    assert rig.holds("Ready")


async def test_two_equal_steps_of_one_plan_both_go_out():
    rig = Rig()
    rig.apply()
    fleet = Step(Do("Launch", "fleet"), expects=Has("fleet"))
    rig.kind.script = lambda _, observed: Plan(steps=() if observed else (fleet, fleet))
    await rig.turn()
    assert rig.calls == ["Launch", "Launch"]


async def test_a_step_that_aws_took_and_does_not_show_ends_the_turn_with_backoff():
    rig = rig_with(step("A"))
    rig.kind.lag = True
    again = await rig.turn()
    assert rig.calls == ["AddA"]
    assert rig.holds("Reconciling") == "AWSBusy"
    assert again.failed
    rig.kind.lag = False
    again = await rig.turn()
    assert rig.calls == ["AddA"]  # it was lost on the way, and is repeated
    assert rig.holds("Ready")
    assert not again.failed


async def test_a_plan_with_more_steps_than_one_turn_takes_goes_on_soon_and_is_not_ready():
    rig = Rig()
    rig.apply()
    parts = [f"P{number}" for number in range(9)]

    def one_by_one(_, observed):
        have = 0 if observed is None else len(observed.parts)
        return Plan(steps=(step(parts[have]),) if have < len(parts) else ())

    rig.kind.script = one_by_one
    again = await rig.turn()
    assert len(rig.calls) == 4
    assert rig.holds("Reconciling")
    assert again.after == 1.0
    await rig.turn()
    await rig.turn()
    assert rig.holds("Ready")


async def test_a_lane_that_goes_on_is_not_held_up_by_one_that_a_person_must_mend():
    rig = Rig()
    rig.apply()
    refused_for_long = step("A", "a")

    def plan(_, observed):
        have = () if observed is None else observed.parts
        following = [step(part, "b") for part in ("B1", "B2", "B3") if part not in have]
        return Plan(steps=(refused_for_long, *following[:1]))

    rig.kind.script = plan
    rig.kind.errors["AddA"] = refused("AddA")
    afters = [(await rig.turn()).after for _ in range(4)]
    assert afters == [1.0, 1.0, 1.0, SLOWLY]
    assert rig.kind.things["one"].parts == ("B1", "B2", "B3")
    assert rig.holds("Stalled") == "InvalidRequest"


async def test_the_answer_of_a_call_serves_as_the_next_look():
    rig = rig_with(step("A"))
    rig.kind.answers = rig.kind.lag = True  # the listing lags, the answer does not
    again = await rig.turn()
    assert rig.journal.count("look") == 1
    assert rig.status()["parts"] == ["A"]
    assert rig.holds("Ready")
    assert not again.failed


async def test_what_the_feed_has_not_seen_yet_is_not_done_again():
    rig = rig_with(step("A"))
    await rig.turn()
    rig.kind.feed["one"] = None  # it was read before the call
    await rig.turn()
    assert rig.journal == ["feed", "permit AddA", "look", "give back AddA"]
