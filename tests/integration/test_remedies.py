"""The tables of what people get wrong, on the real API server: every row at once, and healed.

The rows are those of tests/component, which holds each to the calls that it costs. Here each remedy
has to pass the API server (schema, rules, immutability), and the operator and AWS are processes.
"""

import asyncio

import pytest
from tests.support.answer_forms import ANSWERS, as_manifest
from tests.support.crd_cases.cases import patched
from tests.support.described import APPLIED, described, spec_of
from tests.support.installation import NAMESPACE
from tests.support.job_remedies import (
    WRONG,
    job_of,
    mend_elsewhere,
    with_all_that_jobs_name,
)
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, SPECS, environment, job
from tests.support.places import clear, places
from tests.support.remedies.accounts import ACCOUNTS, DENIALS
from tests.support.remedies.environments import (
    LACKING_ITS_ROLE,
    MADE_ANEW,
    NOT_REMOVED,
    USED,
    VALID_AGAIN,
)
from tests.support.remedies.queues import QUEUES
from tests.support.site import opened
from tests.support.stories import SCRIPTS, STORIES
from tests.support.whole_life import CHANGING
from tests.unit.kinds.batchjob.failure_texts import ENDS
from tests.unit.kinds.batchjob.said import EXITED
from tests.unit.kinds.batchjob.start_texts import STARTS

from awsbatch_operator.api.metadata import RECONCILE_AT, ObjectKey

LASTING = (
    *MADE_ANEW,
    *VALID_AGAIN,
    *USED,
    *NOT_REMOVED,
    *LACKING_ITS_ROLE,
    *QUEUES,
    *ACCOUNTS,
    *DENIALS,
)
REASON_CHARACTERS = 255  # after so many the ECS agent cuts what it says of a container
SAID = {**ENDS, **STARTS}
# What is said of pods, and of attempts alone: the simulator runs no jobs on EKS, and has no texts
# of an attempt that the job does not have.
UNSAID = {name for name, said in SAID.items() if {"eksAttempts", "attempts"} & said.more.keys()}
# Members that AWS shows of revisions which others have registered, and no manifest can have.
UNWRITTEN = {
    "members that are empty texts",
    "vcpus and memory as they were written earlier",
    "vcpus and memory of none",
}
SPOKEN = {name: said for name, said in SAID.items() if name not in UNSAID}
FAILURES = "failures"  # the namespace
ANOTHER_ACCOUNT = "444455556666"


@pytest.fixture(scope="module")
def site(control_plane, crds, tmp_path_factory):
    """AWS is in a greater hurry than elsewhere: a row waits for it again and again."""
    with opened(control_plane, tmp_path_factory.mktemp("site")) as site:
        site.aws.hurry(3)
        ends = [script(name, said) for name, said in SPOKEN.items()]
        ends.sort(key=lambda end: end["jobName"], reverse=True)  # the longer of like names first
        others = {"durationSeconds": 0.2, "output": []}
        scripts = {"jobScripts": [*SCRIPTS, *ends, others]}
        site.aws.admin("PUT", "/_simulator/settings", scripts)
        site.start(lease_seconds="60")  # all at once is much for a small machine
        yield site
        site.sandbox.stop_operator()
        clear(site)


async def carried_out(row, place):
    said = await row.happens(place)
    await row.remedy(place)
    if RECONCILE_AT in said:
        place.nudge(row.of)
    await row.heals(place)


async def all_at_once(stories):
    """Each of (name, story) is told to its end, whatever becomes of the others."""
    names, told = zip(*stories, strict=True)
    ends = await asyncio.gather(*told, return_exceptions=True)
    wrong = [f"{name}: {end!r}" for name, end in zip(names, ends, strict=True) if end]
    assert not wrong, "\n".join(wrong)


async def remedies(site, there):
    rows = [row for row in LASTING if not row.settings]
    await all_at_once(
        (row.id, carried_out(row, there.new(f"row-{number}"))) for number, row in enumerate(rows)
    )


async def what_people_mean(site, there):
    await all_at_once(
        (story.__name__, story(there.new(f"story-{number}")))
        for number, story in enumerate(STORIES)
    )


async def corrected_jobs(site, there):
    place = there.new("jobs")
    await with_all_that_jobs_name(place)
    right = job()
    for name, wrong in WRONG.items():
        place.apply(job_of(name), patched(right, wrong.spec))
    messages = {
        name: await place.until(job_of(name), wrong.condition, wrong.reason)
        for name, wrong in WRONG.items()
    }
    assert [name for name, wrong in WRONG.items() if wrong.says not in messages[name]] == []
    mend_elsewhere(place)
    for name, wrong in WRONG.items():
        if wrong.mends:
            place.apply(job_of(name), patched(patched(right, wrong.spec), wrong.mends))
    for name in WRONG:
        await place.until(job_of(name), "Complete")


