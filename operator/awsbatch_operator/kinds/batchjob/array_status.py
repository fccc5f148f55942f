"""How an array of jobs, and the nodes of a multi-node job, stand in the status (pure).

The parent of an array is PENDING from when its first child waits for room until its last one has
ended (user guide, "Array jobs"). So what is told of it is what its children do.

**When progress is worth a write.** Each child that starts or ends changes the counts, 30,000 times
in an array of 10,000, and a write costs etcd and every watcher. So counts that differ are written
when as much time has passed since the last write as the array was old then, but a minute at least
and a quarter of an hour at most. An array that goes on for an hour takes eight such writes, ten
with the one of its submission and the one of its end; each quarter of an hour more takes one more,
and none if nothing has changed. What is shown is never older than a quarter of an hour, and the end
is always written, at once. Nor is a turn taken for each child: the feed wakes the array when some
begin to wait, run or fail and with each 32nd that has ended, and a look follows the last write.
"""

from collections.abc import Mapping
from typing import Any

from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.words import joined
from awsbatch_operator.kinds.batchjob import waiting
from awsbatch_operator.kinds.batchjob.children import STATES, Children, JobShape
from awsbatch_operator.kinds.batchjob.ranges import shown as as_ranges
from awsbatch_operator.kinds.batchjob.tasks import why_unknown

FIRST_SECONDS = 60.0
LONGEST_SECONDS = 900.0
# Of a condition's message, which has to hold the remedy as well; status has all indexes.
INDEXES_TOLD = 120

# What children do, by their state, in the order in which it is told; of one, and of several.
_DOING: tuple[tuple[str, str, str], ...] = (
    ("running", "runs", "run"),
    ("starting", "starts", "start"),
    ("runnable", "waits for room", "wait for room"),
    ("pending", "waits for other jobs", "wait for other jobs"),
    ("submitted", "is being taken in by AWS", "are being taken in by AWS"),
)


def next_write(status: Shape, now: Instant) -> Instant:
    """From when on counts that differ from those in the status are worth a write.

    `status` is that of the object, of the run that the array is of.
    """
    shown, begun = status.get("array") or {}, _begun(status, now)
    last = Instant.read(shown.get("time")) or begun
    return last.plus(_apart(last.since(begun)))


def look_after(status: Shape, now: Instant) -> float:
    """Seconds after which the counts are to be looked at once more, were they written now."""
    return _apart(now.since(_begun(status, now)))


def _begun(status: Shape, now: Instant) -> Instant:
    return Instant.read(status.get("submittedTime")) or now


def _apart(age: float) -> float:
    return min(max(age, FIRST_SECONDS), LONGEST_SECONDS)


def differs(status: Shape, children: Children, words: str) -> bool:
    """Whether the status lacks what the children do, or AWS's words of it."""
    shown = status.get("array") or {}
    return status.get("statusReason", "") != words or any(
        shown.get(name, 0) != children.counts.get(state, 0) for state, name in STATES.items()
    )


def array_fields(children: Children, now: Instant) -> dict[str, Any]:
    """`status.array`."""
    fields: dict[str, Any] = {
        "size": children.size,
        "progress": f"{children.ended}/{children.size}",
    }
    if children.tasks is not None:
        fields["tasksPerJob"] = children.tasks.packing.each
    if any(children.counts.values()):
        fields |= {name: children.counts.get(state, 0) for state, name in STATES.items()}
        fields["time"] = now.rfc3339()
    if children.failed:
        fields["failedIndexes"] = as_ranges(children.failed)
    return fields


def node_fields(children: Children) -> dict[str, Any]:
    """`status.nodes`."""
    fields: dict[str, Any] = {"count": children.size, "mainNode": children.main_node}
    if children.failed:
        fields["failed"] = as_ranges(children.failed)
    return fields


def shape_fields(children: Children | None, now: Instant) -> dict[str, Any]:
    """What of the status is about the jobs within the job."""
    match children:
        case None:
            return {}
        case Children(shape=JobShape.ARRAY):
            return {"array": array_fields(children, now)}
        case _:
            return {"nodes": node_fields(children)}


def in_progress(array: Shape, words: str) -> Verdict | None:
    """The verdict of an array whose children AWS has made, from `status.array`; else None."""
    counts = {name: int(array.get(name, 0)) for name in STATES.values()}
    if not any(counts.values()):
        return None
    message = _doing(int(array["size"]), counts)
    if words:
        message = joined(message, f"AWS says: {words}", waiting.remedy_for(words))
    return Verdict(Situation.WORKING, _reason(counts), message)


def _reason(counts: Mapping[str, int]) -> str:
    """AWS's word for the state of the child that has come farthest and not ended."""
    for name in ("running", "starting", "runnable"):
        if counts[name]:
            return name.capitalize()
    return "Pending" if counts["pending"] or counts["submitted"] else "Running"


def _doing(size: int, counts: Mapping[str, int]) -> str:
    ended = counts["succeeded"] + counts["failed"]
    said = [f"{ended} of {size} {'has' if ended == 1 else 'have'} ended"]
    if counts["failed"]:
        said[0] += f" ({counts['failed']} failed)"
    said += [
        f"{counts[name]} {one if counts[name] == 1 else several}"
        for name, one, several in _DOING
        if counts[name]
    ]
    return f"{', '.join(said)}."


def success_words(children: Children) -> str:
    """What is told of the end of an array, or of several nodes, that succeeded; without a stop."""
    if children.tasks is not None:
        jobs = children.tasks.packing.jobs
        where = "one job" if jobs == 1 else f"{jobs} jobs"
        return f"All {children.size} tasks succeeded, in {where}"
    if children.shape is JobShape.ARRAY:
        return f"All {children.size} jobs of the array succeeded"
    return f"The main node (index {children.main_node} of {children.size} nodes) ended"


def failure_words(children: Children) -> str:
    """How many of them failed, which, and of which one the rest of the message is; "" if none."""
    if children.trouble:
        return f"Which of its {children.size} jobs failed cannot be read: {children.trouble}"
    if not children.failed:
        return ""
    count = len(children.failed) + children.missing
    indexes = as_ranges(children.failed)
    if len(indexes) > INDEXES_TOLD:
        where = "array.failedIndexes" if children.shape is JobShape.ARRAY else "nodes.failed"
        cut = indexes[:INDEXES_TOLD].rpartition(",")[0]
        indexes = f"{cut} and more (status.{where} has all)"
    named = "index" if len(children.failed) == 1 else "indexes"
    them = _THEM[children.shape] if children.tasks is None else "tasks"
    whole = f"{count} of {children.size} {them} failed: {named} {indexes}."
    if children.missing:
        whole += f" AWS names {len(children.failed)} of them only."
    if children.tasks is not None:
        return joined(whole, why_unknown(children.tasks), _which_job(children))
    if children.index is None or count == 1:
        return whole
    main = children.shape is JobShape.MULTI_NODE and children.index == children.main_node
    which = "the main node" if main else "which failed first"
    return f"{whole} What follows is of index {children.index}, {which}."


def _which_job(children: Children) -> str:
    """Of which of several packed jobs the rest of the message is."""
    if children.tasks is None or children.index is None or children.tasks.packing.jobs == 1:
        return ""
    indexes = as_ranges(children.tasks.told)
    return (
        f"What follows is of the job with index {children.index}, which failed first; it has "
        f"the tasks {indexes}."
    )


_THEM: Mapping[JobShape, str] = {
    JobShape.ARRAY: "jobs of the array",
    JobShape.MULTI_NODE: "nodes",
}
