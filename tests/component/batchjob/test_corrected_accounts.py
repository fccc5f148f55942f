"""Conformance: the account of a job is corrected before anybody knows what became of it."""

from typing import Any

from tests.component.batchjob.runs import (
    FOR_EVER,
    JOB,
    SPEC,
    alive,
    jobs,
    lost_answer,
    ready,
    script,
    shown,
    submits,
)
from tests.support.installation import ACCOUNT, NAMESPACE, Installation

from awsbatch_operator.api.metadata import ObjectKey

FIRST, SECOND = (ObjectKey("AWSAccount", "", name) for name in ("first", "second"))
THEIRS = "222233334444"


OURS: dict[str, Any] = {"allowedNamespaces": {"names": [NAMESPACE]}}  # by our own identity


def by_role(number: str = ACCOUNT) -> dict[str, Any]:
    return OURS | {"roleArn": f"arn:aws:iam::{number}:role/batch-operator"}


def of(key: ObjectKey) -> dict[str, Any]:
    return SPEC | {"accountRef": {"name": key.name}}


async def made(there: Installation, second: dict[str, Any]) -> None:
    """All that a job needs which will run for ever, and the two accounts."""
    await ready(there)
    script(there, FOR_EVER)
    there.apply(FIRST, OURS)
    there.apply(SECOND, second)
    await there.until_ready(FIRST, SECOND)


async def submitted_in_the_first(there: Installation) -> None:
    """A job, whose answer is lost."""
    lost_answer(there)
    there.apply(JOB, of(FIRST))
    await there.clock.run_until(lambda: submits(there) > 0)


async def test_a_job_is_removed_through_the_account_that_it_was_corrected_to():
    """Both lead to one account of AWS: the first by an identity that may not submit jobs."""
    there = Installation()
    async with there.running():
        await made(there, by_role())
        there.fault(effect="deny", service="batch", operation="*Job", principal="*:user/*")
        there.apply(JOB, of(FIRST))
        await there.until(JOB, "Stalled", "PermissionDenied")
        there.apply(JOB, of(SECOND))
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=3600)
        there.kube.remove(FIRST)
        await there.until_gone(FIRST, within=5)
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        assert (len(jobs(there)), alive(there)) == (1, 0)


async def test_an_account_stays_while_a_job_may_have_been_submitted_in_it_whatever_it_names_now():
    there = Installation()
    async with there.running():
        await made(there, by_role(THEIRS))
        await submitted_in_the_first(there)
        there.apply(JOB, of(SECOND))
        await there.until(JOB, "Stalled", "ScopeChanged")
        there.kube.remove(FIRST)
        assert str(JOB) in await there.until(FIRST, "DeletionBlocked", "StillInUse")
        there.kube.remove(JOB)
        await there.until_gone(JOB, FIRST)
        assert (submits(there), len(jobs(there)), alive(there)) == (1, 1, 0)


async def test_an_account_that_a_job_was_corrected_to_stays_although_nothing_was_sent_again():
    """The answer came after the correction: the job is found, and no call needs a record."""
    there = Installation()
    async with there.running():
        await made(there, by_role())
        await submitted_in_the_first(there)
        there.apply(JOB, of(SECOND))
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=3600)
        there.kube.remove(FIRST)
        there.kube.remove(SECOND)
        await there.until_gone(FIRST, within=5)
        await there.until(SECOND, "DeletionBlocked", "StillInUse")
        there.kube.remove(JOB)
        await there.until_gone(JOB, SECOND)
        assert (submits(there), len(jobs(there)), alive(there)) == (1, 1, 0)
