"""One variable more in the override that fits the definition; the user's own stays."""

import gzip
import importlib.resources
import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from awsbatch_operator.api import catalogue
from awsbatch_operator.kinds.batchjob.environment import (
    VariableTakenError,
    shape_of,
    with_variable,
)

CONTAINER = {"type": "container", "containerProperties": {"image": "busybox"}}
ECS = {
    "type": "container",
    "ecsProperties": {
        "taskProperties": [
            {
                "containers": [
                    {"name": "work", "image": "busybox"},
                    {"name": "side", "image": "busybox", "essential": False},
                    {"name": "logs", "image": "f", "firelensConfiguration": {"type": "fluentbit"}},
                ]
            }
        ]
    },
}
EKS = {
    "type": "container",
    "eksProperties": {
        "podProperties": {
            "containers": [{"image": "busybox"}, {"name": "side", "image": "busybox"}],
            "initContainers": [{"name": "first", "image": "busybox"}],
        }
    },
}
NODES = {
    "type": "multinode",
    "nodeProperties": {
        "numNodes": 8,
        "mainNode": 0,
        "nodeRangeProperties": [
            {"targetNodes": "0:", "container": {"image": "busybox"}},
            {"targetNodes": "0", "ecsProperties": ECS["ecsProperties"]},
        ],
    },
}
SHARDS = {"name": "SHARDS", "value": "17,204"}
OTHER = {"name": "OTHER", "value": "1"}

CASES: Mapping[str, tuple[Any, Any, Any]] = {
    "a container": (CONTAINER, {}, {"containerOverrides": {"environment": [SHARDS]}}),
    "a container with overrides": (
        CONTAINER,
        {"containerOverrides": {"command": ["x"], "environment": [OTHER]}, "timeout": {}},
        {"containerOverrides": {"command": ["x"], "environment": [OTHER, SHARDS]}, "timeout": {}},
    ),
    "a task": (
        ECS,
        {},
        {
            "ecsPropertiesOverride": {
                "taskProperties": [
                    {
                        "containers": [
                            {"name": "work", "environment": [SHARDS]},
                            {"name": "side", "environment": [SHARDS]},
                        ]
                    }
                ]
            }
        },
    ),
    "a task with overrides": (
        ECS,
        {
            "ecsPropertiesOverride": {
                "taskProperties": [
                    {
                        "containers": [
                            {"name": "logs", "command": ["y"]},
                            {"name": "side", "command": ["x"], "environment": [OTHER]},
                        ]
                    }
                ]
            }
        },
        {
            "ecsPropertiesOverride": {
                "taskProperties": [
                    {
                        "containers": [
                            {"name": "logs", "command": ["y"]},
                            {"name": "side", "command": ["x"], "environment": [OTHER, SHARDS]},
                            {"name": "work", "environment": [SHARDS]},
                        ]
                    }
                ]
            }
        },
    ),
    "a pod, whose container without a name is called Default": (
        EKS,
        {
            "eksPropertiesOverride": {
                "podProperties": {
                    "metadata": {"labels": {"a": "b"}},
                    "containers": [{"args": ["x"], "env": [OTHER]}],
                }
            }
        },
        {
            "eksPropertiesOverride": {
                "podProperties": {
                    "metadata": {"labels": {"a": "b"}},
                    "containers": [
                        {"args": ["x"], "env": [OTHER, SHARDS]},
                        {"name": "side", "env": [SHARDS]},
                    ],
                }
            }
        },
    ),
    "nodes, by range, however the range is written": (
        NODES,
        {
            "nodeOverrides": {
                "numNodes": 4,
                "nodePropertyOverrides": [
                    {"targetNodes": ":", "containerOverrides": {"environment": [OTHER]}},
                    {"targetNodes": "2:3", "containerOverrides": {"command": ["x"]}},
                ],
            }
        },
        {
            "nodeOverrides": {
                "numNodes": 4,
                "nodePropertyOverrides": [
                    {"targetNodes": ":", "containerOverrides": {"environment": [OTHER, SHARDS]}},
                    {
                        "targetNodes": "2:3",
                        "containerOverrides": {"command": ["x"], "environment": [SHARDS]},
                    },
                    {
                        "targetNodes": "0",
                        "ecsPropertiesOverride": {
                            "taskProperties": [
                                {
                                    "containers": [
                                        {"name": "work", "environment": [SHARDS]},
                                        {"name": "side", "environment": [SHARDS]},
                                    ]
                                }
                            ]
                        },
                    },
                ],
            }
        },
    ),
}


