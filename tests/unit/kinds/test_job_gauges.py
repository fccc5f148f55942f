"""What becomes numbers of how jobs stand and end, whatever somebody has written there."""

import itertools

from tests.support.clock import SteppedClock
from tests.unit.engine.bodies import body

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.kinds.batchjob.gauges import JobGauges

QUEUE = ObjectKey("JobQueue", "science", "main")
ARN = "arn:aws:batch:eu-central-1:111122223333:job-queue/main"
TOO_LARGE = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job cannot be placed."


class Bench:
    def __init__(self):
        self.clock = SteppedClock()
        self.started: list[float] = []
        self.cache = Cache(clock=self.clock, settled=lambda _: False)
        self.gauges = JobGauges(self.clock, {"HostLost", "DependencyFailed"}, self.started.append)
        self.cache.listen(self.gauges.absorb)
        self._versions = itertools.count(1)
        self.put(QUEUE, {}, {"arn": ARN})

    def drop(self, key):
        self.cache.drop(key, uid=key.name)

    def put(self, key, spec, status):
        version = next(self._versions)
        self.cache.put(body(key, version=version, uid=key.name, spec=spec, status=status))

    def job(self, name="one", queue=None, ago=None, **status):
        if ago is not None:
            status["submittedTime"] = self.clock.now().plus(-ago).rfc3339()
        key = ObjectKey("BatchJob", "science", name)
        self.put(key, {"jobQueueRef": queue or {"name": "main"}}, status)
        return key

    def end(self, name, kind="Complete", reason="Succeeded", **status):
        ended = {"type": kind, "status": "True", "reason": reason, "message": ""}
        return self.job(name, conditions=[ended], jobId="1", run=1, **status)


def test_unfinished_jobs_count_by_queue_and_state_and_finished_ones_do_not():
    there = Bench()
    there.job("new")
    there.job("by-arn", queue={"arn": ARN}, awsStatus="RUNNING")
    there.job("runs", awsStatus="RUNNING")
    held = {"type": "Suspended", "status": "True", "reason": "Held", "message": ""}
    there.job("held", conditions=[held])
    there.end("done")
    assert dict(there.gauges.states()) == {
        ("science/main", "NotSubmitted"): 1,
        ("science/main", "RUNNING"): 2,
        ("science/main", "Held"): 1,
    }
    there.end("runs")
    assert dict(there.gauges.states())["science/main", "RUNNING"] == 1


def test_a_queue_that_there_is_not_makes_no_label_and_one_that_comes_does():
    there = Bench()
    for number in range(50):
        there.job(f"job-{number}", queue={"name": f"mistyped-{number}"})
    assert dict(there.gauges.states()) == {("Other", "NotSubmitted"): 50}
    there.put(ObjectKey("JobQueue", "science", "mistyped-7"), {}, {})
    assert dict(there.gauges.states())["science/mistyped-7", "NotSubmitted"] == 1


def test_states_and_codes_that_nobody_knows_make_no_labels_either():
    there = Bench()
    there.job("a", awsStatus="DREAMING")
    there.job("b", awsStatus="RUNNABLE", statusReason="waits for 12345", ago=5)
    there.job("c", awsStatus="RUNNABLE", statusReason=TOO_LARGE, ago=5)
    assert {state for _, state in dict(there.gauges.states())} == {"NotSubmitted", "RUNNABLE"}
    assert dict(there.gauges.blocked()) == {
        ("science/main", "Other"): 1,
        ("science/main", "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"): 1,
    }


def test_the_oldest_that_waits_is_told_and_who_has_started_waits_no_longer():
    there = Bench()
    for name, ago in (("old", 900), ("young", 60), ("middle", 300)):
        there.job(name, awsStatus="RUNNABLE", ago=ago)
    assert dict(there.gauges.oldest()) == {("science/main",): 900}
    there.job("old", awsStatus="RUNNING", ago=900)
    assert dict(there.gauges.oldest()) == {("science/main",): 300}
    there.drop(ObjectKey("BatchJob", "science", "middle"))
    there.job("young", awsStatus="STARTING", ago=60)
    assert dict(there.gauges.oldest()) == {}


def test_a_line_through_which_many_go_does_not_grow():
    there = Bench()
    there.job("stays", awsStatus="RUNNABLE", ago=9000)
    for number in range(1000):
        key = there.job(f"job-{number}", awsStatus="RUNNABLE", ago=5)
        there.drop(key)
    (line,) = there.gauges._lines.values()
    assert len(line._heap) < 100
    assert dict(there.gauges.oldest()) == {("science/main",): 9000}


def test_an_end_counts_once_and_only_if_the_job_was_seen_before_it():
    there = Bench()
    there.end("before-us")
    there.job("a", awsStatus="RUNNING")
    there.end("a", "Failed", "HostLost")
    there.end("a", "Failed", "HostLost", attemptCount=1)
    there.job("b", awsStatus="RUNNING")
    there.end("b", "Failed", "A word of somebody's")
    there.job("c", awsStatus="RUNNING")
    there.end("c")
    assert dict(there.gauges.ended()) == {
        ("science/main", "HostLost"): 1,
        ("science/main", "Other"): 1,
        ("science/main", "Succeeded"): 1,
    }
    there.drop(QUEUE)
    assert list(there.gauges.ended()) == []


def test_a_job_that_fails_without_a_submission_has_ended_until_it_goes_on():
    there = Bench()
    failed = {"type": "Failed", "status": "True", "reason": "DependencyFailed", "message": ""}
    there.job("a")
    there.job("a", conditions=[failed])
    assert dict(there.gauges.states()) == {}
    assert dict(there.gauges.ended()) == {("science/main", "DependencyFailed"): 1}
    there.job("a")  # the other one was made anew
    assert dict(there.gauges.states()) == {("science/main", "NotSubmitted"): 1}
    there.end("a")
    assert dict(there.gauges.ended()) == {
        ("science/main", "DependencyFailed"): 1,
        ("science/main", "Succeeded"): 1,
    }


def test_the_wait_for_the_start_is_measured_once_and_not_of_a_second_attempt():
    there = Bench()
    began = Instant(there.clock.now().epoch).rfc3339()
    there.job("a", awsStatus="RUNNABLE", ago=90)
    there.job("a", awsStatus="STARTING", ago=90)
    there.job("a", awsStatus="RUNNING", ago=90, startedTime=began)
    there.job("a", awsStatus="RUNNING", ago=90, startedTime=began, attemptCount=1)
    there.job("b", awsStatus="RUNNABLE", ago=500, attemptCount=1)
    there.job("b", awsStatus="RUNNING", ago=500, startedTime=began, attemptCount=2)
    there.job("c", awsStatus="RUNNABLE", ago=30)
    there.end("c", startedTime=began, submittedTime=there.clock.now().plus(-30).rfc3339())
    assert there.started == [90, 30]


def test_times_that_are_none_are_not_measured():
    there = Bench()
    there.job("a", awsStatus="RUNNABLE", submittedTime="yesterday")
    there.job("a", awsStatus="RUNNING", submittedTime="yesterday", startedTime="today")
    assert there.started == []
