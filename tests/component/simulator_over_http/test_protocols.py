"""Requests are parsed and answers serialized as AWS does, for each protocol."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.exceptions import ClientError
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from tests.support.simulated_aws import Invented

from awsbatch_simulator.context import Caller
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.ports import RawJson
from awsbatch_simulator.protocol.codec import Codec
from awsbatch_simulator.protocol.models import Models, Operation
from awsbatch_simulator.wire import WireAnswer, WireRequest

QUEUE = "arn:aws:batch:eu-central-1:111122223333:job-queue/main"


class Recorder:
    """Keeps the parameters of the last call."""

    def __init__(self, result: Any = None) -> None:
        self.result = {} if result is None else result
        self.request: dict[str, Any] = {}

    def __call__(self, _caller: Any, request: dict[str, Any]) -> Any:
        self.request = request
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("service", ["batch", "ecs", "logs"])
def test_in_our_json_services_a_members_name_is_its_name_on_the_wire(service):
    model = ServiceModel(create_loader().load_service_model(service, "service-2"), service)
    bound = {"uri", "querystring"}
    for name in model.shape_names:
        shape = model.shape_for(name)
        for member, target in getattr(shape, "members", {}).items():
            place = target.serialization.get("location")
            assert place in bound | {None}, f"{name}.{member} is in the {place}"
            if place is None:
                assert target.serialization.get("name", member) == member


def test_an_arn_in_the_path_arrives_as_it_was_sent(simulator, client):
    got = Recorder({"tags": {"team": "a"}})
    simulator.world.services["batch"] = Invented(ListTagsForResource=got)
    assert client("batch").list_tags_for_resource(resourceArn=QUEUE)["tags"] == {"team": "a"}
    assert got.request == {"resourceArn": QUEUE}


def test_a_list_in_the_query_string_arrives_whole(simulator, client):
    got = Recorder()
    simulator.world.services["batch"] = Invented(UntagResource=got)
    client("batch").untag_resource(resourceArn=QUEUE, tagKeys=["a", "b&c=d"])
    assert got.request == {"resourceArn": QUEUE, "tagKeys": ["a", "b&c=d"]}


def test_nested_parameters_and_answers_survive_the_json_protocols(simulator, client):
    job = {"jobId": "1", "jobName": "é&<>\"'", "status": "RUNNING", "createdAt": 1_800_000_000_123}
    got = Recorder({"jobs": [job], "nothing": None})
    simulator.world.services["batch"] = Invented(DescribeJobs=got)
    answer = client("batch").describe_jobs(jobs=["1", "2"])
    assert got.request == {"jobs": ["1", "2"]}
    assert answer["jobs"] == [job]


def test_an_answer_that_is_json_already_is_sent_as_it_is(simulator, client):
    simulator.world.services["batch"] = Invented(
        SubmitJob=Recorder(RawJson(b'{"jobId": "x",  "jobName": "y"}'))
    )
    answer = client("batch").submit_job(jobName="y", jobQueue="q", jobDefinition="d")
    assert (answer["jobId"], answer["jobName"]) == ("x", "y")


def test_ecs_times_keep_milliseconds(simulator, client):
    then = datetime(2026, 5, 1, 12, 30, 15, 123_000, tzinfo=UTC)
    instance = {"containerInstanceArn": "a", "registeredAt": then}
    simulator.world.services["ecs"] = Invented(
        DescribeContainerInstances=Recorder({"containerInstances": [instance]})
    )
    answer = client("ecs").describe_container_instances(containerInstances=["a"])
    assert answer["containerInstances"][0]["registeredAt"] == then


def test_ec2_forms_arrive_as_nested_parameters_and_answers_as_xml(simulator, client):
    then = datetime(2026, 5, 1, 12, 30, 15, tzinfo=UTC)
    instance = {"InstanceId": "i-1", "LaunchTime": then, "State": {"Name": "pending", "Code": 0}}
    got = Recorder({"ReservationId": "r-1", "Instances": [instance]})
    simulator.world.services["ec2"] = Invented(RunInstances=got)
    tags = [{"Key": "a<b", "Value": "c&d"}]
    answer = client("ec2").run_instances(
        MinCount=1,
        MaxCount=2,
        UserData="#!/bin/sh\necho '<&>'\n",
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        ClientToken="t",
    )
    assert got.request["MaxCount"] == 2
    assert got.request["TagSpecifications"] == [{"ResourceType": "instance", "Tags": tags}]
    assert answer["Instances"] == [instance]


def test_answers_of_ec2_say_what_motos_serializer_says(simulator):
    """moto's is ten times slower and knows each shape of the model on its own."""
    from moto.core.serialize import (  # noqa: PLC0415 - takes most of a second
        SERIALIZERS,
        SerializationContext,
    )
    from moto.core.utils import get_service_model  # noqa: PLC0415

    run = {"ImageId": "ami-12c6146b", "InstanceType": "m7i.large", "MinCount": 2, "MaxCount": 2}
    tags = [{"Key": "<a> & 'b'", "Value": 'é💥"'}, {"Key": "empty", "Value": ""}]
    caller = Caller(simulator.place, "arn:aws:iam::111122223333:user/a", "r")
    handlers = simulator.world.services["ec2"].handlers
    given: dict[str, dict[str, Any]] = {
        "RunInstances": run | {"TagSpecifications": [{"ResourceType": "instance", "Tags": tags}]},
        "DescribeInstances": {},
        "DescribeTags": {},
    }
    for name, parameters in given.items():
        operation = Models().operation("ec2", name)
        result = handlers[name](caller, parameters)
        ours = Codec().answer(operation, result, "r").body
        model = get_service_model("ec2").operation_model(name)
        serializer = SERIALIZERS["ec2"](model, context=SerializationContext("r"))
        theirs = serializer.serialize(result)["body"].encode()
        answer = _parsed(operation, ours)
        assert answer == _parsed(operation, theirs), name
        assert len(str(answer)) > 200


