"""How a run is found in AWS: by its id, else by its name; with as few questions as possible."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.unit.kinds.batchjob.jobs import KEY, NOW, OWNER, SCOPE, first_submission, job

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import SUBMISSION, RecordError
from awsbatch_operator.api.scope import LeadershipStart, Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kinds.batchjob.act import SubmissionMemory
from awsbatch_operator.kinds.batchjob.child_reading import ChildReader
from awsbatch_operator.kinds.batchjob.head_of_line import HeadOfLine
from awsbatch_operator.kinds.batchjob.observe import Observer
from awsbatch_operator.kinds.batchjob.observed import Knowledge
from awsbatch_operator.kinds.batchjob.output import AT_ONCE, OutputReader, Readings
from awsbatch_operator.kinds.batchjob.placement import PlacementReader
from awsbatch_operator.kinds.batchjob.request import job_tags
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.task_reading import TaskReader

FIRST = first_submission()


@dataclass
class Aws:
    """The ports that an Observer reads, over a dict of jobs; counts the questions."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    listed: int = 0
    described: int = 0
    followed: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    polled: dict[str, dict[str, Any]] = field(default_factory=dict)
    queue_gone: bool = False
    hidden: bool = False  # DescribeJobs does not know them yet

    def has(self, job_id: str, status: str = "RUNNING", **detail: Any) -> None:
        """A job of the first run, unless `detail` says otherwise."""
        ours = {"jobName": FIRST.job_name, "tags": job_tags(OWNER, 1, {}), "createdAt": 1}
        self.jobs[job_id] = {"jobId": job_id, "status": status, **ours, **detail}

    async def jobs_by_name(self, _scope: Scope, _queue: str, name: str) -> list[dict[str, Any]]:
        self.listed += 1
        if self.queue_gone:
            raise AwsError(ErrorKind.NOT_FOUND, operation="ListJobs", message="no such queue")
        return [found for found in self.jobs.values() if found["jobName"] == name]

    async def job(self, _scope: Scope, job_id: str) -> dict[str, Any] | None:
        self.described += 1
        return None if self.hidden else self.jobs.get(job_id)

    async def last_lines(self, *_: Any, **__: Any) -> list[str]:
        return ["done"]

    def follow(self, _scope: Scope, job_id: str, *_: Any, **__: Any) -> None:
        self.followed.append(job_id)

    def seen(self, job_id: str) -> dict[str, Any] | None:
        return self.polled.get(job_id)

    def forget(self, job_id: str) -> None:
        self.forgotten.append(job_id)


class Look:
    """An Observer, its AWS and its clock, which begins at NOW."""

    def __init__(self) -> None:
        self.aws, self.memory = Aws(), SubmissionMemory()
        self.clock = SteppedClock(start=NOW.epoch)
        self.leadership, self.readings = LeadershipStart(), Readings()
        ports: Any = self.aws
        self.observer = Observer(
            batch=ports,
            feed=ports,
            children=ChildReader(ports, self.clock, HeadOfLine(ports, self.clock)),
            placements=PlacementReader(ports, ports, self.clock),
            output=OutputReader(ports, self.clock, readings=self.readings),
            tasks=TaskReader(ports, ports, self.clock, self.readings),
            memory=self.memory,
            clock=self.clock,
            leadership=self.leadership,
        )

    async def at(self, resource: Any, seconds: float = 0.0, *, fresh: bool = False) -> Any:
        """What is observed that many seconds after NOW."""
        self.clock.skip(NOW.plus(seconds).since(self.clock.now()))
        return await self.observer.observe(resource, OWNER, SCOPE, fresh=fresh)


@pytest.fixture
def look() -> Look:
    return Look()


async def test_a_job_whose_id_only_this_process_knows_is_read_by_it(look):
    look.aws.has("job-1")
    look.memory.sending(KEY, FIRST, NOW)
    look.memory.is_job(KEY, FIRST, "job-1")
    assert (await look.at(job(submission=FIRST))).knowledge is Knowledge.FOUND
    assert look.aws.listed == 0


async def test_a_job_that_was_found_by_name_is_not_looked_for_again(look):
    look.aws.has("job-1")
    for seconds in (100, 101):
        assert (await look.at(job(submission=FIRST), seconds)).job_id == "job-1"
    assert look.aws.listed == 1


async def test_what_the_poller_has_seen_is_not_asked_for_again(look):
    look.aws.polled["job-1"] = {"jobId": "job-1", "status": "RUNNING"}
    assert (await look.at(job(submission=FIRST, job_id="job-1"))).state == "RUNNING"
    assert look.aws.described == 0


