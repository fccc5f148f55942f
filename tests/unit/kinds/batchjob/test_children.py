"""What is told of the jobs within a job, and how they are read when it has ended."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.unit.kinds.batchjob.jobs import NOW, SCOPE, first_submission, job, known

from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kinds.batchjob.array_status import in_progress, shape_fields
from awsbatch_operator.kinds.batchjob.aws_verdict import verdict
from awsbatch_operator.kinds.batchjob.child_reading import PATIENCE_SECONDS, ChildReader
from awsbatch_operator.kinds.batchjob.children import JobShape
from awsbatch_operator.kinds.batchjob.failure import diagnose
from awsbatch_operator.kinds.batchjob.failure_causes import Failure
from awsbatch_operator.kinds.batchjob.head_of_line import HeadOfLine
from awsbatch_operator.kinds.batchjob.observed import that_counts
from awsbatch_operator.kinds.batchjob.ranges import parsed
from awsbatch_operator.kinds.batchjob.report import BatchJobStatus


@dataclass
class Jobs:
    """AWS's answers about the jobs within one job; counts the questions."""

    listed: list[dict[str, Any]] = field(default_factory=list)
    details: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: AwsError | None = None
    asked: list[str] = field(default_factory=list)

    async def children(self, _: Any, job_id: str, state: str, *, nodes: bool = False) -> Any:
        self.asked.append(f"{'nodes' if nodes else 'children'} {job_id} {state}")
        if self.error:
            raise self.error
        return self.listed

    async def job(self, _: Any, job_id: str) -> Any:
        self.asked.append(job_id)
        return self.details.get(job_id)


def array(size: int, **counts: int) -> dict[str, Any]:
    """The parent's `arrayProperties`."""
    return {"size": size, "statusSummary": {name.upper(): count for name, count in counts.items()}}


def nodes(count: int, main: int = 0) -> dict[str, Any]:
    """The parent's `nodeProperties`."""
    return {"numNodes": count, "mainNode": main, "nodeRangeProperties": [{"targetNodes": "0:"}]}


class Reading:
    """A reader, its AWS and its clock."""

    def __init__(self, *listed: dict[str, Any], **details: dict[str, Any]) -> None:
        self.jobs = Jobs(list(listed), {f"job-1{name}": each for name, each in details.items()})
        self.clock = SteppedClock(start=NOW.epoch)
        ports: Any = self.jobs
        self.reader = ChildReader(ports, self.clock, HeadOfLine(ports, self.clock))
        self.resource = job(submission=first_submission(), job_id="job-1")

    async def of(self, state: str, **detail: Any) -> Any:
        """What is known of an ended job afterwards."""
        return await self.reader.added(self.resource, known(state, **detail), SCOPE)


def failed_child(index: int, **more: Any) -> dict[str, Any]:
    """A summary of ListJobs."""
    return {"jobId": f"job-1:{index}", "arrayProperties": {"index": index}, **more}


@pytest.mark.parametrize(
    ("counts", "reason", "message"),
    [
        (
            {"succeeded": 2, "failed": 1, "running": 17, "runnable": 80},
            "Running",
            "3 of 100 have ended (1 failed), 17 run, 80 wait for room.",
        ),
        ({"starting": 1, "runnable": 99}, "Starting",
         "0 of 100 have ended, 1 starts, 99 wait for room."),
        ({"runnable": 1, "pending": 99}, "Runnable",
         "0 of 100 have ended, 1 waits for room, 99 wait for other jobs."),
        ({"pending": 100}, "Pending", "0 of 100 have ended, 100 wait for other jobs."),
        ({"succeeded": 1, "running": 99}, "Running", "1 of 100 has ended, 99 run."),
    ],
)  # fmt: skip
async def test_an_array_stands_as_its_children_do(counts, reason, message):
    judged = verdict(await with_children("PENDING", arrayProperties=array(100, **counts)))
    assert (judged.reason, judged.message) == (reason, message)
    shown = {"size": 100, **counts}
    assert in_progress(shown, "") == judged