@pytest.fixture(scope="module")
def submit_job():
    """SubmitJob's input, as botocore has it."""
    place = importlib.resources.files("botocore") / "data/batch/2016-08-10/service-2.json.gz"
    model = json.loads(gzip.decompress(place.read_bytes()))
    return ServiceModel(model, "batch").operation_model("SubmitJob").input_shape


@pytest.mark.parametrize("case", CASES)
def test_the_variable_stands_where_the_definition_takes_it(case, submit_job):
    definition, fields, wanted = CASES[case]
    before = json.dumps(fields)
    made = with_variable(fields, "SHARDS", "17,204", shape=shape_of(definition))
    assert made == wanted
    assert json.dumps(fields) == before, "the user's own must not be changed in place"
    request = {"jobName": "j", "jobQueue": "q", "jobDefinition": "d", **made}
    report = ParamValidator().validate(request, submit_job)
    assert not report.has_errors(), report.generate_report()


TAKEN: Mapping[str, tuple[Any, Any]] = {
    "spec.containerOverrides.environment": (
        CONTAINER,
        {"containerOverrides": {"environment": [SHARDS]}},
    ),
    "spec.ecsPropertiesOverride.taskProperties[0].containers[0].environment": (
        ECS,
        {
            "ecsPropertiesOverride": {
                "taskProperties": [{"containers": [{"name": "side", "environment": [SHARDS]}]}]
            }
        },
    ),
    "spec.eksPropertiesOverride.podProperties.containers[0].env": (
        EKS,
        {"eksPropertiesOverride": {"podProperties": {"containers": [{"env": [SHARDS]}]}}},
    ),
    "spec.nodeOverrides.nodePropertyOverrides[0].containerOverrides.environment": (
        NODES,
        {
            "nodeOverrides": {
                "nodePropertyOverrides": [
                    {"targetNodes": "0:", "containerOverrides": {"environment": [SHARDS]}}
                ]
            }
        },
    ),
    "A secret of the definition": (
        {"containerProperties": {"secrets": [{"name": "SHARDS", "valueFrom": "x"}]}},
        {},
    ),
}


@pytest.mark.parametrize("path", TAKEN)
def test_a_variable_that_the_job_sets_already_is_refused_with_its_place(path):
    definition, fields = TAKEN[path]
    with pytest.raises(VariableTakenError) as raised:
        with_variable(fields, "SHARDS", "17", shape=shape_of(definition))
    finding = raised.value.finding("spec.arrayValues.variable")
    assert finding.reason is catalogue.INVALID_SPEC
    assert finding.message.startswith(f"{path} sets SHARDS")
    assert "spec.arrayValues.variable" in finding.remedy


def test_a_default_of_the_definition_is_overridden():
    definition = {"containerProperties": {"environment": [{"name": "SHARDS", "value": ""}]}}
    made = with_variable({}, "SHARDS", "17", shape=shape_of(definition))
    assert made == {"containerOverrides": {"environment": [{"name": "SHARDS", "value": "17"}]}}


def test_a_log_router_and_what_runs_first_get_no_list_that_they_do_not_read():
    assert shape_of(ECS).parts[0].containers == ("work", "side")
    assert shape_of(EKS).parts[0].containers == ("Default", "side")
