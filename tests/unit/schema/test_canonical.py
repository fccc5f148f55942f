"""When two AWS structures mean the same."""

import copy
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.schema_walk import instances

from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.aws_schema import passthrough_schema
from awsbatch_operator.schema.canonical import (
    canonical,
    comparable,
    content_hash,
    differences,
    known_members,
)

CONTAINER: dict[str, Any] = {
    "type": "container",
    "containerProperties": {
        "image": "busybox:1.36",
        "command": ["sh", "-c", "df -h"],
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"},
            {"type": "MEMORY", "value": "2048"},
        ],
        "environment": [{"name": "MODE", "value": "fast"}, {"name": "YEAR", "value": "2024"}],
    },
    "retryStrategy": {"attempts": 3},
}
# As DescribeJobDefinitions answers for it: AWS fills in what was left out.
DESCRIBED = {
    **CONTAINER,
    "containerProperties": {
        **CONTAINER["containerProperties"],
        "environment": CONTAINER["containerProperties"]["environment"][::-1],
        "resourceRequirements": CONTAINER["containerProperties"]["resourceRequirements"][::-1],
        "mountPoints": [],
        "volumes": [],
        "ulimits": [],
        "secrets": [],
        "privileged": False,
        "readonlyRootFilesystem": False,
        "linuxParameters": {"devices": [], "tmpfs": []},
    },
    "retryStrategy": {"attempts": 3, "evaluateOnExit": []},
    "parameters": {},
    "propagateTags": False,
    "platformCapabilities": ["EC2"],
    "tags": None,
}


@cache
def definitions():
    """Random job definitions, as far as their schema goes."""
    passthrough = next(
        r.passthrough for r in RESOURCES if r.kind == "JobDefinition" and r.passthrough
    )
    schema = passthrough_schema(passthrough)
    # Multi-node and EKS bodies repeat what is below the others, and make the examples large.
    left_out = ("nodeProperties", "eksProperties")
    properties = {n: s for n, s in schema["properties"].items() if n not in left_out}
    return instances({**schema, "properties": properties})


SETS = ("environment", "resourceRequirements", "volumes", "mountPoints", "secrets", "ulimits")


def reordered(value, random):
    """The same, with the keys of structures and the entries of sets in another order."""
    if isinstance(value, dict):
        names = list(value)
        random.shuffle(names)
        made = {name: reordered(value[name], random) for name in names}
        for name in SETS:
            if isinstance(made.get(name), list):
                random.shuffle(made[name])
        return made
    return [reordered(entry, random) for entry in value] if isinstance(value, list) else value


def padded(value):
    """The same, with what says nothing added."""
    return {"parameters": {}, "tags": None, "timeout": None, "retryStrategy": {}, **value}


@given(data=st.data(), random=st.randoms(use_true_random=False))
def test_order_never_counts_where_awss_list_is_a_set(data, random):
    content = data.draw(definitions())
    assert content_hash(reordered(copy.deepcopy(content), random)) == content_hash(content)


@given(data=st.data())
def test_the_canonical_form_is_its_own_canonical_form(data):
    form = canonical(data.draw(definitions()))
    assert canonical(form) == form
    assert json.loads(json.dumps(form)) == form


@given(data=st.data())
def test_content_never_differs_from_itself_with_nothing_added(data):
    content = data.draw(definitions())
    assert differences(content, padded(content)) == ()
    assert content_hash(padded(content)) == content_hash(content)


@given(data=st.data(), image=st.text("xyz", min_size=1))
def test_another_image_is_another_content(data, image):
    content = data.draw(definitions())
    before = content.get("containerProperties", {})
    changed = {**content, "containerProperties": {**before, "image": f"other/{image}"}}
    assert differences(changed, content) == (
        ("containerProperties.image",) if canonical(before) else ("containerProperties",)
    )
    assert content_hash(changed) != content_hash(content)


def test_what_aws_describes_is_what_was_registered():
    assert content_hash(DESCRIBED) == content_hash(CONTAINER)
    assert differences(CONTAINER, DESCRIBED) == ()


def test_the_hash_of_known_content_never_changes():
    # Stored in AWS and in statuses: a new value here needs a new version in canonical.py.
    assert content_hash(CONTAINER) == "v2:2b5e89ccbab5dcc74e1a422e62fffe8c"
    assert content_hash({}) == "v2:44136fa355b3678a1146ad16f7e8649e"