async def with_children(state: str, **detail: Any) -> Any:
    """A job that has not ended, with what its detail says of its children."""
    reading = Reading()
    return await reading.reader.counted(reading.resource, known(state, **detail), SCOPE)


async def test_an_array_without_children_yet_waits_for_what_it_depends_on():
    judged = verdict(await with_children("PENDING", arrayProperties=array(3)))
    assert (judged.reason, judged.message) == (
        "Pending",
        "The job waits for the jobs it depends on.",
    )


async def test_the_failed_children_are_listed_once_and_the_first_one_tells_why():
    oom = {"jobId": "job-1:7", "status": "FAILED", "statusReason": "Essential container exited",
           "container": {"exitCode": 137, "reason": "OutOfMemoryError: killed"}}  # fmt: skip
    listed = [failed_child(9, stoppedAt=30), failed_child(7, stoppedAt=10), failed_child(3)]
    reading = Reading(*listed, **{":7": oom})
    detail = {"arrayProperties": array(10, succeeded=7, failed=3), "statusReason": "Child failed"}
    for _ in range(2):
        observed = await reading.of("FAILED", **detail)
    assert reading.jobs.asked == ["children job-1 FAILED", "job-1:7"]
    assert observed.children.failed == (3, 7, 9)
    assert diagnose(observed).failure is Failure.OUT_OF_MEMORY
    assert observed.container["exitCode"] == 137
    assert verdict(observed).message.startswith(
        "3 of 10 jobs of the array failed: indexes 3,7,9. What follows is of index 7, which "
        "failed first. AWS says: Essential container exited. The container: OutOfMemoryError"
    )
    reading.reader.forget(reading.resource.key)
    assert len(reading.reader) == 0


async def test_of_an_array_that_succeeded_nothing_is_asked():
    reading = Reading()
    observed = await reading.of("SUCCEEDED", arrayProperties=array(3, running=1, succeeded=2))
    assert reading.jobs.asked == []
    assert observed.children.counts["SUCCEEDED"] == 3
    assert verdict(observed).message == "All 3 jobs of the array succeeded."


async def test_the_end_of_an_array_waits_while_aws_names_fewer_failed_children_than_it_counts():
    reading = Reading(failed_child(1))
    ended = {"arrayProperties": array(4, succeeded=2, failed=2)}
    held = await reading.of("FAILED", **ended)
    assert held.output.due is not None
    reading.jobs.listed.append(failed_child(3))
    whole = await reading.of("FAILED", **ended)
    assert (whole.output.due, whole.children.failed) == (None, (1, 3))


async def test_what_aws_does_not_name_for_a_minute_is_told_without_it():
    reading = Reading(failed_child(1))
    ended = {"arrayProperties": array(4, succeeded=2, failed=2)}
    reading.clock.skip(PATIENCE_SECONDS)
    observed = await reading.of("FAILED", **ended)
    assert (observed.output.due, observed.children.missing) == (None, 1)
    assert "2 of 4 jobs of the array failed: index 1. AWS names 1 of them only." in (
        verdict(observed).message
    )


async def test_counts_that_lag_behind_the_end_are_read_again():
    reading = Reading(failed_child(1), **{"": {"arrayProperties": array(2, succeeded=1, failed=1)}})
    observed = await reading.of("FAILED", arrayProperties=array(2, running=1, succeeded=1))
    assert (observed.children.counts["FAILED"], observed.output.due) == (1, None)


async def test_what_aws_refuses_to_list_does_not_hold_back_the_end():
    reading = Reading()
    reading.jobs.error = AwsError(ErrorKind.DENIED, operation="ListJobs", message="not allowed")
    observed = await reading.of("FAILED", arrayProperties=array(4, succeeded=2, failed=2))
    assert observed.output.due is None
    assert "Which of its 4 jobs failed cannot be read" in verdict(observed).message


async def test_a_long_list_of_failed_indexes_is_cut_in_the_message_and_whole_in_the_status():
    listed = [failed_child(index) for index in range(0, 1000, 2)]
    reading = Reading(*listed)
    observed = await reading.of("FAILED", arrayProperties=array(1000, succeeded=500, failed=500))
    message = verdict(observed).message
    assert "and more (status.array.failedIndexes has all)" in message
    assert len(message) < 600


