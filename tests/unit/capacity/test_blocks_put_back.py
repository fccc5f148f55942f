"""Older records of a block that somebody puts back: from a backup, or with a manifest of theirs."""

from dataclasses import replace

import pytest
from tests.unit.capacity.cloud_model import Job
from tests.unit.capacity.small_worlds import HOUR, block, world

from awsbatch_operator.capacity.block_record import Phase, block_of
from awsbatch_operator.capacity.model import Rung

LADDERS = {"on demand": (Rung.UNTIL_DEADLINE,), "reserved": (Rung.NEW_RESERVATION,)}


def held(ladder):
    """A world whose block has begun with its first job, and all records that were written."""
    made, written = world(block(fallback=ladder)), []
    for seconds in range(0, 600, 15):
        if seconds == 60:
            made.jobs.append(Job(1.0, 1000, 60.0))
        made.turn()
        if made.annotation not in written:
            written.append(made.annotation)
        made.step(15.0)
    assert len(made.alive()) == 2
    return made, written


def restart(made):
    made.answers, made.expected, made.since = {}, (), made.now


def lose(made):
    """EC2 ends all instances, and lists them for a while."""
    for name, view in made.instances.items():
        made.instances[name] = replace(view, state="terminated")
    made.members.clear()


@pytest.mark.parametrize("ladder", LADDERS)
@pytest.mark.parametrize("ended", [False, True], ids=["while it lives", "after it was lost"])
def test_an_older_record_that_is_put_back_buys_nothing_twice(ladder, ended):
    _, written = held(LADDERS[ladder])
    assert len(written) >= 4
    for number, text in enumerate(written):
        made, _ = held(LADDERS[ladder])
        if ended:
            lose(made)
        made.jobs.append(Job(1.0, 1000, 60.0))
        made.annotation = text
        restart(made)
        made.run(HOUR / 2)
        assert len(made.instances) == 2, number
        assert len(made.reserved) <= 1, number
    made.run(2 * HOUR)
    assert (made.alive(), made.reservations) == ([], {})


def test_the_record_of_an_earlier_request_that_is_put_back_does_not_buy_the_later_one_again():
    made, _ = held(LADDERS["on demand"])
    lose(made)
    made.run(60.0)
    over = made.annotation
    made.wish = replace(made.wish, pools=(block(fallback=LADDERS["on demand"], request=2),))
    made.jobs.append(Job(1.0, 1000, 60.0))
    made.turn()
    made.step(60.0)
    assert (len(made.instances), len(made.alive())) == (4, 2)
    made.annotation = over
    restart(made)
    made.run(300.0)
    assert len(made.instances) == 4
    kept = block_of(made.record().of("block").block)
    assert kept is not None
    assert (kept.request, kept.phase) == (2, Phase.HELD)


def test_what_came_and_went_while_the_operator_was_down_is_not_bought_again():
    made = world(block(fallback=LADDERS["on demand"]), jobs=1, seconds=HOUR)
    while not made.instances:
        made.turn()
    lose(made)
    restart(made)
    made.run(HOUR / 2)
    assert len(made.instances) == 2
