"""Puts the AWS side together. The rest of the operator sees ports only."""

from dataclasses import dataclass

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.aws.aws_settings import AwsSettings
from awsbatch_operator.aws.batch import BatchAdapter, Feeds
from awsbatch_operator.aws.feed import Feed
from awsbatch_operator.aws.identity import IdentityAdapter
from awsbatch_operator.aws.job_feed import JobPoller
from awsbatch_operator.aws.logs import LogsAdapter
from awsbatch_operator.aws.polling import Wake
from awsbatch_operator.aws.ports import BatchPort, IdentityPort, JobFeed, LogsPort
from awsbatch_operator.aws.sender import AwsContext, Sender
from awsbatch_operator.aws.sources import DefinitionSource, PolicySource, environments, queues
from awsbatch_operator.waiting import first_of


@dataclass(frozen=True, slots=True)
class Aws:
    """The AWS side of one operator."""

    batch: BatchPort
    identity: IdentityPort
    logs: LogsPort
    jobs: JobFeed
    sender: Sender
    job_poller: JobPoller
    feeds: Feeds

    async def run(self) -> None:
        """Poll until cancelled; an error that is none of AWS's ends it, and is raised."""
        await first_of(self.job_poller.run(), *(feed.run() for feed in self.feeds.all()))

    @property
    def in_flight(self) -> int:
        """How many calls that change something are on the wire now: wait for 0 before leaving."""
        return self.sender.in_flight


def connect(settings: AwsSettings, context: AwsContext, wake: Wake) -> Aws:
    """The AWS side; nothing is sent by making it. `wake` puts an owner into the work queue."""
    sender = Sender(settings, context)
    jobs = JobPoller(sender, context.clock, settings.cadence, wake)
    feeds = feeds_of(sender, context.clock, settings, wake)
    return Aws(
        batch=BatchAdapter(sender, feeds, jobs),
        identity=IdentityAdapter(sender),
        logs=LogsAdapter(sender),
        jobs=jobs,
        sender=sender,
        job_poller=jobs,
        feeds=feeds,
    )


def feeds_of(sender: Sender, clock: Clock, settings: AwsSettings, wake: Wake) -> Feeds:
    """The feeds of what many objects follow, jobs aside."""
    return Feeds(
        environments=Feed(environments(sender), clock, settings, wake),
        queues=Feed(queues(sender), clock, settings, wake),
        policies=Feed(PolicySource(sender), clock, settings, wake),
        definitions=Feed(DefinitionSource(sender), clock, settings, wake),
    )
