"""Conformance: what was recorded is looked at, whatever holds back what is new.

Each gate about today's spec stands while the outcome of a submission is unknown, or while the job
runs. The status shows the job and its end as soon as ever, and nothing is changed in AWS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.component.batchjob.runs import JOB, SPEC, jobs, ready, script, shown, submits
from tests.support import manifests
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.manifests import DEFAULT_ACCOUNT, DEFINITION, QUEUE, SPECS

from awsbatch_operator.api.metadata import PAUSED, ObjectKey

RESEARCH = ObjectKey("AWSAccount", "", "research")
BROKEN = ObjectKey("JobDefinition", NAMESPACE, "broken")
ELSEWHERE = {"roleArn": "arn:aws:iam::222233334444:role/batch-operator"}
SERVES = {
    "roleArn": f"arn:aws:iam::{ACCOUNT}:role/batch-operator",
    "allowedNamespaces": {"names": [NAMESPACE]},
}
SPEC_OF_JOB = SPEC | {"accountRef": {"name": RESEARCH.name}}
Do = Callable[[Installation], None]


def edited(**spec: Any) -> Do:
    return lambda there: there.apply(JOB, SPEC_OF_JOB | spec)


def retained(key: ObjectKey) -> Do:
    """The object goes, and what it has in AWS stays."""

    def do(there: Installation) -> None:
        there.apply(key, {**SPECS[key], "deletionPolicy": "Retain"})
        there.kube.remove(key)

    return do


def unready(there: Installation) -> None:
    there.apply(BROKEN, manifests.definition(), annotations={PAUSED: "true"})
    edited(jobDefinitionRef={"name": BROKEN.name})(there)


def changed_and_paused(there: Installation) -> None:
    there.kube.annotate(DEFINITION, **{PAUSED: "true"})
    there.apply(DEFINITION, manifests.definition("false"))


def paused(text: str | None) -> Do:
    return lambda there: there.kube.annotate(JOB, **{PAUSED: text})


def account(key: ObjectKey, **spec: Any) -> Do:
    return lambda there: there.apply(key, spec)


def nowhere(there: Installation) -> None:
    there.kube.remove(DEFAULT_ACCOUNT)


@dataclass(frozen=True, slots=True)
class Gate:
    """What shuts it while the outcome is unknown, and while the job is known; what opens it.

    `reason` is that of the condition; `of_jobs`: it matters also to a job that is in AWS already,
    and `of_ended`: to one that has ended.
    """

    reason: str
    shut: Do
    open: Do
    shut_late: Do | None = None
    condition: str = "Stalled"
    of_jobs: bool = True
    of_ended: bool = False


GATES = {
    "missing queue": Gate(
        "ReferenceNotFound",
        edited(jobQueueRef={"name": "nowhere"}),
        edited(),
        retained(QUEUE),
        condition="Reconciling",
        of_jobs=False,
    ),
    "missing definition": Gate(
        "ReferenceNotFound",
        edited(jobDefinitionRef={"name": "nowhere"}),
        edited(),
        retained(DEFINITION),
        condition="Reconciling",
        of_jobs=False,
    ),
    "unready definition": Gate(
        "ReferenceNotReady",
        unready,
        edited(),
        changed_and_paused,
        condition="Reconciling",
        of_jobs=False,
    ),
    "unsound spec": Gate("InvalidSpec", edited(logs={"statusLines": 99}), edited(), of_ended=True),
    "suspend": Gate("NotSupportedYet", edited(suspend=True), edited(), of_ended=True),
    "account not allowed any more": Gate(
        "NotAllowed",
        account(RESEARCH, **{**SERVES, "allowedNamespaces": {"names": ["other"]}}),
        account(RESEARCH, **SERVES),
    ),
    "another account by default": Gate(
        "ScopeChanged", account(DEFAULT_ACCOUNT, **ELSEWHERE), nowhere
    ),
    "paused": Gate("PausedByAnnotation", paused("true"), paused(None), condition="Paused"),
}
EVERY = pytest.mark.parametrize("name", GATES)


def spec_behind(name: str) -> dict[str, Any]:
    return SPEC if name == "another account by default" else SPEC_OF_JOB


async def prepared(there: Installation, seconds: float) -> None:
    """Everything that a job needs; jobs run that long."""
    await ready(there)
    script(there, seconds, "hello")
    there.apply(RESEARCH, SERVES)
    await there.until_ready(RESEARCH)


def is_told(there: Installation, gate: Gate) -> bool:
    return there.is_true(JOB, gate.condition, gate.reason)


def has_succeeded(there: Installation) -> bool:
    """For whatever generation: an edit that came after the submission does not run."""
    found = there.condition(JOB, "Complete")
    return found.get("status") == "True" and found["reason"] == "Succeeded"


def orders(there: Installation) -> int:
    """How many calls have changed something about jobs."""
    return submits(there) + there.calls.count("batch:TerminateJob")


async def at_rest(there: Installation) -> None:
    """Nothing more is written, nor sent."""
    version, sent = there.kube.see(JOB)["metadata"]["resourceVersion"], orders(there)
    await there.clock.advance(700)  # a resync is among it
    assert there.kube.see(JOB)["metadata"]["resourceVersion"] == version
    assert orders(there) == sent


async def ends_as_told(there: Installation, gate: Gate, duration: float) -> None:
    """The job is shown, and its end when it comes; of the gate, what still matters."""
    (job,) = jobs(there)
    await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=90)
    assert shown(there, "jobId") == job.id
    assert is_told(there, gate) == gate.of_jobs
    await there.clock.run_until(lambda: has_succeeded(there), within=duration)
    assert there.clock.now().epoch - job.started_at / 1000 - duration < 20
    assert shown(there, "logs")["lastLines"] == ["hello"]
    assert is_told(there, gate) == (gate.of_ended or gate.condition == "Paused")
    assert [reason for reason, _ in there.events(JOB)].count("Succeeded") == 1
    await at_rest(there)


@EVERY
async def test_a_job_of_unknown_outcome_is_found_and_followed_behind_every_gate(name):
    there, gate = Installation(), GATES[name]
    there.fault(effect="drop_after", service="batch", operation="SubmitJob", times=1)
    async with there.running():
        await prepared(there, 200)
        there.apply(JOB, spec_behind(name))
        await there.clock.run_until(lambda: submits(there) > 0, within=600)
        gate.shut(there)
        await there.clock.run_until(lambda: is_told(there, gate), within=90)
        await ends_as_told(there, gate, 200)
        if is_told(there, gate):
            gate.open(there)
            await there.clock.run_until(lambda: not is_told(there, gate), within=5)
            assert has_succeeded(there)
            await at_rest(there)
        assert orders(there) == 1


@EVERY
async def test_what_never_reached_aws_is_not_sent_before_the_gate_opens(name):
    there, gate = Installation(), GATES[name]
    there.fault(effect="drop_before", service="batch", operation="SubmitJob", times=1)
    async with there.running():
        await prepared(there, 5)
        there.apply(JOB, spec_behind(name))
        await there.clock.run_until(lambda: submits(there) > 0, within=600)
        gate.shut(there)
        await there.clock.run_until(lambda: is_told(there, gate), within=90)
        await there.clock.advance(90)
        assert is_told(there, gate)
        await at_rest(there)
        assert "jobId" not in there.status(JOB)
        assert submits(there) == 1
        gate.open(there)
        await there.until(JOB, "Complete", within=1800)
        assert (submits(there), len(jobs(there))) == (2, 1)


@EVERY
async def test_a_job_that_runs_is_followed_to_its_end_behind_every_gate(name):
    there, gate = Installation(), GATES[name]
    async with there.running():
        await prepared(there, 400)
        there.apply(JOB, spec_behind(name))
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=900)
        (gate.shut_late or gate.shut)(there)
        await there.clock.advance(30)
        await ends_as_told(there, gate, 400)
        assert orders(there) == 1
