"""Whose a thing in AWS is: what is shown of it, what becomes of it, and who is told."""

import pytest
from tests.unit.kinds.gadget_rig import Rig, hold, rig_over
from tests.unit.kinds.gadgets import (
    CLUSTER,
    ELSEWHERE,
    ONE,
    OTHER,
    Gadget,
    missing,
    step,
)
from tests.unit.kinds.values import resource

from awsbatch_operator.api.tags import (
    CLUSTER as CLUSTER_TAG,
)
from awsbatch_operator.api.tags import (
    KIND,
    NAME,
    NAMESPACE,
    ORIGIN,
    OWNER_UID,
    Owner,
    Ownership,
    holder,
    marks_in,
    owner_words,
    ownership,
    unclaimed,
    was_adopted,
)

RESOLVED = "awsbatch.dev/resolved"
OWNER = Owner("lab", resource("JobQueue").key, "uid-1")


def edited(*tags: str) -> dict[str, str]:
    return {**OWNER.tags(), **dict.fromkeys(tags, "edited")}


@pytest.mark.parametrize("tag", [KIND, NAMESPACE, NAME, OWNER_UID, CLUSTER_TAG])
def test_one_edited_tag_disowns_nothing_whose_arn_is_recorded(tag):
    assert ownership(edited(tag), OWNER, recorded=True) is Ownership.OURS
    gone = {name: text for name, text in OWNER.tags().items() if name != tag}
    assert ownership(gone, OWNER, recorded=True) is Ownership.OURS


@pytest.mark.parametrize("tag", [KIND, NAMESPACE, NAME])
def test_the_tags_that_prove_nothing_may_all_be_wrong(tag):
    assert ownership(edited(tag), OWNER) is Ownership.OURS
    assert ownership(edited(KIND, NAMESPACE, NAME), OWNER) is Ownership.OURS


def test_two_of_three_proofs_that_are_wrong_disown():
    both = edited(OWNER_UID, CLUSTER_TAG)
    assert ownership(both, OWNER, recorded=True) is Ownership.FOREIGN
    assert ownership(edited(CLUSTER_TAG), OWNER) is Ownership.FOREIGN
    assert ownership(edited(OWNER_UID, NAME), OWNER) is Ownership.FOREIGN


def test_an_earlier_object_of_the_same_name_is_recreated():
    assert ownership(edited(OWNER_UID), OWNER) is Ownership.RECREATED


@pytest.mark.parametrize("recorded", [True, False])
def test_what_carries_all_tags_of_another_object_of_this_cluster_is_that_objects(recorded):
    """The ARN is made of the name: whoever makes a thing anew by our name has the same one."""
    theirs = Owner("lab", resource("JobQueue", name="theirs").key, "uid-2")
    assert ownership(theirs.tags(), OWNER, recorded=recorded) is Ownership.FOREIGN
    assert holder(theirs.tags(), "lab") == theirs.key
    assert holder(theirs.tags(), "another") is None


async def test_of_a_foreign_thing_nothing_is_shown_and_nothing_is_changed():
    rig = rig_over(ELSEWHERE)
    again = await rig.turn()
    assert rig.journal == ["feed", "look", "status"]
    assert rig.holds("Stalled") == "AlreadyExists"
    assert "arn" not in rig.status()
    assert "parts" not in rig.status()
    assert again.after is not None
    assert again.after <= 60


async def test_the_arn_of_what_has_become_anothers_does_not_stay_in_the_status():
    rig = Rig()
    rig.apply()
    rig.kind.script = missing(step("A"))
    await rig.turn()
    assert rig.status()["arn"]
    rig.apply(OTHER, awsName="one")
    rig.kind.things["one"] = Gadget(("A",), rig.kind.tags_of(OTHER))
    await rig.turn()
    assert rig.holds("Stalled") == "AlreadyExists"
    assert "arn" not in rig.status()


async def test_the_holder_of_this_cluster_is_named_and_its_end_wakes_the_claimant():
    rig = Rig()
    rig.apply(OTHER, awsName="one")
    rig.kind.script = missing(step("A"))
    rig.apply()
    rig.kind.things["one"] = Gadget(("A",), rig.kind.tags_of(OTHER))
    await rig.turn(OTHER)
    await rig.turn()
    (stalled,) = [each for each in rig.status()["conditions"] if each["type"] == "Stalled"]
    assert "it belongs to Gadget other/two" in stalled["message"]
    rig.kube.remove(OTHER)
    assert rig.woken == []
    await rig.turn(OTHER)
    assert rig.woken == [ONE]
    await rig.turn()
    assert rig.calls == ["AddA"]
    assert rig.holds("Ready")


