"""What becomes of what was adopted when its object goes, and of our tags on it."""

import pytest
from tests.unit.kinds.gadget_rig import OneHome, hold, rig_over
from tests.unit.kinds.gadgets import NOBODY, ONE, Gadget

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import RESOLVED
from awsbatch_operator.api.tags import ORIGIN, OWNER_UID
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kinds.lifecycle import Lifecycle
from awsbatch_operator.kube.port import ConflictError


async def a_retained_adoption(**spec):
    rig = rig_over(NOBODY, adoptionPolicy="Adopt", **spec)
    await rig.turn()
    rig.kind.things["one"] = Gadget(("A",), {**NOBODY, **rig.kind.tags_of(ONE)})
    await rig.turn()
    rig.kube.remove(ONE)
    return rig


async def test_our_tags_go_from_what_was_adopted_and_those_of_others_stay():
    rig = await a_retained_adoption()
    await rig.turn()
    assert rig.kind.things["one"] == Gadget(("A",), NOBODY)
    assert not rig.kube.exists(ONE)
    assert [reason for reason, _ in rig.told][-1] == "Retained"
    assert "NotOurs" not in [reason for reason, _ in rig.told]


async def test_a_process_that_dies_between_the_tags_and_the_finalizer_is_followed_in_peace():
    rig = await a_retained_adoption()
    rig.kube.refuses = ConflictError("changed meanwhile")
    with pytest.raises(ConflictError):
        await rig.turn()
    assert rig.kind.things["one"].tags == NOBODY
    await rig.turn()
    assert not rig.kube.exists(ONE)
    assert [reason for reason, _ in rig.told].count("Retained") == 1
    assert "NotOurs" not in [reason for reason, _ in rig.told]


@pytest.mark.parametrize(
    ("kind", "waits"),
    [
        (ErrorKind.DENIED, False),
        (ErrorKind.INVALID, False),
        (ErrorKind.THROTTLED, True),
        (ErrorKind.TRANSIENT, True),
    ],
)
async def test_tags_that_only_a_person_could_remove_hold_up_no_deletion(kind, waits):
    rig = await a_retained_adoption()
    rig.kind.errors["Unmark"] = AwsError(kind, operation="Unmark", message="no")
    again = await rig.turn()
    assert rig.kube.exists(ONE) is waits
    assert again.failed is waits
    if not waits:
        reason, message = rig.told[-1]
        assert reason == "Retained"
        assert "could not be removed. Remove them before another object is to adopt" in message


async def test_what_the_operator_has_made_and_is_retained_keeps_its_tags():
    """An object of the same name, from the same manifest, has it again later on."""
    rig = rig_over({}, deletionPolicy="Retain")
    rig.kind.things["one"] = Gadget(("A",), rig.kind.tags_of(ONE))
    hold(rig)
    rig.kube.remove(ONE)
    await rig.turn()
    assert rig.calls == []
    assert rig.kind.things["one"].tags == rig.kind.tags_of(ONE)


def tagged_as_adopted(rig):
    """As an object of an earlier cluster of the same id has left it."""
    return {**rig.kind.tags_of(ONE), OWNER_UID: "uid-0", ORIGIN: "Adopted"}


async def test_a_cluster_that_was_built_anew_knows_by_the_tags_what_was_adopted():
    rig = rig_over(NOBODY)
    rig.kind.things["one"] = Gadget((), tagged_as_adopted(rig))
    await rig.turn()
    assert '"origin":"Adopted"' in rig.annotations()[RESOLVED]
    assert rig.status()["deletionPolicy"] == "Retain"
    assert "Reowned" in [reason for reason, _ in rig.told]


async def test_what_was_adopted_stays_though_nothing_but_its_tags_says_so_any_more():
    rig = rig_over(NOBODY)
    rig.kind.things["one"] = Gadget(("A",), tagged_as_adopted(rig))
    hold(rig)
    rig.kube.remove(ONE)
    again = await rig.turn()
    assert again.after is not None
    assert rig.calls == []
    assert '"origin":"Adopted"' in rig.annotations()[RESOLVED]
    await rig.turn()
    assert rig.calls == ["Unmark"], "the next owner can adopt it"
    assert rig.kind.things["one"].tags == {}
    assert not rig.kube.exists(ONE)
    reason, message = rig.told[-1]
    assert reason == "Retained"
    assert "carries no tags of an owner (awsbatch.dev/…) any more" in message


async def test_where_only_its_tags_said_so_and_they_cannot_be_removed_that_is_told():
    rig = rig_over(NOBODY)
    rig.kind.things["one"] = Gadget(("A",), tagged_as_adopted(rig))
    hold(rig)
    rig.kube.remove(ONE)
    rig.kind.errors["Unmark"] = AwsError(ErrorKind.DENIED, operation="Unmark", message="no")
    await rig.turn()
    await rig.turn()
    assert not rig.kube.exists(ONE)
    assert "one" in rig.kind.things
    reason, message = rig.told[-1]
    assert reason == "Retained"
    assert "could not be removed" in message


async def test_what_was_adopted_by_its_tags_alone_goes_if_the_policy_says_so():
    rig = rig_over(NOBODY, deletionPolicy="Delete")
    rig.kind.things["one"] = Gadget(("A",), tagged_as_adopted(rig))
    hold(rig)
    rig.kube.remove(ONE)
    await rig.turn()
    assert rig.calls == ["Remove"]


async def test_the_tag_alone_makes_nothing_adopted_of_which_a_record_says_otherwise():
    rig = rig_over(NOBODY)
    rig.kind.things["one"] = Gadget((), rig.kind.tags_of(ONE))
    await rig.turn()
    tags = {**rig.kind.tags_of(ONE), ORIGIN: "Adopted"}
    rig.kind.things["one"] = Gadget(("A",), tags)
    await rig.turn()
    assert rig.status()["deletionPolicy"] == "Delete"


async def test_a_record_that_was_taken_away_is_written_again_and_costs_no_look_from_then_on():
    """Else the tags would have to be believed at every look, and AWS be asked each time."""
    rig = rig_over(NOBODY, adoptionPolicy="Adopt")
    await rig.turn()
    rig.kind.things["one"] = Gadget(("A",), {**rig.kind.tags_of(ONE), ORIGIN: "Adopted"})
    await rig.turn()
    rig.kube.annotate(ONE, **{RESOLVED: None})
    await rig.turn()
    assert '"origin":"Adopted"' in rig.annotations()[RESOLVED]
    await rig.turn()
    assert rig.journal == ["feed"]


async def test_a_deletion_that_retains_needs_no_account_that_can_be_used():
    class Unusable(OneHome):
        async def of_record(self, *_, **__):
            return Finding(catalogue.ACCOUNT_UNAVAILABLE, "It is not usable.")

    rig = await a_retained_adoption()
    rig.cycle = Lifecycle(rig.kind, shared=rig.shared, homes=Unusable())
    await rig.turn()
    assert rig.calls == []
    assert not rig.kube.exists(ONE)
    assert "could not be removed" in rig.told[-1][1]
