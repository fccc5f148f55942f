"""Whatever comes in, every operation answers as AWS would, and time goes on.

For any request: HTTP 2xx, an error of the 400s with AWS's code, or 501 for what the simulator says
that it does not do. Never another 5xx (it would hide a fault of ours behind one of AWS's), and no
timer that raises because of what a request left behind. What EC2 counts stays true.
"""

import functools
import random

import pytest
from botocore.awsrequest import AWSPreparedRequest, HTTPHeaders
from botocore.model import StructureShape
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.support.fuzzing import ec2_books, wire
from tests.support.fuzzing.furnished import Furnished, furnished
from tests.support.fuzzing.values import Values

from awsbatch_simulator.inprocess import InProcess
from awsbatch_simulator.protocol.models import Models
from awsbatch_simulator.wire import WireAnswer, WireRequest

SERVICES = ("batch", "ec2", "ecs", "logs", "pricing", "service-quotas", "ssm", "sts")
# What needs a life of its own to succeed, or never does for what there is.
ENDS = ("Cancel", "Delete", "Deregister", "Terminate", "DescribeFleetInstances")
STEPS = (0, 0, 1, 5, 30, 90, 1000)  # seconds
# An example calls each operation of a service once and costs some 15 ms, so there are fewer than of
# other properties, and, but for thorough runs, the same every time. A smaller seed is no simpler
# request, so none is looked for.
FULL = settings().max_examples
EXAMPLES = settings(
    max_examples=FULL // 2,
    derandomize=FULL <= 100,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


@functools.cache
def models() -> Models:
    return Models()


def credit(world: Furnished, service: str) -> str:
    key, region = world.simulator.key.access_key_id, world.simulator.place.region
    return (
        f"AWS4-HMAC-SHA256 Credential={key}/20270101/{region}/{service}/aws4_request, "
        "SignedHeaders=host, Signature=0"
    )


def answered(world: Furnished, asked: WireRequest) -> WireAnswer:
    """Send a request through the bridge that boto3's clients use in one process."""
    url = f"https://aws.invalid{asked.path}" + (f"?{asked.query}" if asked.query else "")
    headers = HTTPHeaders.from_dict(asked.headers)
    prepared = AWSPreparedRequest(asked.method, url, headers, asked.body, stream_output=False)
    response = InProcess(world.simulator)(prepared, "before-send.fuzz.Operation")
    return WireAnswer(response.status_code, dict(response.headers), response.content)


def request(world: Furnished, service: str, name: str, source: random.Random) -> WireRequest | None:
    """A request for an operation; None for parameters that no client could write."""
    operation, values = models().operation(service, name), Values(source, world.known)
    parameters, shape = world.sound[service][name], operation.model.input_shape
    if not isinstance(shape, StructureShape):
        parameters = {}
    elif source.random() < 0.4:
        parameters = values.anew(shape)
    else:
        for _ in range(source.choice((0, 1, 1, 2, 3))):
            parameters = values.parameters(parameters, shape)
    if source.random() < 0.4:
        return wire.raw(operation, parameters, credit(world, service), source)
    try:
        return wire.from_client(operation, parameters, credit(world, service))
    except Exception:  # noqa: BLE001 - botocore's own refusal to write it
        return None


def test_there_is_a_sound_request_for_every_operation_of_ours():
    world = furnished()
    for service, ours in world.simulator.world.services.items():
        assert set(world.sound[service]) == set(ours.handlers), service
    assert set(world.sound) == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_sound_requests_are_answered(service):
    world = furnished()
    for name in sorted(world.sound[service], key=lambda each: (each.startswith(ENDS), each)):
        operation, parameters = models().operation(service, name), world.sound[service][name]
        answer = answered(world, wire.from_client(operation, parameters, credit(world, service)))
        assert answer.status == 200 or name.startswith(ENDS), (name, answer)
        assert wire.complaint(operation, answer) is None


@pytest.mark.parametrize(
    ("service", "operation", "changes"),
    [
        ("batch", "UpdateComputeEnvironment", {"state": "ON"}),
        ("batch", "UpdateComputeEnvironment", {"computeResources": {"maxvCpus": 10**400}}),
        ("batch", "UpdateJobQueue", {"state": "ON"}),
        ("batch", "SubmitJob", {"timeout": {"attemptDurationSeconds": 10**400}}),
        ("ec2", "CreateTags", {"Tags": [{"Value": "nameless"}]}),
        ("ec2", "DescribeTags", {"Filters": [{"Values": ["nameless"]}]}),
        ("ecs", "CreateCluster", {"tags": [{}]}),
        ("ecs", "RegisterContainerInstance", {"instanceIdentityDocument": "null"}),
        ("ecs", "RegisterContainerInstance", {"totalResources": [{}]}),
        ("batch", "UpdateComputeEnvironment", {"computeEnvironment": "serverless",
                                               "computeResources": {"desiredvCpus": -1}}),
        ("logs", "DescribeLogGroups", {"nextToken": "9" * 5000}),
        # Ranges of botocore's model, of which botocore itself checks the lower end only.
        ("logs", "DescribeLogGroups", {"limit": 0}),
        ("logs", "FilterLogEvents", {"limit": 10_001}),
        ("logs", "GetLogEvents", {"limit": -1}),
        ("ec2", "CreateFleet", {"TargetCapacitySpecification": {"TotalTargetCapacity": -1}}),
        ("ec2", "GetSpotPlacementScores", {"TargetCapacity": 0}),
        ("sts", "AssumeRole", {"DurationSeconds": 43_201}),
        ("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::role/batch-operator"}),
        ("batch", "UpdateComputeEnvironment",
         {"updatePolicy": {"jobExecutionTimeoutMinutes": 7201}}),
    ],
)  # fmt: skip
def test_what_once_broke_or_fooled_an_operation_is_refused(service, operation, changes):
    world, model = furnished(), models().operation(service, operation)
    parameters = world.sound[service][operation] | changes
    answer = answered(world, wire.from_client(model, parameters, credit(world, service)))
    assert 400 <= answer.status < 500
    assert wire.complaint(model, answer) is None
    world.simulator.world.advance(100)


@pytest.mark.parametrize("moment", ["1000000000000000000", "9" * 400, "-99999999999999", "soon"])
def test_a_moment_that_cannot_be_is_refused(moment):
    """No client of botocore's writes it; another one may, and it must not end the connection."""
    world = furnished()
    spot = "InstanceMarketOptions.MarketType=spot&InstanceMarketOptions.SpotOptions.ValidUntil"
    body = f"Action=RunInstances&Version=2016-11-15&MinCount=1&MaxCount=1&{spot}={moment}"
    headers = {
        "authorization": credit(world, "ec2"),
        "content-type": "application/x-www-form-urlencoded",
    }
    answer = answered(world, WireRequest("POST", "/", "", headers, body.encode()))
    assert answer.status == 400


@pytest.mark.parametrize("service", SERVICES)
@EXAMPLES
@given(data=st.data(), seed=st.integers(0, 2**64))
def test_no_request_breaks_anything(service, data, seed):
    world, source = furnished(), random.Random(seed)
    order = data.draw(st.permutations(sorted(world.sound[service])))
    for name in order:
        asked = request(world, service, name, source)
        if asked is None:
            continue
        answer = answered(world, asked)
        assert wire.complaint(models().operation(service, name), answer) is None, (asked, answer)
        world.simulator.world.advance(source.choice(STEPS))
    assert ec2_books.errors(world.simulator.world.region(world.simulator.place)) == []