def _parsed(operation: Operation, body: bytes) -> dict[str, Any]:
    response = {"status_code": 200, "headers": HeadersDict(), "body": body}
    parsed: dict[str, Any] = create_parser("ec2").parse(response, operation.model.output_shape)
    return parsed | {"ResponseMetadata": {}}


def test_no_character_that_xml_lacks_is_taken_or_sent(simulator, client):
    got = Recorder({"Tags": [{"Key": "a", "Value": "b\x00\x1b\ud800c"}]})
    simulator.world.services["ec2"] = Invented(DescribeTags=got)
    ec2 = client("ec2")
    assert ec2.describe_tags()["Tags"] == [{"Key": "a", "Value": "b\ufffd\ufffd\ufffdc"}]
    with pytest.raises(ClientError) as error:
        ec2.describe_tags(Filters=[{"Name": "key", "Values": ["\x00"]}])
    assert code_of(error) == ("MalformedQueryString", 400)


@pytest.mark.parametrize(
    "body",
    [
        *(b"[" * 100_000, b'{"jobs": ' * 50_000, b"\xff", b"[]", b"null", b'{"jobs"'),
        *(b'{"jobs": [NaN]}', b'{"jobs": [-Infinity]}', b'{"jobs": [1e999]}'),
        *(b'{"jobs": ["\\ud800"]}', b'{"jobs": [%s]}' % (b"9" * 5000)),
    ],
    ids=lambda body: body[:20].decode("latin-1"),
)
def test_a_body_that_is_no_json_is_refused(simulator, body):
    key = simulator.key.access_key_id
    credit = f"AWS4-HMAC-SHA256 Credential={key}/20270101/eu-central-1/batch/aws4_request"
    wire = WireRequest("POST", "/v1/describejobs", "", {"authorization": credit}, body)
    answer = simulator.dispatcher.admit(wire)
    assert isinstance(answer, WireAnswer)
    assert answer.status == 400


