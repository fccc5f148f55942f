"""A drift that is only reported: the condition, the event, and the generation that was reached."""

from dataclasses import replace

import pytest
from tests.unit.kinds.values import NOW, RECORDED, ready, resource

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import Situation, Verdict, condition
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds import statuses
from awsbatch_operator.kinds.contract import KindStatus
from awsbatch_operator.kinds.drift import FIELDS_NAMED, with_drift
from awsbatch_operator.kinds.narration import Narrator

REPORT = {"driftPolicy": "Report"}
FINE = Verdict(Situation.READY, catalogue.DISABLED.name, "It is disabled, as the spec says.")
BUSY = Verdict(Situation.WORKING, "Updating", "AWS says UPDATING.")


def written(of, verdict=FINE, plan=None):
    """The status as a turn writes it, and the object with it."""
    shown = with_drift(of, KindStatus({}, verdict), plan)
    status = statuses.whole(
        of,
        shown.fields,
        shown.verdict,
        now=NOW,
        bounded=False,
        recorded=RECORDED,
        extra=shown.extra,
    )
    return replace(of, status=status), shown


def drifted(*fields):
    return Plan(drift=fields)


def told(of):
    found = condition(of.status, "Drifted")
    return "" if found is None else f"{found['status']}: {found['message']}"


def standing(**changes):
    return ready(resource("JobQueue", REPORT, **changes))


def test_what_differs_is_listed_and_ready_stays_true_without_a_lie():
    of, shown = written(standing(), plan=drifted("priority", "tags.team"))
    assert told(of).startswith("True: AWS differs from the spec in priority, tags.team. Set spec.")
    assert shown.verdict.situation is Situation.READY
    assert "as the spec says" not in shown.verdict.message


def test_the_condition_goes_when_nothing_differs_any_more():
    of, _ = written(standing(), plan=drifted("priority"))
    of, shown = written(of, plan=drifted())
    assert told(of) == ""
    assert shown.verdict is FINE


@pytest.mark.parametrize("plan", [None, Plan()])
def test_a_turn_that_could_not_compare_keeps_what_was_known(plan):
    of, _ = written(standing(), plan=drifted("priority"))
    before = told(of)
    of, _ = written(of, BUSY, plan)
    assert told(of) == before
    of, _ = written(of, BUSY, plan)  # not Ready by now, and yet no new generation
    assert told(of) == before


def test_an_edit_takes_the_condition_away_before_the_spec_is_applied():
    of, _ = written(standing(), plan=drifted("priority"))
    of, _ = written(replace(of, generation=2), BUSY, Plan())
    assert told(of) == ""
    other = replace(of, generation=2, spec={"driftPolicy": "Correct"})
    assert told(written(other, plan=Plan())[0]) == ""


def test_many_fields_are_counted_and_not_all_named():
    fields = tuple(f"field-{number:02}" for number in range(FIELDS_NAMED + 3))
    of, _ = written(standing(), plan=drifted(*fields))
    assert "field-19 and 3 more." in told(of)


def test_each_list_of_fields_is_told_once_and_after_a_restart_no_more():
    events = []

    class Recorder:
        def event(self, resource, *, reason, message, warning, action):
            assert warning
            events.append((reason, message))

    of = standing()
    for fields in (("priority",), ("priority",), ("priority", "state"), ()):
        after, shown = written(of, plan=drifted(*fields))
        Narrator(Recorder()).drifted(of, shown.extra)
        of = after
    assert [reason for reason, _ in events] == ["Drifted", "Drifted"]
    assert "in priority." in events[0][1]
    assert "in priority, state." in events[1][1]


# --- whether a generation was reached ---


def test_the_generation_is_noted_with_the_write_that_takes_ready_away_and_no_other():
    of = standing()
    assert "reachedGeneration" not in written(of)[0].status, "Ready says it"
    busy, _ = written(of, BUSY)
    assert busy.status["reachedGeneration"] == 1
    again, _ = written(busy, BUSY)
    assert statuses.same(again.status, busy.status), "no write for a look without news"
    assert statuses.was_reached(busy)
    assert "reachedGeneration" not in written(busy)[0].status


def test_what_was_never_reached_is_never_noted():
    of, _ = written(resource("JobQueue", REPORT), BUSY)
    assert "reachedGeneration" not in of.status
    assert not statuses.was_reached(of)


def test_another_generation_has_yet_to_be_reached():
    busy, _ = written(standing(), BUSY)
    edited = replace(busy, generation=2)
    assert not statuses.was_reached(edited)
    assert "reachedGeneration" not in written(edited, BUSY)[0].status


def test_of_an_object_that_goes_nothing_is_reached():
    busy, _ = written(standing(), BUSY)
    assert not statuses.was_reached(replace(busy, deleting=True))


def test_an_account_and_a_job_have_no_such_field():
    """They have nothing in AWS that lasts, and their status no place for it."""
    for kind in ("AWSAccount", "BatchJob"):
        of = ready(resource(kind))
        status = statuses.whole(of, {}, BUSY, now=NOW, bounded=kind == "BatchJob", recorded=None)
        assert "reachedGeneration" not in status
