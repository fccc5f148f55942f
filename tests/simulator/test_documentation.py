"""docs/simulator.md says of each behaviour where it comes from, and names nothing that is not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from tests.simulator.cloud import service_model

from awsbatch_simulator.batch import service as batch
from awsbatch_simulator.delays import Delays
from awsbatch_simulator.ec2 import service as ec2
from awsbatch_simulator.ecs import service as ecs
from awsbatch_simulator.ssm import service as ssm

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## What it does as AWS does\n")[2].partition("\n## ")[0]
HEAD = ["behaviour", "mark", "source"]
MARKS = {"*documented*", "*observed*", "*assumed*"}
SERVICES = ("batch", "ecs", "ec2", "sts", "logs", "pricing", "service-quotas", "ssm")
OF_AWS = re.compile(r"`([A-Z]\w+(?:\.\w+)*)`")  # an operation or a shape, and its members
GUIDE = re.compile(r"(UG|(User|Developer) Guide|API reference)\b.*[\"“]|\"Common errors\"")
ELSEWHERE = re.compile(r"\b[\w.-]+/[\w.-]+(#\d+)?|re:Post")


@dataclass(frozen=True)
class Row:
    """A row of one of the section's tables."""

    area: str
    behaviour: str
    mark: str
    source: str


def rows() -> Iterator[Row]:
    area = ""
    for line in SECTION.splitlines():
        if line.startswith("### "):
            area = line.removeprefix("### ")
        if not line.startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if [cell.strip() for cell in cells] == HEAD or set(line) <= set("| -"):
            continue
        assert len(cells) == 3, line
        yield Row(area, *cells)


ROWS = list(rows())


def exists(name: str) -> bool:
    """Whether one of AWS's models has an operation or a shape of that name, with these members."""
    first, *members = name.split(".")
    return any(has(shape, members) for service in SERVICES for shape in called(service, first))


def called(service: str, name: str) -> list[Shape]:
    model = service_model(service)
    if name in model.operation_names:
        operation = model.operation_model(name)
        return [shape for shape in (operation.input_shape, operation.output_shape) if shape]
    return [model.shape_for(name)] if name in model.shape_names else []


def has(shape: Shape, members: list[str]) -> bool:
    if not members:
        return True
    if isinstance(shape, ListShape):
        return has(shape.member, members)
    if isinstance(shape, MapShape):
        return has(shape.value, members)
    if isinstance(shape, StructureShape) and members[0] in shape.members:
        return has(shape.members[members[0]], members[1:])
    return False


def test_each_table_has_behaviour_mark_and_source():
    areas = re.findall(r"^### (.+)$", SECTION, re.MULTILINE)
    headed = re.findall(r"^### (.+)\n\n\| behaviour \| mark \| source \|$", SECTION, re.MULTILINE)
    assert headed == areas
    assert {row.area for row in ROWS} == set(areas)


@pytest.mark.parametrize("area", sorted({row.area for row in ROWS}))
def test_each_row_has_one_mark_and_says_where_it_comes_from(area):
    for row in ROWS:
        if row.area != area:
            continue
        assert row.mark in MARKS, row
        assert not any(mark in row.behaviour + row.source for mark in MARKS), row
        assert row.source, row
        if row.mark == "*documented*":
            assert OF_AWS.search(row.source) or GUIDE.search(row.source), row
        if row.mark == "*observed*":
            assert ELSEWHERE.search(row.source), row


def test_sources_that_are_in_the_api_reference_are_there():
    named = {name for row in ROWS for name in OF_AWS.findall(row.source)}
    assert len(named) > 100
    ours = {"JobStateTimeLimitActionsReason"}  # of aws/aws-cdk
    assert {name for name in named - ours if not exists(name)} == set()


def test_no_behaviour_stands_twice():
    behaviours = [(row.area, row.behaviour) for row in ROWS]
    assert len(set(behaviours)) == len(behaviours)


def test_every_operation_of_ours_has_a_row():
    """Those of STS and CloudWatch Logs are methods, and named by the same tables."""
    operations = {
        *(*batch.operations(), *ecs.operations(), *ec2.operations(), *ssm.operations()),
    }
    text = "\n".join(row.behaviour + row.source for row in ROWS)
    assert {name for name in operations if f"`{name}" not in text} == set()


def test_every_delay_is_named_where_it_passes():
    named = re.findall(r"`delays\.(\w+)`", SECTION)
    assert set(named) == set(Delays().model_dump(by_alias=True))
