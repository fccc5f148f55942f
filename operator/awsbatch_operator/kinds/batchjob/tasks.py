"""What the tasks of a packed array did, from what its jobs in AWS did (pure).

While the jobs run, each stands for as many tasks as it has. At the end the jobs that failed have
written which of their tasks did.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.batchjob.children import STATES, Children, JobShape
from awsbatch_operator.kinds.batchjob.packing import SHELL, Packing, Report, Tasks, failed_tasks

_NO_SHELL = re.compile(
    rf"(?:CannotStartContainer|RunContainerError|ContainerCannotRun|StartError)[^\n]*{SHELL}"
)


def under_way(children: Children | None, packing: Packing) -> Children:
    """The tasks of jobs that have not all ended."""
    if children is None:  # a single job has all of them
        return Children(JobShape.ARRAY, packing.tasks, tasks=Tasks(packing))
    return replace(
        children,
        size=packing.tasks,
        counts=_counts(children.counts, packing),
        tasks=Tasks(packing),
    )


def succeeded(children: Children | None, packing: Packing) -> Children:
    """The tasks of jobs that have all succeeded."""
    children = under_way(children, packing)
    counts = dict.fromkeys(STATES, 0) | {"SUCCEEDED": packing.tasks}
    return replace(children, counts=counts, failed=())


def failed(
    children: Children | None,
    packing: Packing,
    reports: Mapping[int, Report],
    *,
    unread: Sequence[int] = (),
    trouble: str = "",
) -> Children:
    """The tasks of jobs of which some have failed.

    `reports` are what those have written, by their index, and `unread` those of which that is not
    known.
    """
    nothing = Report((), whole=False)
    indexes = failed_tasks(packing, {**reports, **dict.fromkeys(unread, nothing)})
    told = 0 if children is None else children.index
    tasks = Tasks(
        packing,
        whole=sum(
            len(failed_tasks(packing, {job: each})) > len(each.failed)
            for job, each in reports.items()
        ),
        unread=len(unread),
        trouble=trouble,
        told=range(0) if told is None else packing.indexes(told),
    )
    before = under_way(children, packing)
    unnamed = packing.done_by(before.missing)
    lost = min(len(indexes) + unnamed, packing.tasks)
    counts = dict.fromkeys(STATES, 0) | {"FAILED": lost, "SUCCEEDED": packing.tasks - lost}
    return replace(
        before,
        counts=counts,
        failed=indexes,
        missing=min(unnamed, packing.tasks - len(indexes)),
        tasks=tasks,
    )


def _counts(jobs: Mapping[str, int], packing: Packing) -> dict[str, int]:
    """By state. The last job has fewer tasks; it comes last, so it is taken for the hindmost."""
    counts = {state: jobs.get(state, 0) * packing.each for state in STATES}
    over = sum(counts.values()) - packing.tasks
    for state, count in counts.items():
        if count and over > 0:
            counts[state] = max(count - over, 0)
            over -= count - counts[state]
    return counts


def why_unknown(tasks: Tasks) -> str:
    """Of which tasks it is only assumed that they failed; "" if of none."""
    said = []
    if tasks.whole:
        said.append(
            f"{_jobs(tasks.whole)} ended without naming the tasks that did (killed, say), so all "
            f"of {_its(tasks.whole)} tasks count as failed."
        )
    if tasks.unread:
        why = tasks.trouble or "there were too many to be read"
        said.append(
            f"Of {_jobs(tasks.unread)} all tasks count as failed, since the output that names them "
            f"was not read: {why}."
        )
    return " ".join(said)


def without_shell(detail: Shape) -> str:
    """What is told of a packed job whose container could not start a shell; "" of any other."""
    attempts = detail.get("attempts") or ()
    holders = [detail.get("container") or {}]
    holders += [each.get("container") or {} for each in attempts[-1:]]
    if not any(_NO_SHELL.search(str(each.get("reason", ""))) for each in holders):
        return ""
    return (
        f"packing runs the tasks through {SHELL}, which the image does not have: use an image with "
        "a shell, or remove packing."
    )


def _jobs(count: int) -> str:
    return f"{count} failed {'job' if count == 1 else 'jobs'}"


def _its(count: int) -> str:
    return "its" if count == 1 else "their"