async def test_the_end_of_a_holder_that_nobody_saw_wakes_the_claimant_too():
    rig = rig_over(Owner(CLUSTER, OTHER, "uid-7").tags())
    await rig.turn()
    await rig.turn(OTHER)  # as the engine does when an object has vanished
    assert rig.woken == [ONE]


async def test_what_an_earlier_object_of_the_name_made_is_taken_over_with_an_event():
    rig = rig_over(Owner(CLUSTER, ONE, "uid-0").tags())
    await rig.turn()
    assert rig.calls == ["AddA"]
    assert "Reowned" in [reason for reason, _ in rig.told]


async def test_a_run_of_an_earlier_object_is_not_taken_over():
    rig = rig_over(Owner(CLUSTER, ONE, "uid-0").tags(), bounded=True)
    await rig.turn()
    assert rig.calls == []
    assert rig.holds("Stalled") == "AlreadyExists"
    assert "Reowned" not in [reason for reason, _ in rig.told]


async def test_a_deletion_that_leaves_something_behind_says_so():
    rig = rig_over(ELSEWHERE)
    hold(rig)
    rig.kube.remove(ONE)
    await rig.turn()
    assert rig.kind.things["one"].tags == ELSEWHERE
    ((reason, message),) = rig.told
    assert reason == "NotOurs"
    assert message.startswith("AWS keeps one in account 111122223333, region eu-central-1")
    assert not rig.kube.exists(ONE)


async def test_an_object_is_released_only_after_a_fresh_look():
    rig = Rig()
    rig.apply()
    rig.kind.script = missing(step("A"))
    await rig.turn()
    rig.kube.remove(ONE)
    rig.kind.feed["one"] = None  # what was read last shows nothing of it
    await rig.turn()
    assert rig.journal[:2] == ["feed", "look"]
    assert rig.calls == ["Remove"]
    assert "one" not in rig.kind.things
    assert not rig.kube.exists(ONE)
    assert rig.told[-1][0] == "Deleted"


async def test_a_thing_that_only_the_feed_calls_foreign_is_not_left_behind():
    rig = Rig()
    rig.apply()
    rig.kind.script = missing(step("A"))
    await rig.turn()
    rig.kube.remove(ONE)
    rig.kind.feed["one"] = Gadget((), ELSEWHERE)  # of somebody who had the name before
    await rig.turn()
    assert rig.calls == ["Remove"]
    assert "NotOurs" not in [reason for reason, _ in rig.told]
    assert not rig.kube.exists(ONE)


async def test_what_stands_is_not_called_anothers_by_a_feed_that_lags():
    rig = Rig()
    rig.apply()
    rig.kind.script = missing(step("A"))
    await rig.turn()
    rig.kind.feed["one"] = Gadget((), ELSEWHERE)  # of somebody who had the name before
    await rig.turn()
    assert rig.journal == ["feed", "look"]
    assert rig.holds("Ready")
    assert rig.status()["arn"]


async def test_a_takeover_is_told_only_when_it_is_about_to_happen():
    rig = rig_over(Owner(CLUSTER, ONE, "uid-0").tags())
    rig.kind.waits = {"AddA": 1.0}
    await rig.turn()
    assert rig.told == []


def test_the_first_owner_is_named_as_far_as_the_tags_name_it():
    tags = OWNER.tags()
    assert owner_words(tags, "lab") == str(OWNER.key)
    assert owner_words(tags, "another") == f"{OWNER.key} of the cluster lab"
    assert owner_words({OWNER_UID: "uid-1"}, "lab") == ""
    assert owner_words({CLUSTER_TAG: "lab"}, "another") == "an object of the cluster lab"
    assert owner_words({}, "lab") == ""


def test_our_own_marks_are_told_from_the_tags_of_others():
    adopted = Owner("lab", OWNER.key, "uid-1", adopted=True)
    assert set(marks_in({**adopted.tags(), "team": "x", "aws:x": "y"})) == adopted.tags().keys()
    assert adopted.tags().keys() - OWNER.tags().keys() == {ORIGIN}
    assert was_adopted(adopted.tags())
    assert not was_adopted(OWNER.tags())
    assert unclaimed({"team": "x"})
    assert not unclaimed({"awsbatch.dev/anything": ""})
