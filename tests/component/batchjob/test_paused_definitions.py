"""A job on a definition that is paused, whose revision somebody has deregistered in AWS.

Nothing registers it anew while the definition is paused, so what helps is to go on with it, or to
name a revision that is there.
"""

import pytest
from tests.component.batchjob.runs import FOR_EVER, JOB, SPEC, jobs, ready, script
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION

from awsbatch_operator.api.metadata import PAUSED

REVISION = {"by name": None, "the newest by number": 2, "an older one by number": 1}


async def paused_and_deregistered(there: Installation, form: str, *, recorded: bool) -> None:
    """The job has been refused before that if `recorded`, or comes after it."""
    await ready(there)
    script(there, FOR_EVER)
    there.apply(DEFINITION, manifests.definition("second"))
    await there.until_ready(DEFINITION)
    await there.clock.advance(60)
    reference: dict[str, str | int | None] = {"name": "simulate"}
    if REVISION[form]:
        reference |= {"revision": REVISION[form]}
    arn = there.status(DEFINITION)["arn"]
    gone = f"{arn.rpartition(':')[0]}:{REVISION[form] or 2}"
    there.kube.annotate(DEFINITION, **{PAUSED: "true"})
    if recorded:
        there.fault(effect="deny", service="batch", operation="SubmitJob")
        there.apply(JOB, {**SPEC, "jobDefinitionRef": reference})
        await there.until(JOB, "Stalled", "PermissionDenied")
    there.aws().deregister_job_definition(jobDefinition=gone)
    await there.clock.advance(60)
    there.mend()
    if not recorded:
        there.apply(JOB, {**SPEC, "jobDefinitionRef": reference})


@pytest.mark.parametrize("recorded", [False, True], ids=["first run", "refused before"])
@pytest.mark.parametrize("form", REVISION)
@pytest.mark.parametrize("remedy", ["unpaused", "another revision"])
async def test_a_job_whose_paused_definition_lost_its_revision_is_mended_as_it_says(
    form, recorded, remedy
):
    there = Installation()
    async with there.running():
        await paused_and_deregistered(there, form, recorded=recorded)
        await there.clock.advance(120)
        type_ = "Stalled" if there.is_true(JOB, "Stalled") else "Reconciling"
        message = there.condition(JOB, type_)["message"]
        assert "correct the name" not in message
        assert "Correct the spec" not in message
        assert "awsbatch.dev/paused" in message, message
        assert "revision" in message
        if remedy == "unpaused":
            there.kube.annotate(DEFINITION, **{PAUSED: None})
            there.apply(JOB, SPEC)
        else:
            number = 2 if REVISION[form] == 1 else 1
            reference = {"name": "simulate", "revision": number}
            there.apply(JOB, {**SPEC, "jobDefinitionRef": reference})
        await there.clock.run_until(lambda: "jobId" in there.status(JOB), within=1800)
    assert len(jobs(there)) == 1


@pytest.mark.parametrize("revision", [{}, {"revision": 1}], ids=["by name", "by number"])
async def test_nothing_is_submitted_with_a_definition_that_is_being_deleted(revision):
    there = Installation()
    async with there.running():
        await ready(there)
        there.kube.annotate(DEFINITION, **{PAUSED: "true"})
        there.kube.remove(DEFINITION)
        there.apply(JOB, {**SPEC, "jobDefinitionRef": {"name": "simulate", **revision}})
        said = await there.until(JOB, "Reconciling", "ReferenceNotReady")
        assert "is being deleted" in said
        await there.clock.advance(600)
        assert jobs(there) == []
