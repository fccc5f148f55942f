"""The moments at which log lines are read, among many jobs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.batchjob.jobs import KEY, NOW, SCOPE

from awsbatch_operator.kinds.batchjob.output import A_SECOND, AT_ONCE, Readings

PATIENCE = 15.0


@given(st.lists(st.floats(min_value=0, max_value=5), min_size=1, max_size=200))
def test_no_second_gets_more_reads_than_aws_answers(pauses):
    readings, now, moments = Readings(), NOW, []
    for number, pause in enumerate(pauses):
        now = now.plus(pause)
        key = KEY._replace(name=str(number))
        due = readings.due(key, SCOPE, now, patience=PATIENCE)
        if due is not None:
            assert 0 <= due.since(now) <= PATIENCE
            moments.append(due)
    for moment in moments:
        within = [each for each in moments if 0 <= each.since(moment) < 1]
        assert len(within) <= A_SECOND + AT_ONCE


def test_a_moment_stays_the_same_until_it_is_forgotten():
    readings = Readings()
    keys = [KEY._replace(name=str(number)) for number in range(AT_ONCE + 1)]
    dues = [readings.due(key, SCOPE, NOW, patience=PATIENCE) for key in keys]
    assert dues[-1] is not None
    assert dues[-1].since(NOW) == pytest.approx(0.5 / A_SECOND, abs=1e-3)
    assert readings.due(keys[-1], SCOPE, NOW.plus(60), patience=PATIENCE) == dues[-1]
    for key in keys:
        readings.forget(key)
    assert len(readings) == 0
    assert readings.due(keys[0], SCOPE, NOW.plus(60), patience=PATIENCE) == NOW.plus(60)


def test_accounts_and_regions_do_not_wait_for_each_other():
    readings = Readings()
    for number in range(AT_ONCE):
        readings.due(KEY._replace(name=str(number)), SCOPE, NOW, patience=PATIENCE)
    for number, other in enumerate(
        (replace(SCOPE, region="us-west-2"), replace(SCOPE, account_id="444455556666"))
    ):
        key = KEY._replace(name=f"other-{number}")
        assert readings.due(key, other, NOW, patience=PATIENCE) == NOW
