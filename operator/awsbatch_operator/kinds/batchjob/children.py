"""The jobs within a job: children of an array, nodes of a multi-node parallel job (pure).

AWS Batch counts an array's children in the detail of their parent, and says how each of them ended
only to who asks for that child. Sources: user guide, "Array jobs" and "Multi-node parallel jobs";
API reference, ArrayPropertiesDetail, NodeProperties, JobSummary.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.batchjob.packing import Tasks

# In the order in which a job passes through them, with their names in `status.array`.
STATES: Mapping[str, str] = {
    "SUBMITTED": "submitted",
    "PENDING": "pending",
    "RUNNABLE": "runnable",
    "STARTING": "starting",
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
}


class JobShape(Enum):
    """What a job with others in it is."""

    ARRAY = "Array"
    MULTI_NODE = "MultiNode"


@dataclass(frozen=True, slots=True)
class Children:
    """The jobs within a job, as far as they are known.

    `counts` are by AWS's state, of an array; AWS does not count nodes. `failed` are the indexes of
    those that failed, None while they have not been read: that is done once, when the whole job has
    ended. `told` is AWS's detail of the one whose end is told as that of the whole job: the child
    that failed first, or the main node; {} if there is none. `index` is its index. `missing` says
    how many more have failed than AWS would name, and `trouble` why it would name none.
    `due`: from when on what `differs` from the status is worth a write; None if it has no counts.
    `again`: seconds after which to look at the counts once more; 0 if there are none.
    `blocked`: why none of them can start, in AWS's words; "" if AWS says nothing, or some run.
    `look`: when to ask for that again.
    `started`: when the first child of an array began to run, as far as that was seen.
    `tasks`: the array is packed; `size`, `counts`, `failed` and `missing` are of its tasks then.
    """

    shape: JobShape
    size: int
    counts: Mapping[str, int] = field(default_factory=dict)
    main_node: int = 0
    failed: tuple[int, ...] | None = None
    told: Shape = field(default_factory=dict)
    index: int | None = None
    missing: int = 0
    trouble: str = ""
    due: Instant | None = None
    differs: bool = False
    again: float = 0.0
    blocked: str = ""
    look: Instant | None = None
    started: Instant | None = None
    tasks: Tasks | None = None

    @property
    def ended(self) -> int:
        """How many have come to their end."""
        return self.counts.get("SUCCEEDED", 0) + self.counts.get("FAILED", 0)

    @property
    def begun(self) -> bool:
        """Whether any of an array's children has begun to run."""
        return bool(self.counts.get("RUNNING") or self.counts.get("SUCCEEDED"))

    @property
    def waits_for_room(self) -> bool:
        """Whether some wait for room, and none has any."""
        runs = self.counts.get("STARTING", 0) + self.counts.get("RUNNING", 0)
        return not runs and bool(self.counts.get("RUNNABLE"))

    @property
    def at_work(self) -> bool:
        """Whether any of them waits for room, runs, or is about to."""
        return any(self.counts.get(state) for state in ("RUNNABLE", "STARTING", "RUNNING"))


@dataclass(frozen=True, slots=True)
class Child:
    """What a list says of one of them; `stopped` is AWS's time, None if it leaves it out."""

    job_id: str
    index: int
    stopped: int | None = None


def children_of(detail: Shape) -> Children | None:
    """What the job's own detail says of the jobs within it; None for a job that has none."""
    array = detail.get("arrayProperties") or {}
    if array.get("size"):
        summary = array.get("statusSummary") or {}
        counts = {state: int(summary.get(state) or 0) for state in STATES}
        return Children(JobShape.ARRAY, int(array["size"]), counts)
    nodes = detail.get("nodeProperties") or {}
    if nodes.get("numNodes"):
        main = int(nodes.get("mainNode") or 0)
        return Children(JobShape.MULTI_NODE, int(nodes["numNodes"]), main_node=main)
    return None


def listed_children(shape: JobShape, summaries: Iterable[Shape]) -> tuple[Child, ...]:
    """What ListJobs shows, each once, by index.

    AWS may leave members of a summary out; the id names the index as well: `id:index` of an array,
    `id#index` of nodes.
    """
    member, name, mark = (
        ("arrayProperties", "index", ":")
        if shape is JobShape.ARRAY
        else ("nodeProperties", "nodeIndex", "#")
    )
    found: dict[int, Child] = {}
    for summary in summaries:
        job_id = str(summary["jobId"])
        index = (summary.get(member) or {}).get(name)
        if index is None:
            text = job_id.rpartition(mark)[2]
            index = int(text) if text.isdecimal() else None
        if index is not None:
            found[int(index)] = Child(job_id, int(index), summary.get("stoppedAt"))
    return tuple(found[index] for index in sorted(found))


def child_id(shape: JobShape, job_id: str, index: int) -> str:
    """The id of one of them."""
    return f"{job_id}{':' if shape is JobShape.ARRAY else '#'}{index}"


def that_tells(children: Children, failed: Sequence[Child]) -> int | None:
    """The index of the one whose end is told as that of the whole job; None: of none.

    Of an array it is the child that failed first: later ones may have failed because of it. Of a
    multi-node job it is the main node, whose exit is the job's; but where other nodes failed and it
    did not, the first of those is why.
    """
    first = min(failed, key=_moment, default=None)
    if children.shape is JobShape.ARRAY:
        return first.index if first else None
    if first is None or any(each.index == children.main_node for each in failed):
        return children.main_node
    return first.index


def _moment(child: Child) -> tuple[float, int]:
    """One that was never started has no time, and comes last."""
    return (float("inf") if child.stopped is None else child.stopped, child.index)
