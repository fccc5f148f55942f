"""The jobs that wait in a queue for capacity: what is kept of each, and how the feed reads them."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from awsbatch_operator.api.encoding import canonical, decoded
from awsbatch_operator.api.metadata import GROUP, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.aws_settings import Cadence
from awsbatch_operator.aws.calls import DESCRIBED_AT_ONCE, LISTED_AT_ONCE
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.feed import Keep, Reading
from awsbatch_operator.aws.sender import Sender

WAITING_MOST = 20_000  # jobs of a queue and state that are looked at; thousands fill any limit
REMEMBERED = 50_000  # jobs whose needs are kept, 0.5 kB each: they never change
_READ_AT_ONCE = 200  # jobs that are put together before the event loop gets a turn
_MEMBERS = (
    "createdAt",
    "jobDefinition",
    "jobId",
    "jobName",
    "jobQueue",
    "platformCapabilities",
    "schedulingPriority",
    "shareIdentifier",
    "timeout",
)
_NEEDS = ("name", "resourceRequirements", "vcpus", "memory")
_GONE = frozenset({ErrorKind.NOT_FOUND, ErrorKind.INVALID})  # what AWS says of a queue that is gone


class WaitingSource:
    """Jobs in RUNNABLE, and arrays with children in RUNNABLE, looked up by the queue's ARN.

    AWS lists them without what they need, which DescribeJobs tells, a hundred at a time. It never
    changes while a job waits, so only jobs that are new on the list are described. The parent of an
    array is PENDING as long as any child waits or runs (Batch user guide, "Array jobs"), and its
    summary counts the children; where AWS leaves the count out, the array is described.
    """

    what = "waiting jobs"
    asked_at_once = 1
    keeps_all = True
    moves = False

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._needs: OrderedDict[str, bytes] = OrderedDict()
        self._pages_of: dict[Scope, int] = {}  # of the last walk, all queues together

    def interval(self, cadence: Cadence, scope: Scope, *, moving: bool) -> float:
        del moving
        return max(cadence.demand, cadence.call * self._pages_of.get(scope, 1))

    def moving(self, detail: Shape) -> bool:  # noqa: ARG002 - it waits
        return False

    def tags(self, detail: Shape) -> Mapping[str, str]:  # noqa: ARG002
        """None: a job's owner hears of its job by the feed of jobs."""
        return {}

    def name(self, detail: Shape) -> str:
        return str(detail["jobQueue"])

    def arn(self, detail: Shape) -> str:
        return str(detail["jobId"])

    def rank(self, detail: Shape) -> int:
        return int(detail.get("createdAt") or 0)

    async def walk(
        self, scope: Scope, followed: Collection[str], keep: Keep, *, polling: bool
    ) -> Reading:
        found: list[Shape] = []
        self._pages_of[scope] = 0
        for queue in sorted(followed):
            found += filter(keep, await self._of(scope, queue, polling=polling))
        return Reading(found, None)

    async def ask(self, scope: Scope, names: Sequence[str]) -> Sequence[Shape]:
        return [each for name in names for each in await self._of(scope, name, polling=False)]

    async def _of(self, scope: Scope, queue: str, *, polling: bool) -> list[Shape]:
        try:
            waiting = await self._listed(scope, queue, "PENDING", polling=polling)
            # After the arrays: what leaves PENDING meanwhile is seen twice rather than never.
            waiting |= await self._listed(scope, queue, "RUNNABLE", polling=polling)
        except AwsError as error:
            if error.kind not in _GONE:
                raise
            return []
        counts = {job_id: _children(job) for job_id, job in waiting.items()}
        asked = [
            job_id
            for job_id, count in counts.items()
            if count is None or (count and job_id not in self._needs)
        ]
        counts |= await self._describe(scope, asked, polling=polling)
        found = []
        for number, (job_id, count) in enumerate(counts.items(), start=1):
            if count and job_id in self._needs:
                found.append(_waiting(queue, waiting[job_id], count, self._needs[job_id]))
            if not number % _READ_AT_ONCE:
                await asyncio.sleep(0)
        return found

    async def _describe(
        self, scope: Scope, job_ids: Sequence[str], *, polling: bool
    ) -> dict[str, int]:
        """Remember what these need. How many of each wait, at this moment."""
        call, counts = "batch:DescribeJobs", {}
        for at in range(0, len(job_ids), DESCRIBED_AT_ONCE):
            asked = list(job_ids[at : at + DESCRIBED_AT_ONCE])
            answer = await self._sender.call(scope, call, {"jobs": asked}, polling=polling)
            jobs = self._sender.member(scope, call, answer, "jobs")
            found = {str(job["jobId"]): job for job in jobs if _is_clear(job)}
            for job_id in asked:
                counts[job_id] = _children(found[job_id]) or 0 if job_id in found else 0
                if job_id in found:
                    self._remember(found[job_id])
        return counts

    def _remember(self, detail: Shape) -> None:
        self._needs[str(detail["jobId"])] = canonical(_needs(detail))
        while len(self._needs) > REMEMBERED:
            self._needs.popitem(last=False)

    async def _listed(
        self, scope: Scope, queue: str, state: str, *, polling: bool
    ) -> dict[str, Shape]:
        """Summaries by id; of what is PENDING arrays only."""
        request = {"jobQueue": queue, "jobStatus": state, "maxResults": LISTED_AT_ONCE}
        found: dict[str, Shape] = {}
        count = 0
        pages = self._sender.pages(
            scope, "batch:ListJobs", request, "jobSummaryList", polling=polling
        )
        async with aclosing(pages):
            async for page in pages:
                found |= {
                    str(job["jobId"]): job
                    for job in page
                    if _is_clear(job)
                    and "index" not in job.get("arrayProperties", {})
                    and (state == "RUNNABLE" or "arrayProperties" in job)
                }
                count += 1
                if count * LISTED_AT_ONCE >= WAITING_MOST:
                    break
        self._pages_of[scope] = self._pages_of.get(scope, 0) + count
        return found


