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
from awsbatch_operator.api.tags import CONTENT, Ownership
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.jobdefinition.desired import desired_definition
from awsbatch_operator.kinds.jobdefinition.observe import Observed, whose
from awsbatch_operator.kinds.jobdefinition.plan import plan_definition, plan_removal
from awsbatch_operator.kinds.jobdefinition.revision import Revision
from awsbatch_operator.kinds.lasting import ApiCall, LastingRemoval, lasting_removal
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
    assert not plan_removal(removal(), theirs, NOW).released


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


def removal() -> LastingRemoval:
    of = resource("JobDefinition", status={"arn": "arn:1"}, deleting=True, deleted_at=NOW)
    return lasting_removal(of, Removal(owner(of), RECORDED))


def test_a_removal_deregisters_ours_and_no_others():
    model = Model()
    model.converge(spec("one"))
    model.register({}, {}, by_us=False)
    plan = plan_removal(removal(), model.observed(), NOW)
    assert plan.actions == (ApiCall("DeregisterJobDefinition", {"jobDefinition": "arn:1"}),)
    model.take_all(plan)
    assert plan_removal(removal(), model.observed(), NOW).released
