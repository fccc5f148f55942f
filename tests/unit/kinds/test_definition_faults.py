"""What is wrong with a definition that its schema cannot see, as the operator tells it."""

import pytest
from tests.support.crd_cases.definition import CONTAINER
from tests.unit.kinds.values import resource

from awsbatch_operator.kinds.batchjob.inline import unfit_definition
from awsbatch_operator.kinds.definition_faults import definition_faults


def told(*targets, count=2):
    ranges = [{"targetNodes": each, "container": CONTAINER} for each in targets]
    nodes = {"numNodes": count, "mainNode": 0, "nodeRangeProperties": ranges}
    spec = {"type": "multinode", "nodeProperties": nodes}
    found = [each.text() for each in definition_faults(spec)]
    assert found == as_told_of_a_job(spec)
    return found


def as_told_of_a_job(spec):
    """The words on the same definition inside a job, with the path that it has without it."""
    job = resource("BatchJob", {"jobDefinition": spec})
    return [each.text().replace("spec.jobDefinition.", "spec.") for each in unfit_definition(job)]


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
    assert definition_faults(spec) == ()
    assert as_told_of_a_job(spec) == []


def test_a_definition_without_the_role_that_fetches_its_secrets_is_told_wherever_it_stands():
    secrets = [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-central-1:111122223333:parameter/t"}]
    spec = {"type": "container", "containerProperties": {**CONTAINER, "secrets": secrets}}
    (said,) = [each.text() for each in definition_faults(spec)]
    assert said.startswith("ECS fetches spec.containerProperties.secrets as the task's execution")
    assert as_told_of_a_job(spec) == [said]