def _is_clear(job: Shape) -> bool:
    """Whether AWS says which job it is, and in which status: an odd one holds up no others."""
    return bool(job.get("jobId") and job.get("status"))


def _children(job: Shape) -> int | None:
    """How many wait as this one: the RUNNABLE children of an array, else 1.

    None: it is an array whose summary does not say.
    """
    array = job.get("arrayProperties", {})
    if "size" not in array:
        return 1 if job["status"] == "RUNNABLE" else 0
    counts = array.get("statusSummary")
    return None if counts is None else int(counts.get("RUNNABLE", 0))


def _waiting(queue: str, summary: Shape, count: int, needs: bytes) -> Shape:
    """What is told of a job: what it needs, and what the list says of it now."""
    job: dict[str, Any] = {**decoded(needs), "jobQueue": queue, "status": summary["status"]}
    job |= {name: True for name in ("isCancelled", "isTerminated") if summary.get(name)}
    if "arrayProperties" in summary:
        size = summary["arrayProperties"].get("size", count)
        job["arrayProperties"] = {"size": size, "statusSummary": {"RUNNABLE": count}}
    return job


def _needs(detail: Shape) -> Shape:
    """The part of DescribeJobs' detail that says what the job needs, and whose it is."""
    kept: dict[str, Any] = {name: detail[name] for name in _MEMBERS if name in detail}
    kept |= _containers(detail)
    if detail.get("eksProperties"):
        kept["eksProperties"] = {"podProperties": {}}  # what its pods need is of no use to ECS
    nodes = detail.get("nodeProperties")
    if nodes:
        ranges = nodes.get("nodeRangeProperties", ())
        kept["nodeProperties"] = {
            "numNodes": nodes.get("numNodes"),
            "nodeRangeProperties": [
                {"targetNodes": each.get("targetNodes"), **_containers(each)} for each in ranges
            ],
        }
    tags = detail.get("tags") or {}
    kept["tags"] = {name: tags[name] for name in tags if name.startswith(f"{GROUP}/")}
    return kept


def _containers(detail: Shape) -> Shape:
    """What the containers of a job or of a range of nodes require."""
    kept: dict[str, Any] = {}
    if detail.get("container"):
        kept["container"] = _required(detail["container"])
    tasks = (detail.get("ecsProperties") or {}).get("taskProperties")
    if tasks:
        kept["ecsProperties"] = {
            "taskProperties": [
                {"containers": [_required(each) for each in task.get("containers", ())]}
                for task in tasks
            ]
        }
    return kept


def _required(container: Shape) -> Shape:
    return {name: container[name] for name in _NEEDS if name in container}
