"""Conformance: a repeat goes to the recorded queue only while that is still the JobQueue's own."""

from tests.component.batchjob.runs import JOB, SPEC, jobs, submits
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, SPECS

from awsbatch_operator.api.metadata import PAUSED, ObjectKey

THEIRS = ObjectKey("JobQueue", "other", "theirs")
SHARED = manifests.queue(awsName="shared")


async def lost_to_another(there: Installation) -> None:
    """The queue was deleted in AWS while its object was paused, and another took the name."""
    there.kube.annotate(QUEUE, **{PAUSED: "true"})
    aws = there.aws()
    aws.update_job_queue(jobQueue="shared", state="DISABLED")
    await there.clock.advance(20)
    aws.delete_job_queue(jobQueue="shared")
    await there.clock.advance(60)
    there.apply(ObjectKey("ComputeEnvironment", "other", "pool"), SPECS[ENVIRONMENT])
    there.apply(THEIRS, SHARED)
    await there.until_ready(THEIRS)


async def test_a_job_is_not_sent_again_to_a_queue_that_has_become_anothers():
    there = Installation()
    async with there.running():
        for key, spec in ((ENVIRONMENT, None), (QUEUE, SHARED), (DEFINITION, None)):
            there.apply(key, spec or SPECS[key])
        await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION, within=900)
        there.fault(effect="drop_before", service="batch", operation="SubmitJob")
        there.apply(JOB, SPEC)
        await there.clock.run_until(lambda: submits(there) > 0, within=600)
        await lost_to_another(there)
        there.mend()
        await there.clock.advance(3600)
        assert jobs(there) == []
