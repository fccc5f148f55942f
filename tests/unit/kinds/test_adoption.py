"""What is taken over, what is recorded of that, and what becomes of it when the object goes."""

import pytest
from tests.unit.kinds.gadget_rig import OneHome, Rig, hold, rig_over
from tests.unit.kinds.gadgets import ELSEWHERE, NOBODY, ONE, Gadget, missing, step

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import RESOLVED
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.tags import ORIGIN, OWNER_UID
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kinds.lifecycle import Lifecycle
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


async def test_what_cannot_be_marked_yet_is_not_recorded_as_adopted():
    """AWS is at work on it, perhaps removing it; what is made in its place is then our own."""
    rig = rig_over(NOBODY, adoptionPolicy="AdoptOrCreate")
    rig.kind.script = lambda *_: Plan(findings=(Finding(catalogue.DELETING, "It goes."),))
    await rig.turn()
    assert "Adopted" not in rig.annotations().get(RESOLVED, "")
    del rig.kind.things["one"]
    rig.kind.script = missing(step("A"))
    await rig.turn()
    assert rig.calls == ["AddA"]
    assert "Adopted" not in rig.annotations()[RESOLVED]
    assert rig.status()["deletionPolicy"] == "Delete"


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
    assert rig.calls == (["Unmark"] if stays else ["Remove"])
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


async def test_nothing_is_taken_over_where_the_account_forbids_it():
    """The gate has let it pass, because the object had something in AWS of its own until now."""
    rig = rig_over(NOBODY, adoptionPolicy="Adopt")
    rig.cycle = Lifecycle(rig.kind, shared=rig.shared, homes=OneHome(may_adopt=False))
    await rig.turn()
    assert rig.calls == []
    assert rig.holds("Stalled") == "NotAllowed"
    assert rig.kind.things["one"].tags == NOBODY


async def test_a_policy_of_adoption_is_the_remedy_for_what_nobody_has_marked():
    rig = rig_over(NOBODY)
    await rig.turn()
    (stalled,) = [each for each in rig.status()["conditions"] if each["type"] == "Stalled"]
    assert "Set spec.adoptionPolicy to Adopt, and it is taken over;" in stalled["message"]
    rig.apply(adoptionPolicy="Adopt")
    await rig.turn()
    assert rig.calls == ["AddA"]


async def test_the_first_owner_is_named_with_its_cluster():
    rig = rig_over(ELSEWHERE)
    await rig.turn()
    (stalled,) = [each for each in rig.status()["conditions"] if each["type"] == "Stalled"]
    assert "it belongs to Gadget science/one of the cluster another." in stalled["message"]


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
    await rig.turn()
    assert rig.calls == []
    assert not rig.kube.exists(ONE)
    assert [reason for reason, _ in rig.told] == ["Retained"]


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
