"""One account's trouble is not another's: two accounts under load, one of them throttled."""

from dataclasses import replace

from tests.support import manifests
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.manifests import DEFAULT_ACCOUNT
from tests.support.research import RESEARCH, SERVES

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.tags import NAME

HEALTHY = "222233334444"
JOBS = 200
AT_MOST = 1.5  # times what the healthy account takes alone
IN_HEALTHY = {"accountRef": {"name": RESEARCH.name}}


def key(kind: str, name: str) -> ObjectKey:
    return ObjectKey(kind, NAMESPACE, name)


async def prepared(there: Installation, prefix: str, account: dict) -> None:
    """An environment, a queue and a definition in an account."""
    there.apply(key("ComputeEnvironment", f"{prefix}-pool"), manifests.fargate() | account)
    there.apply(key("JobQueue", f"{prefix}-main"), manifests.queue(f"{prefix}-pool") | account)
    definition = manifests.serverless_definition() | account
    there.apply(key("JobDefinition", f"{prefix}-simulate"), definition)
    names = [("ComputeEnvironment", "pool"), ("JobQueue", "main"), ("JobDefinition", "simulate")]
    await there.until_ready(*(key(kind, f"{prefix}-{name}") for kind, name in names), within=900)


def apply_jobs(there: Installation, prefix: str, account: dict) -> None:
    spec = {
        "jobQueueRef": {"name": f"{prefix}-main"},
        "jobDefinitionRef": {"name": f"{prefix}-simulate"},
        **account,
    }
    for number in range(JOBS):
        there.apply(key("BatchJob", f"{prefix}-{number}"), spec)


async def seconds_until_all_are_submitted(*, beside_a_throttled_account: bool) -> float:
    there = Installation(definition_grace=0)
    submitted: set[str] = set()
    async with there.running():
        role = f"arn:aws:iam::{HEALTHY}:role/batch-operator"
        there.apply(RESEARCH, {"roleArn": role, **SERVES})
        there.apply(DEFAULT_ACCOUNT, {})
        await there.until_ready(RESEARCH, DEFAULT_ACCOUNT)
        await prepared(there, "healthy", IN_HEALTHY)
        if beside_a_throttled_account:
            await prepared(there, "slow", {})
            there.fault(effect="throttle", service="batch", principal=f"*:{ACCOUNT}:*")
            apply_jobs(there, "slow", {})
            await there.clock.advance(30)
        apply_jobs(there, "healthy", IN_HEALTHY)
        place = replace(there.simulator.place, account=HEALTHY)

        def all_submitted() -> bool:
            batch = there.simulator.world.region(place).batch
            submitted.update(job.tags[NAME] for job in batch.jobs.values())
            return len(submitted) == JOBS

        return await there.clock.run_until(all_submitted, within=600)


async def test_a_healthy_account_is_hardly_slower_beside_a_throttled_one():
    alone = await seconds_until_all_are_submitted(beside_a_throttled_account=False)
    beside = await seconds_until_all_are_submitted(beside_a_throttled_account=True)
    assert 0 < beside <= AT_MOST * alone
