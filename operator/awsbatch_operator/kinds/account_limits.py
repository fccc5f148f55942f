"""How many environments and queues AWS lets an account have in a region, told before it refuses.

Source: AWS Batch User Guide, "AWS Batch service quotas": 50 compute environments and 50 job queues
in a region. Three environments a queue is the third quota there; the schema holds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.ports import BatchPort

ENVIRONMENTS, QUEUES = "ComputeEnvironment", "JobQueue"
_THINGS: Mapping[str, str] = {ENVIRONMENTS: "compute environments", QUEUES: "job queues"}
_QUOTA = 50
_NEARLY_FULL = 0.9  # from this part of the quota on, whoever takes a further place is told


@dataclass(frozen=True, slots=True)
class Room:
    """What a region of an account has of one kind, seen from an object that has nothing in it yet.

    `others` are those that are not the object's own; None: nobody knows yet.
    """

    kind: str = ""
    account_id: str = ""
    region: str = ""
    most: int = _QUOTA
    others: int | None = None

    def refusal(self, *, own: int = 0) -> Finding | None:
        """Why AWS would refuse one more; None if it would take it, or nobody knows.

        `own`: how many the object has already, and keeps beside the new one for a while.
        """
        if self.others is None or self.others + own < self.most:
            return None
        return Finding(
            catalogue.ACCOUNT_LIMIT_REACHED,
            f"The account {self.account_id} has {self.others + own} {_THINGS[self.kind]} in "
            f"{self.region}, and AWS allows {self.most}. No call was made.",
        )

    @property
    def words(self) -> str:
        """To be told with the creation of one that takes one of the last places; else ""."""
        if self.others is None or self.others + 1 < self.most * _NEARLY_FULL:
            return ""
        return (
            f" The account has {self.others + 1} {_THINGS[self.kind]} in {self.region} now; AWS "
            f"allows {self.most}."
        )


@dataclass(frozen=True, slots=True)
class Rooms:
    """Counts by what the shared feeds have read; that costs no call but a feed's first reading.

    `most` are quotas by kind, where they differ from AWS's.
    """

    batch: BatchPort
    most: Mapping[str, int] = field(default_factory=dict)

    def of(self, kind: str, targets: Targets) -> Room:
        """As far as it is known now, without a call."""
        place = (targets.account_id, targets.region)
        others = self.batch.others(kind, place, targets.aws_name)
        return Room(kind, *place, self.most.get(kind, _QUOTA), others)

    async def look(self, kind: str, scope: Scope, name: str) -> None:
        """Have the place read, unless it was: before something of that name is made there.

        Raises AwsError and NoTokenError.
        """
        if self.batch.others(kind, (scope.account_id, scope.region), name) is not None:
            return
        if kind == QUEUES:
            await self.batch.job_queues(scope)
        else:
            await self.batch.compute_environments(scope)
