"""All that AWS ever said of a job stands in its status, though AWS overwrites its own words."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.batchjob.jobs import KEY, NOW, first_submission, job, known

from awsbatch_operator.kinds.batchjob.act import SubmissionMemory
from awsbatch_operator.kinds.batchjob.observed import REASONS_KEPT, Output
from awsbatch_operator.kinds.batchjob.status import job_status
from awsbatch_operator.kinds.contract import Seen

RUN = first_submission()


class Told:
    """A job whose words change, and a status that is written only now and then."""

    def __init__(self) -> None:
        self.memory = SubmissionMemory()
        self.status: dict[str, Any] = {"run": 1, "jobId": "job-1", "awsStatus": "RUNNABLE"}
        self.seconds = 0.0

    def says(self, words: str, *, after: float = 1.0, written: bool = True) -> None:
        self.seconds += after
        now = NOW.plus(self.seconds)
        said = self.memory.heard(KEY, RUN, "RUNNABLE", words, now)
        ended = known("FAILED", statusReason=words) if words else known("FAILED")
        observed = replace(ended, said=said, output=Output(lines=()))
        if written:
            resource = replace(job(submission=RUN, job_id="job-1"), status=self.status)
            seen: Any = Seen(None, observed, None, (), None, None, now)
            self.status = {**self.status, **job_status(resource, seen).fields}

    def restarts(self) -> None:
        self.memory = SubmissionMemory()

    @property
    def reasons(self) -> list[str]:
        return [entry["reason"] for entry in self.status.get("statusReasons", ())]


def test_words_that_came_and_went_between_two_writes_are_told_with_their_time():
    told = Told()
    told.says("no capacity", written=False)
    told.says("role is wrong", after=30, written=False)
    told.says("ended by somebody", after=30)
    assert told.reasons == ["no capacity", "role is wrong", "ended by somebody"]
    times = [entry["time"] for entry in told.status["statusReasons"]]
    assert times == [NOW.plus(at).rfc3339() for at in (1, 31, 61)]
    told.says("ended by somebody")
    told.restarts()
    told.says("ended by somebody", after=60)
    assert len(told.reasons) == 3


STEPS = st.lists(
    st.tuples(st.sampled_from(["", "a", "b", "c"]), st.floats(0.1, 90), st.booleans()),
    max_size=40,
)


@given(STEPS)
def test_each_change_of_words_is_told_once_in_its_order_whenever_it_is_written(steps):
    told = Told()
    expected: list[str] = []
    for words, after, written in steps:
        told.says(words, after=after, written=written)
        if words and (not expected or expected[-1] != words):
            expected.append(words)
    told.says("end", after=1)
    if not expected or expected[-1] != "end":
        expected.append("end")
    if len(expected) <= REASONS_KEPT and all(after >= 1 for _, after, _ in steps):
        assert told.reasons == expected
    assert len(told.reasons) <= REASONS_KEPT
    assert told.reasons[-1] == "end"