async def test_a_job_is_followed_until_its_end_and_then_no_more(look):
    resource = job(submission=FIRST, job_id="job-1")
    look.aws.has("job-1")
    await look.at(resource)
    assert (look.aws.followed, look.aws.forgotten) == (["job-1"], [])
    look.aws.has("job-1", "SUCCEEDED")
    await look.at(resource)
    assert (look.aws.followed, look.aws.forgotten) == (["job-1"], ["job-1"])


async def test_how_long_a_job_is_in_its_state_counts_from_when_it_was_first_seen_in_it(look):
    resource = job(submission=FIRST, job_id="job-1")
    look.aws.has("job-1", "RUNNABLE")
    assert (await look.at(resource, 5)).since == NOW.plus(5)
    assert (await look.at(resource, 50)).since == NOW.plus(5)
    look.aws.has("job-1", "STARTING")
    assert (await look.at(resource, 70)).since == NOW.plus(70)


async def test_a_job_of_an_object_that_is_gone_is_followed_no_more(look):
    look.observer.forget(KEY)
    assert look.aws.forgotten == []
    look.aws.has("job-1")
    await look.at(job(submission=FIRST, job_id="job-1"))
    look.observer.forget(KEY)
    assert look.aws.forgotten == ["job-1"]


async def test_of_several_jobs_of_a_run_the_oldest_is_adopted_and_the_living_others_are_twins(look):
    look.aws.has("young", createdAt=30)
    look.aws.has("old", createdAt=10)
    look.aws.has("ended", "FAILED", createdAt=20)
    look.aws.has("stopping", createdAt=25, isTerminated=True)
    observed = await look.at(job(submission=FIRST), 100)
    (sweep,) = observed.sweeps
    assert (sweep.counts, sweep.alive, sweep.over) == ("old", ("young",), ("ended", "stopping"))


@pytest.mark.parametrize(
    ("tags", "knowledge"),
    [
        (None, Knowledge.ABSENT),
        ({}, Knowledge.ABSENT),
        (job_tags(OWNER, 2, {}), Knowledge.ABSENT),
        (job_tags(replace(OWNER, uid="another"), 1, {}), Knowledge.ABSENT),
        # Of this run, before the object was handed over: not ours, and not to be sent again.
        (job_tags(replace(OWNER, cluster_id="another"), 1, {}), Knowledge.SETTLING),
    ],
)
async def test_a_job_of_the_name_whose_tags_name_another_run_is_none_of_ours(look, tags, knowledge):
    look.aws.has("job-1", tags=tags)
    assert (await look.at(job(submission=FIRST), 100)).knowledge is knowledge


async def test_a_job_that_is_listed_and_not_described_is_waited_for(look):
    look.aws.has("job-1")
    look.aws.hidden = True
    observed = await look.at(job(submission=FIRST), 100)
    assert (observed.knowledge, observed.settled_at) == (Knowledge.SETTLING, None)


@pytest.mark.parametrize(("deleting", "lines"), [(False, ("done",)), (True, None)])
async def test_the_output_of_an_ended_job_is_read_unless_it_is_being_deleted(look, deleting, lines):
    look.aws.has("job-1", "FAILED", container={"logStreamName": "simulate/1"})
    resource = job(submission=FIRST, job_id="job-1", deleting=deleting)
    assert (await look.at(resource)).output.lines == lines


@pytest.mark.parametrize(("state", "held_back"), [("SUCCEEDED", 75), ("FAILED", 600)])
async def test_of_many_jobs_that_end_at_once_some_wait_and_the_others_end_without_output(
    look, state, held_back
):
    look.aws.has("job-1", state, container={"logStreamName": "simulate/1"})
    seen = []
    for number in range(700):
        resource = job(submission=FIRST, job_id="job-1")
        resource = replace(resource, key=KEY._replace(name=f"run-{number}"))
        seen.append(await look.at(resource))
    read = [each for each in seen if each.output.lines]
    waiting = [each for each in seen if each.output.lines is None]
    assert (len(read), len(waiting)) == (AT_ONCE, held_back)
    assert all(each.output.due > NOW for each in waiting)
    rest = [each.output for each in seen[AT_ONCE + held_back :]]
    assert all(output.skipped and output.lines == () for output in rest)


