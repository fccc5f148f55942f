"""What was done and who is needed is logged, once each."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from tests.support.clock import SteppedClock
from tests.unit.kinds.values import resource

from awsbatch_operator.api import catalogue, image_reasons, job_reasons
from awsbatch_operator.api.findings import Severity
from awsbatch_operator.api.metadata import RESOLVED, SUBMISSION
from awsbatch_operator.api.repeats import REMEMBERED
from awsbatch_operator.kinds.activity_log import AGAIN_SECONDS, Activity, activity_of
from awsbatch_operator.kinds.batchjob.failure_causes import Failure
from awsbatch_operator.visibility import FAILURES, activity_log

RECORD = '{"account":"","accountId":"111122223333","region":"eu-central-1","awsName":"q-1a2b"}'


class Recorder:
    def __init__(self):
        self.events = []

    def event(self, resource, *, reason, message, warning, action):
        self.events.append(reason)


class Told:
    """A log and what comes out of it."""

    def __init__(self):
        self.clock, self.recorder = SteppedClock(), Recorder()
        self.log = activity_log(self.recorder, self.clock)

    def tell(self, about, reason=catalogue.UPDATED.name, message="Changed.", *, warning=False):
        with capture_logs() as lines:
            self.log.event(about, reason=reason, message=message, warning=warning, action="x")
        return lines


QUEUE = replace(resource("JobQueue"), annotations={RESOLVED: RECORD})


def test_a_line_says_what_was_done_to_which_object_and_to_what_in_aws():
    (line,) = Told().tell(QUEUE, catalogue.DRIFT_REPAIRED.name, "Changed in place: state.")
    assert line == {
        "log_level": "info",
        "event": "repaired",
        "kind": "JobQueue",
        "namespace": QUEUE.key.namespace,
        "name": QUEUE.key.name,
        "aws_name": "q-1a2b",
        "reason": "DriftRepaired",
        "said": "Changed in place: state.",
    }


@pytest.mark.parametrize("annotations", [{}, {RESOLVED: "{"}, {SUBMISSION: "{"}])
@pytest.mark.parametrize("kind", ["JobQueue", "BatchJob"])
def test_without_a_sound_record_a_line_names_nothing_in_aws(kind, annotations):
    (line,) = Told().tell(replace(resource(kind), annotations=annotations))
    assert line["aws_name"] == ""


def test_what_is_retried_is_logged_once_and_what_happens_again_later_again():
    told = Told()
    lines = [told.tell(QUEUE) for _ in range(5)]
    assert [len(each) for each in lines] == [1, 0, 0, 0, 0]
    assert told.tell(QUEUE, message="Changed something else.")
    assert told.tell(replace(QUEUE, uid="another"))
    told.clock.skip(AGAIN_SECONDS)
    assert told.tell(QUEUE)
    assert told.recorder.events == [catalogue.UPDATED.name] * 8  # events have series of their own


def test_it_remembers_a_bounded_number_of_lines():
    told = Told()
    for number in range(REMEMBERED + 10):
        told.tell(QUEUE, message=f"{number}")
    assert len(told.log._told) == REMEMBERED


def test_whatever_a_person_must_mend_is_logged_so_and_passing_trouble_is_not():
    for reason in catalogue.reasons():
        told = activity_of(reason.name, warning=True, ended=FAILURES)
        match reason.severity:
            case Severity.STALL:
                assert told is Activity.NEEDS_A_PERSON, reason
            case Severity.WAIT:
                assert told is None, reason
            case Severity.NOTE:
                assert told is not None, reason


def test_an_attempt_that_is_followed_by_another_needs_nobody():
    name = image_reasons.BUILD_ATTEMPT_FAILED.name
    assert activity_of(name, warning=True, ended=FAILURES) is Activity.NOTED


@pytest.mark.parametrize("failure", Failure)
def test_every_way_in_which_a_job_fails_is_an_end(failure):
    assert activity_of(failure.value, warning=True, ended=FAILURES) is Activity.ENDED


def test_a_warning_that_goes_with_no_condition_needs_a_person_too():
    told = Told()
    (line,) = told.tell(QUEUE, job_reasons.JOB_TWICE.name, warning=True)
    assert line["event"] == "needs a person"
