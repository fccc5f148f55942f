"""How long what AWS denies is left alone."""

from tests.unit.kinds.values import resource

from awsbatch_operator.kinds.patience import Patience

KEY = resource("JobQueue").key


def test_what_is_denied_is_tried_again_soon_at_first_and_more_and_more_rarely():
    patience, now, waits = Patience(), 100.0, []
    while now < 7200:
        waits.append(patience.denied(KEY, now))
        now += waits[-1]
    assert waits[0] == 15
    assert waits == sorted(waits)
    assert waits[-1] == 600
    assert all(wait <= max(15, sum(waits[:index]) / 2) for index, wait in enumerate(waits))


def test_what_was_granted_and_is_denied_again_is_tried_soon_again():
    patience = Patience()
    patience.denied(KEY, 0.0)
    assert patience.denied(KEY, 4000.0) == 600
    patience.granted(KEY)
    assert patience.denied(KEY, 4001.0) == 15
