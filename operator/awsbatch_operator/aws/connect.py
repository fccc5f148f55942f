"""Puts the AWS side together. The rest of the operator sees ports only."""

from dataclasses import dataclass

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.aws.aws_settings import AwsSettings
from awsbatch_operator.aws.batch import BatchAdapter, Feeds
from awsbatch_operator.aws.capacity_ports import Ec2Port, EcsPort, PriceBook, SsmPort
from awsbatch_operator.aws.ec2 import Ec2Adapter
from awsbatch_operator.aws.ecs import EcsAdapter
from awsbatch_operator.aws.feed import Feed
from awsbatch_operator.aws.identity import IdentityAdapter
from awsbatch_operator.aws.image_ports import ImagePort
from awsbatch_operator.aws.images import ImageAdapter
from awsbatch_operator.aws.instances import ContainerInstanceSource, InstanceSource
from awsbatch_operator.aws.job_events import JobEventBook
from awsbatch_operator.aws.job_feed import JobPoller
from awsbatch_operator.aws.logs import LogsAdapter
from awsbatch_operator.aws.notices import NoticeBook
from awsbatch_operator.aws.polling import Wake
from awsbatch_operator.aws.ports import BatchPort, IdentityPort, JobFeed, LogsPort
from awsbatch_operator.aws.prices import PriceBookAdapter
from awsbatch_operator.aws.runner import Aside
from awsbatch_operator.aws.sender import AwsContext, Sender
from awsbatch_operator.aws.sources import DefinitionSource, PolicySource, environments, queues
from awsbatch_operator.aws.sqs import Mailbox, SqsQueue
from awsbatch_operator.aws.ssm import SsmAdapter
from awsbatch_operator.aws.waiting_jobs import WaitingSource
from awsbatch_operator.waiting import first_of


@dataclass(frozen=True, slots=True)
class Aws:
    """The AWS side of one operator."""

    batch: BatchPort
    ec2: Ec2Port
    ecs: EcsPort
    identity: IdentityPort
    images: ImagePort
    jobs: JobFeed
    logs: LogsPort
    job_events: JobEventBook
    notices: NoticeBook
    prices: PriceBook
    ssm: SsmPort
    aside: Aside
    sender: Sender
    job_poller: JobPoller
    feeds: Feeds
    capacity_feeds: tuple[Feed, ...]  # of instances, as EC2 and as ECS see them

    async def run(self) -> None:
        """Poll until cancelled. What ends a part of it, ends it and is raised."""
        feeds = (*self.feeds.all(), *self.capacity_feeds)
        heard = (self.notices.run(), self.job_events.run())
        await first_of(self.job_poller.run(), *heard, *(feed.run() for feed in feeds))

    @property
    def in_flight(self) -> int:
        """How many calls that change something are on the wire now: wait for 0 before leaving."""
        return self.sender.in_flight


def connect(settings: AwsSettings, context: AwsContext, wake: Wake) -> Aws:
    """The AWS side; nothing is sent by making it. `wake` puts an owner into the work queue."""
    sender, clock = Sender(settings, context), context.clock
    jobs = JobPoller(sender, clock, settings.cadence, wake)
    feeds = feeds_of(sender, clock, settings, wake)
    instances = InstanceSource(sender, settings.cluster_id)
    launched = Feed(instances, clock, settings, wake)
    joined = Feed(ContainerInstanceSource(sender), clock, settings, wake)
    queue = settings.interruption_queue
    notices = NoticeBook(
        None if queue is None else Mailbox(SqsQueue(sender, queue), clock, settings.cadence),
        launched,
        clock=clock,
        cadence=settings.cadence,
        wake=wake,
        observe=context.on_notice,
    )
    return Aws(
        batch=BatchAdapter(sender, feeds, jobs, settings.most),
        ec2=Ec2Adapter(sender, clock, instances, launched, settings.cluster_id),
        ecs=EcsAdapter(sender, joined, clock),
        identity=IdentityAdapter(sender),
        images=ImageAdapter(sender, clock, settings.cluster_id),
        jobs=jobs,
        job_events=_job_events(sender, settings, context, jobs),
        logs=LogsAdapter(sender),
        notices=notices,
        prices=PriceBookAdapter(sender, clock, settings.prices),
        ssm=SsmAdapter(sender, clock),
        aside=Aside(context.runner),
        sender=sender,
        job_poller=jobs,
        feeds=feeds,
        capacity_feeds=(launched, joined),
    )


def _job_events(
    sender: Sender, settings: AwsSettings, context: AwsContext, jobs: JobPoller
) -> JobEventBook:
    box = None
    if settings.event_queue is not None:
        box = Mailbox(
            SqsQueue(sender, settings.event_queue),
            context.clock,
            settings.cadence,
            name="event queue",
            instead="jobs are watched by polling alone",
        )
    return JobEventBook(box, jobs, context.clock, context.on_job_event)


def feeds_of(sender: Sender, clock: Clock, settings: AwsSettings, wake: Wake) -> Feeds:
    """The feeds of what AWS Batch has that many objects follow, jobs of ours aside."""
    return Feeds(
        environments=Feed(environments(sender), clock, settings, wake),
        queues=Feed(queues(sender), clock, settings, wake),
        policies=Feed(PolicySource(sender), clock, settings, wake),
        definitions=Feed(DefinitionSource(sender), clock, settings, wake),
        waiting=Feed(WaitingSource(sender), clock, settings, wake),
    )
