"""Why an array waits, of which nothing runs.

AWS writes why a queue is blocked into the job at the head of its line (waiting.py). Of an array
that is one of its children, and the parent, whose detail we read, says nothing. So the queue is
asked which job is at its head: once in five minutes for each queue in which an array waits, however
many arrays those are.
"""

from collections.abc import Mapping, Sequence

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import NoTokenError, Scope
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.kept import Kept
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.batchjob import waiting

LOOK_SECONDS = 300.0
_QUEUES = 512


class HeadOfLine:
    """The jobs at the heads of queues, and what AWS says of them. For one event loop."""

    def __init__(self, batch: BatchPort, clock: Clock) -> None:
        self._batch = batch
        self._kept: Kept[Shape] = Kept(self._read, clock, seconds=LOOK_SECONDS, most=_QUEUES)

    async def words(self, scope: Scope, queue: str, array_id: str) -> str:
        """AWS's words on the child of that array at the head of the line; "" if it is another's.

        What cannot be read is not told, and looked for again.
        """
        try:
            head = (await self._kept.get(scope, [queue])).get(queue, {})
        except (AwsError, NoTokenError):
            return ""
        same = str(head.get("jobId", "")).partition(":")[0] == array_id
        return waiting.words_of(head) if same else ""

    async def _read(self, scope: Scope, queues: Sequence[str]) -> Mapping[str, Shape]:
        return {queue: await self._head(scope, queue) for queue in queues}

    async def _head(self, scope: Scope, queue: str) -> Shape:
        """Id and statusReason of its first job; {} if nothing waits, or it may not be read."""
        try:
            snapshot = await self._batch.queue_snapshot(scope, queue)
        except AwsError as error:
            if error.outcome_unknown:
                raise
            return {}
        front = (snapshot.get("frontOfQueue") or {}).get("jobs") or ()
        if not front:
            return {}
        job_id = str(front[0]["jobArn"]).rpartition("job/")[2]
        detail = await self._batch.job(scope, job_id) or {}
        return {"jobId": job_id, "statusReason": detail.get("statusReason") or ""}
