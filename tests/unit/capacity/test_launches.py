"""Launches are written down before they are sent, and no token ever stands for two requests."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.capacity.values import LARGE, NOW, TYPES, X4, offers, pool

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import LAUNCHES, ObjectKey, RecordError, Resource
from awsbatch_operator.capacity.launch_codec import annotation, parsed, recorded
from awsbatch_operator.capacity.launches import (
    Answered,
    Intent,
    Launches,
    Looked,
    PoolRecord,
    Refused,
    Throttled,
    TokenUsed,
    after,
    lost,
    round_of,
    rounds_from_tags,
)
from awsbatch_operator.capacity.model import Market

OFFERS = offers(pool())
BY_NAME = {each.name: each for each in TYPES}


def draft(**fields):
    row = {
        "pool": "main",
        "token": "",
        "round": 0,
        "template": "lt-1",
        "version": 3,
        "count": 4,
        "minimum": 1,
        "market": Market.ON_DEMAND,
        "offers": OFFERS[:2],
        "time": NOW,
        **fields,
    }
    return Intent(**row)


def opened(**fields):
    record = Launches(uid="uid")
    intent = record.next_intent(draft(**fields))
    return record.opened(intent), intent


moments = st.integers(1, 2**33).map(lambda quarter: Instant(quarter / 4))
prices = st.none() | st.decimals(0, 99, allow_nan=False, places=4)
intents = st.builds(
    draft,
    count=st.integers(1, 2000),
    minimum=st.integers(0, 5),
    market=st.just(Market.ON_DEMAND),
    offers=st.lists(st.sampled_from(OFFERS), max_size=5).map(tuple),
    time=moments,
    max_price=prices,
    reservation=st.sampled_from(["", "cr-1"]),
    request=st.integers(0, 3),
    end=st.none() | moments,
)
records = st.builds(
    PoolRecord,
    round=st.integers(0, 10**10),
    unjoined=st.lists(st.tuples(st.sampled_from(["i-1", "i-2"]), moments), max_size=3).map(tuple),
    stopped=st.sampled_from(["", "3/x"]),
    block=st.sampled_from([{}, {"request": 1, "phase": "Waiting", "tried": [["Spot", "no"]]}]),
)


@given(
    pools=st.dictionaries(st.sampled_from(["main", "spot", "ü"]), records, max_size=3),
    settled=st.none() | moments,
    intent=intents,
)
def test_the_record_comes_back_as_it_was_written(pools, settled, intent):
    record = Launches(uid="uid", pools=pools, settled=settled)
    assert parsed(annotation(record)[LAUNCHES]) == record
    full = record.opened(record.next_intent(intent))
    assert parsed(annotation(full)[LAUNCHES]) == full


@given(
    text=st.sampled_from(
        [
            "", "[]", "{}", "null", '"x"', '{"v":2,"uid":"u","pools":{}}',
            '{"v":1,"uid":7,"pools":{}}',
            '{"v":1,"uid":"u","pools":[]}', '{"v":1,"uid":"u","pools":{"main":{}}}',
            '{"v":1,"uid":"u","pools":{"main":{"round":-1}}}',
            '{"v":1,"uid":"u","pools":{"main":{"round":true}}}',
            '{"v":1,"uid":"u","pools":{"main":{"round":1,"intent":{}}}}',
            '{"v":1,"uid":"u","pools":{"main":{"round":1,"block":[]}}}',
            '{"v":1,"uid":"u","pools":{"main":{"round":1,"block":{"phase":"Sleeping"}}}}',
            '{"v":1,"uid":"u","pools":{"main":{"round":1,"block":{"phase":"Held","price":"NaN"}}}}',
            '{"v":1,"uid":"u","pools":{},"settled":"soon"}', "[" * 3000,
        ]
    )
)  # fmt: skip
def test_a_damaged_record_is_an_error_with_a_remedy(text):
    with pytest.raises(RecordError) as error:
        parsed(text)
    assert error.value.remedy


@pytest.mark.parametrize("field", ["token", "offers", "market", "time", "count", "maxPrice"])
def test_a_damaged_intent_is_an_error_and_never_half_read(field):
    record, _ = opened(max_price=Decimal("0.5"))
    text = annotation(record)[LAUNCHES]
    body = parsed(text)
    assert body.open_intents()
    broken = text.replace(f'"{field}":', f'"{field}":{{}},"x{field}":')
    with pytest.raises(RecordError):
        parsed(broken)


def test_a_record_of_another_object_says_nothing_and_none_is_none():
    def resource(**annotations):
        key = ObjectKey("ComputeEnvironment", "ns", "env")
        return Resource(key, "uid", 1, "1", NOW, annotations=annotations)

    mine, _ = opened()
    assert recorded(resource()) is None
    assert recorded(resource(**annotation(mine))) == mine
    foreign = annotation(replace(mine, uid="other"))
    assert recorded(resource(**foreign)) is None


@given(one=intents, other=intents, uids=st.sampled_from([("a", "a"), ("a", "b")]))
def test_tokens_are_the_same_for_the_same_request_and_differ_for_any_other(one, other, uids):
    first = Launches(uid=uids[0]).next_intent(one)
    second = Launches(uid=uids[1]).next_intent(other)
    unlike = replace(one, time=NOW) != replace(other, time=NOW) or uids[0] != uids[1]
    assert (first.token != second.token) == unlike
    assert len(first.token) <= 64
    assert first.token.isascii()


def test_tokens_differ_by_round_market_and_offers():
    record, intent = opened()
    closed = record.after("main", Refused(), NOW)
    others = [
        closed.next_intent(draft()),
        Launches(uid="uid").next_intent(draft(market=Market.SPOT)),
        Launches(uid="uid").next_intent(draft(offers=OFFERS[:1])),
        Launches(uid="uid").next_intent(draft(offers=OFFERS[1::-1])),
    ]
    tokens = {intent.token, *(each.token for each in others)}
    assert len(tokens) == 5
    assert [round_of(each.token) for each in others] == [2, 1, 1, 1]


def test_a_pool_has_at_most_one_open_intent():
    record, intent = opened()
    with pytest.raises(ValueError, match="has an open launch"):
        record.opened(record.next_intent(intent))
    assert record.after("main", Answered(("i-1",)), NOW).open_intents() == ()


def test_nothing_is_launched_beside_an_open_intent_in_a_stopped_pool_or_after_a_loss():
    record, _ = opened()
    assert not record.may_launch("main", NOW)
    assert record.may_launch("other", NOW)
    assert not record.put("other", PoolRecord(stopped="1/")).may_launch("other", NOW)
    found = lost("uid", ["main"], [], NOW)
    assert not found.may_launch("main", NOW.plus(119))
    assert found.may_launch("main", NOW.plus(120))


def test_what_was_launched_is_kept_and_the_rest_is_asked_for_elsewhere():
    _, intent = opened()
    told = after(intent, Answered(("i-1", "i-2")), NOW)
    assert (told.intent, told.instances, told.missing) == (None, ("i-1", "i-2"), 2)
    assert after(intent, Answered(()), NOW).missing == 4


@pytest.mark.parametrize("outcome", [Refused(), TokenUsed(), Answered(())])
def test_a_refusal_and_a_used_token_close_the_intent_so_that_another_round_follows(outcome):
    record, intent = opened()
    closed = record.after("main", outcome, NOW)
    assert closed.of("main").intent is None
    assert closed.next_intent(draft()).round == intent.round + 1


def test_a_throttled_call_may_be_sent_again_as_it_was():
    record, intent = opened()
    told = after(intent, Throttled(), NOW)
    assert (told.intent, told.send, told.again) == (intent, True, NOW.plus(5))
    assert record.after("main", Throttled(), NOW) == record


def test_an_intent_found_open_is_looked_for_during_120_seconds_and_never_sent():
    record, intent = opened()
    began = NOW.plus(500)  # this process leads since then
    for seconds, ids in ((0, ()), (119, ("i-1",))):
        told = after(intent, Looked(ids, began), began.plus(seconds))
        assert (told.intent, told.send, told.again) == (intent, False, began.plus(120))
    told = after(intent, Looked(("i-1",), began), began.plus(120))
    assert (told.intent, told.instances, told.missing) == (None, ("i-1",), 3)
    assert record.after("main", Looked((), began), began.plus(119)) == record


def test_an_intent_of_which_all_instances_are_seen_is_closed_at_once():
    _, intent = opened()
    assert after(intent, Looked(("1", "2", "3", "4"), NOW), NOW.plus(1)).intent is None


def test_a_lost_record_begins_behind_every_round_that_was_and_waits():
    _, intent = opened()
    assert rounds_from_tags([("main", intent.token), ("main", "scribble")]) == {"main": 1}
    record = lost("uid", ["main", "new"], [("main", intent.token), ("gone", intent.token)], NOW)
    assert record.settled == NOW.plus(120)
    assert record.of("main").round == int(NOW.epoch)
    assert set(record.pools) == {"main", "new", "gone"}
    later = lost("uid", ["main"], [("main", f"awsbatch-{'0' * 40}-1900000000")], NOW)
    assert later.of("main").round == 1_900_000_000


def test_an_open_intent_counts_in_full_by_its_largest_and_dearest_offer():
    mine = offers(pool("main", LARGE, X4))
    _, intent = opened(offers=mine, count=3)
    used = intent.used(BY_NAME)
    assert (used.instances, used.vcpus, used.hourly_cost) == (3, 48, Decimal("2.40"))
    unpriced = opened(offers=offers(pool("main", LARGE), prices={}))[1]
    assert unpriced.used(BY_NAME).hourly_cost is None
    assert replace(unpriced, max_price=Decimal(2)).used(BY_NAME).hourly_cost == 8


def test_an_open_intent_promises_the_room_of_its_smallest_offer():
    _, intent = opened(offers=offers(pool("main", LARGE, X4)), count=2)
    rooms = intent.rooms(BY_NAME)
    assert [(each.vcpus, each.memory_mib) for each in rooms] == [(2.0, LARGE.registered_mib)] * 2
