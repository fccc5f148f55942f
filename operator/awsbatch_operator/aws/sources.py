"""The kinds of things of AWS Batch that feeds read: how each is listed, and asked for by name."""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.aws_settings import Cadence
from awsbatch_operator.aws.calls import DESCRIBED_AT_ONCE
from awsbatch_operator.aws.feed import Keep, Reading
from awsbatch_operator.aws.limits import Prepaid
from awsbatch_operator.aws.sender import Sender

_MOVING = ("CREATING", "UPDATING", "DELETING")


def plain_name(name_or_arn: str) -> str:
    """The name in an ARN of Batch, without the revision; names have no "/" and no ":"."""
    return name_or_arn.rpartition("/")[2].partition(":")[0]


@dataclass(frozen=True, slots=True)
class DescribedSource:
    """Compute environments or job queues: one Describe call lists all, or reads 100 names.

    Both have a `status` that moves while AWS works on them, so they are polled often. Who asks by
    name is still shown what has been DELETED for some time (CEStatus, JQStatus); that does not
    exist any more, and its name is free.
    """

    sender: Sender
    what: str
    operation: str
    member: str  # of the request, with names, and of the answer
    prefix: str  # of the members with name and ARN
    asked_at_once: int = DESCRIBED_AT_ONCE
    keeps_all: bool = True
    moves: bool = True

    def interval(self, cadence: Cadence, scope: Scope, *, moving: bool) -> float:
        del scope
        return cadence.infrastructure_moving if moving else cadence.infrastructure

    def moving(self, detail: Shape) -> bool:
        return detail.get("status") in _MOVING

    def tags(self, detail: Shape) -> Mapping[str, str]:
        return detail.get("tags") or {}

    def name(self, detail: Shape) -> str:
        return str(detail[f"{self.prefix}Name"])

    def arn(self, detail: Shape) -> str:
        return str(detail[f"{self.prefix}Arn"])

    def rank(self, detail: Shape) -> int:  # noqa: ARG002 - names are unique
        return 0

    async def walk(
        self, scope: Scope, followed: Collection[str], keep: Keep, *, polling: bool
    ) -> Reading:
        del followed
        request = {"maxResults": DESCRIBED_AT_ONCE}
        return _reading(await self._existing(scope, request, polling=polling), keep, self.name)

    async def ask(self, scope: Scope, names: Sequence[str]) -> Sequence[Shape]:
        return await self._existing(scope, {self.member: list(names)}, polling=False)

    async def _existing(
        self, scope: Scope, request: dict[str, Any], *, polling: bool
    ) -> Sequence[Shape]:
        pages = self.sender.pages(scope, self.operation, request, self.member, polling=polling)
        return [
            detail async for page in pages for detail in page if detail.get("status") != "DELETED"
        ]


def environments(sender: Sender) -> DescribedSource:
    """Compute environments."""
    return DescribedSource(
        sender,
        what="compute environments",
        operation="batch:DescribeComputeEnvironments",
        member="computeEnvironments",
        prefix="computeEnvironment",
    )


def queues(sender: Sender) -> DescribedSource:
    """Job queues."""
    return DescribedSource(
        sender,
        what="job queues",
        operation="batch:DescribeJobQueues",
        member="jobQueues",
        prefix="jobQueue",
    )


_POLICY_CALLS = 2  # a list and a description, for up to a hundred policies