def script(name, said):
    """How the simulated job of that name ends, for AWS to say so."""
    if "isTerminated" in said.more:
        return {"jobName": f"{name}-*", "durationSeconds": 3600, "output": []}
    return {
        "jobName": f"{name}-*",
        "durationSeconds": 0.1,
        "exitCode": said.exit_code,
        "reason": said.reason[:REASON_CHARACTERS],
        "statusReason": None if said.status == EXITED else said.status,
        "output": [],
    }


def end(place, key, said):
    """Somebody, or AWS, ends the job with these words."""
    batch, job_id = place.aws(), place.status(key)["jobId"]
    if "isTerminated" in said.more:
        batch.terminate_job(jobId=job_id, reason=said.status)
    elif "isCancelled" in said.more:
        batch.cancel_job(jobId=job_id, reason=said.status)


async def failures(site, there):
    place, texts = there.new(FAILURES), SPOKEN
    place.apply(ENVIRONMENT, environment(maxvCpus=256, instanceTypes=["m7i.16xlarge"]))
    for key in (QUEUE, DEFINITION):
        place.apply(key, SPECS[key])
    keys = {name: ObjectKey("BatchJob", NAMESPACE, name) for name in texts}
    too_large = {"resourceRequirements": [{"type": "VCPU", "value": "128"}]}
    for name, key in keys.items():
        waits = "isCancelled" in texts[name].more
        place.apply(key, job(containerOverrides=too_large) if waits else job())
    for name, key in keys.items():
        await place.run_until(lambda key=key: "jobId" in place.status(key))
        end(place, key, texts[name])
    shown = {
        name: (await place.until(key, "Failed"), place.status(key)["failure"])
        for name, key in keys.items()
    }
    wrong = [
        f"{name} is {shown[name][1]}: {shown[name][0]}"
        for name, said in texts.items()
        if shown[name][1] != said.failure or said.mends not in shown[name][0]
    ]
    assert not wrong, "\n".join(wrong)


def changes(site, number):
    """How many calls that change something were made in an AWS account."""
    made = site.aws.admin("GET", "/_simulator/calls")["calls"]
    return sum(
        call["count"]
        for call in made
        if call["account"] == number and call["operation"] in CHANGING
    )


async def forms(site, there):
    place = there.new("forms", account_number=ANOTHER_ACCOUNT)
    names = {
        ObjectKey("JobDefinition", NAMESPACE, f"form-{number}"): name
        for number, name in enumerate(ANSWERS, start=1)
        if name not in UNWRITTEN
    }
    applied = {**APPLIED, **{key: ANSWERS[name][0] for key, name in names.items()}}
    for key, spec in applied.items():
        place.apply(key, spec)
    await place.until_ready(*applied)
    before = changes(site, place.number)
    assert before >= len(applied)
    for key, name in names.items():
        place.apply(key, as_manifest(ANSWERS[name][1]))
    for key in APPLIED:
        place.apply(key, spec_of(key.kind, described(place, key)))
    await place.until_ready(*applied)
    anew = [key for key in applied if place.status(key).get("revision", 1) != 1]
    assert not anew, "registered anew: " + ", ".join(str(names.get(key, key)) for key in anew)
    assert changes(site, place.number) == before


TABLES = (remedies, what_people_mean, corrected_jobs, failures, forms)


@pytest.fixture(scope="module")
def told(site):
    """How each table has ended, all of them at the same time; and what was shown meanwhile."""

    async def tell(there):
        return await asyncio.gather(
            *(table(site, there) for table in TABLES), return_exceptions=True
        )

    with places(site) as there:
        ends = asyncio.run(tell(there))
        yield dict(zip(TABLES, ends, strict=True)), there.sight


def ended_well(told, table):
    ends, _ = told
    if ends[table] is not None:
        raise ends[table]


def test_each_remedy_that_a_message_gives_passes_the_api_server_and_heals(told):
    ended_well(told, remedies)


def test_what_people_mean_is_what_happens(told):
    ended_well(told, what_people_mean)


def test_each_job_that_was_not_submitted_is_mended_as_its_message_says(told):
    ended_well(told, corrected_jobs)


def test_each_text_of_a_failure_is_classed_and_told_with_what_mends_it(told):
    ended_well(told, failures)


def test_no_form_in_which_aws_answers_is_a_change(told):
    ended_well(told, forms)


def test_all_that_is_shown_meanwhile_reads_as_sentences(told):
    """But for the texts of failures, which are AWS's own."""
    _, sight = told
    assert {bad for place, bad in sight.badly_said if place != FAILURES} == set()
