import pytest
from tests.support.clock import SteppedClock
from tests.unit.engine.bodies import body

from awsbatch_operator.api.metadata import RESOLVED, ObjectKey, Resource
from awsbatch_operator.engine.cache import TOMBSTONE_SECONDS, Cache
from awsbatch_operator.engine.owner_account import GROUPS
from awsbatch_operator.engine.packing import LAST_APPLIED
from awsbatch_operator.engine.queue import Priority
from awsbatch_operator.engine.significance import significance

KEY = ObjectKey("BatchJob", "science", "one")
COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}], "observedGeneration": 1}


def finished(resource: Resource) -> bool:
    return any(
        condition["type"] == "Complete" for condition in resource.status.get("conditions", ())
    )


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
def cache(clock):
    return Cache(clock=clock, settled=finished, significance=significance())


def test_what_was_put_can_be_got(cache):
    cache.put(body(KEY, version=5, spec={"a": 1}, status={"b": "ä"}, labels={"l": "x"}))
    found = cache.get(KEY)
    assert (found.key, found.uid, found.resource_version) == (KEY, "uid-1", "5")
    assert (found.spec, found.status, found.labels) == ({"a": 1}, {"b": "ä"}, {"l": "x"})
    assert KEY in cache
    assert len(cache) == 1


def test_of_a_finished_object_only_what_others_look_at_is_held(cache):
    status = {
        "observedGeneration": 1,
        "jobId": "1",
        "logs": ["long"],
        "conditions": [
            {"type": "Complete", "status": "True", "reason": "Succeeded", "message": "m" * 500},
            {"type": "Failed", "status": "False", "reason": "Succeeded", "message": "no"},
        ],
    }
    given = body(
        KEY,
        version=5,
        spec={"a": [1, 2]},
        status=status,
        annotations={RESOLVED: "scope", "other": "x"},
        finalizers=["f"],
        labels={"l": "x"},
    )
    assert cache.put(given).resource.spec == {"a": [1, 2]}
    assert cache.settled(KEY)
    held = cache.get(KEY)
    assert (held.uid, held.generation, held.finalizers) == ("uid-1", 1, ("f",))
    assert (held.spec, held.labels, held.annotations) == ({}, {}, {RESOLVED: "scope"})
    complete = {"type": "Complete", "status": "True", "reason": "Succeeded", "message": "m" * 200}
    assert held.status == {"observedGeneration": 1, "jobId": "1", "conditions": [complete]}


def test_a_finished_object_that_is_edited_is_held_as_a_whole_again(cache):
    cache.put(body(KEY, version=5, spec={"a": 1}, status=COMPLETE))
    cache.put(body(KEY, version=6, spec={"a": 2}, generation=2))
    assert not cache.settled(KEY)
    assert cache.get(KEY).spec == {"a": 2}


def test_the_account_of_an_object_is_the_shown_one_then_a_group_of_the_recorded_or_the_named(cache):
    def account(version, **parts):
        cache.put(body(KEY, version=version, **parts))
        return cache.account(KEY)

    named = {"spec": {"accountRef": {"name": "research"}}}
    shown = {"status": {"accountId": "222222222222"}}
    recorded = {"annotations": {RESOLVED: '{"accountId":"111111111111"}'}}
    assert cache.account(KEY) == ""
    assert account(1) == ""
    group = account(2, **named)
    assert group.startswith("group ")
    assert account(3, **named, **shown) == "222222222222"
    assert account(4, **named, **shown, **recorded) == "222222222222"
    assert account(5, **named, **recorded) == account(6, **recorded) != group
    for number, damaged in enumerate(("{", "[]", "{}", '{"accountId":""}')):
        assert account(7 + number, **named, annotations={RESOLVED: damaged}) == group


def test_invented_accounts_have_a_few_shares_of_the_turns_and_not_one_each(cache):
    accounts = set()
    for number in range(1000):
        of = ObjectKey(KEY.kind, KEY.namespace, f"job-{number}")
        cache.put(body(of, version=number + 1, spec={"accountRef": {"name": f"fake-{number}"}}))
        accounts.add(cache.account(of))
    assert len(accounts) == GROUPS


