"""What may be set about the AWS side. Times are in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from awsbatch_operator.aws.calls import LONGEST_WAIT
from awsbatch_operator.aws.interruption_queue import Queue
from awsbatch_operator.aws.price_list import PriceOverrides


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often AWS is asked. All intervals are multiples of `unit` by a power of two.

    A job is asked about more and more rarely while nothing happens to it: after about `share` of
    the time that it has spent in its state, at most after the state's own limit.
    """

    unit: float = 2.0
    share: float = 0.2
    waiting: float = 8.0  # SUBMITTED, PENDING, RUNNABLE
    starting: float = 4.0
    running: float = 16.0
    passing: float = 5.0  # many jobs: a state without words of AWS is told when it has lasted
    call: float = 0.2  # many jobs: a round that took n calls is followed by n times this at least
    refresh: float = 900.0  # listed jobs are read in full that often, for what lists do not show
    unknown_grace: float = 60.0  # AWS may not know a job yet for that long after its submission
    kept_after_end: float = 600.0  # the last detail of an ended job that nobody fetched
    infrastructure: float = 30.0  # environments, queues
    unmoving: float = 240.0  # definitions, policies: they change only when somebody changes them
    infrastructure_moving: float = 3.0  # while something is CREATING, UPDATING or DELETING
    instances: float = 60.0  # EC2 instances, and the container instances of a cluster
    instances_moving: float = 5.0  # while EC2 starts or ends one
    instances_page: float = 2.0  # and that for each page of them at least
    demand: float = 15.0  # the jobs that wait in queues for capacity, and `call` a page at least
    followed: float = 1800.0  # a name that nobody has asked for so long is not read any more
    infrastructure_idle: float = 3600.0  # a scope that nobody has used for that long is left alone
    notices: float = LONGEST_WAIT  # the long poll of a queue of notices or events
    notices_pause: float = 1.0  # after an answer without a message, if that did not take so long
    trouble: float = 5.0  # first pause after a failed poll; doubles up to `trouble_most`
    trouble_most: float = 60.0

    def scaled(self, factor: float) -> "Cadence":
        """All intervals times a factor: for a simulator in fast motion."""
        plain = {"share"}
        return Cadence(
            **{
                item.name: getattr(self, item.name) * (1 if item.name in plain else factor)
                for item in fields(self)
            }
        )


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Settings of the AWS side."""

    cluster_id: str
    region: str = ""  # of calls without a scope; empty: the environment's
    connect_timeout: float = 3.0
    read_timeout: float = 10.0
    threads: int = 32
    read_attempts: int = 3  # of the feeds' calls, on errors that pass by themselves
    sessions: int = 64  # kept, each with its credentials and clients; a role and region has one
    clients: int = 128  # of one session; the operator's own has one for each service and region
    poll_share: float = 0.3  # of each rate, at most
    prices: PriceOverrides = field(default_factory=PriceOverrides)
    interruption_queue: Queue | None = None
    event_queue: Queue | None = None  # of jobs
    most: Mapping[str, int] = field(default_factory=dict)  # AWS's quotas in a region, by our kind
    kept_bytes: int = 16 * 1024 * 1024  # of details, for each kind of thing that is polled
    cadence: Cadence = field(default_factory=Cadence)

    @property
    def call_seconds(self) -> float:
        """The longest that one call may take on the wire."""
        return self.connect_timeout + self.read_timeout