async def test_output_is_read_when_its_turn_has_come(look):
    look.aws.has("job-1", "SUCCEEDED", container={"logStreamName": "simulate/1"})
    for number in range(AT_ONCE):
        due = look.readings.due(KEY._replace(name=str(number)), SCOPE, NOW, patience=1)
        assert due == NOW
    resource = job(submission=FIRST, job_id="job-1")
    waiting = await look.at(resource)
    wait = waiting.output.due.since(NOW)
    assert (await look.at(resource, wait / 2)).output.due == waiting.output.due
    assert (await look.at(resource, wait)).output.lines == ("done",)
    look.observer.forget(KEY)
    assert len(look.readings) == AT_ONCE


async def test_what_was_just_sent_makes_up_for_a_record_that_was_taken_away(look):
    assert await look.at(job()) is None
    damaged = job(annotations={SUBMISSION: "damaged"})
    with pytest.raises(RecordError):
        await look.at(damaged)
    look.memory.sending(KEY, FIRST, NOW)
    for resource in (job(), damaged):
        observed = await look.at(resource)
        assert (observed.knowledge, observed.lost) == (Knowledge.SETTLING, True)
    assert await look.at(replace(job(), uid="another")) is None


async def test_an_outcome_settles_from_the_last_moment_at_which_it_may_have_been_sent(look):
    resource = job(submission=FIRST)
    assert (await look.at(resource, 10)).settled_at == NOW.plus(60)
    look.leadership.at = NOW.plus(20)
    assert (await look.at(resource, 20)).settled_at == NOW.plus(80)
    look.memory.sending(KEY, FIRST, NOW.plus(30))
    assert (await look.at(resource, 30)).settled_at == NOW.plus(90)
    assert (await look.at(resource, 89)).knowledge is Knowledge.SETTLING
    assert (await look.at(resource, 90)).knowledge is Knowledge.ABSENT


async def test_when_a_job_was_sent_is_told_by_its_status_too_if_that_is_of_this_run(look):
    shown = Instant(NOW.epoch + 500)
    resource = job(submission=FIRST, job_id="job-1")
    status = {**resource.status, "submittedTime": shown.rfc3339()}
    assert (await look.at(replace(resource, status=status))).sent == shown
    earlier = replace(resource, status={**status, "run": 7})
    assert (await look.at(earlier)).sent == NOW


async def test_the_end_of_an_earlier_run_says_nothing_about_this_one(look):
    look.aws.has("job-2", tags=job_tags(OWNER, 2, {}))
    second = replace(FIRST, run=2)
    look.memory.is_job(KEY, second, "job-2")
    ended = {"run": 1, "jobId": "job-1", "conditions": [{"type": "Failed", "status": "True"}]}
    observed = await look.at(replace(job(submission=second), status=ended))
    assert observed.knowledge is Knowledge.FOUND


async def test_what_was_refused_is_sent_again_without_any_question(look):
    look.memory.sending(KEY, FIRST, NOW)
    look.memory.refused(KEY)
    assert (await look.at(job(submission=FIRST), 1)).knowledge is Knowledge.REFUSED
    assert look.aws.listed == 0


@pytest.mark.parametrize("late", [False, True])
async def test_a_refused_repeat_is_looked_up_because_of_the_attempt_before_it(look, late):
    second: Submission = FIRST.repeated(NOW)
    look.memory.sending(KEY, second, NOW)
    look.memory.refused(KEY)
    if late:
        look.aws.has("job-1")
    observed = await look.at(job(submission=second), 1)
    assert observed.knowledge is (Knowledge.FOUND if late else Knowledge.REFUSED)
    assert look.aws.listed == 1


async def test_a_repeat_is_swept_for_twins_after_six_and_twelve_minutes_and_on_deletion(look):
    look.aws.has("job-1")
    look.aws.has("job-2", createdAt=2)
    resource = job(submission=FIRST.repeated(NOW), job_id="job-1")
    early = await look.at(resource, 359)
    assert early.sweeps == ()
    assert (await look.at(replace(resource, deleting=True), 359)).strays == ("job-2",)
    due = await look.at(resource, 360)
    assert due.strays == ("job-2",)
    once = job(submission=FIRST, job_id="job-1", deleting=True)
    assert (await look.at(once, 360)).sweeps == ()


async def test_without_its_queue_nothing_can_be_said_unless_nothing_was_sent(look):
    look.aws.queue_gone = True
    assert (await look.at(job(submission=FIRST), 100)).knowledge is Knowledge.UNTRACEABLE
    second = FIRST.repeated(NOW)
    look.memory.sending(KEY, second, NOW)
    look.memory.refused(KEY)
    assert (await look.at(job(submission=second), 100)).knowledge is Knowledge.REFUSED
