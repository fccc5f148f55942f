"""Which things without an owner may go: pure decisions over what EC2 lists."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.capacity.values import NOW

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.capacity.orphan_removal import Seat, removals
from awsbatch_operator.capacity.orphans import (
    GRACE_SECONDS,
    MOST,
    SHARE,
    Known,
    Listing,
    Sort,
    confirming,
    fingerprint,
    gate,
    held_text,
    survey,
    things,
)
from awsbatch_operator.capacity.views import MemberView

WHERE, ELSEWHERE = "111122223333/eu-central-1", "111122223333/us-east-1"
LEASE = ObjectKey("Lease", "awsbatch-system", "aws-batch-operator")
LIVE, DEAD = ("live-1", "live-2"), ("dead-1", "dead-2", "dead-3")
TAGS = {
    "awsbatch.dev/cluster": "c1",
    "awsbatch.dev/kind": "ComputeEnvironment",
    "awsbatch.dev/purpose": "capacity",
    "awsbatch.dev/namespace": "ns",
    "awsbatch.dev/name": "env",
    "awsbatch.dev/owner-uid": "dead-1",
}
MEMBERS = {
    Sort.INSTANCE: ("instances", "InstanceId", "LaunchTime"),
    Sort.VOLUME: ("volumes", "VolumeId", "CreateTime"),
    Sort.TEMPLATE: ("templates", "LaunchTemplateId", "CreateTime"),
    Sort.RESERVATION: ("reservations", "CapacityReservationId", "CreateDate"),
    Sort.IMAGE: ("images", "ImageId", "CreationDate"),
    Sort.SNAPSHOT: ("snapshots", "SnapshotId", "StartTime"),
    Sort.CLUSTER: ("clusters", "ClusterName", "Made"),  # which ECS does not say
}
CAPACITY = tuple(each for each in Sort if each not in {Sort.IMAGE, Sort.SNAPSHOT, Sort.CLUSTER})


def shape(sort, name, /, *, age=2 * GRACE_SECONDS, state="", **tags):
    """As the port gives it; a tag None is missing."""
    _, identity, made = MEMBERS[sort]
    wanted = TAGS | {f"awsbatch.dev/{key.replace('_', '-')}": text for key, text in tags.items()}
    moment = datetime.fromtimestamp(NOW.epoch - age, UTC).isoformat().replace("+00:00", "Z")
    body = {
        identity: name,
        made: moment,
        "Tags": [{"Key": key, "Value": text} for key, text in wanted.items() if text is not None],
    }
    if sort is Sort.INSTANCE:
        body["State"] = {"Name": state or "running"}
    elif sort is not Sort.TEMPLATE:
        body["State"] = state or ("available" if sort is Sort.VOLUME else "active")
    return body


def listing(shapes):
    found: dict[str, list] = {member: [] for member, _, _ in MEMBERS.values()}
    for sort, body in shapes:
        found[MEMBERS[sort][0]].append(body)
    return Listing(**found)


def looked(shapes, *, since=None, monotonic=GRACE_SECONDS, known=LIVE, **where):
    found = things(WHERE, listing(shapes), cluster_id="c1", **where)
    before = {each.which: 0.0 for each in found} if since is None else since
    return survey(found, Known(uids=known), before, asked={WHERE}, now=NOW, monotonic=monotonic)


FAULTY = st.sampled_from(
    [
        {"cluster": "c2"},
        {"purpose": "image"},
        {"kind": "BatchJob"},
        *({tag.removeprefix("awsbatch.dev/").replace("-", "_"): None} for tag in TAGS),
    ]
)


@st.composite
def worlds(draw):
    """Shapes, and what is true of each: ours or not, its age, and since when it is watched."""
    rows = []
    for number in range(draw(st.integers(0, 20))):
        sort = draw(st.sampled_from(CAPACITY))
        name = f"{sort}-{number}"
        faulty = draw(FAULTY) if draw(st.booleans()) else {}
        uid = draw(st.sampled_from((*LIVE, *DEAD)))
        age = draw(st.sampled_from([0, GRACE_SECONDS - 1, GRACE_SECONDS, 10 * GRACE_SECONDS]))
        state = draw(st.sampled_from(["", "in-use" if sort is Sort.VOLUME else ""]))
        watched = draw(st.sampled_from([None, 0.0, 1.0]))
        tags = {"owner_uid": uid} | faulty
        rows.append((sort, name, tags, age, state, watched))
    return rows


@given(worlds(), st.randoms(use_true_random=False), st.sets(st.sampled_from(DEAD)))
def test_nothing_goes_that_has_an_owner_or_is_anothers_or_young_or_too_much(rows, dice, standing):
    """And in whatever order things are listed, the answer is the same."""
    shapes = [
        (sort, shape(sort, name, age=age, state=state, **tags))
        for sort, name, tags, age, state, _ in rows
    ]
    found = things(WHERE, listing(shapes), cluster_id="c1")
    watched = {name: at for _, name, _, _, _, at in rows}
    since = {
        each.which: watched[each.which.id] for each in found if watched[each.which.id] is not None
    }
    seen = looked(shapes, since=since)
    truth = {name: (tags, age, state, at) for _, name, tags, age, state, at in rows}
    for each in seen.due:
        tags, age, state, at = truth[each.which.id]
        assert tags.keys() == {"owner_uid"}, "a tag is missing, or says something else"
        assert tags["owner_uid"] in DEAD
        assert age >= GRACE_SECONDS
        assert at == 0.0, "it was not seen as an orphan for the whole grace"
        assert state != "in-use"
    places = {(WHERE, uid) for uid in standing}
    opened = gate(seen.due, seen.ours, standing=places, confirmed=())
    assert len(opened.go) <= MOST
    assert len(opened.go) <= SHARE * seen.ours
    assert not {each.which.uid for each in opened.go} & standing
    assert {*opened.go, *opened.held} == {*seen.due}
    assert bool(opened.held) == bool(opened.why)
    confirmed = {each.which for each in opened.held}
    assert gate(seen.due, seen.ours, standing=places, confirmed=confirmed).go == seen.due
    dice.shuffle(shapes)
    again = looked(shapes, since=since)
    assert (again.due, again.ours, again.since) == (seen.due, seen.ours, seen.since)
    assert fingerprint(reversed(opened.held)) == fingerprint(opened.held)


@given(worlds())
def test_what_is_due_and_only_that_is_found_without_any_of_these_reasons(rows):
    due = {
        name
        for _, name, tags, age, state, at in rows
        if tags.keys() == {"owner_uid"}
        and tags["owner_uid"] in DEAD
        and (age >= GRACE_SECONDS and state != "in-use" and at == 0.0)
    }
    shapes = [(sort, shape(sort, name, age=a, state=s, **t)) for sort, name, t, a, s, _ in rows]
    found = things(WHERE, listing(shapes), cluster_id="c1")
    watched = {name: at for _, name, _, _, _, at in rows}
    since = {w: watched[w.id] for each in found if watched[(w := each.which).id] is not None}
    assert {each.which.id for each in looked(shapes, since=since).due} == due


def orphans(count, **tags):
    return [(Sort.VOLUME, shape(Sort.VOLUME, f"vol-{n:02}", **tags)) for n in range(count)]


def owned(count):
    return [
        (Sort.INSTANCE, shape(Sort.INSTANCE, f"i-{n:03}", owner_uid="live-1")) for n in range(count)
    ]


@pytest.mark.parametrize(
    ("dead", "live", "go"), [(1, 4, 1), (1, 3, 0), (10, 40, 10), (10, 39, 0), (11, 400, 0)]
)
def test_more_than_ten_or_a_fifth_of_all_wait_for_a_word(dead, live, go):
    seen = looked([*orphans(dead), *owned(live)])
    opened = gate(seen.due, seen.ours, standing=(), confirmed=())
    assert (len(opened.go), len(opened.held)) == (go, dead - go)


def test_what_is_confirmed_does_not_count_and_what_comes_after_does():
    first = looked([*orphans(12), *owned(100)])
    confirmed = {each.which for each in first.due}
    more = [*orphans(12), *owned(100), (Sort.TEMPLATE, shape(Sort.TEMPLATE, "lt-1"))]
    seen = looked(more)
    assert len(gate(seen.due, seen.ours, standing=(), confirmed=confirmed).go) == 13
    assert fingerprint(seen.due) != fingerprint(first.due)


def test_whose_environment_aws_still_has_waits_for_a_word_and_the_rest_goes():
    other = (Sort.TEMPLATE, shape(Sort.TEMPLATE, "lt-1", owner_uid="dead-2"))
    seen = looked([*orphans(2), other, *owned(50)])
    opened = gate(seen.due, seen.ours, standing={(WHERE, "dead-1")}, confirmed=())
    assert [each.which.id for each in opened.go] == ["lt-1"]
    assert len(opened.held) == 2
    elsewhere = gate(seen.due, seen.ours, standing={(ELSEWHERE, "dead-1")}, confirmed=())
    assert len(elsewhere.go) == 3


def test_a_time_runs_on_where_a_place_cannot_be_asked_and_anew_once_the_owner_was_there():
    began = looked(orphans(1), since={}, monotonic=5.0).since
    assert set(began.values()) == {5.0}
    silent = survey((), Known(uids=LIVE), began, asked=(), now=NOW, monotonic=900.0)
    assert (silent.since, silent.due) == (began, ())
    later = GRACE_SECONDS + 5
    assert looked(orphans(1), since=silent.since, monotonic=later).due
    back = survey((), Known(uids=(*LIVE, "dead-1")), began, asked=(), now=NOW, monotonic=900.0)
    assert not back.since
    assert not looked(orphans(1), since=back.since, monotonic=later).due
    unlisted = survey((), Known(uids=LIVE), began, asked={WHERE}, now=NOW, monotonic=900.0)
    assert not unlisted.since, "it is gone, or not listed: its time begins anew"


def test_what_is_over_is_none_of_ours_any_more():
    over = [
        *((Sort.INSTANCE, state) for state in ("shutting-down", "terminated")),
        *((Sort.VOLUME, state) for state in ("deleting", "deleted")),
        *((Sort.RESERVATION, state) for state in ("cancelled", "expired", "failed")),
    ]
    shapes = [(sort, shape(sort, f"{sort}-{state}", state=state)) for sort, state in over]
    assert looked(shapes).ours == 0
    assert looked([(Sort.INSTANCE, shape(Sort.INSTANCE, "i-1", state="stopped"))]).due


@pytest.mark.parametrize("ours", [{"namespaces": ("ns",)}, {"excluded": ("theirs", "nobody's")}])
def test_of_namespaces_that_are_not_ours_nothing_is_touched_or_counted(ours):
    shapes = [*orphans(2), *orphans(1, namespace="theirs"), *owned(3)]
    seen = looked(shapes, **ours)
    assert seen.ours == 5
    assert {each.owner.namespace for each in seen.due} == {"ns"}


def member(name, status, tasks=0):
    return MemberView(
        arn=f"arn/{name}",
        instance=name,
        status=status,
        connected=True,
        tasks=tasks,
        registered=NOW,
        cpu_left=0,
        memory_left=0,
    )


def test_an_instance_that_serves_an_environment_is_drained_and_ends_without_tasks():
    standings = {
        "i-none": [],
        "i-active": [Seat("cluster", member("i-active", "ACTIVE"))],
        "i-both": [
            Seat("other", member("i-both", "DRAINING")),
            Seat("cluster", member("i-both", "ACTIVE", 1)),
        ],
        "i-busy": [Seat("cluster", member("i-busy", "DRAINING", 2))],
        "i-joining": [Seat("cluster", member("i-joining", "REGISTERING"))],
        "i-idle": [Seat("cluster", member("i-idle", "DRAINING"))],
    }
    names = [*standings, "i-unknown"]
    seen = looked([(Sort.INSTANCE, shape(Sort.INSTANCE, name)) for name in names])
    made = removals(seen.due, {(WHERE, name): seats for name, seats in standings.items()})
    calls = [(each.call.operation, each.call.request, each.ends) for each in made]
    assert calls == [
        ("TerminateInstances", {"InstanceIds": ["i-idle", "i-none"]}, True),
        (
            "UpdateContainerInstancesState",
            {
                "cluster": "cluster",
                "containerInstances": ["arn/i-active", "arn/i-both"],
                "status": "DRAINING",
            },
            False,
        ),
    ]


def test_each_sort_goes_by_its_own_call_and_instances_go_first():
    kinds = {sort: {} if sort in CAPACITY else {"kind": "ExtendedAMI"} for sort in Sort}
    shapes = [(sort, shape(sort, f"{sort.value}-1", **kinds[sort])) for sort in reversed(Sort)]
    made = removals(looked(shapes).due, {(WHERE, "Instance-1"): []})
    assert [(each.call.operation, dict(each.call.request)) for each in made] == [
        ("TerminateInstances", {"InstanceIds": ["Instance-1"]}),
        ("DeleteCluster", {"cluster": "Cluster-1"}),
        ("CancelCapacityReservation", {"CapacityReservationId": "CapacityReservation-1"}),
        ("DeleteLaunchTemplate", {"LaunchTemplateId": "LaunchTemplate-1"}),
        ("DeregisterImage", {"ImageId": "Image-1", "DeleteAssociatedSnapshots": True}),
        ("DeleteSnapshot", {"SnapshotId": "Snapshot-1"}),
        ("DeleteVolume", {"VolumeId": "Volume-1"}),
    ]


def test_the_command_that_confirms_is_within_what_an_event_shows():
    long = {"namespace": "n" * 63, "name": "e" * 253}
    seen = looked([*orphans(40, **long), *orphans(1)])
    opened = gate(seen.due, seen.ours, standing=(), confirmed=())
    text = f"{held_text(opened.held, opened.why)} {confirming(opened.held, LEASE)}"
    assert f"awsbatch.dev/confirm-orphans={fingerprint(seen.due)} " in text[:700]
    assert "-n awsbatch-system aws-batch-operator" in text
