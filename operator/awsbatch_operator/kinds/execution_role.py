"""Whether what a definition asks ECS to fetch can be fetched at all (pure).

RegisterJobDefinition takes secrets without an execution role, on EC2, and ECS then refuses each
task: "When you are specifying container secrets, you must also specify a value for
'executionRoleArn'". Log drivers' secrets and a private registry's credentials are fetched as that
role, too (Amazon ECS developer guide, "Task execution IAM role").
"""

from collections.abc import Iterator

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.words import some_of


def without_execution_role(content: Shape, path: str = "spec") -> Finding | None:
    """Why no task of the definition could start; None: nothing is to be fetched, or as a role.

    `path` is where the definition stands in the spec.
    """
    found = [
        fetched
        for where, holder, containers in _tasks(content, path)
        if not holder.get("executionRoleArn")
        for place, container in containers
        for fetched in _fetched(f"{where}{place}", container)
    ]
    if not found:
        return None
    return Finding(
        catalogue.EXECUTION_ROLE_MISSING,
        f"ECS fetches {some_of(found)} as the task's execution role, and there is none.",
    )


def _tasks(content: Shape, path: str) -> Iterator[tuple[str, Shape, list[tuple[str, Shape]]]]:
    """Path and structure of all that has an execution role, and its containers below it."""
    yield from _below(path, "containerProperties", content)
    ranges = (content.get("nodeProperties") or {}).get("nodeRangeProperties") or ()
    for number, nodes in enumerate(ranges):
        where = f"{path}.nodeProperties.nodeRangeProperties[{number}]"
        yield from _below(where, "container", nodes)


def _below(
    path: str, member: str, parent: Shape
) -> Iterator[tuple[str, Shape, list[tuple[str, Shape]]]]:
    """A single container, or the tasks of ecsProperties."""
    single = parent.get(member)
    if single:
        yield f"{path}.{member}", single, [("", single)]
    tasks = (parent.get("ecsProperties") or {}).get("taskProperties") or ()
    for number, task in enumerate(tasks):
        containers = [
            (f".containers[{index}]", container)
            for index, container in enumerate(task.get("containers") or ())
        ]
        yield f"{path}.ecsProperties.taskProperties[{number}]", task, containers


def _fetched(path: str, container: Shape) -> Iterator[str]:
    for member in ("secrets", "repositoryCredentials"):
        if container.get(member):
            yield f"{path}.{member}"
    if (container.get("logConfiguration") or {}).get("secretOptions"):
        yield f"{path}.logConfiguration.secretOptions"
