"""What ECS is to fetch needs a role, wherever in a definition it stands."""

import pytest

from awsbatch_operator.kinds.execution_role import without_execution_role

ROLE = {"executionRoleArn": "arn:aws:iam::111122223333:role/ecsTaskExecutionRole"}
FETCHED = {
    "secrets": [{"name": "KEY", "valueFrom": "key"}],
    "repositoryCredentials": {"credentialsParameter": "registry"},
    "logConfiguration": {"logDriver": "splunk", "secretOptions": [{"name": "x", "valueFrom": "y"}]},
}
# Where a container and the role of its task stand: path, and a function of the two.
PLACES = {
    "spec.containerProperties": lambda one, role: {"containerProperties": one | role},
    "spec.ecsProperties.taskProperties[0].containers[1]": lambda one, role: {
        "ecsProperties": {"taskProperties": [{"containers": [{}, one], **role}]}
    },
    "spec.nodeProperties.nodeRangeProperties[1].container": lambda one, role: {
        "nodeProperties": {"nodeRangeProperties": [{}, {"container": one | role}]}
    },
    "spec.nodeProperties.nodeRangeProperties[0].ecsProperties.taskProperties[0].containers[0]": (
        lambda one, role: {
            "nodeProperties": {
                "nodeRangeProperties": [
                    {"ecsProperties": {"taskProperties": [{"containers": [one], **role}]}}
                ]
            }
        }
    ),
}


@pytest.mark.parametrize("member", FETCHED)
@pytest.mark.parametrize("path", PLACES)
def test_what_is_to_be_fetched_without_a_role_is_told_by_its_path(path, member):
    container, made = {member: FETCHED[member]}, PLACES[path]
    finding = without_execution_role(made(container, {}))
    assert finding is not None
    assert f"{path}.{member}" in finding.message
    assert without_execution_role(made(container, ROLE)) is None


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize(
    "container",
    [
        {},
        {"secrets": [], "logConfiguration": {"logDriver": "awslogs"}},
        {"secrets": None, "repositoryCredentials": None, "logConfiguration": None},
    ],
)
def test_where_nothing_is_fetched_no_role_is_needed(path, container):
    assert without_execution_role(PLACES[path](container, {})) is None
