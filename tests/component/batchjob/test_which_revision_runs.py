"""Which revision of which generation a job runs: by name, by number, and after a revert."""

import random
from operator import itemgetter

from tests.component.batchjob.runs import JOB, SPEC, ready, submits
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import DEFINITION, QUEUE
from tests.support.simulated_aws import make_simulator

from awsbatch_operator.api.metadata import ObjectKey

COMMITS = 50
APPLY_SECONDS = 1.9  # from the first object of a commit to its last


def numbered(revision, name="simulate"):
    return {**SPEC, "jobDefinitionRef": {"name": name, "revision": revision}}


def command(there, key):
    """What the job of the object runs in AWS."""
    job = there.aws().describe_jobs(jobs=[there.status(key)["jobId"]])["jobs"][0]
    arn = job["jobDefinition"]
    found = there.aws().describe_job_definitions(jobDefinitions=[arn])["jobDefinitions"]
    return found[0]["containerProperties"]["command"][0]


async def until_submitted(there, key, within=300.0):
    return await there.clock.run_until(lambda: "jobId" in there.status(key), within=within)


def commit(seed):
    """What one commit applies, and when: (second, object, spec) of a definition and of its job."""
    dice = random.Random(seed)
    definition = ObjectKey("JobDefinition", NAMESPACE, f"commit-{seed}")
    job = ObjectKey("BatchJob", NAMESPACE, f"commit-{seed}")
    reference = {"jobDefinitionRef": {"name": definition.name}}
    objects = [
        (job, {**SPEC, **reference}),  # kustomize creates it before it changes what is there
        (definition, manifests.definition(f"commit-{seed}")),
    ]
    if seed % 2:
        dice.shuffle(objects)
    start = dice.random()  # creationTimestamp has whole seconds
    times = (start, start + dice.uniform(0, APPLY_SECONDS))
    return [(second, *each) for second, each in zip(times, objects, strict=True)]


async def test_a_job_runs_the_definition_of_its_own_commit_in_whatever_order_it_is_applied():
    there = Installation(make_simulator(limits=False))
    commits = [commit(seed) for seed in range(COMMITS)]
    jobs = [key for each in commits for _, key, _ in each if key.kind == "BatchJob"]
    definitions = [ObjectKey("JobDefinition", NAMESPACE, key.name) for key in jobs]
    async with there.running():
        await ready(there)
        for key in definitions:
            there.apply(key, manifests.definition("before"))
        await there.until_ready(*definitions)
        began = there.clock.monotonic()
        for second, key, spec in sorted(
            (one for each in commits for one in each), key=itemgetter(0)
        ):
            await there.clock.advance(began + second - there.clock.monotonic())
            there.apply(key, spec)
        await there.clock.run_until(lambda: all("jobId" in there.status(key) for key in jobs))
    for key in jobs:
        assert command(there, key) == key.name
        shown = {"name": key.name, "revision": 2, "generation": 2}
        assert there.status(key)["jobDefinition"] == shown
    told = [note for reason, note in there.events(jobs[0]) if reason == "Submitted"]
    assert ":2, from generation 2 of JobDefinition commit-0" in told[0]


async def test_a_revision_by_its_number_runs_at_once_whatever_became_of_the_newest():
    there = Installation()
    async with there.running():
        await ready(there)
        there.apply(DEFINITION, manifests.definition("second"))
        await there.until_ready(DEFINITION)
        there.fault(effect="error", service="batch", operation="RegisterJobDefinition")
        there.apply(DEFINITION, manifests.definition("third"))
        await there.clock.advance(5)
        there.apply(JOB, numbered(1))
        assert await until_submitted(there, JOB) < 1.0
        assert command(there, JOB) == "true"
        shown = there.status(JOB)["jobDefinition"]
        assert shown == {"name": "simulate", "revision": 1, "generation": 1}


async def test_a_job_waits_for_a_revision_that_is_not_there_yet_and_says_what_there_is():
    there = Installation()
    async with there.running():
        await ready(there)
        there.apply(JOB, numbered(2))
        words = await there.until(JOB, "Reconciling", "ReferenceNotFound")
        assert "has no ACTIVE revision 2 of its own, but 1." in words
        assert submits(there) == 0
        there.apply(DEFINITION, manifests.definition("second"))
        await until_submitted(there, JOB)
        assert command(there, JOB) == "second"


async def test_a_revision_that_a_waiting_job_names_is_not_deregistered():
    there = Installation()
    async with there.running():
        await ready(there)
        there.apply(JOB, {**numbered(1), "jobQueueRef": {"name": "later"}})
        for word in ("two", "three", "four"):
            there.apply(DEFINITION, manifests.definition(word, keepRevisions=1))
            await there.until_ready(DEFINITION)
            await there.clock.advance(5)
        there.apply(ObjectKey("JobQueue", NAMESPACE, "later"), manifests.queue("pool"))
        await until_submitted(there, JOB)
        assert command(there, JOB) == "true"


async def test_after_a_revert_a_submission_by_name_runs_the_specs_content():
    there = Installation()
    async with there.running():
        await ready(there)
        for word in ("broken", "true"):
            there.apply(DEFINITION, manifests.definition(word))
            await there.until_ready(DEFINITION)
        aws = there.aws()
        answer = aws.submit_job(
            jobName="by-name",
            jobQueue=there.status(QUEUE)["awsName"],
            jobDefinition=there.status(DEFINITION)["awsName"],
        )
        arn = aws.describe_jobs(jobs=[answer["jobId"]])["jobs"][0]["jobDefinition"]
        assert arn == there.status(DEFINITION)["arn"]
        found = aws.describe_job_definitions(jobDefinitions=[arn])["jobDefinitions"][0]
        assert found["containerProperties"]["command"] == ["true"]
