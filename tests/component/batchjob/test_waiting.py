"""Conformance: AWS's words on a job that waits in RUNNABLE are shown and told, once each."""

from tests.component.batchjob.runs import JOB, SPEC, alive, jobs, ready, script, shown
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, SPECS

from awsbatch_operator.kinds.batchjob import waiting

EIGHT = {"resourceRequirements": [{"type": "VCPU", "value": "8"}, {"type": "MEMORY", "value": "9"}]}
TOO_SMALL = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE"
CAPACITY = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
UNDETERMINED = "UNDETERMINED"  # no environment is both ENABLED and VALID, nor all are INVALID


def environment(vcpus: int) -> dict:
    return manifests.environment(maxvCpus=vcpus, instanceTypes=["m7i.4xlarge"])


def blocked(there: Installation) -> list[str]:
    return [note for reason, note in there.events(JOB) if reason == "Blocked"]


def writes_of_the_job(there: Installation) -> list[str]:
    """Grows by one for each write, from now on."""
    writes: list[str] = []

    def count(event: str, body: dict) -> None:
        if body["kind"] == "BatchJob":
            writes.append(event)

    there.kube.subscribe(count)
    return writes


async def until_aws_says(there: Installation, code: str) -> None:
    """The status shows that code."""
    await there.clock.run_until(
        lambda: (shown(there, "statusReason") or "").startswith(code), within=3600
    )


async def test_the_reason_is_told_with_its_remedy_and_the_remedy_helps():
    there = Installation()
    async with there.running():
        for key, spec in SPECS.items():
            there.apply(key, environment(4) if key == ENVIRONMENT else spec)
        await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION, within=900)
        script(there, 5)
        there.apply(JOB, SPEC | {"containerOverrides": EIGHT})
        await until_aws_says(there, TOO_SMALL)
        told = f"AWS says: {TOO_SMALL} - "
        assert told in there.condition(JOB, "Reconciling")["message"]
        for text in (there.condition(JOB, "Reconciling")["message"], *blocked(there)):
            assert waiting.REMEDIES[TOO_SMALL] in text
        there.apply(ENVIRONMENT, environment(16))
        await there.until(JOB, "Complete", within=3600)
        assert (len(blocked(there)), len(jobs(there))) == (1, 1)


async def test_a_change_of_words_is_one_write_each_code_one_event_and_nothing_is_ended():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, 5)
        there.fault(effect="world", name="insufficient_capacity")
        there.apply(JOB, SPEC)
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNABLE", within=600)
        writes = writes_of_the_job(there)
        await until_aws_says(there, CAPACITY)
        await there.clock.advance(200)
        assert len(writes) == 1
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT] | {"state": "DISABLED"})
        await until_aws_says(there, UNDETERMINED)
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        await until_aws_says(there, CAPACITY)
        await there.clock.advance(200)
        assert len(writes) == 3
        assert [CAPACITY in note for note in blocked(there)] == [True, False]
        assert alive(there) == 1
    async with there.running():
        await there.clock.advance(200)
        assert len(writes) == 3, "a restart writes nothing"
        assert len(blocked(there)) == 2, "and tells nothing again"
        there.mend()
        await there.until(JOB, "Complete", within=3600)
