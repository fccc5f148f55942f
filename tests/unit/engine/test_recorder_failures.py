"""Events that cannot be sent: which are kept, which are given up."""

import pytest
from tests.unit.engine.recorder_rig import Rig

from awsbatch_operator.kube.port import DeniedError, NotFoundError, UnavailableError


@pytest.fixture
def rig():
    return Rig()


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
