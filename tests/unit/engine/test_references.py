from hypothesis import given
from hypothesis import strategies as st

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.engine.references import ReferenceIndex

JOB = ObjectKey("BatchJob", "science", "job")
OTHER = ObjectKey("BatchJob", "science", "other")
QUEUE = ObjectKey("JobQueue", "science", "queue")
DEFINITION = ObjectKey("JobDefinition", "science", "definition")


def test_a_target_knows_its_users_in_the_order_in_which_they_came():
    index = ReferenceIndex()
    index.put(OTHER, [QUEUE])
    index.put(JOB, [QUEUE, DEFINITION])
    assert index.users(QUEUE) == (OTHER, JOB)
    assert index.targets(JOB) == (QUEUE, DEFINITION)


def test_a_target_need_not_exist_and_an_object_need_not_refer_to_any():
    index = ReferenceIndex()
    assert index.users(QUEUE) == ()
    assert index.targets(JOB) == ()
    assert index.drop(JOB) == ()


def test_a_changed_reference_names_the_target_that_was_let_go():
    index = ReferenceIndex()
    index.put(JOB, [QUEUE, DEFINITION])
    assert index.put(JOB, [DEFINITION]) == (QUEUE,)
    assert index.users(QUEUE) == ()
    assert index.users(DEFINITION) == (JOB,)


def test_a_vanished_object_names_all_that_it_referred_to():
    index = ReferenceIndex()
    index.put(JOB, [QUEUE, DEFINITION, QUEUE])
    assert index.drop(JOB) == (QUEUE, DEFINITION)
    assert index.users(QUEUE) == ()


KEYS = st.sampled_from([JOB, OTHER, QUEUE, DEFINITION])


@given(st.lists(st.tuples(KEYS, st.lists(KEYS, max_size=4))))
def test_both_directions_agree_after_any_changes_and_nothing_is_left_over(changes):
    index = ReferenceIndex()
    last = {}
    for key, targets in changes:
        index.put(key, targets)
        last[key] = set(targets)
    for target in (JOB, OTHER, QUEUE, DEFINITION):
        assert set(index.users(target)) == {key for key, to in last.items() if target in to}
    for key in last:
        index.drop(key)
    assert (index._targets, index._users) == ({}, {})
