"""Tags: a plan applied to AWS leaves nothing to do, and foreign tags are never touched."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.models import Described
from tests.unit.kinds.values import owner, resource

from awsbatch_operator.api.metadata import TAG_KEYS
from awsbatch_operator.kinds.lasting import Detail
from awsbatch_operator.kinds.tagging import TAGS as LANE
from awsbatch_operator.kinds.tagging import tag_record, tag_steps, wanted_tags

KEYS = st.sampled_from(["team", "stage", "owner", "billing", "x"])
TAGS = st.dictionaries(KEYS, st.sampled_from(["", "1", "2"]))


class Model(Described):
    """An AWS object's tags and the annotation of its Kubernetes object."""

    def __init__(self, tags):
        super().__init__()
        self.detail = {"tags": dict(tags)}

    @property
    def tags(self):
        return self.detail["tags"]

    def observed(self):
        return Detail(self.detail)

    def turn(self, user, *, dies_after=None):
        """One look with those tags in the spec; whether anything was done.

        `dies_after` so many calls: the process ends there, with the record written.
        """
        of = resource("JobQueue", {"tags": user}, annotations=self.annotations)
        wanted = wanted_tags(of, owner(of).tags())
        steps = tag_steps("arn:1", wanted, self.tags)
        record = tag_record(wanted, self.tags)
        self.annotations = {**self.annotations, **record}
        for step in steps[:dies_after]:
            assert step.lane == LANE
            self.take(step)
        return bool(steps or record)

    def settle(self, user):
        """Two looks: one that sets, and one that notes what is gone; then there is nothing left."""
        self.turn(user)
        self.turn(user)
        assert not self.turn(user)


@given(foreign=TAGS, specs=st.lists(TAGS, min_size=1, max_size=5))
def test_each_spec_is_reached_in_two_looks_and_then_nothing_is_done(foreign, specs):
    model = Model(foreign)
    for user in specs:
        model.settle(user)
        assert user.items() <= model.tags.items()
        assert set(json.loads(model.annotations.get(TAG_KEYS, "[]"))) == set(user)


@given(foreign=TAGS, specs=st.lists(TAGS, min_size=1, max_size=5))
def test_a_tag_that_no_spec_ever_named_keeps_its_value(foreign, specs):
    model = Model(foreign)
    for user in specs:
        model.settle(user)
    named = {key for user in specs for key in user}
    untouched = {key: value for key, value in foreign.items() if key not in named}
    assert untouched.items() <= model.tags.items()


@given(first=TAGS, second=TAGS)
def test_what_was_ours_and_left_the_spec_is_gone(first, second):
    model = Model({})
    for user in (first, second):
        model.settle(user)
    assert {key for key in model.tags if not key.startswith("awsbatch.dev/")} == set(second)


@given(
    specs=st.lists(st.tuples(TAGS, st.integers(0, 2)), min_size=1, max_size=5),
    foreign=TAGS,
    last=TAGS,
)
def test_a_process_that_dies_between_the_calls_forgets_no_tag_of_ours(specs, foreign, last):
    model = Model(foreign)
    for user, calls in specs:
        model.turn(user, dies_after=calls)
    model.settle(last)
    named = {key for key in model.tags if not key.startswith("awsbatch.dev/")}
    assert set(last) <= named
    assert named - set(last) <= set(foreign)


def test_a_new_thing_gets_its_tags_with_its_creation_and_the_record_says_so_before():
    of = resource("JobQueue", {"tags": {"b": "1", "a": "2"}})
    wanted = wanted_tags(of, owner(of).tags())
    assert tag_record(wanted, {}) == {TAG_KEYS: '["a","b"]'}
    assert wanted.all == {"a": "2", "b": "1", **owner(of).tags()}


def test_an_annotation_that_was_edited_costs_no_foreign_tag():
    of = resource("JobQueue", annotations={TAG_KEYS: "{nonsense"})
    assert wanted_tags(of, {}).applied == frozenset()


@pytest.mark.parametrize("key", ["aws:cloudformation:stack-name", "awsbatch.dev/content"])
def test_an_annotation_that_was_edited_takes_no_tag_of_awss_or_ours_away(key):
    """AWS refuses to remove its own, and the object would be Stalled until somebody saw why."""
    of = resource("JobDefinition", annotations={TAG_KEYS: json.dumps([key, "team"])})
    wanted = wanted_tags(of, owner(of).tags())
    (step,) = tag_steps("arn:1", wanted, {**owner(of).tags(), key: "x", "team": "y"})
    assert step.action.request["tagKeys"] == ["team"]
