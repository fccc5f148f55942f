"""Tags: a plan applied to AWS leaves nothing to do, and foreign tags are never touched."""

import json

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.values import owner, resource

from awsbatch_operator.api.metadata import TAG_KEYS
from awsbatch_operator.kinds.tagging import Tag, Untag, tag_actions, tag_intent, wanted_tags

KEYS = st.sampled_from(["team", "stage", "owner", "billing", "x"])
TAGS = st.dictionaries(KEYS, st.sampled_from(["", "1", "2"]))


class Model:
    """An AWS object's tags and the annotation of its Kubernetes object."""

    def __init__(self, tags):
        self.tags = dict(tags)
        self.annotations = {}

    def turn(self, user):
        """One look with those tags in the spec; whether anything was done."""
        of = resource("JobQueue", {"tags": user}, annotations=self.annotations)
        wanted = wanted_tags(of, owner(of).tags())
        actions = tag_actions("arn:1", wanted, self.tags)
        stale = any(isinstance(action, Untag) for action in actions)
        intent = tag_intent(wanted, stale=stale)
        self.annotations = {**self.annotations, **intent}
        for action in actions:
            match action:
                case Tag(_, tags):
                    self.tags |= tags
                case Untag(_, keys):
                    for key in keys:
                        del self.tags[key]
        return bool(actions or intent)

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


def test_an_annotation_that_was_edited_costs_no_foreign_tag():
    of = resource("JobQueue", annotations={TAG_KEYS: "{nonsense"})
    assert wanted_tags(of, {}).applied == frozenset()
