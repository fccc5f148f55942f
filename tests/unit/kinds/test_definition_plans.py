"""Job definitions: plans that come to an end and touch only ours."""

from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.definition_model import Model, spec
from tests.unit.kinds.values import NOW, RECORDED, owner, resource, targets

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.metadata import SUBMISSION
from awsbatch_operator.api.tags import CONTENT, ORIGIN, Ownership
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.jobdefinition.desired import definition_removal, desired_definition
from awsbatch_operator.kinds.jobdefinition.observe import Observed, whose
from awsbatch_operator.kinds.jobdefinition.plan import plan_definition, plan_removal
from awsbatch_operator.kinds.lasting import ApiCall
from awsbatch_operator.kinds.registrations import Revision
from awsbatch_operator.kinds.tagging import TAGS
from awsbatch_operator.schema.canonical import content_hash

OURS = owner(resource("JobDefinition")).tags()


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["one", "two", "three"]),
        st.integers(1, 4),
        st.dictionaries(st.sampled_from("ab"), st.sampled_from("12")),
    ),
    min_size=1,
    max_size=6,
)


@given(edits=EDITS, foreign=st.integers(0, 3))
def test_edits_come_to_an_end_keep_as_many_as_asked_and_touch_nothing_foreign(edits, foreign):
    model = Model()
    for command, keep, tags in edits:
        model.converge(spec(command, keep, tags=tags))
        for _ in range(foreign):
            model.register({"team": "x"}, {}, by_us=False)
            model.converge(spec(command, keep, tags=tags))
        ours = [one for one in model.revisions if CONTENT in one.tags]
        assert 1 <= len(ours) <= keep
        assert model.newest.content["containerProperties"]["command"] == [command]
    assert sum("team" in one.tags for one in model.revisions) == foreign * len(edits)


@given(commands=st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=9))
def test_each_change_of_content_is_registered_once_and_a_revert_is_a_change(commands):
    model = Model()
    for command in commands:
        model.converge(spec(command, 50))
        assert model.newest.content["containerProperties"]["command"] == [command]
    assert len(model.registered) == len(list(groupby(commands)))


def test_a_newer_revision_of_somebody_else_is_superseded_and_stays():
    model = Model()
    model.converge(spec("one", 1))
    model.register({"team": "x"}, spec("theirs"), by_us=False)
    model.converge(spec("one", 1))
    assert model.newest.number == 3
    assert {one.number for one in model.revisions} == {2, 3}


def test_a_newer_revision_of_the_same_content_needs_no_other():
    model = Model()
    model.converge(spec("one", 3))
    model.register({}, spec("one"), by_us=False)
    assert not model.plan(spec("one", 3)).steps


def test_a_revision_made_out_of_ours_with_its_tags_is_superseded():
    model = Model()
    model.converge(spec("one"))
    model.register(model.newest.tags, spec("edited in the console"), by_us=False)
    model.shown = model.shown[:1]  # the status knows nothing of it
    model.converge(spec("one"))
    assert model.newest.number == 3
    assert model.newest.content["containerProperties"]["command"] == ["one"]


@pytest.mark.parametrize("tag", [None, content_hash({"type": "multinode"})])
def test_a_content_tag_that_is_missing_or_wrong_is_set_again_once(tag):
    model = Model()
    model.converge(spec("one"))
    right = model.newest.tags[CONTENT]
    model.revisions = [replace(model.newest, tags={**OURS, CONTENT: tag} if tag else OURS)]
    plan = model.plan(spec("one"))
    assert [call.operation for call in plan.actions] == ["TagResource"]
    assert plan.actions[0].request["tags"][CONTENT] == right
    model.take_all(plan)
    assert not model.plan(spec("one")).steps


@given(used=st.sets(st.integers(1, 4)), intent=st.booleans())
def test_a_revision_that_a_job_needs_is_never_deregistered(used, intent):
    model = Model()
    jobs = []
    for number in used:
        body = f'{{"definition":"arn:{number}"}}'
        jobs.append(
            resource("BatchJob", annotations={SUBMISSION: body})
            if intent
            else resource("BatchJob", status={"jobDefinitionArn": f"arn:{number}"})
        )
    model.users = tuple(jobs)
    for command in ("one", "two", "three", "four", "five"):
        model.converge(spec(command, 1))
    assert {one.number for one in model.revisions} == used | {5}


