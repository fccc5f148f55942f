"""Conformance: what was recorded is looked at, whatever holds back what is new.

Behind each gate about today's spec stand three jobs: one that runs in AWS although the answer to
its submission was lost, one of which AWS knows nothing, and one that was seen to run before. The
statuses show what runs and its end as soon as ever, and nothing is changed in AWS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.component.batchjob.runs import SPEC, jobs, ready, script, submits
from tests.support import manifests
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.manifests import DEFAULT_ACCOUNT, DEFINITION, QUEUE, SPECS

from awsbatch_operator.api.metadata import PAUSED, ObjectKey

RESEARCH = ObjectKey("AWSAccount", "", "research")
BROKEN = ObjectKey("JobDefinition", NAMESPACE, "broken")
LOST, ABSENT, KNOWN = (
    ObjectKey("BatchJob", NAMESPACE, name) for name in ("lost", "absent", "known")
)
ELSEWHERE = {"roleArn": "arn:aws:iam::222233334444:role/batch-operator"}
SERVES = {
    "roleArn": f"arn:aws:iam::{ACCOUNT}:role/batch-operator",
    "allowedNamespaces": {"names": [NAMESPACE]},
}
SPEC_OF_JOB = SPEC | {"accountRef": {"name": RESEARCH.name}}
RUNS_SECONDS = 200.0
Do = Callable[[Installation], None]


def edited(*keys: ObjectKey, **spec: Any) -> Do:
    def do(there: Installation) -> None:
        for key in keys or (LOST, ABSENT):
            there.apply(key, SPEC_OF_JOB | spec)

    return do


def restored(there: Installation) -> None:
    """What a person does who has made a mistake; a job that has run cannot be edited so."""
    for key in (QUEUE, DEFINITION):
        there.apply(key, SPECS[key])
        there.kube.annotate(key, **{PAUSED: None})
    edited(ABSENT)(there)


def retained(key: ObjectKey) -> Do:
    """The object goes, and what it has in AWS stays."""

    def do(there: Installation) -> None:
        there.apply(key, {**SPECS[key], "deletionPolicy": "Retain"})
        there.kube.remove(key)

    return do


def unready(there: Installation) -> None:
    there.apply(BROKEN, manifests.definition(), annotations={PAUSED: "true"})
    edited(jobDefinitionRef={"name": BROKEN.name})(there)
    there.kube.annotate(DEFINITION, **{PAUSED: "true"})
    there.apply(DEFINITION, manifests.definition("false"))


def paused(text: str | None, *keys: ObjectKey) -> Do:
    def do(there: Installation) -> None:
        for key in keys or (LOST, ABSENT, KNOWN):
            there.kube.annotate(key, **{PAUSED: text})

    return do


def account(key: ObjectKey, **spec: Any) -> Do:
    return lambda there: there.apply(key, spec)


def both(first: Do, second: Do) -> Do:
    def do(there: Installation) -> None:
        first(there)
        second(there)

    return do


@dataclass(frozen=True, slots=True)
class Gate:
    """What shuts it and what opens it, and the condition that tells of it.

    `of_jobs`: it matters also to a job that is in AWS already, and `of_ended`: to one that ended.
    """

    reason: str
    shut: Do
    open: Do
    condition: str = "Stalled"
    of_jobs: bool = True
    of_ended: bool = False
    spec: dict[str, Any] | None = None

    def is_told(self, there: Installation, key: ObjectKey) -> bool:
        return there.is_true(key, self.condition, self.reason)


def of_spec(reason: str, **spec: Any) -> Gate:
    every = (LOST, ABSENT, KNOWN)
    return Gate(reason, edited(*every, **spec), edited(*every), of_ended=True)


def of_reference(reason: str, shut: Do) -> Gate:
    return Gate(reason, shut, restored, condition="Reconciling", of_jobs=False)


GATES = {
    "missing queue": of_reference(
        "ReferenceNotFound", both(edited(jobQueueRef={"name": "nowhere"}), retained(QUEUE))
    ),
    "missing definition": of_reference(
        "ReferenceNotFound",
        both(edited(jobDefinitionRef={"name": "nowhere"}), retained(DEFINITION)),
    ),
    "unready definition": of_reference("ReferenceNotReady", unready),
    "unsound spec": of_spec("InvalidSpec", logs={"statusLines": 99}),
    "account not allowed any more": Gate(
        "NotAllowed",
        account(RESEARCH, **{**SERVES, "allowedNamespaces": {"names": ["other"]}}),
        account(RESEARCH, **SERVES),
    ),
    "another account by default": Gate(
        "ScopeChanged",
        account(DEFAULT_ACCOUNT, **ELSEWHERE),
        lambda there: there.kube.remove(DEFAULT_ACCOUNT),
        spec=SPEC,
    ),
    "paused": Gate(
        "PausedByAnnotation", paused("true"), paused(None), condition="Paused", of_ended=True
    ),
}


async def three_jobs(there: Installation, spec: dict[str, Any]) -> None:
    """One that runs, and two submissions without an answer, of which only one came to AWS."""
    await ready(there)
    script(there, RUNS_SECONDS, "hello")
    there.apply(RESEARCH, SERVES)
    await there.until_ready(RESEARCH)
    there.apply(KNOWN, spec)
    await there.clock.run_until(
        lambda: there.status(KNOWN).get("awsStatus") == "RUNNING", within=900
    )
    for key, effect in ((LOST, "drop_after"), (ABSENT, "drop_before")):
        there.fault(effect=effect, service="batch", operation="SubmitJob", times=1)
        there.apply(key, spec)
        await until_sent(there, submits(there) + 1)


async def until_sent(there: Installation, count: int) -> None:
    await there.clock.run_until(lambda: submits(there) == count)


def has_succeeded(there: Installation, key: ObjectKey) -> bool:
    """For whatever generation: an edit that came after the submission does not run."""
    found = there.condition(key, "Complete")
    return found.get("status") == "True" and found["reason"] == "Succeeded"


def written(there: Installation) -> list[str]:
    """The versions of the three, and how many calls have changed something about jobs."""
    versions = [there.kube.see(key)["metadata"]["resourceVersion"] for key in (LOST, ABSENT, KNOWN)]
    return [*versions, str(submits(there)), str(there.calls.count("batch:TerminateJob"))]


async def end_as_told(there: Installation, gate: Gate) -> None:
    """The two jobs in AWS are shown, and their ends when they come; of the gate, what matters."""
    both_jobs = dict(zip((KNOWN, LOST), jobs(there), strict=True))
    await there.clock.run_until(lambda: "jobId" in there.status(LOST), within=90)
    for key, job in both_jobs.items():
        assert there.status(key)["jobId"] == job.id
        assert there.status(key)["awsStatus"] == "RUNNING"
        assert gate.is_told(there, key) == gate.of_jobs
    for key, job in both_jobs.items():
        await there.clock.run_until(
            lambda key=key: has_succeeded(there, key),  # type: ignore[misc]
            within=RUNS_SECONDS,
        )
        assert there.clock.now().epoch - job.started_at / 1000 - RUNS_SECONDS < 20
        assert there.status(key)["logs"]["lastLines"] == ["hello"]
        assert gate.is_told(there, key) == gate.of_ended
        assert [reason for reason, _ in there.events(key)].count("Succeeded") == 1


@pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
async def test_what_was_recorded_is_followed_to_its_end_and_nothing_new_begins(gate):
    there = Installation()
    async with there.running():
        await three_jobs(there, gate.spec or SPEC_OF_JOB)
        gate.shut(there)
        await there.clock.run_until(lambda: gate.is_told(there, ABSENT), within=10)
        await end_as_told(there, gate)
        before = written(there)
        await there.clock.advance(700)  # a resync is among it
        assert written(there) == before
        assert gate.is_told(there, ABSENT)
        assert "jobId" not in there.status(ABSENT)
        assert (submits(there), len(jobs(there))) == (3, 2)
        gate.open(there)
        await there.clock.run_until(lambda: has_succeeded(there, ABSENT), within=1800)
        assert not gate.is_told(there, LOST)
        assert has_succeeded(there, LOST)
        assert (submits(there), len(jobs(there))) == (4, 3)
        assert "batch:TerminateJob" not in there.calls


async def test_an_operator_that_starts_behind_a_gate_finds_what_another_has_recorded():
    there, gate = Installation(), GATES["unsound spec"]
    async with there.running():
        await three_jobs(there, SPEC_OF_JOB)
        gate.shut(there)
    async with there.running():
        await end_as_told(there, gate)
        assert (submits(there), len(jobs(there))) == (3, 2)


@pytest.mark.parametrize("change", ["resumed", "edited"])
async def test_a_job_that_has_ended_calls_for_nobody_because_of_its_account(change):
    """Whatever has it looked at once more after its end: nothing of it is held back."""
    there, gate = Installation(), GATES["account not allowed any more"]
    async with there.running():
        await ready(there)
        script(there, RUNS_SECONDS)
        there.apply(RESEARCH, SERVES)
        there.apply(KNOWN, SPEC_OF_JOB)
        await there.clock.run_until(lambda: "jobId" in there.status(KNOWN))
        if change == "resumed":
            paused("true", KNOWN)(there)
        gate.shut(there)
        await there.clock.run_until(lambda: has_succeeded(there, KNOWN), within=900)
        if change == "resumed":
            paused(None, KNOWN)(there)
        else:
            there.apply(KNOWN, SPEC_OF_JOB | {"deletionPolicy": "Retain"})
        await there.clock.advance(60)
        assert there.status(KNOWN)["observedGeneration"] == 1 + (change == "edited")
        assert not there.is_true(KNOWN, "Paused")
        assert not there.is_true(KNOWN, "Stalled")
        assert there.is_true(KNOWN, "Complete", "Succeeded")