def test_a_hash_of_other_rules_cannot_be_compared():
    assert comparable(content_hash(CONTAINER))
    assert not comparable("v0:44136fa355b3678a1146ad16f7e8649e")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"weightFactor": "0.50"}, {"weightFactor": 0.5}),
        ({"weightFactor": "0.1"}, {"weightFactor": 0.10000000149011612}),
        ({"weightFactor": "1.0"}, {}),
        ({"subnets": ["b", "a"]}, {"subnets": ["a", "b"]}),
        ({"instanceTypes": ["m7i", "c7i"]}, {"instanceTypes": ["c7i", "m7i"]}),
        ({"env": [{"name": "B", "value": "1"}, {"name": "A", "value": "$B"}]},
         {"env": [{"name": "A", "value": "$B"}, {"name": "B", "value": "1"}]}),
        ({"devices": [{"hostPath": "/dev/a", "permissions": ["WRITE", "READ", "MKNOD"]}]},
         {"devices": [{"hostPath": "/dev/a"}]}),
    ],
)  # fmt: skip
def test_two_spellings_mean_the_same(one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"command": ["a", "b"]}, {"command": ["b", "a"]}),
        ({"command": [""]}, {"command": []}),
        ({"env": [{"name": "A", "value": ""}]}, {"env": []}),
        ({"env": [{"name": "B", "value": "1"}, {"name": "A", "value": "$(B)"}]},
         {"env": [{"name": "A", "value": "$(B)"}, {"name": "B", "value": "1"}]}),
        ({"environment": [{"name": "A", "value": " "}]}, {"environment": []}),
        ({"environment": [{"name": "A", "value": "1.0"}]},
         {"environment": [{"name": "A", "value": "1"}]}),
        ({"essential": False}, {}),
        ({"hostNetwork": False}, {}),
        ({"volumes": [{"name": "a", "emptyDir": {}}]}, {"volumes": [{"name": "a"}]}),
        ({"allocationStrategy": "BEST_FIT_PROGRESSIVE_ORDERED", "instanceTypes": ["m7i", "c7i"]},
         {"allocationStrategy": "BEST_FIT_PROGRESSIVE_ORDERED", "instanceTypes": ["c7i", "m7i"]}),
        ({"labels": {"privileged": "false"}}, {}),
        ({"parameters": {"state": "ENABLED"}}, {}),
        ({"attempts": True}, {"attempts": 1}),
        ({"futureMember": False}, {}),
    ],
)  # fmt: skip
def test_two_contents_differ(one, other):
    assert canonical(one) != canonical(other)
    assert content_hash(one) != content_hash(other)


def test_differences_are_named_by_path():
    desired = {"state": "ENABLED", "computeResources": {"maxvCpus": 8, "subnets": ["a"]}}
    observed = {"computeResources": {"maxvCpus": 4, "subnets": ["a", "b"], "minvCpus": 2}}
    assert differences(desired, observed) == (
        "computeResources.maxvCpus",
        "computeResources.minvCpus",
        "computeResources.subnets",
    )
    ignored = ("computeResources.minvCpus", "computeResources.subnets")
    assert differences(desired, observed, ignore=ignored) == ("computeResources.maxvCpus",)


def test_what_a_newer_aws_returns_unasked_is_no_difference():
    assert "futureMember" not in known_members()
    entry = {"imageType": "ECS_AL2023"}
    observed = {"ec2Configuration": [{**entry, "futureMember": "LATEST"}], "futureMember": {"a": 1}}
    assert differences({"ec2Configuration": [entry]}, observed) == ()
    assert differences({"futureMember": {"a": 2}}, observed, ignore=("ec2Configuration",)) == (
        "futureMember.a",
    )


def test_what_was_taken_out_of_the_spec_is_a_difference():
    assert differences({}, {"instanceRole": "arn:aws:iam::1:role/x"}) == ("instanceRole",)


def test_a_number_that_is_none_stays_as_it_is():
    content = {"resourceRequirements": [{"type": "VCPU", "value": "Ref::cpus"}]}
    assert canonical(content) == content