@dataclass(frozen=True, slots=True)
class PolicySource:
    """Scheduling policies: AWS lists ARNs without tags, and describes 100 ARNs a call.

    It has no call by name, so single names are read by the same walk.
    """

    sender: Sender
    what: str = "scheduling policies"
    asked_at_once: int = 10_000
    keeps_all: bool = True
    moves: bool = False

    def interval(self, cadence: Cadence, scope: Scope, *, moving: bool) -> float:
        del scope, moving
        return cadence.unmoving

    def moving(self, detail: Shape) -> bool:  # noqa: ARG002 - they are as asked for at once
        return False

    def tags(self, detail: Shape) -> Mapping[str, str]:
        return detail.get("tags") or {}

    def name(self, detail: Shape) -> str:
        return str(detail["name"])

    def arn(self, detail: Shape) -> str:
        return str(detail["arn"])

    def rank(self, detail: Shape) -> int:  # noqa: ARG002 - names are unique
        return 0

    async def walk(
        self, scope: Scope, followed: Collection[str], keep: Keep, *, polling: bool
    ) -> Reading:
        del followed
        arns = await self._listed(scope, polling=polling)
        return _reading(await self._described(scope, arns, polling=polling), keep, self.name)

    async def ask(self, scope: Scope, names: Sequence[str]) -> Sequence[Shape]:
        wanted = set(names)
        paid = self.sender.prepay(scope, "batch:ListSchedulingPolicies", _POLICY_CALLS)
        try:
            arns = await self._listed(scope, prepaid=paid)
            asked = [arn for arn in arns if plain_name(arn) in wanted]
            return await self._described(scope, asked, prepaid=paid)
        finally:
            paid.close()

    async def _listed(
        self, scope: Scope, *, polling: bool = False, prepaid: Prepaid | None = None
    ) -> list[str]:
        call, request = "batch:ListSchedulingPolicies", {"maxResults": DESCRIBED_AT_ONCE}
        pages = self.sender.pages(
            scope, call, request, "schedulingPolicies", polling=polling, prepaid=prepaid
        )
        return [str(policy["arn"]) async for page in pages for policy in page]

    async def _described(
        self,
        scope: Scope,
        arns: Sequence[str],
        *,
        polling: bool = False,
        prepaid: Prepaid | None = None,
    ) -> Sequence[Shape]:
        call, member = "batch:DescribeSchedulingPolicies", "schedulingPolicies"
        found: list[Shape] = []
        for at in range(0, len(arns), DESCRIBED_AT_ONCE):
            request = {"arns": list(arns[at : at + DESCRIBED_AT_ONCE])}
            answer = await self.sender.call(scope, call, request, polling=polling, prepaid=prepaid)
            found += self.sender.member(scope, call, answer, member)
        return found


_MORE = 50  # pages that a walk may take beyond what the followed names would take


@dataclass(frozen=True, slots=True)
class DefinitionSource:
    """Job definitions: all ACTIVE revisions of a name are one thing that is looked up.

    An account may hold 50,000 definitions of others. A poll reads either all, 100 a page, or the
    followed names, one a call: what takes fewer calls, from what the last walk has shown.
    """

    sender: Sender
    what: str = "job definitions"
    asked_at_once: int = 1  # by name AWS answers for one only
    keeps_all: bool = False
    moves: bool = False
    _pages_of: dict[Scope, int] = field(default_factory=dict)  # at least, as of the last walk

    def interval(self, cadence: Cadence, scope: Scope, *, moving: bool) -> float:
        del scope, moving
        return cadence.unmoving

    def moving(self, detail: Shape) -> bool:  # noqa: ARG002 - they are as asked for at once
        return False

    def tags(self, detail: Shape) -> Mapping[str, str]:
        return detail.get("tags") or {}

    def name(self, detail: Shape) -> str:
        return str(detail["jobDefinitionName"])

    def arn(self, detail: Shape) -> str:
        return str(detail["jobDefinitionArn"])

    def rank(self, detail: Shape) -> int:
        return -int(detail["revision"])  # the newest first

    async def walk(
        self, scope: Scope, followed: Collection[str], keep: Keep, *, polling: bool
    ) -> Reading:
        expected = self._pages_of.get(scope, 1)
        if expected <= max(1, len(followed)):
            reading = await self._all(scope, len(followed) + _MORE, keep, polling=polling)
            if reading is not None:
                return reading
        details = await self._named(scope, sorted(followed), polling=polling)
        return Reading(details, None)

    async def ask(self, scope: Scope, names: Sequence[str]) -> Sequence[Shape]:
        return await self._named(scope, names, polling=False)

    async def _all(
        self, scope: Scope, most_pages: int, keep: Keep, *, polling: bool
    ) -> Reading | None:
        """None if there are more pages than that."""
        details: list[Shape] = []
        names: set[str] = set()
        count = 0
        async with aclosing(self._pages(scope, polling=polling)) as pages:
            async for page in pages:
                count += 1
                self._pages_of[scope] = count
                if count > most_pages:
                    return None
                details += filter(keep, page)
                names |= {self.name(detail) for detail in page}
        return Reading(details, names)

    async def _named(self, scope: Scope, names: Sequence[str], *, polling: bool) -> Sequence[Shape]:
        found: list[Shape] = []
        for name in names:
            async for page in self._pages(scope, name, polling=polling):
                found += page
        return found

    def _pages(
        self, scope: Scope, name: str | None = None, *, polling: bool
    ) -> AsyncGenerator[list[Shape], None]:
        request: dict[str, Any] = {"status": "ACTIVE", "maxResults": DESCRIBED_AT_ONCE}
        if name is not None:
            request["jobDefinitionName"] = name
        call, member = "batch:DescribeJobDefinitions", "jobDefinitions"
        return self.sender.pages(scope, call, request, member, polling=polling)


def _reading(details: Sequence[Shape], keep: Keep, name: Callable[[Shape], str]) -> Reading:
    """A walk that has seen everything."""
    return Reading(list(filter(keep, details)), {name(detail) for detail in details})
