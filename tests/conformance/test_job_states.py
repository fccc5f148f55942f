"""Conformance: how a job stands that is held, waits for others, or was ended, and who says what.

`kubectl wait`, kstatus (Flux, kpt) and Argo CD are asked in each state; the latter two agree about
each write on the way.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.conformance.doing import FOR_EVER, LONG, prepared, running, script
from tests.conformance.points import Point
from tests.conformance.subject import Subject
from tests.conformance.subjects import JOB
from tests.conformance.test_health import READY, STALLED, WORKING, Judge
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.job_remedies import MULTINODE, NODES
from tests.support.kstatus import Kstatus

from awsbatch_operator.api.metadata import ObjectKey

HELD = (Kstatus.CURRENT, "Suspended")
OTHER = ObjectKey("BatchJob", NAMESPACE, "before")
ON_OTHER = {"dependsOn": [{"jobRef": {"name": OTHER.name}}]}
DEADLINE_SECONDS = 120
ARRAY = {"arrayProperties": {"size": 20}}
GIT = {"kustomize.toolkit.fluxcd.io/name": "science"}
Asked = Callable[..., None]
State = Callable[[Installation, Subject, Asked], Awaitable[None]]


def met(body: dict[str, Any]) -> set[str]:
    """For which conditions `kubectl wait` returns: True, and of the newest generation.

    Source: kubernetes/kubectl, pkg/cmd/wait/condition.go.
    """
    listed = body.get("status", {}).get("conditions", ())
    newest = body["metadata"]["generation"]
    return {
        each["type"]
        for each in listed
        if each["status"] == "True" and each.get("observedGeneration", newest) >= newest
    }


async def held_from_the_start(there: Installation, subject: Subject, asked: Asked) -> None:
    await prepared(there, subject)
    there.apply(subject.key, {**subject.spec, "suspend": True})
    await there.until(subject.key, "Suspended")
    asked(HELD, "Suspended")
    there.apply(subject.key, subject.spec)
    await there.until(subject.key, "Reconciling")
    asked(WORKING)
    await there.until(subject.key, "Complete", within=LONG)
    asked(READY, "Complete")


async def held_while_it_runs(there: Installation, subject: Subject, asked: Asked) -> None:
    await running(there)
    there.apply(subject.key, {**subject.spec, "suspend": True})
    await there.until(subject.key, "Suspended", within=LONG)
    asked(HELD, "Suspended")
    there.apply(subject.key, subject.spec)
    await there.clock.run_until(
        lambda: there.status(subject.key).get("awsStatus") == "RUNNING", within=LONG
    )
    asked(WORKING)


async def an_array_in_progress(there: Installation, subject: Subject, asked: Asked) -> None:
    script(there, 120)
    await prepared(there, subject)
    there.apply(subject.key, {**subject.spec, **ARRAY})
    await there.until(subject.key, "Reconciling", "Running", within=LONG)
    assert there.status(subject.key)["awsStatus"] == "PENDING"
    asked(WORKING)
    await there.until(subject.key, "Complete", within=LONG)
    asked(READY, "Complete")


async def an_array_of_which_some_failed(
    there: Installation, subject: Subject, asked: Asked
) -> None:
    script(there, 5, exit_code=3, indexes=(1,))
    await prepared(there, subject)
    there.apply(subject.key, {**subject.spec, **ARRAY})
    await there.until(subject.key, "Failed", "ApplicationExit", within=LONG)
    asked(STALLED, "Failed", "Stalled")


async def waiting_for_others(there: Installation, subject: Subject, asked: Asked) -> None:
    script(there, 60)
    await prepared(there, subject)
    there.apply(subject.key, {**subject.spec, **ON_OTHER})
    await there.until(subject.key, "Reconciling", "ReferenceNotFound")
    asked(WORKING)
    there.apply(OTHER, {**subject.spec, "suspend": True})
    await there.until(subject.key, "Reconciling", "WaitingForJob")
    asked(WORKING)
    there.apply(OTHER, subject.spec)
    await there.clock.run_until(
        lambda: there.status(subject.key).get("awsStatus") == "PENDING", within=LONG
    )
    asked(WORKING)
    await there.until(subject.key, "Complete", within=LONG)
    asked(READY, "Complete")


async def failed_because_of_another(there: Installation, subject: Subject, asked: Asked) -> None:
    script(there, 5, exit_code=3)
    await prepared(there, subject)
    there.apply(OTHER, subject.spec)
    await there.until(OTHER, "Failed", within=LONG)
    there.apply(subject.key, {**subject.spec, **ON_OTHER})
    await there.until(subject.key, "Failed", "DependencyFailed")
    asked(STALLED, "Failed", "Stalled")
    script(there, 5)
    there.remove(OTHER)
    await there.until_gone(OTHER)
    there.apply(OTHER, subject.spec)
    await there.until(subject.key, "Complete", within=LONG)
    asked(READY, "Complete")


async def out_of_time(there: Installation, subject: Subject, asked: Asked) -> None:
    script(there, FOR_EVER)
    await prepared(there, subject)
    there.apply(subject.key, {**subject.spec, "activeDeadlineSeconds": DEADLINE_SECONDS})
    await there.until(subject.key, "Failed", "DeadlineExceeded", within=LONG)
    asked(STALLED, "Failed", "Stalled")


async def kept_in_spite_of_its_ttl(there: Installation, subject: Subject, asked: Asked) -> None:
    await prepared(there, subject)
    there.apply(subject.key, {**subject.spec, "ttlSecondsAfterFinished": 60}, labels=GIT)
    await there.until(subject.key, "Complete", within=LONG)
    await there.clock.advance(120)
    asked(READY, "Complete", "TTLIgnored")


async def nodes_where_none_can_run(there: Installation, subject: Subject, asked: Asked) -> None:
    await prepared(there, subject)
    spot = manifests.environment(type="SPOT", allocationStrategy="SPOT_CAPACITY_OPTIMIZED")
    named = ObjectKey("ComputeEnvironment", NAMESPACE, "spot")
    there.apply(named, spot)
    there.apply(NODES, MULTINODE)
    await there.until_ready(named, NODES, within=LONG)
    there.apply(manifests.QUEUE, manifests.queue("spot"))
    await there.clock.advance(60)
    there.apply(subject.key, manifests.job(jobDefinitionRef={"name": NODES.name}))
    await there.until(subject.key, "Stalled", "MultiNodeNotSupported", within=LONG)
    asked(STALLED, "Stalled")
    there.apply(manifests.QUEUE, manifests.queue())
    await there.until(subject.key, "Complete", within=LONG)
    asked(READY, "Complete")


async def in_another_run(there: Installation, subject: Subject, asked: Asked) -> None:
    script(there, 5, exit_code=3)
    await prepared(there, subject)
    there.apply(subject.key, {**subject.spec, "rerunPolicy": "OnChange"})
    await there.until(subject.key, "Failed", within=LONG)
    asked(STALLED, "Failed", "Stalled")
    script(there, 60)
    changed = {**subject.spec, "rerunPolicy": "OnChange", "parameters": {"year": "2025"}}
    there.apply(subject.key, changed)
    asked(WORKING)
    await there.clock.run_until(
        lambda: there.status(subject.key).get("awsStatus") == "RUNNING", within=LONG
    )
    asked(WORKING)
    await there.until(subject.key, "Complete", within=LONG)
    asked(READY, "Complete")


STATES: tuple[State, ...] = (
    held_from_the_start,
    held_while_it_runs,
    an_array_in_progress,
    an_array_of_which_some_failed,
    waiting_for_others,
    failed_because_of_another,
    out_of_time,
    kept_in_spite_of_its_ttl,
    nodes_where_none_can_run,
    in_another_run,
)


@pytest.mark.parametrize("state", STATES, ids=lambda each: each.__name__)
@pytest.mark.conforms(Point.KSTATUS, JOB)
@pytest.mark.conforms(Point.ARGO_CD, JOB)
async def test_each_state_of_a_job_is_judged_as_documented(subject: Subject, state: State):
    there = Installation()
    judge = Judge(there, subject)

    def asked(wanted: tuple[Kstatus, str], *conditions: str) -> None:
        assert judge() == wanted
        assert met(there.kube.see(subject.key)) - {"Reconciling"} == set(conditions)

    async with there.running():
        await state(there, subject, asked)
    assert len(judge.bodies) > 1
    assert judge.disagreed == []
