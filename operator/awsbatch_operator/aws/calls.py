"""What a call to AWS is: the rows of `call_table.py`.

Adapters reach AWS only through Sender, which looks every call up in the table; what is not there
cannot be sent. The same rows make the operator's IAM policy, so the two cannot differ.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum

from awsbatch_operator.api.tags import CLUSTER

# API reference: DescribeJobs takes 100 ids, the other Describe calls of Batch take 100 names or
# ARNs and answer 100 things a page; a page of ListJobs has 1,000 summaries, with filters 100.
DESCRIBED_AT_ONCE = 100
LISTED_AT_ONCE = 1000
# Of one list: ten million jobs, ten times as many as Batch keeps in a queue. Who answers that there
# are still more, or by a token that was used already, would be asked for ever.
PAGES_MOST = 10_000
FILTERED_AT_ONCE = 100
LONGEST_WAIT = 20  # seconds that SQS waits for a message; SQS API reference, ReceiveMessage


class Effect(Enum):
    """What a call does to AWS."""

    READS = "Reads"
    MAKES = "Makes"  # something new
    CHANGES = "Changes"  # something that exists
    ENDS = "Ends"


class Priority(IntEnum):
    """Who goes first when rate tokens or threads are scarce: the lower number.

    Each change needs a look at AWS just before it. So looks go first: behind the changes, the look
    of the first deletion would wait for a thousand others to have had their tokens, each of which
    gives its own back because its look has to wait as well.
    """

    READING = 0
    ENDING = 1  # deletions free what others wait for
    REPAIRING = 2
    MAKING = 3
    POLLING = 4  # for a thread; tokens are shared out otherwise (limits.py)


_SMALL_LETTERS = frozenset({"batch", "ecs", "logs"})  # services whose members begin with one

CLUSTER_ID = "CLUSTER_ID"  # stands in the policy for --cluster-id; deploy/iam/README.md says how

_PRIORITIES: Mapping[Effect, Priority] = {
    Effect.ENDS: Priority.ENDING,
    Effect.CHANGES: Priority.REPAIRING,
    Effect.READS: Priority.READING,
    Effect.MAKES: Priority.MAKING,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of an IAM statement."""

    test: str  # IAM's operator, e.g. StringEquals
    key: str
    values: tuple[str, ...]


OURS = Condition("StringEquals", f"aws:ResourceTag/{CLUSTER}", (CLUSTER_ID,))
TO_BE_OURS = Condition("StringEquals", f"aws:RequestTag/{CLUSTER}", (CLUSTER_ID,))
NOBODYS = Condition("Null", f"aws:ResourceTag/{CLUSTER}", ("true",))

# The roles that may be given to jobs and instances: the names that AWS's own guides and
# AWSBatchFullAccess give them, and one prefix of ours.
PASSED_ROLES = (
    "arn:aws:iam::*:role/AWSBatchServiceRole",
    "arn:aws:iam::*:role/aws-ec2-spot-fleet-role",
    "arn:aws:iam::*:role/batch-*",
    "arn:aws:iam::*:role/ecsInstanceRole",
    "arn:aws:iam::*:role/ecsTaskExecutionRole",
    "arn:aws:iam::*:role/service-role/AWSBatchServiceRole",
)


@dataclass(frozen=True, slots=True)
class Permission:
    """An IAM action that a call needs, on what, and under which conditions, all of them."""

    action: str
    resources: tuple[str, ...] = ("*",)
    conditions: tuple[Condition, ...] = ()


def pass_roles(*services: str) -> Permission:
    """To give one of PASSED_ROLES to these services."""
    condition = Condition("StringEquals", "iam:PassedToService", services)
    return Permission("iam:PassRole", PASSED_ROLES, (condition,))


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of AWS that the operator uses.

    `methods` are the port methods and pollers that send it. The first permission is the call's own;
    a call that needs none has no permissions. `part` is the policy document that allows it: the
    one of the operator, or a further one for those who use that part of it.
    """

    service: str  # as botocore names it
    operation: str
    effect: Effect
    methods: tuple[str, ...]
    permissions: tuple[Permission, ...]
    source: str  # where AWS says which permissions it needs
    part: str = "operator"
    waits: int = 0  # seconds for which AWS may hold the answer back

    @property
    def name(self) -> str:
        """How adapters and logs name it, e.g. "batch:SubmitJob"."""
        return f"{self.service}:{self.operation}"

    @property
    def mutating(self) -> bool:
        """Whether it changes anything: then it is sent once, and under the lease."""
        return self.effect is not Effect.READS

    @property
    def page_token(self) -> str:
        """The member of request and answer that leads to the next page."""
        return "nextToken" if self.service in _SMALL_LETTERS else "NextToken"

    @property
    def priority(self) -> Priority:
        """Who goes first."""
        return _PRIORITIES[self.effect]

    @property
    def action(self) -> str:
        """The IAM action of the call itself."""
        return self.permissions[0].action if self.permissions else self.name


class UnlistedCallError(LookupError):
    """An adapter tried a call that the table does not have; the IAM policy would not allow it."""


class CallTable:
    """The rows, by name."""

    def __init__(self, rows: Iterable[Call]) -> None:
        self._rows = {row.name: row for row in rows}

    def __iter__(self) -> Iterator[Call]:
        return iter(self._rows.values())

    def __getitem__(self, name: str) -> Call:
        try:
            return self._rows[name]
        except KeyError:
            raise UnlistedCallError(
                f"{name} is not in aws/call_table.py. Add a row with its IAM actions, then run "
                "'make docs' to write the policy."
            ) from None

    def for_method(self, method: str, services: Collection[str] = ()) -> tuple[Call, ...]:
        """The calls that a port method sends; of these services, if several ports have it."""
        return tuple(
            row
            for row in self._rows.values()
            if method in row.methods and (not services or row.service in services)
        )
