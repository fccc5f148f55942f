"""What is taken over, what is recorded of that, and what becomes of it when the object goes."""

import pytest
from tests.unit.kinds.gadget_rig import OneHome, Rig, hold, rig_over
from tests.unit.kinds.gadgets import ELSEWHERE, NOBODY, ONE, Do, Gadget, missing, step

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import RESOLVED
from awsbatch_operator.api.plans import Plan
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


async def made_and_stripped(**spec):
    """The operator has made it, and somebody has taken all tags off it."""
    rig = Rig()
    rig.apply(adoptionPolicy="AdoptOrCreate", **spec)
    rig.kind.script = missing(step("A"))
    await rig.turn()
    await rig.turn()
    assert rig.status()["arn"] == "arn:gadget"
    rig.kind.things["one"] = Gadget((), NOBODY)
    rig.told.clear()
    return rig


async def test_what_the_operator_has_made_is_not_adopted_though_somebody_has_taken_its_tags():
    """As adopted it would stay in AWS when its object goes."""
    rig = await made_and_stripped()
    await rig.turn()
    assert rig.calls == ["AddA"]
    assert "Adopted" not in rig.annotations()[RESOLVED]
    assert rig.status()["deletionPolicy"] == "Delete"
    assert rig.status()["arn"] == "arn:gadget"
    told = [reason for reason, _ in rig.told]
    assert "Adopted" not in told
    assert "DriftRepaired" in told


async def test_what_was_adopted_stays_so_though_somebody_has_taken_its_tags():
    rig = rig_over(NOBODY, adoptionPolicy="Adopt")
    await rig.turn()
    rig.kind.things["one"] = Gadget(("A",), rig.kind.tags_of(ONE))
    await rig.turn()
    rig.kind.things["one"] = Gadget((), NOBODY)
    await rig.turn()
    assert '"origin":"Adopted"' in rig.annotations()[RESOLVED]
    assert rig.status()["deletionPolicy"] == "Retain"
    assert rig.status()["arn"] == "arn:gadget"


AT_WORK: Plan[Do] = Plan(findings=(Finding(catalogue.UPDATING, "AWS changes it."),))


async def test_what_is_not_marked_yet_is_shown_to_nobody_as_the_objects_own():
    """AWS is at work on it, the call has to wait for its turn, or AWS refuses it."""
    rig = rig_over(NOBODY, adoptionPolicy="Adopt")
    rig.kind.script = lambda *_: AT_WORK
    await rig.turn()
    assert "arn" not in rig.status()
    assert rig.holds("Reconciling") == "Updating"
    rig.kind.script = missing(step("A"))
    rig.kind.waits = {"AddA": 1.0}
    await rig.turn()
    assert "arn" not in rig.status()
    rig.kind.waits = {}
    rig.kind.errors["AddA"] = AwsError(ErrorKind.DENIED, operation="AddA", message="no")
    await rig.turn()
    assert "arn" not in rig.status()
    del rig.kind.errors["AddA"]
    rig.kind.before_call = lambda _: rig.kind.things.update(one=Gadget((), rig.kind.tags_of(ONE)))
    await rig.turn()
    assert rig.status()["arn"] == "arn:gadget"


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