def test_a_live_answer_with_an_older_version_counts_when_nothing_newer_has_come(cache):
    """The API server was restored from a backup: what is held is dead and must not stay."""
    cache.put(body(KEY, version=50, spec={"at": "the end"}))
    before = cache.held(KEY)
    change = cache.confirm(body(KEY, version=20, spec={"at": "the backup"}), before)
    assert change.version == 20
    assert cache.get(KEY).spec == {"at": "the backup"}
    assert cache.put(body(KEY, version=21)) is not None


def test_a_live_answer_that_something_newer_has_overtaken_changes_nothing(cache):
    cache.put(body(KEY, version=50))
    before = cache.held(KEY)
    cache.put(body(KEY, version=51, spec={"new": True}))
    assert cache.confirm(body(KEY, version=50), before) is None
    assert cache.get(KEY).spec == {"new": True}


def test_a_live_answer_brings_back_what_had_vanished_before_it_was_asked_for(cache):
    cache.put(body(KEY, version=50))
    cache.drop(KEY, "uid-1")
    before = cache.held(KEY)
    assert cache.confirm(body(KEY, version=20), before) is not None
    assert KEY in cache
    cache.drop(KEY, "uid-1")
    assert cache.put(body(KEY, version=51)) is None


@pytest.mark.parametrize("known", [True, False])
def test_a_live_answer_does_not_bring_back_what_vanished_while_it_was_on_its_way(cache, known):
    if known:
        cache.put(body(KEY, version=50))
    before = cache.held(KEY)
    cache.drop(KEY, "uid-1")
    assert cache.confirm(body(KEY, version=50), before) is None
    assert KEY not in cache


def test_a_live_answer_of_an_earlier_object_of_the_name_replaces_a_later_one(cache):
    cache.put(body(KEY, version=50, uid="uid-2"))
    before = cache.held(KEY)
    assert cache.confirm(body(KEY, version=20, uid="uid-1"), before) is not None
    assert cache.get(KEY).uid == "uid-1"
    assert cache.put(body(KEY, version=60, uid="uid-2")) is None


def test_an_older_version_that_comes_late_changes_nothing(cache):
    cache.put(body(KEY, version=7, spec={"new": True}))
    assert cache.put(body(KEY, version=6, spec={"new": False})) is None
    assert cache.get(KEY).spec == {"new": True}


def test_versions_are_compared_as_numbers_not_as_text(cache):
    cache.put(body(KEY, version=99))
    assert cache.put(body(KEY, version=100)) is not None


def test_the_same_version_again_is_no_change(cache):
    cache.put(body(KEY, version=7))
    assert cache.put(body(KEY, version=7)) is None


def test_the_answer_of_our_own_write_is_reported_even_when_the_watch_was_faster(cache):
    cache.put(body(KEY, version=7))
    change = cache.put(body(KEY, version=7), own=True)
    assert change.own
    assert not change.significant


def test_a_late_answer_does_not_bring_a_vanished_object_back(cache):
    cache.put(body(KEY, version=7))
    cache.drop(KEY, "uid-1")
    assert cache.put(body(KEY, version=8), own=True) is None
    assert KEY not in cache


def test_an_object_that_vanished_before_it_was_seen_does_not_appear_afterwards(cache):
    assert cache.drop(KEY, "uid-1") is None
    assert cache.put(body(KEY, version=3)) is None
    assert KEY not in cache


def test_an_object_created_anew_under_the_same_name_replaces_the_old_one(cache):
    cache.put(body(KEY, version=7))
    change = cache.put(body(KEY, version=9, uid="uid-2"))
    assert change.significant
    assert cache.get(KEY).uid == "uid-2"
    assert cache.put(body(KEY, version=8, uid="uid-1")) is None


def test_the_old_objects_deletion_does_not_take_the_new_one_away(cache):
    cache.put(body(KEY, version=7))
    cache.put(body(KEY, version=9, uid="uid-2"))
    assert cache.drop(KEY, "uid-1") is None
    assert cache.get(KEY).uid == "uid-2"


def test_tombstones_do_not_pile_up(cache, clock):
    for number in range(50):
        cache.drop(KEY, f"uid-{number}")
    clock.skip(TOMBSTONE_SECONDS + 1)
    cache.drop(KEY, "uid-last")
    assert list(cache._tombstones) == ["uid-last"]
    clock.skip(TOMBSTONE_SECONDS + 1)
    assert cache.put(body(KEY, version=1, uid="uid-last")) is not None