def test_a_revision_that_a_waiting_job_names_is_kept():
    model = Model()
    named = {"jobDefinitionRef": {"name": "simulate", "revision": 2}}
    model.users = (resource("BatchJob", named),)
    for command in ("one", "two", "three", "four"):
        model.converge(spec(command, 1))
    assert {one.number for one in model.revisions} == {2, 4}


def test_jobs_are_not_asked_for_while_no_revision_has_to_go():
    class Untouchable(tuple):
        __slots__ = ()

        def __iter__(self):
            raise AssertionError("nobody needs to know")

    model = Model()
    model.users = Untouchable()
    model.converge(spec("one", 3))
    model.converge(spec("two", 3))


@pytest.mark.parametrize("earlier", [None, "v1:abc"])
def test_what_was_registered_a_moment_ago_is_not_registered_again_while_aws_hides_it(earlier):
    """By an operator before an upgrade, too, which stopped and handed over at once."""
    model = Model()
    model.converge(spec("one"))
    if earlier:
        model.shown[0]["contentHash"] = earlier
    of = model.resource(spec("one"))
    wanted = desired_definition(of, targets(), owner(of))
    plan = plan_definition(wanted, None, NOW.plus(5))
    assert not plan.steps
    assert plan.findings[0].reason is catalogue.AWS_BUSY
    assert plan_definition(wanted, None, NOW.plus(60)).steps


def test_a_hash_of_another_version_is_compared_by_content():
    model = Model()
    model.converge(spec("one"))
    tags = {"resourceArn": "arn:1", "tags": {CONTENT: "v0:abc"}}
    model.apply(ApiCall("TagResource", tags))
    model.shown[0]["contentHash"] = "v0:abc"
    assert not model.plan(spec("one")).steps
    assert model.plan(spec("two")).steps


def test_each_step_carries_the_note_of_what_it_does():
    model = Model()
    for command in ("one", "two", "three"):
        model.converge(spec(command, 3))
    model.notes.clear()
    model.converge(spec("four", 1))
    assert model.notes == ["Registered", "Deregistered", "Deregistered", "Deregistered"]


def test_tags_and_each_deregistration_have_lanes_of_their_own():
    model = Model()
    for command in ("one", "two", "three"):
        model.converge(spec(command, 3))
    plan = model.plan(spec("three", 1, tags={"team": "climate"}))
    lanes = {lane: [call.operation for call in steps_of(plan, lane)] for lane in plan.lanes()}
    assert lanes == {
        TAGS: ["TagResource"],
        "arn:2": ["DeregisterJobDefinition"],
        "arn:1": ["DeregisterJobDefinition"],
    }


def steps_of(plan, lane):
    """The calls of one lane."""
    return [step.action for step in plan.lanes()[lane]]


def test_tags_of_an_older_revision_are_expected_of_that_revision():
    model = Model()
    model.converge(spec("one", 3))
    model.register({"team": "x"}, spec("one"), by_us=False)
    model.converge(spec("one", 3, tags={"team": "climate"}))
    model.converge(spec("one", 3))
    tags = {one.number: one.tags.get("team") for one in model.revisions}
    assert tags == {1: None, 2: "x"}


def test_a_name_is_not_left_to_others_while_a_revision_of_ours_may_come_to_light():
    of = resource("JobDefinition", deleting=True, deleted_at=NOW)
    theirs = Observed((Revision("arn:1", 1, {"team": "x"}),), in_doubt=True)
    assert whose(theirs, of, owner(of)) is Ownership.OURS
    wanted = definition_removal(of, Removal(owner(of), RECORDED))
    assert not plan_removal(wanted, theirs, NOW).released


