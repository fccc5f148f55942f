"""Puts the AWS side together. The rest of the operator sees ports only."""

import asyncio
from dataclasses import dataclass

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.batch import BatchAdapter
from awsbatch_operator.aws.identity import IdentityAdapter
from awsbatch_operator.aws.infrastructure import InfrastructurePoller
from awsbatch_operator.aws.job_feed import JobPoller, Wake
from awsbatch_operator.aws.logs import LogsAdapter
from awsbatch_operator.aws.ports import BatchPort, IdentityPort, JobFeed, LogsPort
from awsbatch_operator.aws.sender import AwsContext, Sender
from awsbatch_operator.aws.settings import AwsSettings


class _Touched:
    """Hands what the workers do to the pollers."""

    def __init__(self, jobs: JobPoller, infrastructure: InfrastructurePoller) -> None:
        self._jobs = jobs
        self._infrastructure = infrastructure

    def infrastructure(self, scope: Scope, *, changed: bool) -> None:
        self._infrastructure.follow(scope, changed=changed)

    def job(self, job_id: str) -> None:
        self._jobs.hurry(job_id)


@dataclass(frozen=True, slots=True)
class Aws:
    """The AWS side of one operator."""

    batch: BatchPort
    identity: IdentityPort
    logs: LogsPort
    jobs: JobFeed
    sender: Sender
    job_poller: JobPoller
    infrastructure_poller: InfrastructurePoller

    async def run(self) -> None:
        """Run the pollers until cancelled; an error that they do not know ends it."""
        tasks = [
            asyncio.create_task(self.job_poller.run()),
            asyncio.create_task(self.infrastructure_poller.run()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def in_flight(self) -> int:
        """How many calls that change something are on the wire now: wait for 0 before leaving."""
        return self.sender.in_flight


def connect(settings: AwsSettings, context: AwsContext, wake: Wake) -> Aws:
    """The AWS side; nothing is sent by making it. `wake` puts an owner into the work queue."""
    sender = Sender(settings, context)
    jobs = JobPoller(sender, context.clock, settings.cadence, wake)
    infrastructure = InfrastructurePoller(sender, context.clock, settings, wake)
    return Aws(
        batch=BatchAdapter(sender, _Touched(jobs, infrastructure)),
        identity=IdentityAdapter(sender),
        logs=LogsAdapter(sender),
        jobs=jobs,
        sender=sender,
        job_poller=jobs,
        infrastructure_poller=infrastructure,
    )
