"""Rate tokens: nobody waits for one inside a turn, and only a long wait is told."""

import pytest
from tests.unit.kinds.gadget_rig import Rig
from tests.unit.kinds.gadgets import ONE, Gadget, missing, step

from awsbatch_operator.api.scope import NoTokenError
from awsbatch_operator.aws.errors import AwsError, ErrorKind

RESOLVED = "awsbatch.dev/resolved"


def two_lanes() -> Rig:
    rig = Rig()
    rig.apply()
    rig.kind.script = missing(step("A", "a", record="a"), step("B", "b", record="b"))
    return rig


async def test_without_a_token_nothing_is_written_and_the_turn_says_when_to_come_again():
    rig = two_lanes()
    rig.kind.waits = {"AddA": 7.0, "AddB": 4.0}
    again = await rig.turn()
    assert rig.journal == ["feed"]
    assert (again.after, again.failed) == (4.0, False)


async def test_a_token_that_is_almost_there_is_not_asked_for_in_a_busy_loop():
    rig = two_lanes()
    rig.kind.waits = {"AddA": 1e-9, "AddB": 1e-9}
    assert (await rig.turn()).after == 0.01


async def test_a_token_for_one_lane_lets_that_lane_go_on():
    rig = two_lanes()
    rig.kind.waits = {"AddB": 4.0}
    again = await rig.turn()
    assert rig.calls == ["AddA"]
    assert "test/b" not in rig.annotations()
    assert again.after == 4.0
    assert rig.holds("Reconciling") == "Updating"  # not Ready, and no word of the limit yet
    rig.kind.waits = {}
    await rig.turn()
    assert rig.calls == ["AddB"]
    assert rig.holds("Ready")


async def test_the_lane_that_waits_is_told_after_a_minute_and_not_before():
    rig = two_lanes()
    rig.kind.waits = {"AddB": 4.0}
    await rig.turn()
    for _ in range(14):
        rig.clock.skip(4)
        again = await rig.turn()
        assert rig.journal == ["feed"]
        assert again.after == 4.0
    rig.clock.skip(4)
    again = await rig.turn()
    assert rig.holds("Reconciling") == "RateLimited"
    assert again.after == 4.0
    rig.kind.waits = {}
    await rig.turn()
    assert rig.holds("Ready")


async def test_a_second_wait_is_counted_from_its_own_beginning():
    rig = two_lanes()
    rig.kind.waits = {"AddB": 4.0}
    await rig.turn()
    rig.clock.skip(50)
    rig.kind.waits = {}
    await rig.turn()
    rig.kind.things.clear()
    rig.kind.waits = {"AddA": 4.0, "AddB": 4.0}
    rig.clock.skip(50)
    await rig.turn()
    assert rig.journal == ["feed"]


async def test_what_stands_as_specified_stays_ready_while_a_repair_waits_for_its_token():
    rig = two_lanes()
    await rig.turn()
    assert rig.holds("Ready")
    rig.kind.things["one"] = Gadget(tags=rig.kind.tags_of(ONE))
    rig.kind.waits = {"AddB": 4.0}
    again = await rig.turn()
    assert rig.calls == ["AddA"]
    assert rig.holds("Ready")
    assert again.after == 4.0


async def test_the_wait_of_one_lane_is_not_lengthened_by_what_a_person_must_mend_in_another():
    rig = two_lanes()
    rig.kind.waits = {"AddB": 4.0}
    rig.kind.errors["AddA"] = AwsError(ErrorKind.INVALID, operation="AddA", message="no")
    again = await rig.turn()
    assert rig.calls == ["AddA"]
    assert again.after == 4.0
    assert rig.holds("Stalled") == "InvalidRequest"


async def test_a_second_step_without_a_token_waits_and_its_record_is_not_written():
    rig = Rig()
    rig.apply()
    rig.kind.script = missing(step("A"), step("B", record="b"))
    rig.kind.waits = {"AddB": 3.0}
    again = await rig.turn()
    assert rig.calls == ["AddA"]
    assert "test/b" not in rig.annotations()
    assert again.after == 3.0


async def test_a_token_in_hand_serves_only_its_own_operation():
    rig = Rig()
    rig.apply()
    # The feed shows too little: the fresh look finds that another step is due.
    rig.kind.feed["one"] = None
    rig.kind.things["one"] = Gadget(("A",), rig.kind.tags_of(ONE))
    rig.kind.script = lambda _, observed: missing(step("A" if observed is None else "B"))(
        _, observed
    )
    await rig.turn()
    assert rig.journal == [
        "feed",
        "permit AddA",
        "look",
        "give back AddA",
        "permit AddB",
        f"record finalizer {RESOLVED}",
        "call AddB",
        "look",
        "status",
    ]


@pytest.mark.parametrize("error", [AwsError(ErrorKind.THROTTLED, operation="x", message="slow")])
async def test_a_fresh_look_that_fails_gives_the_permits_back(error):
    rig = two_lanes()
    looks = rig.kind.observe

    async def observe(*details, fresh):
        if fresh:
            raise error
        return await looks(*details, fresh=fresh)

    rig.kind.observe = observe  # type: ignore[method-assign]
    again = await rig.turn()
    assert rig.calls == []
    assert rig.journal.count("give back AddA") == rig.journal.count("give back AddB") == 1
    assert again.failed


async def test_a_wait_of_lanes_that_the_fresh_look_does_not_confirm_is_forgotten():
    rig = two_lanes()
    await rig.turn()
    rig.kind.feed["one"] = None  # read before the calls
    rig.kind.waits = {"AddB": 4.0}
    again = await rig.turn()
    assert rig.calls == []
    assert again.after is None
    assert rig.holds("Ready")


async def test_a_look_that_runs_out_of_tokens_again_and_again_comes_back_later_and_later():
    """A turn of two reads that always came for the next single token would never have two."""
    rig = two_lanes()
    looks = rig.kind.observe

    async def runs_out(*details, fresh):
        await looks(*details, fresh=fresh)
        raise NoTokenError(0.02)

    rig.kind.observe = runs_out  # type: ignore[method-assign]
    delays = [(await rig.turn()).after for _ in range(10)]
    assert delays == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 6.4, 6.4]
    rig.kind.observe = looks  # type: ignore[method-assign]
    await rig.turn()
    rig.kind.observe = runs_out  # type: ignore[method-assign]
    assert (await rig.turn()).after == 0.05
