"""SubmitJob's members of a run whose jobs do several tasks each (pure).

It comes last of all that makes the request: the tasks are those of the array as it is by then, be
it the whole one or the failed indexes of a run before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.batchjob.environment import Body, shape_of
from awsbatch_operator.kinds.batchjob.packing import Packing, nonce_of, substituted, wrapped
from awsbatch_operator.kinds.batchjob.submission import Submission

_FIELD = "spec.packing"


@dataclass(frozen=True, slots=True)
class Work:
    """What a definition runs, as far as packing has to know it.

    `single`: it has one container, in containerProperties. `windows`: its platform is Windows.
    """

    command: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    single: bool = True
    windows: bool = False


def work_of(content: Shape) -> Work:
    """Of RegisterJobDefinition's members, or of AWS's description of a definition."""
    container = content.get("containerProperties") or {}
    shape = shape_of(content)
    platform = container.get("runtimePlatform") or {}
    return Work(
        command=tuple(str(word) for word in container.get("command") or ()),
        parameters={name: str(value) for name, value in (content.get("parameters") or {}).items()},
        single=not shape.multinode and shape.parts[0].body is Body.CONTAINER,
        windows=str(platform.get("operatingSystemFamily", "")).startswith("WINDOWS"),
    )


def tasks_of(fields: Shape) -> int:
    """The tasks of the request: the jobs that the array would have."""
    return int((fields.get("arrayProperties") or {}).get("size", 1))


def with_packing(
    fields: Shape, tasks_per_job: int, work: Work | None, submission: Submission
) -> tuple[dict[str, Any], Packing] | Finding:
    """The members with a smaller array, and the command that runs several tasks; or why not."""
    if work is None:
        return _refused(
            f"and what {submission.definition} runs is not known: AWS lists no such ACTIVE revision"
            ", so that its command could be read",
            "Name a revision that is ACTIVE, or remove packing.",
        )
    unfit = _unfit(work)
    if unfit is not None:
        return unfit
    override = fields.get("containerOverrides") or {}
    command = override.get("command") or work.command
    if not command:
        return _refused(
            "and neither the definition nor containerOverrides has a command; that of the image "
            "itself is not known here",
            "Write the command into containerOverrides.command, or remove packing.",
        )
    packing = Packing(tasks_of(fields), tasks_per_job)
    parameters = {**work.parameters, **(fields.get("parameters") or {})}
    words = wrapped(
        substituted(map(str, command), {name: str(each) for name, each in parameters.items()}),
        packing=packing,
        nonce=nonce_of(submission.uid, submission.run),
    )
    return {**_sized(fields, packing.jobs), "containerOverrides": {**override, "command": words}}, (
        packing
    )


def _unfit(work: Work) -> Finding | None:
    if not work.single:
        return _refused(
            "and the definition is not of a single container in containerProperties, whose command "
            "could be set",
            "Remove packing, or name a definition with containerProperties.",
        )
    if work.windows:
        return _refused(
            "through /bin/sh, which Windows does not have",
            "Remove packing, or name a definition whose runtimePlatform is Linux.",
        )
    return None


def _refused(why: str, remedy: str) -> Finding:
    message = f"{_FIELD} runs several tasks in each job, {why}."
    return Finding(catalogue.INVALID_SPEC, message, remedy)


def _sized(fields: Shape, jobs: int) -> dict[str, Any]:
    """The members for an array of so many jobs; AWS has none of one job."""
    if jobs > 1:
        array = {**(fields.get("arrayProperties") or {}), "size": jobs}
        return {**fields, "arrayProperties": array}
    return {name: value for name, value in fields.items() if name != "arrayProperties"}
