"""The containers of a job and of its attempts, in each shape that AWS has for them (pure).

One container; several of a task (ecsProperties) or of a pod (eksProperties). Sources: JobDetail,
AttemptDetail, EksAttemptDetail.
"""

from collections.abc import Iterator, Sequence

from awsbatch_operator.api.metadata import Shape


def containers_of(detail: Shape) -> list[Shape]:
    """The containers of a task with several (ecsProperties), or of a pod (eksProperties)."""
    tasks = (detail.get("ecsProperties") or {}).get("taskProperties") or ()
    pod = (detail.get("eksProperties") or {}).get("podProperties") or {}
    return [
        *(container for task in tasks for container in task.get("containers") or ()),
        *(pod.get("containers") or ()),
    ]


def attempts_of(detail: Shape) -> Sequence[Shape]:
    """The attempts of a job, oldest first: of ECS, or of EKS."""
    return detail.get("attempts") or detail.get("eksAttempts") or ()


def container_of(attempt: Shape, name: str = "") -> Shape:
    """What is said of the container of an attempt: of several, of the one of that name.

    Without one of that name it is the one whose end is the attempt's.
    """
    several = [
        *(
            one
            for task in attempt.get("taskProperties") or ()
            for one in task.get("containers", ())
        ),
        *(attempt.get("containers") or ()),
    ]
    if not several:
        return attempt.get("container") or {}
    named = [one for one in several if name and one.get("name") == name]
    return named[0] if named else essential_one(several)


def hosts_of(detail: Shape) -> Iterator[str]:
    """The container instances of the current attempt, and of the last one before it."""
    attempts = detail.get("attempts") or ()
    for source in (detail, *attempts[-1:]):
        tasks = [
            *((source.get("ecsProperties") or {}).get("taskProperties") or ()),
            *(source.get("taskProperties") or ()),
        ]
        for each in (source.get("container") or {}, *tasks):
            if each.get("containerInstanceArn"):
                yield str(each["containerInstanceArn"])


def essential_one(containers: Sequence[Shape]) -> Shape:
    """A log router stands beside the work, and what is not essential may end as it likes.

    Of what is left, one that failed says why the job did. `containers` is not empty.
    """
    essential = [one for one in containers if one.get("essential", True)] or containers
    working = [one for one in essential if not one.get("firelensConfiguration")] or essential
    failed = [one for one in working if one.get("exitCode") not in {None, 0}]
    return (failed or working)[0]
