"""Reads what became of the jobs within a job: once, when the whole job has ended.

An array that runs costs no call of its own: the detail of its parent has the counts.
"""

from dataclasses import dataclass, field, replace

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.batchjob.array_status import differs, look_after, next_write
from awsbatch_operator.kinds.batchjob.children import (
    Child,
    Children,
    JobShape,
    child_id,
    children_of,
    listed_children,
    that_tells,
)
from awsbatch_operator.kinds.batchjob.head_of_line import LOOK_SECONDS, HeadOfLine
from awsbatch_operator.kinds.batchjob.observed import Observed, Output
from awsbatch_operator.kinds.batchjob.tasks import under_way

AGAIN_SECONDS = 5.0
WAIT_SECONDS = 60.0  # without room, before anybody is asked why
# AWS's lists lag behind what has happened. For so long the end of an array is held back while AWS
# names fewer failed children than it counts: what is run again are exactly those that it names.
PATIENCE_SECONDS = 60.0
_LASTS = frozenset({ErrorKind.DENIED, ErrorKind.INVALID, ErrorKind.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class ChildReader:
    """Reads them. What was read is kept until the end of the job stands in the status."""

    batch: BatchPort
    clock: Clock
    head: HeadOfLine
    _read: dict[ObjectKey, tuple[str, Children]] = field(default_factory=dict)
    _waits: dict[ObjectKey, Instant] = field(default_factory=dict)  # without room, since when
    _started: dict[ObjectKey, tuple[str, Instant]] = field(default_factory=dict)

    async def counted(self, resource: Resource, observed: Observed, scope: Scope) -> Observed:
        """What is known of a job that has not ended, with what its detail says of its children."""
        children, packing = children_of(observed.detail), observed.submission.packing
        if packing is not None:
            children = under_way(children, packing)
        if children is None:
            return observed
        if children.shape is JobShape.ARRAY and not resource.deleting:
            children = await self._blocked(resource.key, observed, children, scope)
            children = self._with_start(resource, observed.job_id, children)
        observed = replace(observed, children=children)
        if children.shape is not JobShape.ARRAY or not any(children.counts.values()):
            return observed
        shown = resource.status if resource.status.get("jobId") == observed.job_id else {}
        now = self.clock.now()
        children = replace(
            children,
            due=next_write(shown, now) if shown else None,
            again=look_after(shown, now),
            differs=differs(shown, children, observed.words),
        )
        return replace(observed, children=children)

    async def _blocked(
        self, key: ObjectKey, observed: Observed, children: Children, scope: Scope
    ) -> Children:
        """With AWS's words on why none starts, once that has lasted: some pass by themselves."""
        now = self.clock.now()
        if not children.waits_for_room:
            self._waits.pop(key, None)
            return children
        begun = self._waits.setdefault(key, now)
        if now.since(begun) < WAIT_SECONDS:
            return replace(children, look=begun.plus(WAIT_SECONDS))
        words = await self.head.words(scope, observed.submission.queue, observed.job_id)
        return replace(children, blocked=words, look=now.plus(LOOK_SECONDS))

    def _with_start(
        self, resource: Resource, job_id: str, children: Children, *told: Shape
    ) -> Children:
        """With when the first child began to run: as shown before, seen before, told, or seen now.

        AWS tells it of each child, and of the parent nothing. `told` is what AWS says of some of
        them in the end.
        """
        shown = Instant.read(resource.status.get("startedTime"))
        if resource.status.get("jobId") == job_id and shown is not None:
            return replace(children, started=shown)
        seen = self._started.get(resource.key)
        known = [] if seen is None or seen[0] != job_id else [seen[1]]
        times = (each.get("startedAt") for each in told)
        known += [Instant.from_milliseconds(each) for each in times if each]
        if not known and not told and children.begun:
            known = [self.clock.now()]
            self._started[resource.key] = (job_id, known[0])
        return replace(children, started=min(known, default=None))

    async def added(self, resource: Resource, observed: Observed, scope: Scope) -> Observed:
        """What is known of a job that has ended, with how its children did.

        `output.due` is set while AWS does not tell all of it yet. Raises AwsError, NoTokenError.
        """
        known = self._read.get(resource.key)
        if known is not None and known[0] == observed.job_id:
            return replace(observed, children=known[1])
        children = children_of(observed.detail)
        if children is None:
            return observed
        now = self.clock.now()
        children, whole = await self._ended(scope, observed, children)
        if children.shape is JobShape.ARRAY:
            children = self._with_start(resource, observed.job_id, children, children.told)
        held = now.since(observed.since) if observed.since else 0.0
        if not whole and held < PATIENCE_SECONDS:
            waits = Output(due=now.plus(AGAIN_SECONDS))
            return replace(observed, children=children, output=waits)
        self._read[resource.key] = (observed.job_id, children)
        return replace(observed, children=children)

    def forget(self, key: ObjectKey) -> None:
        """The object has reached its end, or is gone."""
        self._read.pop(key, None)
        self._waits.pop(key, None)
        self._started.pop(key, None)

    def __len__(self) -> int:
        return len(self._read) + len(self._waits) + len(self._started)

    async def _ended(
        self, scope: Scope, observed: Observed, children: Children
    ) -> tuple[Children, bool]:
        """With its failed ones, and whether AWS has named all of them."""
        if observed.state == "SUCCEEDED":
            return await self._succeeded(scope, observed, children), True
        if children.shape is JobShape.ARRAY:
            children = await self._counts(scope, observed, children)
        try:
            failed = await self._failed(scope, observed, children)
        except AwsError as error:
            if error.kind not in _LASTS:
                raise
            count = children.counts.get("FAILED", 0)
            return replace(children, failed=(), missing=count, trouble=str(error)), True
        index = that_tells(children, failed)
        told = await self._told(scope, observed, children, index)
        missing = max(children.counts.get("FAILED", 0) - len(failed), 0)
        indexes = tuple(each.index for each in failed)
        made = sum(children.counts.values())
        whole = not missing and children.ended == made
        return replace(children, failed=indexes, told=told, index=index, missing=missing), whole

    async def _succeeded(self, scope: Scope, observed: Observed, children: Children) -> Children:
        """An array succeeds when each of its children has, a multi-node job when its main node has.

        AWS stops the other nodes then, and counts them as failed: nothing is said of those.
        """
        if children.shape is JobShape.ARRAY:
            counts = dict.fromkeys(children.counts, 0) | {"SUCCEEDED": children.size}
            return replace(children, counts=counts, failed=())
        index = children.main_node
        told = await self._told(scope, observed, children, index)
        return replace(children, failed=(), told=told, index=index)

    async def _counts(self, scope: Scope, observed: Observed, children: Children) -> Children:
        """AWS sums the children up some time after they have ended, and the feed reads no more."""
        if children.ended == sum(children.counts.values()):
            return children
        newest = await self.batch.job(scope, observed.job_id)
        return children_of(newest or {}) or children

    async def _failed(
        self, scope: Scope, observed: Observed, children: Children
    ) -> tuple[Child, ...]:
        nodes = children.shape is JobShape.MULTI_NODE
        listed = await self.batch.children(scope, observed.job_id, "FAILED", nodes=nodes)
        return listed_children(children.shape, listed)

    async def _told(
        self, scope: Scope, observed: Observed, children: Children, index: int | None
    ) -> Shape:
        if index is None:
            return {}
        return await self.batch.job(scope, child_id(children.shape, observed.job_id, index)) or {}
