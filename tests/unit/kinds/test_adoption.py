"""What is taken over, what is recorded of that, and what becomes of it when the object goes."""

import pytest
from tests.unit.kinds.gadget_rig import Rig, hold, rig_over
from tests.unit.kinds.gadgets import ELSEWHERE, NOBODY, ONE, Gadget, missing, step

from awsbatch_operator.api.metadata import RESOLVED
from awsbatch_operator.kube.port import ConflictError


async def test_a_thing_of_nobody_that_is_to_be_adopted_is_recorded_as_adopted_and_taken_over():
    rig = rig_over(NOBODY, adoptionPolicy="Adopt")
    await rig.turn()
    assert rig.calls == ["AddA"]
    assert '"origin":"Adopted"' in rig.annotations()[RESOLVED]
    assert rig.status()["deletionPolicy"] == "Retain"


async def test_a_plan_knows_of_an_adoption_from_the_look_after_it_on():
    """What is taken over is kept by default, and a plan may be about to replace it."""
    rig = rig_over(NOBODY, adoptionPolicy="Adopt")
    adopted, desired = [], rig.kind.desired

    def wanted(resource, targets, owner):
        adopted.append(targets.adopted)
        return desired(resource, targets, owner)

    rig.kind.desired = wanted
    await rig.turn()
    assert rig.calls == ["AddA"]
    assert adopted[-1]


async def test_what_the_feed_alone_would_adopt_is_recorded_as_created_when_we_create_it():
    """It was removed in AWS since the feed read it; as adopted it would be retained by accident."""
    rig = Rig()
    rig.apply(adoptionPolicy="AdoptOrCreate")
    rig.kind.script = missing(step("A"))
    rig.kind.feed["one"] = Gadget((), NOBODY)
    await rig.turn()
    assert rig.calls == ["AddA"]
    assert "Adopted" not in rig.annotations()[RESOLVED]
    assert rig.status()["deletionPolicy"] == "Delete"


async def test_what_needs_no_step_is_recorded_as_adopted_only_after_a_fresh_look():
    rig = Rig()
    rig.apply(adoptionPolicy="AdoptOrCreate")
    rig.kind.feed["one"] = Gadget((), NOBODY)
    await rig.turn()
    assert rig.annotations() == {}
    rig.kind.things["one"] = Gadget((), NOBODY)
    await rig.turn()
    assert '"origin":"Adopted"' in rig.annotations()[RESOLVED]


async def test_what_was_adopted_stays_so_when_its_annotations_are_taken_away():
    """As created it would be removed from AWS together with the object."""
    rig = rig_over(NOBODY, adoptionPolicy="Adopt")
    await rig.turn()
    rig.kind.things["one"] = Gadget(("A",), rig.kind.tags_of(ONE))
    await rig.turn()
    rig.kube.annotate(ONE, **{RESOLVED: None})
    rig.kube.strip_finalizers(ONE)
    await rig.turn()
    assert '"origin":"Adopted"' in rig.annotations()[RESOLVED]


@pytest.mark.parametrize("tags", [ELSEWHERE, {"awsbatch.dev/anything": "x"}])
async def test_what_somebody_has_marked_is_not_adopted(tags):
    rig = rig_over(tags, adoptionPolicy="AdoptOrCreate")
    await rig.turn()
    assert rig.holds("Stalled") == "AlreadyExists"


async def test_what_would_be_adopted_is_recorded_so_also_when_it_was_to_be_created_first():
    rig = Rig()
    rig.apply(adoptionPolicy="AdoptOrCreate")
    rig.kind.script = missing(step("A"))
    rig.kind.before_call = _somebody_is_faster(rig)
    with pytest.raises(RuntimeError):
        await rig.turn()
    assert "Adopted" not in rig.annotations()[RESOLVED]
    rig.kind.before_call = lambda _: None
    await rig.turn()
    assert '"origin":"Adopted"' in rig.annotations()[RESOLVED]
    await rig.turn()
    assert '"origin":"Adopted"' in rig.annotations()[RESOLVED]


def _somebody_is_faster(rig):
    def die(_):
        rig.kind.things["one"] = Gadget((), NOBODY)
        raise RuntimeError("the process ends here")

    return die


@pytest.mark.parametrize(("policy", "stays"), [({}, True), ({"deletionPolicy": "Delete"}, False)])
async def test_what_was_adopted_stays_unless_the_policy_says_otherwise(policy, stays):
    rig = rig_over(NOBODY, adoptionPolicy="Adopt", **policy)
    await rig.turn()
    rig.kind.things["one"] = Gadget(("A",), rig.kind.tags_of(ONE))
    await rig.turn()
    rig.kube.remove(ONE)
    await rig.turn()
    if not stays:
        assert rig.calls == ["Remove"]
    assert ("one" in rig.kind.things) is stays
    assert not rig.kube.exists(ONE)
    assert ("Retained" in [reason for reason, _ in rig.told]) is stays


async def test_what_is_retained_is_told_once_and_only_when_the_object_goes():
    rig = Rig()
    rig.apply(deletionPolicy="Retain")
    hold(rig)
    rig.kube.remove(ONE)
    rig.kube.refuses = ConflictError("changed meanwhile")
    with pytest.raises(ConflictError):
        await rig.turn()
    assert rig.told == []
    await rig.turn()
    assert [reason for reason, _ in rig.told] == ["Retained"]
    assert not rig.kube.exists(ONE)


async def test_nothing_is_adopted_only_to_be_removed():
    rig = rig_over(NOBODY, adoptionPolicy="Adopt", deletionPolicy="Delete")
    rig.kind.waits = {"AddA": 1.0}
    await rig.turn()
    hold(rig)
    rig.kube.remove(ONE)
    await rig.turn()
    assert rig.calls == []
    assert rig.kind.things["one"].tags == NOBODY
    assert [reason for reason, _ in rig.told] == ["NotOurs"]
    assert not rig.kube.exists(ONE)
