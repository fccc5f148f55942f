"""kstatus' library and Argo CD's engine judge all that the operator writes as documented."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import yaml
from tests.conformance.image_subject import IMAGE
from tests.conformance.subject import Subject
from tests.conformance.subjects import ACCOUNT, DEFINITION, EC2, JOB, POLICY, QUEUE
from tests.conformance.test_health import (
    SITUATIONS,
    Judge,
    at_work,
    before_all_others,
    disabled,
    failed,
    held_up,
    undeletable,
)
from tests.conformance.test_job_states import STATES as JOB_STATES
from tests.conformance.test_job_states import State as JobState
from tests.gitops.health_table import JUDGED, STATES, State, is_paused, state_of
from tests.support.argocd import SCRIPTS, script_of
from tests.support.gitops_tools import Judgement
from tests.support.installation import Installation
from tests.support.kstatus import kstatus

from awsbatch_operator.api.metadata import GROUP
from awsbatch_operator.assembly import KINDS

Situation = Callable[[Installation, Subject, Judge], Awaitable[None]]
SUBJECTS = {each.kind: each for each in (EC2, QUEUE, DEFINITION, POLICY, IMAGE, JOB, ACCOUNT)}


def of_a_job(state: JobState) -> Situation:
    """A state of the conformance suite, as a situation: what it asks on the way is asked there."""

    async def situation(there: Installation, subject: Subject, judge: Judge) -> None:
        await state(there, subject, lambda *_: None)

    return situation


SPECIAL: dict[str, tuple[Situation, ...]] = {
    EC2.kind: (disabled, undeletable),
    QUEUE.kind: (before_all_others, disabled, undeletable),
    DEFINITION.kind: (undeletable,),
    POLICY.kind: (undeletable,),
    IMAGE.kind: (undeletable,),
    ACCOUNT.kind: (held_up,),
    JOB.kind: (before_all_others, failed, at_work, undeletable, *map(of_a_job, JOB_STATES)),
}


async def written_in(subject: Subject, situation: Situation) -> list[Any]:
    """Each version of each object of the subject's kind that is ever written in a situation."""
    there = Installation()
    seen = Judge(there, subject)
    async with there.running():
        await situation(there, subject, seen)
    return seen.bodies


def test_the_table_has_a_row_for_each_state_and_each_kind():
    assert set(JUDGED) == set(State)
    assert set(STATES) == set(KINDS) == set(SUBJECTS) == set(SPECIAL)
    assert frozenset().union(*STATES.values()) == set(State)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
async def test_all_that_is_written_in_every_state_of_a_kind_is_judged_as_the_table_says(
    kind, judge
):
    subject = SUBJECTS[kind]
    bodies = []
    for situation in (*SITUATIONS, *SPECIAL[kind]):
        bodies += await written_in(subject, situation)
    said = judge(bodies)
    found = [(each.kstatus, each.argocd) for each in said]
    wrong = [
        (state_of(body), each, body)
        for body, each in zip(bodies, found, strict=True)
        if each != JUDGED[state_of(body)]
    ]
    assert wrong == []
    assert {state_of(body) for body in bodies} == STATES[kind]
    assert any(map(is_paused, bodies))
    assert said == [as_in_conformance(body) for body in bodies]


def as_in_conformance(body: dict[str, Any]) -> Judgement:
    """What the suite's own small kstatus and its Lua say, which judge there without Go."""
    argo = script_of(body["kind"]).judge(body)
    return Judgement(str(kstatus(body)), argo.status, argo.message)


def beside_the_scripts() -> list[Any]:
    """What stands beside the scripts: (object, status and message that Argo CD is to show)."""
    found = []
    for kind in KINDS:
        folder = SCRIPTS / GROUP / kind
        listed = yaml.safe_load((folder / "health_test.yaml").read_text(encoding="utf-8"))
        for case in listed["tests"]:
            body = yaml.safe_load((folder / case["inputPath"]).read_text(encoding="utf-8"))
            found.append((body, case["healthStatus"]))
    return found


def test_argo_cd_says_of_the_test_data_what_stands_beside_it(judge):
    cases = beside_the_scripts()
    assert len(cases) > len(KINDS)
    said = judge([body for body, _ in cases])
    found = [{"status": each.argocd, "message": each.message} for each in said]
    assert found == [wanted for _, wanted in cases]


def test_whatever_the_conditions_say_a_newer_generation_is_in_progress(judge):
    bodies = [
        body for body, _ in beside_the_scripts() if "deletionTimestamp" not in body["metadata"]
    ]
    for body in bodies:
        body["metadata"]["generation"] = body.get("status", {}).get("observedGeneration", 0) + 1
    said = {(each.kstatus, each.argocd) for each in judge(bodies)}
    assert said == {JUDGED[State.EDITED]}
