"""Conformance: people edit, replace and copy objects; a job runs once all the same."""

import pytest
from tests.component.batchjob.runs import (
    FOR_EVER,
    JOB,
    SPEC,
    alive,
    finished,
    jobs,
    lost_answer,
    running,
    script,
    shown,
    submits,
    submitted,
)
from tests.support.installation import Installation

from awsbatch_operator.api.metadata import FINALIZER, RESOLVED, SUBMISSION
from awsbatch_operator.kinds.batchjob.submission import Submission

TEXTS = [None, "garbage", "[" * 100_000]


def recorded(there: Installation) -> str:
    return str(there.kube.see(JOB)["metadata"]["annotations"][SUBMISSION])


def foreign(there: Installation) -> str:
    """The record of another object, as a copied manifest brings it."""
    return recorded(there).replace(there.kube.see(JOB)["metadata"]["uid"], "another-uid")


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
async def test_a_running_job_whose_record_is_lost_is_not_submitted_again(text):
    there = Installation()
    async with there.running():
        await running(there)
        there.kube.annotate(JOB, **{SUBMISSION: text})
        await there.clock.advance(700)
        assert submits(there) == 1
        assert Submission.from_json(recorded(there)).job_name == shown(there, "jobName")
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        assert alive(there) == 0


async def test_kubectl_replace_takes_finalizer_and_record_and_both_come_back():
    there = Installation()
    async with there.running():
        await running(there)
        there.kube.annotate(JOB, **{SUBMISSION: None, RESOLVED: None})
        there.kube.strip_finalizers(JOB)
        await there.clock.advance(60)
        assert there.kube.see(JOB)["metadata"]["finalizers"] == [FINALIZER]
        assert (submits(there), alive(there)) == (1, 1)


async def test_the_record_of_another_object_neither_counts_nor_is_fought_over():
    there = Installation()
    async with there.running():
        await running(there)
        copied = foreign(there)
        there.kube.annotate(JOB, **{SUBMISSION: copied})
        await there.clock.advance(700)
        assert (submits(there), recorded(there)) == (1, copied)


@pytest.mark.parametrize("text", [None, "of another"])
async def test_a_record_lost_before_the_status_names_the_job_costs_no_second_one(text):
    there = Installation()

    def interfere(_: str, body: dict) -> None:
        if body["kind"] == "BatchJob" and SUBMISSION in body["metadata"].get("annotations", {}):
            unsubscribe()
            other = text and foreign(there)
            there.kube.annotate(JOB, **{SUBMISSION: other})

    unsubscribe = there.kube.subscribe(interfere)
    async with there.running():
        await submitted(there, FOR_EVER)
        await there.clock.advance(700)
        assert submits(there) == 1
        assert shown(there, "jobId") == jobs(there)[0].id


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
async def test_nobody_stops_the_operator_by_damaging_the_record_of_a_finished_job(text):
    there = Installation()
    async with there.running():
        await finished(there)
        there.kube.annotate(JOB, **{SUBMISSION: text})
        await there.clock.advance(700)
        assert there.is_true(JOB, "Complete")
    async with there.running():  # which lists all objects
        await there.clock.advance(60)
        assert there.is_true(JOB, "Complete")
        assert submits(there) == 1


async def test_a_damaged_record_that_nothing_makes_up_for_is_said_and_goes_on_once_mended():
    there = Installation()
    lost_answer(there)
    async with there.running():
        await submitted(there, FOR_EVER)
    whole = recorded(there)
    there.kube.annotate(JOB, **{SUBMISSION: "damaged"})
    async with there.running():
        assert "Restore it" in await there.until(JOB, "Stalled", "InvalidRecord")
        there.kube.remove(JOB)
        await there.until(JOB, "DeletionBlocked", "InvalidRecord")
        there.kube.annotate(JOB, **{SUBMISSION: whole})
        await there.until_gone(JOB)
        assert (submits(there), alive(there)) == (1, 0)


async def test_another_object_of_the_name_has_a_job_of_its_own():
    there = Installation()
    async with there.running():
        await finished(there)
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        script(there, 5)
        there.apply(JOB, SPEC)
        await there.until(JOB, "Complete", within=3600)
        assert submits(there) == 2