def test_managed_fields_and_the_last_applied_text_are_not_held(cache):
    annotations = {LAST_APPLIED: "long text", "keep": "this"}
    cache.put(body(KEY, version=1, managedFields=[{"f": "x"}], annotations=annotations))
    assert cache.get(KEY).annotations == {LAST_APPLIED: "", "keep": "this"}
    assert b"managedFields" not in cache._kinds["BatchJob"][KEY].packed


def test_trimming_leaves_the_callers_body_alone(cache):
    given = body(KEY, version=1, managedFields=[{}], annotations={LAST_APPLIED: "text"})
    cache.put(given)
    assert given["metadata"]["managedFields"] == [{}]
    assert given["metadata"]["annotations"] == {LAST_APPLIED: "text"}


def test_listeners_hear_every_change_and_only_changes(cache):
    heard = []
    cache.listen(lambda change: heard.append((change.version, change.resource is None)))
    cache.put(body(KEY, version=1))
    cache.put(body(KEY, version=1))
    cache.put(body(KEY, version=2))
    cache.drop(KEY, "uid-1")
    cache.drop(KEY, "uid-1")
    assert heard == [(1, False), (2, False), (2, True)]


def test_only_what_users_look_at_is_significant(cache):
    first = cache.put(body(KEY, version=1, status={"awsStatus": "RUNNABLE"}))
    same = cache.put(body(KEY, version=2, status={"awsStatus": "RUNNING"}))
    known = cache.put(body(KEY, version=3, status={"awsStatus": "RUNNING", "jobId": "1"}))
    deleted = cache.put(
        body(KEY, version=4, status={"jobId": "1"}, deletionTimestamp="2027-01-15T09:00:00Z")
    )
    assert [c.significant for c in (first, same, known, deleted)] == [True, False, True, True]


def test_an_object_is_settled_once_it_is_finished(cache):
    running = cache.put(body(KEY, version=1))
    done = cache.put(body(KEY, version=2, status=COMPLETE))
    touched = cache.put(body(KEY, version=3, status=COMPLETE, labels={"a": "b"}))
    assert [c.settled for c in (running, done, touched)] == [False, True, True]


def test_a_finished_object_that_is_being_deleted_is_not_settled(cache):
    cache.put(body(KEY, version=2, status=COMPLETE, deletionTimestamp="2027-01-15T09:00:00Z"))
    assert not cache.settled(KEY)
    assert cache.deleting(KEY)


def test_priorities_follow_deletion_and_generation(cache):
    def priority(version, **parts):
        cache.put(body(KEY, version=version, **parts))
        return cache.priority(KEY)

    assert priority(1) is Priority.CHANGED
    assert priority(2, status={"observedGeneration": 1}) is Priority.REST
    assert priority(3, status={"observedGeneration": 1}, generation=2) is Priority.CHANGED
    assert priority(4, deletionTimestamp="2027-01-15T09:00:00Z") is Priority.DELETION
    assert cache.priority(ObjectKey("BatchJob", "science", "unknown")) is Priority.REST


def test_kinds_are_kept_apart(cache):
    other = ObjectKey("JobQueue", "science", "one")
    cache.put(body(KEY, version=1))
    cache.put(body(other, version=2, uid="uid-2"))
    assert [resource.key for resource in cache.of_kind("JobQueue")] == [other]
    assert cache.keys("BatchJob") == {KEY}
    assert cache.keys("ExtendedAMI") == set()
    assert (cache.count("BatchJob"), cache.count("ExtendedAMI")) == (1, 0)


def test_objects_may_vanish_while_a_kind_is_walked(cache):
    keys = [ObjectKey("BatchJob", "science", str(number)) for number in range(4)]
    for number, key in enumerate(keys):
        cache.put(body(key, version=number + 1, uid=f"uid-{number}"))
    walked = 0
    for number, _ in enumerate(cache.of_kind("BatchJob")):
        cache.drop(keys[number], f"uid-{number}")
        walked += 1
    assert walked == 4
    assert len(cache) == 0
