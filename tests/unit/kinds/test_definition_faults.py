"""What is wrong with a definition that its schema cannot see, as the operator tells it."""

import pytest
from tests.support.crd_cases.definition import CONTAINER
from tests.unit.kinds.values import resource

from awsbatch_operator.kinds.jobdefinition.faults import definition_faults


def told(*targets, count=2):
    ranges = [{"targetNodes": each, "container": CONTAINER} for each in targets]
    nodes = {"numNodes": count, "mainNode": 0, "nodeRangeProperties": ranges}
    spec = {"type": "multinode", "nodeProperties": nodes}
    return [each.text() for each in definition_faults(resource("JobDefinition", spec))]


@pytest.mark.parametrize(
    ("targets", "count"),
    [
        (("0", "1"), 2),
        (("0:1",), 2),
        ((":1",), 2),
        (("0:",), 2),
        ((":",), 2),
        (("0", "1:"), 9),
        (("2:", ":1"), 9),
        (("0:8", "3:4"), 9),
        (("4:6", "0:4", "7", "6:8"), 9),
        (("0",), 1),
    ],
)
def test_ranges_that_have_all_nodes_are_let_through(targets, count):
    assert told(*targets, count=count) == []


@pytest.mark.parametrize(
    ("targets", "count", "words"),
    [
        (("0:", "10"), 10, "[1].targetNodes: 10 are no nodes of 10, which have the numbers 0 to 9"),
        (("0:2",), 2, "[0].targetNodes: 0:2 are no nodes of 2"),
        (("0:", "1:0"), 2, "[1].targetNodes: 1:0 are no nodes of 2"),
        (("0:", "2:"), 2, "[1].targetNodes: 2: are no nodes of 2"),
        (("1:",), 2, "no targetNodes has node 0"),
        (("0",), 2, "no targetNodes has node 1"),
        (("0:3", "5:"), 9, "no targetNodes has node 4"),
        (("0:3", "3:7"), 9, "no targetNodes has node 8"),
        (("0:9999999999999999",), 2, "are no nodes of 2"),
    ],
)
def test_ranges_beyond_the_last_node_or_with_gaps_are_told(targets, count, words):
    (said,) = told(*targets, count=count)
    assert words in said
    assert said.startswith("spec.nodeProperties.nodeRangeProperties")


def test_a_definition_of_one_node_has_none_of_these_faults():
    spec = {"type": "container", "containerProperties": CONTAINER}
    assert definition_faults(resource("JobDefinition", spec)) == ()