async def test_the_main_node_tells_how_a_multi_node_job_ended():
    main = {"status": "SUCCEEDED", "container": {"exitCode": 0, "logStreamName": "main/1"}}
    reading = Reading(**{"#1": main})
    observed = await reading.of("SUCCEEDED", nodeProperties=nodes(4, main=1))
    assert reading.jobs.asked == ["job-1#1"]
    assert observed.container["logStreamName"] == "main/1"
    assert verdict(observed).message == (
        "The main node (index 1 of 4 nodes) ended with exit code 0."
    )


@pytest.mark.parametrize(("failed", "tells"), [((0, 2), 0), ((2, 3), 2), ((), 0)])
async def test_the_first_failed_node_tells_where_the_main_node_did_not_fail(failed, tells):
    listed = [
        {"jobId": f"job-1#{index}", "stoppedAt": index, "nodeProperties": {"nodeIndex": index}}
        for index in failed
    ]
    details = {f"#{index}": {"container": {"exitCode": index + 1}} for index in range(4)}
    reading = Reading(*listed, **details)
    observed = await reading.of("FAILED", nodeProperties=nodes(4))
    assert observed.children.shape is JobShape.MULTI_NODE
    assert observed.children.failed == failed
    assert observed.container["exitCode"] == tells + 1


async def test_summaries_without_their_index_are_known_by_their_ids():
    reading = Reading({"jobId": "job-1:12"}, {"jobId": "job-1:x"})
    observed = await reading.of("FAILED", arrayProperties=array(20, succeeded=19, failed=1))
    assert observed.children.failed == (12,)


async def test_a_child_that_was_ended_by_a_person_was_cancelled():
    told = {"status": "FAILED", "statusReason": "no need", "isTerminated": True}
    reading = Reading(failed_child(0), **{":0": told})
    observed = await reading.of("FAILED", arrayProperties=array(2, succeeded=1, failed=1))
    assert diagnose(observed).failure is Failure.CANCELLED
    assert not replace(observed, children=None).stopping


@pytest.mark.parametrize(
    "indexes",
    [
        [index for index in range(10_000) if index % 3 < 2],  # the longest text that there is
        [index for index in range(10_000) if index % 3],
        list(range(0, 10_000, 2)),
        list(range(10_000)),
    ],
)
async def test_a_status_has_room_for_all_indexes_of_the_largest_array(indexes):
    ended = {"arrayProperties": array(10_000, succeeded=10_000 - len(indexes), failed=len(indexes))}
    observed = await Reading(*map(failed_child, indexes)).of("FAILED", **ended)
    fields = shape_fields(observed.children, NOW)
    assert parsed(fields["array"]["failedIndexes"]) == tuple(indexes)
    read = BatchJobStatus.model_validate(fields).model_dump(by_alias=True, exclude_unset=True)
    assert read == fields


def test_of_two_arrays_of_one_run_the_one_whose_children_have_begun_counts():
    """The parent says nothing of it: it is PENDING, and has no start."""
    begun = {"jobId": "b", "createdAt": 2, "arrayProperties": array(2, runnable=1, running=1)}
    waits = {"jobId": "a", "createdAt": 1, "arrayProperties": array(2, runnable=2)}
    for each in (begun, waits):
        each["status"] = "PENDING"
    assert that_counts([waits, begun], "")["jobId"] == "b"
    begun["arrayProperties"] = array(2, runnable=2)
    assert that_counts([waits, begun], "")["jobId"] == "a"


async def test_what_is_told_of_nodes_fits_the_status():
    listed = [{"jobId": "job-1#2", "nodeProperties": {"nodeIndex": 2}}]
    observed = await Reading(*listed).of("FAILED", nodeProperties=nodes(4, main=1))
    fields = shape_fields(observed.children, NOW)
    assert fields == {"nodes": {"count": 4, "mainNode": 1, "failed": "2"}}
    assert BatchJobStatus.model_validate(fields).nodes is not None
