import asyncio
from contextlib import asynccontextmanager
from random import Random

import pytest
from prometheus_client import CollectorRegistry
from tests.support.clock import SteppedClock
from tests.support.memory_kube import MemoryKube
from tests.unit.engine.bodies import body

from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.engine.recorder import Recorder, RecorderSettings
from awsbatch_operator.kube.port import DeniedError, NotFoundError, UnavailableError
from awsbatch_operator.telemetry.metrics import Metrics

JOB = Resource.from_body(body(ObjectKey("BatchJob", "science", "one"), version=7))
ACCOUNT = Resource.from_body(body(ObjectKey("AWSAccount", "", "research"), version=8, uid="uid-2"))


class EventKube(MemoryKube):
    """Events only. The next calls fail with `errors`, before or after they took effect."""

    def __init__(self, clock):
        super().__init__([], clock=clock, namespaces={"science": {}, "default": {}})
        self.errors = []
        self.after = False
        self.calls = 0

    async def create_event(self, namespace, body):
        return await self._maybe(super().create_event, namespace, body)

    async def patch_event(self, namespace, name, body):
        return await self._maybe(super().patch_event, namespace, name, body)

    async def _maybe(self, call, *arguments):
        self.calls += 1
        error = self.errors.pop(0) if self.errors else None
        if error and not self.after:
            raise error
        answer = await call(*arguments)
        if error:
            raise error
        return answer


class Rig:
    def __init__(self, **settings):
        self.clock = SteppedClock()
        self.kube = EventKube(self.clock)
        self.metrics = Metrics(CollectorRegistry())
        self.recorder = Recorder(
            kube=self.kube,
            clock=self.clock,
            random=Random(1),
            metrics=self.metrics,
            instance="awsbatch-operator-7d9f",
            settings=RecorderSettings(**settings),
        )

    def event(self, resource=JOB, reason="Submitted", message="Submitted as 1234.", **parts):
        parts = {"warning": False, "action": "Submit", **parts}
        self.recorder.event(resource, reason=reason, message=message, **parts)

    @asynccontextmanager
    async def sending(self):
        running = asyncio.create_task(self.recorder.run())
        await self.clock.advance(0)
        yield
        running.cancel()

    @property
    def events(self):
        return list(self.kube.events.values())

    def count(self, outcome):
        name = "awsbatch_operator_events_total"
        return self.metrics.registry.get_sample_value(name, {"outcome": outcome}) or 0


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


@pytest.mark.parametrize(("after", "calls"), [(False, 3), (True, 2)])
async def test_an_event_without_answer_is_sent_again_and_appears_once(rig, after, calls):
    rig.kube.after = after
    rig.kube.errors = [UnavailableError("no answer")] * 2
    async with rig.sending():
        rig.event()
        await rig.clock.advance(60)
    assert len(rig.events) == 1
    assert rig.kube.calls == calls
    assert (rig.count("created"), rig.count("failed")) == (1, 0)


async def test_events_of_an_outage_are_all_sent_when_it_is_over(rig, logs):
    rig.kube.errors = [UnavailableError("no answer")] * 700
    async with rig.sending():
        for number in range(168):
            rig.event(reason=f"Reason{number}")
        await rig.clock.run_until(lambda: not rig.kube.errors, within=3 * 3600)
        await rig.clock.advance(30)
    assert {event["reason"] for event in rig.events} == {f"Reason{n}" for n in range(168)}
    assert (rig.count("failed"), rig.count("dropped")) == (0, 0)
    assert rig.kube.calls == 700 + 168
    assert logs == []


async def test_in_an_outage_the_api_server_is_asked_less_and_less_often(rig):
    rig.kube.errors = [UnavailableError("no answer")] * 9_999
    async with rig.sending():
        for number in range(168):
            rig.event(reason=f"Reason{number}")
        await rig.clock.advance(600)
        assert rig.kube.calls < 200


async def test_an_outage_keeps_the_newest_events_and_counts_those_that_it_drops():
    rig = Rig(waiting=5)
    rig.kube.errors = [UnavailableError("no answer")] * 20
    async with rig.sending():
        for number in range(12):
            rig.event(reason=f"Reason{number}")
            await rig.clock.advance(1)
        await rig.clock.advance(600)
    assert {event["reason"] for event in rig.events} == {f"Reason{n}" for n in range(7, 12)}
    assert rig.count("dropped") == 7
    assert len(rig.recorder._series) == 5


async def test_an_event_that_gets_no_answer_while_others_do_is_given_up(rig):
    create = rig.kube.create_event

    async def poisoned(namespace, body):
        if body["reason"] == "Poison":
            raise UnavailableError("500")
        return await create(namespace, body)

    rig.kube.create_event = poisoned
    async with rig.sending():
        rig.event(reason="Poison")
        for number in range(20):
            rig.event(reason=f"Reason{number}")
            await rig.clock.advance(10)
    assert len(rig.events) == 20
    assert (rig.count("created"), rig.count("failed")) == (20, 1)


@pytest.mark.parametrize(
    "error", [DeniedError("no"), NotFoundError("namespace gone"), ValueError("a bug")]
)
async def test_no_error_ends_the_recorder(rig, error):
    rig.kube.errors = [error]
    async with rig.sending():
        rig.event()
        rig.event(reason="Running")
        await rig.clock.advance(1)
    assert [event["reason"] for event in rig.events] == ["Running"]
    assert rig.count("failed") == 1


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
