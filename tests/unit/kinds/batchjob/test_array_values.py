"""The values of an array: one variable, in order, where the definition takes it."""

import shutil
import subprocess

import pytest
from tests.unit.kinds.batchjob.jobs import NOW, OWNER, SPEC, TARGETS, job

from awsbatch_operator.api import catalogue
from awsbatch_operator.kinds.batchjob import array_values
from awsbatch_operator.kinds.batchjob.actions import Submit
from awsbatch_operator.kinds.batchjob.array_values import with_values
from awsbatch_operator.kinds.batchjob.environment import shape_of
from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.request import request_hash
from awsbatch_operator.kinds.batchjob.resolving import desired_job

CONTAINER = shape_of({"containerProperties": {"image": "busybox"}})
CONTENT = {"type": "container", "containerProperties": {"image": "busybox"}}


def values(*listed):
    return {"variable": "SHARD", "values": list(listed)}


def planned(**spec):
    base = {"jobQueueRef": SPEC["jobQueueRef"], "jobDefinition": CONTENT}
    resource = job(spec={**base, **spec})
    return plan_job(desired_job(resource, TARGETS, OWNER), None, NOW)


def test_the_array_has_one_job_for_each_value_and_each_job_all_values():
    (action,) = planned(arrayValues=values("17", "204", "9")).actions
    assert isinstance(action, Submit)
    assert action.request["arrayProperties"] == {"size": 3}
    assert action.request["containerOverrides"] == {
        "environment": [{"name": "SHARD", "value": "17,204,9"}]
    }


def test_one_value_makes_a_single_job_with_the_variable():
    made = with_values({}, values("17"), shape=CONTAINER)
    assert made == {"containerOverrides": {"environment": [{"name": "SHARD", "value": "17"}]}}


def test_a_variable_that_the_job_sets_itself_is_refused_with_the_way_out():
    environment = [{"name": "SHARD", "value": "1"}]
    plan = planned(arrayValues=values("1", "2"), containerOverrides={"environment": environment})
    assert plan.steps == ()
    (finding,) = plan.findings
    assert finding.reason is catalogue.INVALID_SPEC
    assert "spec.containerOverrides.environment sets SHARD" in finding.message


def test_a_multi_node_definition_takes_no_values():
    ranges = [{"targetNodes": "0:", "container": {"image": "busybox"}}]
    nodes = {"numNodes": 2, "mainNode": 0, "nodeRangeProperties": ranges}
    resource = job(
        spec={
            "jobQueueRef": SPEC["jobQueueRef"],
            "jobDefinition": {"type": "multinode", "nodeProperties": nodes},
            "arrayValues": values("1", "2"),
        }
    )
    (refused,) = plan_job(desired_job(resource, TARGETS, OWNER), None, NOW).findings
    assert "no arrays of those" in refused.message


def test_values_and_definition_are_part_of_what_a_run_is_and_nothing_else_changes_a_hash():
    plain = job(spec=SPEC)
    assert request_hash(plain) == "v1:a6890a27684e8d28da1584636085712a"
    told = [
        request_hash(job(spec={**SPEC, **more}))
        for more in (
            {"arrayValues": values("1", "2")},
            {"arrayValues": values("1", "3")},
            {"jobDefinition": CONTENT},
            {"jobDefinition": {**CONTENT, "retryStrategy": {"attempts": 2}}},
        )
    ]
    assert len({request_hash(plain), *told}) == 5


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
@pytest.mark.parametrize(
    ("index", "wanted"), [("0", "a b"), ("1", "-n"), ("2", r"c\d"), ("", "a b")]
)
def test_the_line_that_the_docs_give_finds_a_job_s_own_value(shell, index, wanted):
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"no {shell} here")
    line = next(line.strip() for line in array_values.__doc__.splitlines() if "cut -d," in line)
    environment = {"SHARD": r"a b,-n,c\d", "PATH": "/usr/bin:/bin"}
    if index:
        environment["AWS_BATCH_JOB_ARRAY_INDEX"] = index
    script = f"{line}\nprintf '%s' \"$value\""
    done = subprocess.run(
        [found, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == wanted