@pytest.mark.parametrize(
    ("service", "operation", "member", "bits"),
    [("batch", "list_jobs", "maxResults", 32), ("logs", "filter_log_events", "startTime", 64)],
)
def test_numbers_have_the_size_that_aws_gives_them(client, service, operation, member, bits):
    fits, too_large = (1 << bits - 1) - 1, 1 << bits - 1
    for value, said in ((fits, ""), (too_large, f"{bits} bits"), (-too_large - 1, f"{bits} bits")):
        with pytest.raises(ClientError) as error:
            getattr(client(service), operation)(**{member: value})
        assert said in str(error.value)
        assert ("bits" in str(error.value)) is bool(said)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("batch", "submit_job", {"jobName": "a", "jobQueue": "q"}, ("ClientException", 400)),
        ("batch", "submit_job", {"jobName": 5}, ("ClientException", 400)),
        ("ecs", "create_service", {"cluster": "c"}, ("InvalidParameterException", 400)),
        ("logs", "create_log_group", {}, ("InvalidParameterException", 400)),
        ("ec2", "terminate_instances", {}, ("MissingParameter", 400)),
        ("ec2", "run_instances", {"MinCount": "x", "MaxCount": 1}, ("MalformedQueryString", 400)),
        ("sts", "assume_role", {"RoleSessionName": "xx"}, ("ValidationError", 400)),
        ("ssm", "get_parameter", {}, ("ValidationException", 400)),
    ],
)
def test_what_does_not_fit_the_model_is_refused_with_the_services_own_code(
    client, service, operation, parameters, expected
):
    with pytest.raises(ClientError) as error:
        getattr(client(service), operation)(**parameters)
    assert code_of(error) == expected
    assert error.value.response["ResponseMetadata"]["RequestId"]


def test_a_refusal_names_the_parameter(client):
    with pytest.raises(ClientError, match='Missing required parameter in input: "jobDefinition"'):
        client("batch").submit_job(jobName="a", jobQueue="q")


@pytest.mark.parametrize("service", ["batch", "ecs", "ec2", "sts"])
def test_a_failure_of_a_handler_has_its_code_message_and_status(simulator, client, service):
    calls: dict[str, tuple[str, str, dict[str, Any]]] = {
        "batch": ("CancelJob", "cancel_job", {"jobId": "1", "reason": "r"}),
        "ecs": ("DeleteCluster", "delete_cluster", {"cluster": "c"}),
        "ec2": ("TerminateInstances", "terminate_instances", {"InstanceIds": ["i-1"]}),
        "sts": ("GetCallerIdentity", "get_caller_identity", {}),
    }
    operation, method, parameters = calls[service]
    failure = AwsFailure("SomethingWrong", 'because <of> & "this"', 418)
    simulator.world.services[service] = Invented(**{operation: Recorder(failure)})
    with pytest.raises(ClientError) as error:
        getattr(client(service), method)(**parameters)
    assert code_of(error) == ("SomethingWrong", 418)
    assert error.value.response["Error"]["Message"] == 'because <of> & "this"'
    assert error.value.response["ResponseMetadata"]["RequestId"]


def test_a_modelled_error_becomes_boto3s_typed_exception(simulator, client):
    failure = AwsFailure("ClusterNotFoundException", "Cluster not found.")
    simulator.world.services["ecs"] = Invented(ListContainerInstances=Recorder(failure))
    ecs = client("ecs")
    with pytest.raises(ecs.exceptions.ClusterNotFoundException):
        ecs.list_container_instances(cluster="c")


def test_a_bug_in_a_handler_is_an_aws_error_and_its_cause_is_logged(simulator, client, caplog):
    simulator.world.services["batch"] = Invented(CancelJob=Recorder(KeyError("oops")))
    with caplog.at_level(logging.ERROR), pytest.raises(ClientError) as error:
        client("batch").cancel_job(jobId="1", reason="r")
    assert code_of(error) == ("InternalFailure", 500)
    assert "KeyError" in caplog.text


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "named"),
    [
        ("batch", "list_service_jobs", {}, "ListServiceJobs"),
        ("ecs", "list_services", {}, "ListServices"),
        ("ec2", "describe_fast_launch_images", {}, "DescribeFastLaunchImages"),
        ("iam", "get_human_readable_summary", {"EntityArn": "arn:aws:iam::1:role/x"}, "GetHuman"),
        ("s3control", "list_access_points", {"AccountId": "111122223333"}, "s3"),
    ],
)
def test_what_is_not_implemented_is_an_aws_error_that_names_it(
    client, service, operation, parameters, named
):
    with pytest.raises(ClientError, match=named) as error:
        getattr(client(service), operation)(**parameters)
    assert code_of(error) == ("NotImplemented", 501)
