"""A held run that AWS never had: it is put by, and sent once it is let go."""

from dataclasses import replace

import pytest
from tests.unit.kinds.batchjob.jobs import (
    NOW,
    SPEC,
    desired,
    first_submission,
    job,
    known,
    recorded,
)

from awsbatch_operator.kinds.batchjob.actions import Submit
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.over import job_is_held
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.run_causes import Stop
from awsbatch_operator.kinds.batchjob.submission import SWEEPS
from awsbatch_operator.kinds.batchjob.submitting import TRACEABLE_SECONDS

FIRST = first_submission()
HELD = SPEC | {"suspend": True}
CLOSED = FIRST.closed(Stop.HELD)
PUT_BY = replace(CLOSED, swept=SWEEPS)
IS_SUSPENDED = {
    "type": "Suspended",
    "status": "True",
    "reason": "Suspended",
    "message": "",
    "observedGeneration": 1,
    "lastTransitionTime": NOW.rfc3339(),
}


def planned(record, knowledge, spec, after=100.0):
    resource = job(submission=record, spec=spec)
    return plan_job(desired(resource), Observed(knowledge, record), NOW.plus(after))


def test_what_is_held_and_not_in_aws_is_closed_and_looked_for_twice_more():
    made = recorded(planned(FIRST, Knowledge.ABSENT, HELD))
    assert (made.stop, made.attempt, made.swept) == (Stop.HELD, 2, 0)
    assert (made.looked_through, PUT_BY.is_put_by) == (False, True)
    refused = recorded(planned(FIRST, Knowledge.REFUSED, HELD))
    assert (refused.stop, refused.attempt, refused.is_put_by) == (Stop.HELD, 1, True)


@pytest.mark.parametrize("knowledge", [Knowledge.SETTLING, Knowledge.UNTRACEABLE])
def test_what_is_not_known_is_not_closed(knowledge):
    assert not planned(FIRST, knowledge, HELD).record


def test_nothing_is_called_absent_that_aws_may_have_forgotten():
    old = TRACEABLE_SECONDS + 1
    assert not planned(FIRST, Knowledge.ABSENT, HELD, after=old).record
    let_go = planned(FIRST, Knowledge.ABSENT, SPEC, after=old)
    assert [each.reason.name for each in let_go.findings] == ["SubmissionUnknown"]


@pytest.mark.parametrize("after", [100.0, TRACEABLE_SECONDS + 1])
@pytest.mark.parametrize("record", [CLOSED, PUT_BY])
def test_what_was_put_by_is_sent_as_the_same_run_however_long_ago(record, after):
    (action,) = planned(record, Knowledge.ABSENT, SPEC, after).actions
    assert isinstance(action, Submit)
    sent = action.submission
    assert (sent.run, sent.stop, sent.attempt, sent.swept) == (1, None, 3, 0)


def test_what_comes_to_light_counts_and_is_ended_for_what_the_spec_says_then():
    for spec, stop in ((HELD, Stop.SUSPENDED), (SPEC, None)):
        found = known("RUNNING", of=PUT_BY)
        plan = plan_job(desired(job(submission=PUT_BY, spec=spec)), found, NOW.plus(2000))
        assert recorded(plan).stop is stop
        assert len(plan.steps) == (stop is not None)


def test_an_object_whose_run_was_put_by_has_no_turns_until_it_is_edited():
    status = {"conditions": [IS_SUSPENDED], "observedGeneration": 1}
    held = job(submission=PUT_BY, spec=HELD, status=status)
    assert job_is_held(held)
    assert not job_is_held(job(submission=CLOSED, spec=HELD, status=status))
    assert not job_is_held(job(submission=FIRST, spec=HELD, status=status))
