"""What AWS says about its things is the same as long as nothing has changed."""

import copy

import botocore.session
import pytest
from tests.support.stub_aws import Refused

from awsbatch_operator.api.encoding import encoded
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.answers import steady, whole_characters
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.capacity_calls import PART
from awsbatch_operator.aws.errors import AwsError

SCOPE = Scope("111122223333", "eu-central-1")
SUBMIT = {"jobName": "a", "jobQueue": "q", "jobDefinition": "d"}
ID = "6c6b1a5f-9d3e-4c55-8c0b-0f2f7b1f3a11"
SAID = f"CLIENT_ERROR - No such group (Service: AutoScaling; Status Code: 400; Request ID: {ID})"
SHOWN = "CLIENT_ERROR - No such group (Service: AutoScaling; Status Code: 400)"
EXITED = "Essential container in task exited"


@pytest.mark.parametrize(
    "listed",
    [
        {"computeEnvironments": [{"statusReason": SAID}]},
        {"jobQueues": [{"statusReason": SAID, "tags": {"reason": EXITED}}]},
        {"jobSummaryList": [{"statusReason": SAID, "container": {"reason": SAID}}]},
        {"jobs": [{"statusReason": SAID, "container": {"exitCode": 1, "reason": SAID}}]},
        {"jobs": [{"attempts": [{"statusReason": SAID, "container": {"reason": SAID}}]}]},
        {"jobs": [{"attempts": [{"taskProperties": [{"containers": [{"reason": SAID}]}]}]}]},
        {"jobs": [{"ecsProperties": {"taskProperties": [{"containers": [{"reason": SAID}]}]}}]},
        {"jobs": [{"eksProperties": {"podProperties": {"initContainers": [{"reason": SAID}]}}}]},
        {"jobs": [{"eksAttempts": [{"statusReason": SAID, "containers": [{"reason": SAID}]}]}]},
        {"failures": [{"reason": SAID}], "clusters": []},
    ],
)
def test_ids_of_requests_are_taken_out_wherever_aws_puts_its_words(listed):
    answer = steady(copy.deepcopy(listed) | {"ResponseMetadata": {"RequestId": ID}})
    assert ID not in str(answer)
    assert str(answer) == str(listed).replace(SAID, SHOWN)


# Members that are not read: the adapters leave them out, or nobody looks at that part.
NOT_READ = {
    "DeregisterContainerInstance.containerInstance.healthStatus.details[].statusReason",
    "DeregisterContainerInstance.containerInstance.statusReason",
    "DescribeContainerInstances.containerInstances[].healthStatus.details[].statusReason",
    "UpdateContainerInstancesState.containerInstances[].healthStatus.details[].statusReason",
    "CreateLaunchTemplate.Warning.Errors[].Message",
    "DescribeSpotInstanceRequests.SpotInstanceRequests[].Fault.Message",
    "DescribeSubnets.Subnets[].Ipv6CidrBlockAssociationSet[].Ipv6CidrBlockState.StatusMessage",
}


def sample(shape, name, path=()):
    """An answer in which AWS says SAID wherever a member holds its words; None: nowhere."""
    path = (*path, shape.name)
    match shape.type_name:
        case _ if shape.name in path[:-1]:
            return None
        case "structure":
            found = {key: sample(each, key, path) for key, each in shape.members.items()}
            return {key: value for key, value in found.items() if value is not None} or None
        case "list":
            value = sample(shape.member, name, path)
            return None if value is None else [value]
        case "string" if name.lower().endswith(("reason", "message")):
            return SAID
    return None


def with_ids(value, path):
    match value:
        case dict():
            for name, each in value.items():
                yield from with_ids(each, f"{path}.{name}")
        case list():
            for each in value:
                yield from with_ids(each, f"{path}[]")
        case str() if ID in value:
            yield path


def test_ids_of_requests_are_taken_out_of_all_that_ec2_and_ecs_say():
    session = botocore.session.Session()
    left = set()
    for call in CALLS:
        model = session.get_service_model(call.service).operation_model(call.operation)
        ours = call.part == PART or (call.part == "operator" and call.service in {"ec2", "ecs"})
        if ours and model.output_shape is not None:
            answer = steady(sample(model.output_shape, "") or {})
            left |= set(with_ids(answer, call.operation))
    assert left == NOT_READ


def test_what_the_user_wrote_stays():
    wanted = {"jobs": [{"container": {"command": [SAID], "environment": [{"value": SAID}]}}]}
    action = {"jobQueues": [{"jobStateTimeLimitActions": [{"reason": SAID}]}]}
    assert steady(copy.deepcopy(wanted)) == wanted
    assert steady(copy.deepcopy(action)) == action


@pytest.mark.parametrize(
    ("body", "sound"),
    [
        (rb'{"a": "cut \ud83d"}', rb'{"a": "cut \ufffd"}'),
        (rb'{"a": "cut \uDE00 short"}', rb'{"a": "cut \ufffd short"}'),
        (rb'{"a": "\ud83d\ud83d\ude00"}', rb'{"a": "\ufffd\ud83d\ude00"}'),
        (rb'{"a": "\ud83d\ude00 whole"}', None),
        (rb'{"a": "C:\\ud83d"}', None),
        (rb'{"a": "\\\ud83d"}', rb'{"a": "\\\ufffd"}'),
        (rb'{"a": "\u00fc"}', None),
        (b"<Error/>", None),
        (b"", None),
    ],
)
def test_half_a_character_in_an_answer_is_shown_as_one_that_is_missing(body, sound):
    assert whole_characters(body) == (body if sound is None else sound)


async def test_half_a_character_in_what_aws_says_of_a_job_harms_nobody(bench):
    """A service that cuts a text may leave half of an emoji, which no JSON of ours could hold."""
    cut = {"jobId": "j-1", "status": "FAILED", "statusReason": "Stopped: \ud83d"}
    bench.stub.answers["DescribeJobs"] = lambda _: {"jobs": [cut]}
    job = await bench.aws.batch.job(SCOPE, "j-1")
    assert job is not None
    assert job["statusReason"] == "Stopped: \ufffd"
    assert encoded(job)


async def test_half_a_character_in_a_refusal_harms_nobody(bench):
    def refusal(_):
        raise Refused("ClientException", "no \ud83d here")

    bench.stub.answers["SubmitJob"] = refusal
    with pytest.raises(AwsError, match="no \ufffd here"):
        await bench.aws.batch.submit_job(SCOPE, SUBMIT)
