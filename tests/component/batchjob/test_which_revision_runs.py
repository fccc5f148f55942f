"""Which revision of which generation a job runs: by name, by number, and after a revert."""

import random
from operator import itemgetter

import pytest
from tests.component.batchjob.runs import FOR_EVER, JOB, SPEC, ready, script, submits
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import DEFINITION, QUEUE
from tests.support.simulated_aws import make_simulator

from awsbatch_operator.api.metadata import RECONCILE_AT, ObjectKey

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


WAITS = {"jobQueueRef": {"name": "later"}}  # which there is not yet
FORMS = {
    "name": lambda _: {"name": "simulate"},
    "name and revision": lambda _: {"name": "simulate", "revision": 1},
    "ARN": lambda arn: {"arn": arn},
    "ARN without revision": lambda arn: {"arn": arn.rpartition(":")[0]},
}


async def edited_twice(there):
    for word in ("two", "three"):
        there.apply(DEFINITION, manifests.definition(word, keepRevisions=1))
        await there.until_ready(DEFINITION)
        await there.clock.advance(5)


def active(there):
    found = there.aws().describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    return sorted(each["revision"] for each in found)


@pytest.mark.parametrize(
    ("form", "described"), [*((form, True) for form in FORMS), ("ARN without revision", False)]
)
async def test_the_revision_of_a_submitted_job_stays_in_whatever_form_the_job_names_it(
    form, described
):
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, FOR_EVER)
        reference = FORMS[form](there.status(DEFINITION)["arn"])
        if not described:  # AWS has the job, and nobody knows more of it
            there.fault(effect="deny", service="batch", operation="DescribeJobs")
        there.apply(JOB, {**SPEC, "jobDefinitionRef": reference})
        await there.clock.run_until(lambda: submits(there) == 1, within=60)
        await there.clock.advance(30 if described else 0)
        await edited_twice(there)
        assert 1 in active(there)
        there.mend()
        there.kube.remove(JOB)
        await there.until_gone(JOB)
        there.kube.annotate(DEFINITION, **{RECONCILE_AT: "now"})
        await there.clock.advance(5)
        assert active(there) == [3]


@pytest.mark.parametrize(
    ("form", "kept", "runs"),
    [
        ("name", [3], "three"),
        ("name and revision", [1, 3], "true"),
        ("ARN", [1, 3], "true"),
        ("ARN without revision", [3], "three"),
    ],
)
async def test_a_waiting_job_keeps_a_revision_if_its_reference_names_one(form, kept, runs):
    there = Installation()
    async with there.running():
        await ready(there)
        reference = FORMS[form](there.status(DEFINITION)["arn"])
        there.apply(JOB, {**SPEC, **WAITS, "jobDefinitionRef": reference})
        await edited_twice(there)
        assert active(there) == kept
        there.apply(ObjectKey("JobQueue", NAMESPACE, "later"), manifests.queue("pool"))
        await until_submitted(there, JOB)
        assert command(there, JOB) == runs


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