def test_whose_a_name_is_follows_from_all_revisions():
    of = resource("JobDefinition")
    us = owner(of)
    ours, earlier = us.tags(), {**us.tags(), "awsbatch.dev/owner-uid": "uid-0"}

    def of_tags(*tags, recorded=(), spec=None):
        found = tuple(Revision(f"arn:{n}", n, each) for n, each in enumerate(tags))
        named = replace(of, spec=spec or {})
        return whose(Observed(found, dict.fromkeys(recorded, "")), named, us)

    assert of_tags({}, {"team": "x"}) is Ownership.FOREIGN
    assert of_tags({}, earlier) is Ownership.RECREATED
    assert of_tags({}, earlier, ours) is Ownership.OURS
    unproven = {"awsbatch.dev/owner-uid": "uid-1"}
    assert of_tags({}, unproven) is Ownership.FOREIGN
    assert of_tags({}, unproven, recorded=["arn:1"]) is Ownership.OURS
    assert of_tags({}, unproven, recorded=["arn:0"]) is Ownership.FOREIGN
    assert of_tags({}, {"team": "x"}, recorded=["arn:7"]) is Ownership.OURS  # and was superseded
    assert of_tags({}, {"team": "x"}, recorded=["elsewhere:7"]) is Ownership.FOREIGN
    assert of_tags({}, spec={"adoptionPolicy": "Adopt"}) is Ownership.ADOPTABLE
    assert of_tags({"awsbatch.dev/x": ""}, spec={"adoptionPolicy": "Adopt"}) is Ownership.FOREIGN


def adopting(*revisions, command="one", keep=3, **more):
    """The plan of an object that adopts a name with these revisions (tags, command), oldest first.

    `more` are keywords of the model's resource.
    """
    found = tuple(
        Revision(f"arn:{number}", number, tags, {**spec(of), "parameters": {}})
        for number, (tags, of) in enumerate(revisions, start=1)
    )
    of = replace(resource("JobDefinition", spec(command, keep)), **more)
    wanted = desired_definition(of, targets(), replace(owner(of), adopted=True))
    return plan_definition(wanted, Observed(found[::-1]), NOW.plus(900))


def test_the_newest_revision_of_others_that_is_as_specified_is_marked_and_none_is_registered():
    (step,) = adopting(({"team": "x"}, "two"), ({"team": "x"}, "one")).steps
    assert step.action.operation == "TagResource"
    assert step.action.request["resourceArn"] == "arn:2"
    assert step.action.request["tags"] == {
        **OURS,
        ORIGIN: "Adopted",
        CONTENT: content_hash(spec("one")),
    }


def test_beside_revisions_of_others_that_are_not_as_specified_one_of_ours_is_registered():
    (step,) = adopting(({}, "one"), ({}, "two")).steps
    assert step.action.operation == "RegisterJobDefinition"
    assert step.action.request["tags"] == {**OURS, CONTENT: content_hash(spec("one"))}


def test_a_revision_that_was_taken_over_is_never_too_many():
    taken = {**OURS, ORIGIN: "Adopted"}
    ours = {**OURS, CONTENT: content_hash(spec("one"))}
    shown = [{"arn": f"arn:{n}", "revision": n, "registeredTime": NOW.rfc3339()} for n in (1, 2, 3)]
    revisions = ((taken, "two"), (ours, "three"), (ours, "one"))
    plan = adopting(*revisions, keep=1, status={"revisions": shown})
    assert [step.action.request for step in plan.steps] == [{"jobDefinition": "arn:2"}]


def test_what_others_register_later_with_the_content_is_not_taken_from_them_while_ours_has_it():
    ours = {**OURS, CONTENT: content_hash(spec("one"))}
    assert adopting((ours, "one"), ({}, "one")).steps == ()


def test_a_name_has_an_owner_as_soon_as_one_of_its_revisions_is_marked():
    of = resource("JobDefinition", {"adoptionPolicy": "Adopt"})
    theirs = {**OURS, "awsbatch.dev/cluster": "theirs", "awsbatch.dev/owner-uid": "uid-7"}
    found = (Revision("arn:2", 2, {}), Revision("arn:1", 1, theirs))
    assert whose(Observed(found), of, owner(of)) is Ownership.FOREIGN
    assert Observed(found).tags == theirs, "whom the refusal names"
