"""The operator's AWS side over the simulator, without sockets: both must mean the same AWS."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

import botocore.session
import pytest
from tests.support.simulated_account import DEFINITION, ENVIRONMENT, QUEUE, Account

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.errors import ErrorKind
from awsbatch_simulator.faults import Effect
from awsbatch_simulator.jobscript import JobScript


@pytest.fixture(scope="module")
def loader() -> Any:
    return botocore.session.Session().get_component("data_loader")


@pytest.fixture
async def account(loader: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Account]:
    made = Account(loader)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", made.simulator.key.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", made.simulator.key.secret_access_key)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    pollers = asyncio.create_task(made.aws.run())
    yield made
    pollers.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await pollers


@pytest.fixture
async def queue(account: Account) -> str:
    await account.change("RegisterJobDefinition", DEFINITION)
    return await account.queue(await account.environment())


async def test_infrastructure_comes_to_be_and_goes_and_its_owners_hear_of_it(account):
    arn = await account.environment()
    assert ENVIRONMENT in account.woken
    found = await account.batch.compute_environment(account.scope, "e")
    assert (found["status"], found["computeEnvironmentArn"]) == ("VALID", arn)
    queue = await account.queue(arn)
    assert (await account.batch.job_queue(account.scope, queue))["status"] == "VALID"
    assert [item["jobQueueArn"] for item in await account.batch.job_queues(account.scope)] == [
        queue
    ]
    await account.change("UpdateJobQueue", {"jobQueue": queue, "state": "DISABLED"})
    await account.clock.advance(10)
    await account.change("DeleteJobQueue", {"jobQueue": queue})
    await account.clock.advance(10)
    assert await account.batch.job_queue(account.scope, queue) is None
    assert QUEUE in account.woken


async def test_what_aws_shows_as_deleted_to_those_who_ask_by_name_is_absent(account):
    environment = await account.environment()
    queue = await account.queue(environment)
    for operation, request in (
        ("UpdateJobQueue", {"jobQueue": queue, "state": "DISABLED"}),
        ("DeleteJobQueue", {"jobQueue": queue}),
        (
            "UpdateComputeEnvironment",
            {"computeEnvironment": environment, "state": "DISABLED"},
        ),
        ("DeleteComputeEnvironment", {"computeEnvironment": environment}),
    ):
        await account.change(operation, request)
        await account.clock.advance(11)
    batch, scope = account.batch, account.scope
    assert account.world.region(account.simulator.place).batch.deleted_queues
    assert await batch.job_queue(scope, queue, fresh=True) is None
    assert await batch.compute_environment(scope, environment, fresh=True) is None
    assert await batch.job_queues(scope) == ()


async def test_what_exists_already_is_recognised(account):
    await account.environment()
    error = await account.refused(account.environment())
    assert error.kind is ErrorKind.ALREADY_EXISTS


async def test_what_is_in_use_or_still_enabled_is_a_conflict(account):
    arn = await account.environment()
    await account.queue(arn)
    request = {"computeEnvironment": arn}
    delete = "DeleteComputeEnvironment"
    error = await account.refused(account.change(delete, request))
    assert error.kind is ErrorKind.CONFLICT
    disable = {"computeEnvironment": arn, "state": "DISABLED"}
    await account.change("UpdateComputeEnvironment", disable)
    error = await account.refused(account.change("UpdateComputeEnvironment", disable))
    assert error.kind is ErrorKind.CONFLICT  # it is being modified
    await account.clock.advance(10)
    error = await account.refused(account.change(delete, request))
    assert (error.kind, "relationship" in error.message) == (ErrorKind.CONFLICT, True)


async def test_what_does_not_exist_is_not_found_but_what_is_named_in_vain_is_invalid(account):
    request = {"computeEnvironment": "absent", "state": "DISABLED"}
    update = account.change("UpdateComputeEnvironment", request)
    assert (await account.refused(update)).kind is ErrorKind.NOT_FOUND
    assert (await account.refused(account.submit("absent"))).kind is ErrorKind.INVALID


async def test_a_job_is_followed_to_its_end_and_its_lines_are_read(account, queue):
    key = ObjectKey("BatchJob", "ns", "j")
    job_id = await account.submit(queue)
    account.aws.jobs.follow(account.scope, job_id, queue, key)
    ended = lambda: (account.aws.jobs.seen(job_id) or {}).get("status") == "SUCCEEDED"  # noqa: E731
    await account.clock.run_until(ended, within=300)
    assert account.woken.count(key) >= 2
    detail = account.aws.jobs.seen(job_id)
    account.aws.jobs.forget(job_id)
    lines = await account.aws.logs.last_lines(
        account.scope, "/aws/batch/job", detail["container"]["logStreamName"], count=5
    )
    assert lines == ("done",)
    described = account.calls("DescribeJobs")
    await account.clock.advance(600)
    assert account.calls("DescribeJobs") == described


async def test_a_job_is_found_by_name_and_among_the_active_ones_until_it_is_terminated(
    account, queue
):
    scripts = (JobScript(duration_seconds=10_000),)
    account.world.change(account.world.settings.model_copy(update={"job_scripts": scripts}))
    job_id = await account.submit(queue, "Run-1")
    await account.clock.advance(120)
    named = await account.batch.jobs_by_name(account.scope, queue, "Run-1")
    active = await account.batch.active_jobs(account.scope, queue)
    assert [job["jobId"] for job in named] == [job["jobId"] for job in active] == [job_id]
    assert await account.batch.jobs_by_name(account.scope, queue, "run-1") == []
    await account.batch.terminate_job(account.scope, job_id, "enough")
    await account.clock.advance(10)
    assert (await account.batch.job(account.scope, job_id))["statusReason"] == "enough"
    assert await account.batch.active_jobs(account.scope, queue) == []


@pytest.mark.parametrize(
    ("effect", "expected", "jobs"),
    [
        (Effect.THROTTLE, (ErrorKind.THROTTLED, False), 0),
        (Effect.DENY, (ErrorKind.DENIED, False), 0),
        (Effect.ERROR, (ErrorKind.TRANSIENT, True), 0),
        (Effect.DROP_BEFORE, (ErrorKind.TRANSIENT, True), 0),
        (Effect.DROP_AFTER, (ErrorKind.TRANSIENT, True), 1),
    ],
)
async def test_a_failed_submission_is_sent_once_and_known_for_what_it_is(
    account, queue, effect, expected, jobs
):
    account.fault(effect, "SubmitJob")
    error = await account.refused(account.submit(queue))
    assert (error.kind, error.outcome_unknown) == expected
    assert account.calls("SubmitJob") == 1
    assert len(await account.batch.jobs_by_name(account.scope, queue, "j")) == jobs


async def test_a_denial_names_the_action_that_is_missing(account, queue):
    account.fault(Effect.DENY, "SubmitJob")
    assert (await account.refused(account.submit(queue))).action == "batch:SubmitJob"


async def test_a_poll_survives_throttling_and_a_lost_answer(account):
    arn = await account.environment()
    for effect in (Effect.THROTTLE, Effect.DROP_AFTER):
        account.fault(effect, "DescribeComputeEnvironments", times=1)
        before = account.calls("DescribeComputeEnvironments")
        await account.clock.advance(35)
        assert account.calls("DescribeComputeEnvironments") > before
        found = await account.batch.compute_environment(account.scope, arn)
        assert found["status"] == "VALID"


async def test_policies_and_definitions_are_found_as_they_are_and_changes_are_seen(account):
    tags = Owner("c1", ObjectKey("SchedulingPolicy", "ns", "p"), "uid").tags()
    request = {"name": "p", "fairsharePolicy": {"shareDecaySeconds": 600}, "tags": tags}
    arn = (await account.change("CreateSchedulingPolicy", request))["arn"]
    assert (await account.batch.scheduling_policy(account.scope, "p"))["arn"] == arn
    await account.change("RegisterJobDefinition", DEFINITION)
    (found,) = await account.batch.job_definitions(account.scope, "d")
    await account.clock.advance(1)
    for name in ("d", "absent"):
        await account.batch.job_definitions(account.scope, name)
    calls = account.calls("DescribeJobDefinitions")
    assert (await account.batch.job_definitions(account.scope, "d"))[0] == found
    assert not await account.batch.job_definitions(account.scope, "absent")
    assert account.calls("DescribeJobDefinitions") == calls
    await account.change("RegisterJobDefinition", DEFINITION)
    revisions = await account.batch.job_definitions(account.scope, "d")
    assert [each["revision"] for each in revisions] == [2, 1]
    await account.change("UntagResource", {"resourceArn": arn, "tagKeys": list(tags)})
    assert (await account.batch.scheduling_policy(account.scope, "p"))["tags"] == {}


async def test_a_role_is_assumed_and_acts_in_its_account(account):
    role = f"arn:aws:iam::{account.scope.account_id}:role/batch-operator"
    assert await account.aws.identity.assume(role, None, "") == account.scope.account_id
    scope = Scope(account.scope.account_id, account.scope.region, role)
    caller = await account.aws.identity.caller(scope)
    assert ":assumed-role/batch-operator/aws-batch-operator-c1" in caller["Arn"]
    await account.clock.advance(4 * 3600)  # its credentials have long expired
    assert not await account.batch.job_queues(scope)


async def test_a_role_that_nobody_has_is_a_denial(account):
    role = f"arn:aws:iam::{account.scope.account_id}:role/absent"
    error = await account.refused(account.aws.identity.assume(role, None, ""))
    assert error.kind is ErrorKind.DENIED
    assert error.action == "sts:AssumeRole"


async def test_submissions_keep_to_awss_own_limit_without_ever_being_throttled(account, queue):
    jobs = [asyncio.ensure_future(account.submit(queue, f"j{n}")) for n in range(300)]
    seconds = await account.clock.run_until(lambda: all(job.done() for job in jobs))
    await asyncio.gather(*jobs)
    assert 5.0 <= seconds <= 6.0
    throttled = "TooManyRequestsException"
    assert account.simulator.dispatcher.calls.count("batch", "SubmitJob", throttled) == 0


async def test_following_jobs_takes_a_call_for_a_hundred_of_them(account, queue):
    scripts = (JobScript(duration_seconds=100_000),)
    account.world.change(account.world.settings.model_copy(update={"job_scripts": scripts}))
    pending = [asyncio.ensure_future(account.submit(queue, f"j{n}")) for n in range(200)]
    await account.clock.run_until(lambda: all(job.done() for job in pending))
    for number, job in enumerate(pending):
        key = ObjectKey("BatchJob", "ns", f"j{number}")
        account.aws.jobs.follow(account.scope, job.result(), queue, key)
    await account.clock.advance(200)
    before = account.calls("DescribeJobs")
    await account.clock.advance(64)  # four rounds of 16 s
    assert account.calls("DescribeJobs") - before == 8
    assert account.calls("ListJobs") == 0


async def test_whatever_reached_the_simulator_stands_in_the_table(account, queue):
    await account.submit(queue)
    await account.clock.advance(60)
    report = account.simulator.dispatcher.calls.report()["services"]
    for service, operations in report.items():
        for operation in operations:
            assert CALLS[f"{service}:{operation}"].operation == operation
