"""One more environment variable in a SubmitJob request, in the override that fits the definition.

SubmitJob has four places for variables, and takes only the one of the definition's own shape (API
reference of SubmitJob: containerOverrides, ecsPropertiesOverride, eksPropertiesOverride, and
nodeOverrides with one of these for each range of nodes).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, assert_never

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Shape

EKS_NAME = "Default"  # AWS's name for a pod's container that was given none
_Variable = Mapping[str, str]  # name and value
_LAST = 10**6  # no job has so many nodes


class Body(Enum):
    """How a definition says what runs on a node."""

    CONTAINER = "containerOverrides"
    ECS = "ecsPropertiesOverride"
    EKS = "eksPropertiesOverride"


@dataclass(frozen=True, slots=True)
class Part:
    """What runs on a node, or on a range of nodes.

    `containers` are the names of those that work: not a log router, nor what a pod runs first; of a
    single container that needs no name, "". `secrets` are the variables that the definition fills
    from secrets: ECS starts no container that is given one of them a second time. `nodes` is the
    range, "" for a job of one node.
    """

    body: Body
    containers: tuple[str, ...] = ("",)
    secrets: frozenset[str] = frozenset()
    nodes: str = ""


@dataclass(frozen=True, slots=True)
class DefinitionShape:
    """The parts of a definition: one, or one for each range of nodes."""

    parts: tuple[Part, ...]

    @property
    def multinode(self) -> bool:
        """Whether it is of a multi-node parallel job."""
        return any(part.nodes for part in self.parts)


class VariableTakenError(Exception):
    """The job sets the variable already."""

    def __init__(self, path: str, name: str) -> None:
        super().__init__(f"{path} sets {name}")
        self.path = path
        self.name = name

    def finding(self, asked: str) -> Finding:
        """The refusal; `asked` is the field of the spec that names the variable."""
        return Finding(
            catalogue.INVALID_SPEC,
            f"{self.path} sets {self.name}, and so does {asked}: a container has one value for it.",
            f"Give {asked} another name, or remove the variable there.",
        )


def shape_of(content: Shape) -> DefinitionShape:
    """The shape of RegisterJobDefinition's members, or of AWS's description of a definition."""
    nodes = (content.get("nodeProperties") or {}).get("nodeRangeProperties") or ()
    if nodes:
        return DefinitionShape(
            tuple(_part(each, "container", str(each["targetNodes"])) for each in nodes)
        )
    return DefinitionShape((_part(content, "containerProperties", ""),))


def with_variable(
    fields: Shape, name: str, value: str, *, shape: DefinitionShape
) -> dict[str, Any]:
    """SubmitJob's members with the variable in every container that works.

    Raises VariableTakenError if the job sets it already, or the definition fills it from a secret;
    a plain value that the definition has for it is what an override is there to replace.
    """
    for part in shape.parts:
        if name in part.secrets:
            raise VariableTakenError("A secret of the definition", name)
    variable = {"name": name, "value": value}
    if shape.multinode:
        return {**fields, "nodeOverrides": _in_nodes(fields, variable, shape)}
    (part,) = shape.parts
    return {**fields, **_in_part(fields, variable, part, "spec")}


def _part(content: Shape, single: str, nodes: str) -> Part:
    pod = (content.get("eksProperties") or {}).get("podProperties")
    if pod:
        names = tuple(str(each.get("name") or EKS_NAME) for each in pod.get("containers") or ())
        return Part(Body.EKS, names, nodes=nodes)
    tasks = (content.get("ecsProperties") or {}).get("taskProperties") or ()
    if tasks:  # AWS takes one
        containers = list(tasks[0].get("containers") or ())
        working = [each for each in containers if not each.get("firelensConfiguration")]
        names = tuple(str(each["name"]) for each in working)
        return Part(Body.ECS, names, _secrets(working), nodes)
    return Part(Body.CONTAINER, ("",), _secrets([content.get(single) or {}]), nodes)


def _secrets(containers: Sequence[Shape]) -> frozenset[str]:
    return frozenset(
        str(secret["name"]) for each in containers for secret in each.get("secrets") or ()
    )


def _in_part(holder: Shape, variable: _Variable, part: Part, path: str) -> dict[str, Any]:
    """The override of the part's shape, of what `holder` has of it already."""
    member = part.body.value
    path, before = f"{path}.{member}", holder.get(member) or {}
    match part.body:
        case Body.CONTAINER:
            made = _in_container(before, "environment", variable, path)
        case Body.ECS:
            first, *others = before.get("taskProperties") or [{}]
            where = f"{path}.taskProperties[0].containers"
            containers = _by_name(first, "environment", variable, part, where)
            made = {**before, "taskProperties": [{**first, "containers": containers}, *others]}
        case Body.EKS:
            pod = before.get("podProperties") or {}
            containers = _by_name(pod, "env", variable, part, f"{path}.podProperties.containers")
            made = {**before, "podProperties": {**pod, "containers": containers}}
        case never:
            assert_never(never)
    return {member: made}


def _by_name(
    holder: Shape, variables: str, variable: _Variable, part: Part, path: str
) -> list[dict[str, Any]]:
    """The overrides of containers, with one for each that the definition has."""
    found = list(holder.get("containers") or ())
    nameless = EKS_NAME if part.body is Body.EKS else ""
    known = {each.get("name") or nameless for each in found}
    found += [{"name": each} for each in part.containers if each not in known]
    return [
        _in_container(each, variables, variable, f"{path}[{index}]")
        if (each.get("name") or nameless) in part.containers
        else dict(each)
        for index, each in enumerate(found)
    ]


def _in_container(
    container: Shape, variables: str, variable: _Variable, path: str
) -> dict[str, Any]:
    before = list(container.get(variables) or ())
    if any(each.get("name") == variable["name"] for each in before):
        raise VariableTakenError(f"{path}.{variables}", variable["name"])
    return {**container, variables: [*before, dict(variable)]}


def _in_nodes(fields: Shape, variable: _Variable, shape: DefinitionShape) -> dict[str, Any]:
    """The user's overrides and one more for each range that has none; all with the variable."""
    before: Mapping[str, Any] = fields.get("nodeOverrides") or {}
    entries = list(before.get("nodePropertyOverrides") or ())
    covered = {_range(str(entry["targetNodes"])) for entry in entries}
    entries += [
        {"targetNodes": part.nodes} for part in shape.parts if _range(part.nodes) not in covered
    ]
    path = "spec.nodeOverrides.nodePropertyOverrides"
    made = [
        {**entry, **_in_part(entry, variable, part, f"{path}[{index}]")}
        for index, (entry, part) in enumerate(_with_parts(entries, shape))
    ]
    return {**before, "nodePropertyOverrides": made}


def _with_parts(entries: Sequence[Shape], shape: DefinitionShape) -> Iterator[tuple[Shape, Part]]:
    """Each override with what it overrides: that range, or the narrowest that holds its nodes."""
    spans = {_range(part.nodes): part for part in shape.parts}
    for entry in entries:
        nodes = _range(str(entry["targetNodes"]))
        holding = [each for each in spans if each[0] <= nodes[0] and nodes[1] <= each[1]]
        narrowest = min(holding or spans, key=lambda each: each[1] - each[0])
        yield entry, spans[narrowest]


def _range(text: str) -> tuple[int, int]:
    """First and last node of `0:3`, `:3`, `2:` or `1`."""
    first, colon, last = text.partition(":")
    if not colon:
        return int(first), int(first)
    return int(first or 0), int(last or _LAST)
