"""What the life cycle says in the status: what is announced, and a kind's own conditions."""

from tests.unit.kinds.gadget_rig import Rig
from tests.unit.kinds.gadgets import ONE, Do, Gadget, missing, step

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import ExtraCondition
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.aws.errors import AwsError, ErrorKind


async def test_what_is_announced_stands_in_the_status_before_the_first_call():
    rig = Rig()
    rig.apply()
    rig.kind.things["one"] = _standing(rig)
    await rig.turn()
    assert rig.holds("Ready")
    rig.kind.script = _announcing(step("A"), step("B"))
    shown: list[tuple[object, str, str]] = []

    def look(_: Do) -> None:
        status = rig.status()
        shown.append((status.get("plan"), rig.holds("Ready"), rig.holds("Reconciling")))

    rig.kind.before_call = look
    await rig.turn()
    assert shown == [({"why": "because"}, "", "Updating")] * 2
    assert rig.journal == [
        "feed",
        "permit AddA",
        "look",
        "status",
        "call AddA",
        "permit AddB",
        "call AddB",
        "look",
        "status",
    ]
    assert rig.holds("Ready")


def _standing(rig, **changes):
    return Gadget(tags=rig.kind.tags_of(ONE), **changes)


def _announcing(*steps):
    script = missing(*steps)

    def plan(desired, observed):
        made = script(desired, observed)
        return Plan(steps=made.steps, announce={"plan": {"why": "because"}})

    return plan


async def test_what_is_announced_already_is_not_written_again():
    rig = Rig()
    rig.apply()
    rig.kind.script = _announcing(step("A"))
    rig.kind.errors["AddA"] = AwsError(ErrorKind.TRANSIENT, operation="AddA", message="?")
    await rig.turn()
    assert rig.journal.count("status") == 2  # announced; then what became of it
    await rig.turn()
    assert rig.calls == ["AddA"]
    assert "status" not in rig.journal


async def test_nothing_is_announced_while_there_is_no_token():
    rig = Rig()
    rig.apply()
    rig.kind.script = _announcing(step("A"))
    rig.kind.waits["AddA"] = 2.0
    await rig.turn()
    assert rig.journal == ["feed"]
    assert "plan" not in rig.status()


async def test_conditions_of_a_kinds_own_come_and_go_beside_the_others():
    rig = Rig()
    rig.apply()
    rig.kind.extra = (ExtraCondition("Drifted", holds=True, reason="Edited", message="By hand."),)
    await rig.turn()
    assert {each["type"] for each in rig.status()["conditions"]} == {
        "Drifted",
        "Ready",
        "Reconciling",
        "Stalled",
    }
    assert (rig.holds("Drifted"), rig.holds("Ready")) == ("Edited", "Ready")
    rig.kind.script = lambda *_: Plan(findings=(Finding(catalogue.QUEUE_INVALID, "Bad."),))
    await rig.turn()
    assert (rig.holds("Drifted"), rig.holds("Stalled")) == ("Edited", "QueueInvalid")
    rig.kind.extra = (ExtraCondition("Drifted", holds=False, reason="Alike", message=""),)
    await rig.turn()
    assert rig.holds("Drifted") == ""
    assert "Drifted" in {each["type"] for each in rig.status()["conditions"]}
    rig.kind.extra = ()
    await rig.turn()
    assert "Drifted" not in {each["type"] for each in rig.status()["conditions"]}
