"""Conformance: kstatus and Argo CD judge every status that is really written as documented."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from tests.conformance.doing import (
    FOR_EVER,
    LONG,
    PAUSE,
    RESUME,
    made,
    prepared,
    refuse,
    running,
    script,
)
from tests.conformance.image_subject import IMAGE
from tests.conformance.points import Point
from tests.conformance.subject import Subject
from tests.conformance.subjects import ACCOUNT, ENVIRONMENTS, JOB, LASTING, QUEUE
from tests.support import manifests
from tests.support.argocd import script_of
from tests.support.installation import Installation
from tests.support.kstatus import Kstatus, kstatus

NEW = (Kstatus.IN_PROGRESS, "Progressing")
WORKING = (Kstatus.IN_PROGRESS, "Progressing")
READY = (Kstatus.CURRENT, "Healthy")
STALLED = (Kstatus.FAILED, "Degraded")
DELETING = (Kstatus.TERMINATING, "Progressing")
# Which answers of Argo CD go with one of kstatus, at any time.
ALIKE = {
    Kstatus.IN_PROGRESS: {"Progressing"},
    Kstatus.CURRENT: {"Healthy", "Suspended"},
    Kstatus.FAILED: {"Degraded"},
    Kstatus.TERMINATING: {"Progressing"},
}


class Judge:
    """Judges each version of an object that is ever written."""

    def __init__(self, there: Installation, subject: Subject) -> None:
        self._there, self._subject = there, subject
        self._script = script_of(subject.kind)
        self.disagreed: list[Any] = []
        self.bodies: list[Any] = []  # each version, for who judges them with other means
        there.kube.subscribe(self._see)

    def __call__(self) -> tuple[Kstatus, str]:
        """Both answers about the object as it is now."""
        return self._both(self._there.kube.see(self._subject.key))

    def message(self) -> str:
        return self._script.judge(self._there.kube.see(self._subject.key)).message

    def _both(self, body: Any) -> tuple[Kstatus, str]:
        return kstatus(body), self._script.judge(body).status

    def _see(self, change: str, body: Any) -> None:
        if body["kind"] != self._subject.kind:
            return
        self.bodies.append(body)
        flux, argo = self._both(body)
        if argo not in ALIKE[flux]:
            self.disagreed.append((change, flux, argo, body))


Situation = Callable[[Installation, Subject, Judge], Awaitable[None]]


async def from_new_to_gone(there: Installation, subject: Subject, judge: Judge) -> None:
    script(there, 60)
    await prepared(there, subject)
    refuse(there, subject, "error", times=1)  # so that it is seen at work, whatever its kind
    there.apply(subject.key, subject.spec)
    assert judge() == NEW
    await there.until(subject.key, "Reconciling", within=LONG)
    assert judge() == WORKING
    await there.until(subject.key, subject.reached, within=LONG)
    assert judge() == READY
    there.kube.annotate(subject.key, **PAUSE)
    await there.until(subject.key, "Paused")
    assert judge() == READY
    there.kube.annotate(subject.key, **RESUME)
    await there.clock.advance(60)
    there.apply(subject.key, subject.unfelt)
    assert judge() == NEW, "nobody has looked at the edit yet"
    await there.until(subject.key, subject.reached, within=LONG)
    assert judge() == READY
    there.remove(subject.key)
    if there.kube.exists(subject.key):
        assert judge() == DELETING
    await there.until_gone(subject.key)


async def from_refused_to_healed(there: Installation, subject: Subject, judge: Judge) -> None:
    await prepared(there, subject)
    refuse(there, subject, "deny")
    there.apply(subject.key, subject.spec)
    message = await there.until(subject.key, "Stalled", within=LONG)
    assert judge() == STALLED
    assert judge.message() == message, "Argo CD shows what is to be done"
    there.mend()
    await there.until(subject.key, subject.reached, within=LONG)
    assert judge() == READY


async def paused_from_the_start(there: Installation, subject: Subject, judge: Judge) -> None:
    await prepared(there, subject)
    there.apply(subject.key, subject.spec, annotations=dict(PAUSE))
    message = await there.until(subject.key, "Paused")
    assert judge() == NEW
    assert judge.message() == message
    there.kube.annotate(subject.key, **RESUME)
    await there.until(subject.key, subject.reached, within=LONG)
    assert judge() == READY


async def throttled_for_a_while(there: Installation, subject: Subject, judge: Judge) -> None:
    await prepared(there, subject)
    refuse(there, subject, "throttle")
    there.apply(subject.key, subject.spec)
    await there.until(subject.key, "Reconciling", "Throttled", within=LONG)
    assert judge() == WORKING
    there.mend()
    await there.until(subject.key, subject.reached, within=LONG)
    assert judge() == READY


SITUATIONS = (
    from_new_to_gone,
    from_refused_to_healed,
    paused_from_the_start,
    throttled_for_a_while,
)


async def judged(subject: Subject, situation: Situation) -> None:
    there = Installation()
    judge = Judge(there, subject)
    async with there.running():
        await situation(there, subject, judge)
    assert len(judge.bodies) > 1
    assert judge.disagreed == []


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.__name__)
@pytest.mark.conforms(Point.KSTATUS)
@pytest.mark.conforms(Point.ARGO_CD)
async def test_each_status_is_judged_as_documented(subject: Subject, situation: Situation):
    await judged(subject, situation)


async def before_all_others(there: Installation, subject: Subject, judge: Judge) -> None:
    there.apply(subject.key, subject.spec)
    await there.until(subject.key, "Reconciling", "ReferenceNotFound")
    assert judge() == WORKING
    await prepared(there, subject)
    await there.until(subject.key, subject.reached, within=LONG)
    assert judge() == READY


@pytest.mark.conforms(Point.KSTATUS, QUEUE, JOB)
@pytest.mark.conforms(Point.ARGO_CD, QUEUE, JOB)
async def test_what_waits_for_others_is_in_progress(subject: Subject):
    await judged(subject, before_all_others)


async def disabled(there: Installation, subject: Subject, judge: Judge) -> None:
    await made(there, subject)
    there.apply(subject.key, {**subject.spec, "state": "DISABLED"})
    await there.until(subject.key, "Ready", "Disabled", within=LONG)
    assert judge() == READY


@pytest.mark.conforms(Point.KSTATUS, *ENVIRONMENTS, QUEUE)
@pytest.mark.conforms(Point.ARGO_CD, *ENVIRONMENTS, QUEUE)
async def test_what_is_disabled_on_purpose_is_healthy(subject: Subject):
    await judged(subject, disabled)


async def failed(there: Installation, subject: Subject, judge: Judge) -> None:
    script(there, 5, exit_code=3)
    await prepared(there, subject)
    there.apply(subject.key, subject.spec)
    message = await there.until(subject.key, "Failed", within=LONG)
    assert judge() == STALLED
    assert judge.message() == message


def _shows(there: Installation, subject: Subject, state: str) -> bool:
    return bool(there.status(subject.key).get("awsStatus") == state)


async def at_work(there: Installation, subject: Subject, judge: Judge) -> None:
    script(there, FOR_EVER)
    await prepared(there, subject)
    there.apply(subject.key, subject.spec)
    for state in ("SUBMITTED", "RUNNING"):
        shown = partial(_shows, there, subject, state)
        await there.clock.run_until(shown, within=LONG)
        assert judge() == WORKING


@pytest.mark.parametrize("situation", [failed, at_work], ids=lambda each: each.__name__)
@pytest.mark.conforms(Point.KSTATUS, JOB)
@pytest.mark.conforms(Point.ARGO_CD, JOB)
async def test_a_job_at_work_is_in_progress_and_a_failed_one_degraded(subject, situation):
    await judged(subject, situation)


async def undeletable(there: Installation, subject: Subject, judge: Judge) -> None:
    await (running(there) if subject is JOB else made(there, subject))
    service, _, operation = subject.unmakes.partition(":")
    there.fault(effect="deny", service=service, operation=operation)
    there.remove(subject.key)
    await there.until(subject.key, "DeletionBlocked", "PermissionDenied")
    assert judge() == DELETING
    there.mend()
    await there.until_gone(subject.key)


@pytest.mark.conforms(Point.KSTATUS, *LASTING, IMAGE, JOB)
@pytest.mark.conforms(Point.ARGO_CD, *LASTING, IMAGE, JOB)
async def test_a_deletion_that_aws_refuses_is_terminating_and_goes_on_by_itself(subject: Subject):
    await judged(subject, undeletable)


async def held_up(there: Installation, subject: Subject, judge: Judge) -> None:
    await made(there, subject)
    policy = manifests.POLICY
    there.apply(policy, manifests.policy(accountRef={"name": subject.key.name}))
    await there.until_ready(policy)
    there.remove(subject.key)
    await there.until(subject.key, "DeletionBlocked")
    assert judge() == DELETING


@pytest.mark.conforms(Point.KSTATUS, ACCOUNT)
@pytest.mark.conforms(Point.ARGO_CD, ACCOUNT)
async def test_a_deletion_that_is_held_up_is_terminating(subject: Subject):
    await judged(subject, held_up)
