import asyncio

import pytest
from tests.unit.engine.bodies import body
from tests.unit.engine.recorder_rig import ACCOUNT, Rig

from awsbatch_operator.api.metadata import ObjectKey, Resource


@pytest.fixture
def rig():
    return Rig()


async def test_an_event_says_what_happened_to_which_object_and_who_reports_it(rig):
    async with rig.sending():
        rig.event(warning=True)
        await rig.clock.advance(0)
    (event,) = rig.events
    name = event["metadata"]["name"]
    assert name.startswith("one.")
    assert event["metadata"]["namespace"] == "science"
    assert event["regarding"] == {
        "apiVersion": "awsbatch.dev/v1alpha1",
        "kind": "BatchJob",
        "namespace": "science",
        "name": "one",
        "uid": "uid-1",
        "resourceVersion": "7",
    }
    assert (event["type"], event["reason"], event["action"]) == ("Warning", "Submitted", "Submit")
    assert event["note"] == "Submitted as 1234."
    assert event["reportingController"] == "awsbatch.dev/operator"
    assert event["reportingInstance"] == "awsbatch-operator-7d9f"
    assert event["eventTime"] == rig.clock.now().rfc3339_micro()
    assert "series" not in event


async def test_events_about_objects_without_a_namespace_go_to_default(rig):
    async with rig.sending():
        rig.event(ACCOUNT)
        await rig.clock.advance(0)
    (event,) = rig.events
    assert event["metadata"]["namespace"] == "default"
    assert "namespace" not in event["regarding"]


async def test_repeats_become_a_series_that_is_reported_once_a_minute(rig):
    async with rig.sending():
        for _ in range(10):
            rig.event()
            await rig.clock.advance(5)
        assert rig.kube.calls == 1
        await rig.clock.advance(60)
        (event,) = rig.events
        assert event["series"]["count"] == 10
        assert event["series"]["lastObservedTime"] == "2027-01-15T08:00:45.000000Z"
        assert rig.kube.calls == 2
        await rig.clock.advance(3600)
        assert rig.kube.calls == 2


async def test_another_change_within_the_time_of_a_series_shows_its_own_text_at_once(rig):
    async with rig.sending():
        rig.event(message="Changed in place: state.")
        await rig.clock.advance(5)
        rig.event(message="Changed in place: priority.")
        await rig.clock.advance(0)
    assert [event["note"] for event in rig.events] == [
        "Changed in place: state.",
        "Changed in place: priority.",
    ]


async def test_a_series_whose_text_differs_in_a_number_shows_the_latest_one(rig):
    async with rig.sending():
        rig.event(message="maxvCpus is 16 now.")
        await rig.clock.advance(5)
        rig.event(message="maxvCpus is 32 now.")
        await rig.clock.advance(60)
        first, second = rig.events
    assert (first["note"], second["note"]) == ("maxvCpus is 16 now.", "maxvCpus is 32 now.")
    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert second["series"]["count"] == 2
    assert second["eventTime"] == "2027-01-15T08:00:05.000000Z"


async def test_a_number_that_ticks_makes_a_handful_of_events_an_hour(rig):
    async with rig.sending():
        for number in range(720):
            rig.event(message=f"Waiting for {number} s.")
            await rig.clock.advance(5)
        assert 5 <= len(rig.events) <= 10
        await rig.clock.advance(700)
    latest = max(rig.events, key=lambda event: event["eventTime"])
    assert latest["note"] == "Waiting for 719 s."
    assert latest["series"]["count"] == 720


async def test_repeats_before_the_first_was_sent_are_sent_with_it(rig):
    for _ in range(3):
        rig.event()
    async with rig.sending():
        (event,) = rig.events
        assert event["series"]["count"] == 3
        assert rig.kube.calls == 1


async def test_a_repeat_while_the_first_is_on_its_way_is_not_lost(rig):
    create = rig.kube.create_event

    async def slow(namespace, body):
        await rig.clock.sleep(1)
        return await create(namespace, body)

    rig.kube.create_event = slow
    async with rig.sending():
        rig.event()
        await rig.clock.advance(0.5)
        rig.event()
        await rig.clock.advance(70)
    assert [event["series"]["count"] for event in rig.events] == [2]


async def test_another_reason_action_type_or_object_is_another_event(rig):
    async with rig.sending():
        rig.event()
        rig.event(reason="Running")
        rig.event(action="Watch")
        rig.event(warning=True)
        rig.event(ACCOUNT)
        await rig.clock.advance(0)
    assert len(rig.events) == 5
    assert len({event["metadata"]["name"] for event in rig.events}) == 5


async def test_what_happens_again_after_a_long_time_is_a_new_event(rig):
    async with rig.sending():
        rig.event()
        await rig.clock.advance(601)
        rig.event()
        await rig.clock.advance(0)
    assert ["series" in event for event in rig.events] == [False, False]


async def test_a_series_whose_event_has_expired_begins_a_new_one(rig):
    async with rig.sending():
        rig.event()
        await rig.clock.advance(0)
        rig.kube.events.clear()
        rig.event()
        await rig.clock.advance(60)
    (event,) = rig.events
    assert event["series"]["count"] == 2


async def test_a_flood_is_sent_no_faster_than_the_rate(rig):
    rig = Rig(rate=10, burst=20)
    async with rig.sending():
        for number in range(100):
            rig.event(reason=f"Reason{number}")
        await rig.clock.advance(0)
        assert len(rig.events) == 20
        await rig.clock.advance(1)
        assert len(rig.events) == 30
        await rig.clock.advance(1)
        assert len(rig.events) == 40
        await rig.clock.advance(60)
        assert len(rig.events) == 100


async def test_what_does_not_fit_into_the_queue_is_dropped_and_counted():
    rig = Rig(waiting=5)
    for number in range(8):
        rig.event(reason=f"Reason{number}")
    async with rig.sending():
        assert [event["reason"] for event in rig.events] == [f"Reason{n}" for n in range(3, 8)]
    assert rig.count("dropped") == 3


async def test_the_memory_of_series_is_bounded():
    rig = Rig(remembered=10)
    async with rig.sending():
        for number in range(50):
            rig.event(reason=f"Reason{number}")
            await rig.clock.advance(0)
    assert len(rig.recorder._series) == 10
    assert len(rig.events) == 50


async def test_at_the_end_what_waits_is_sent_for_a_while(rig):
    rig = Rig(rate=10, burst=1)
    async with rig.sending():
        for number in range(100):
            rig.event(reason=f"Reason{number}")
        draining = asyncio.create_task(rig.recorder.drain(2))
        await rig.clock.advance(2.1)
        assert draining.done()
        assert 18 <= len(rig.events) <= 22


async def test_words_and_notes_are_cut_to_what_the_api_server_takes(rig):
    long_name = Resource.from_body(
        body(ObjectKey("BatchJob", "science", "x" * 235 + ".-" + "y" * 10), version=7)
    )
    async with rig.sending():
        rig.event(long_name, reason="R" * 200, action="A" * 200, message="ä" * 2000)
        await rig.clock.advance(0)
    (event,) = rig.events
    assert len(event["metadata"]["name"]) <= 253
    assert ".-." not in event["metadata"]["name"]
    assert len(event["note"].encode()) <= 1024
    assert event["note"].endswith("ä…")
    assert (len(event["reason"]), len(event["action"])) == (128, 128)
