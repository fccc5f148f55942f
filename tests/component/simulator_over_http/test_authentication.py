"""Who may call: keys of this sandbox, and what its STS has issued."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.support.simulated_aws import ONCE, Invented

from awsbatch_simulator import inprocess
from awsbatch_simulator.faults import Effect, FaultSpec
from awsbatch_simulator.wire import WireAnswer, WireRequest

ROLE = "arn:aws:iam::444455556666:role/batch-operator"


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def as_key(simulator, loader):
    """A client with other credentials than the sandbox's."""

    def made(service: str, key: str, token: str | None = None, region: str = "eu-central-1") -> Any:
        session = inprocess.session(simulator, loader=loader)
        return session.client(
            service,
            config=ONCE,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key="anything",
            aws_session_token=token,
        )

    return made


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("batch", "describe_job_queues", {}),
    ("ecs", "list_clusters", {}),
    ("ec2", "describe_instances", {}),
    ("sts", "get_caller_identity", {}),
    ("iam", "list_roles", {}),
]


@pytest.mark.parametrize(
    ("call", "expected"),
    list(
        zip(
            CALLS,
            [
                ("UnrecognizedClientException", 403),
                ("UnrecognizedClientException", 400),
                ("AuthFailure", 401),
                ("InvalidClientTokenId", 403),
                ("InvalidClientTokenId", 403),
            ],
            strict=True,
        )
    ),
)
def test_a_key_of_elsewhere_is_refused_as_each_service_does_it(as_key, call, expected):
    service, operation, parameters = call
    with pytest.raises(ClientError) as error:
        getattr(as_key(service, "AKIAIOSFODNN7EXAMPLE"), operation)(**parameters)
    assert code_of(error) == expected


def test_the_sandboxs_key_gives_its_account_and_user(client):
    answer = client("sts").get_caller_identity()
    assert answer["Account"] == "111122223333"
    assert answer["Arn"] == "arn:aws:iam::111122223333:user/sandbox"
    assert answer["UserId"].startswith("AIDA")


def test_an_assumed_role_acts_in_the_roles_account(simulator, client, as_key):
    seen = []

    def describe(caller, _request):
        seen.append(caller)
        return {"jobQueues": []}

    simulator.world.services["batch"] = Invented(DescribeJobQueues=describe)
    answer = client("sts").assume_role(RoleArn=ROLE, RoleSessionName="op")
    credentials = answer["Credentials"]
    key, token = credentials["AccessKeyId"], credentials["SessionToken"]
    as_key("batch", key, token, region="us-east-1").describe_job_queues()
    principal = "arn:aws:sts::444455556666:assumed-role/batch-operator/op"
    assert answer["AssumedRoleUser"]["Arn"] == principal
    [caller] = seen
    assert (caller.place.account, caller.place.region) == ("444455556666", "us-east-1")
    assert caller.principal == principal


@pytest.mark.parametrize("token", [None, "wrong"])
def test_temporary_keys_need_their_own_session_token(client, as_key, token):
    key = client("sts").assume_role(RoleArn=ROLE, RoleSessionName="op")["Credentials"]
    with pytest.raises(ClientError) as error:
        as_key("sts", key["AccessKeyId"], token).get_caller_identity()
    assert code_of(error) == ("InvalidClientTokenId", 403)


@pytest.mark.parametrize(
    ("call", "expected"),
    list(
        zip(
            CALLS,
            [
                ("ExpiredTokenException", 403),
                ("ExpiredTokenException", 400),
                ("RequestExpired", 400),
                ("ExpiredToken", 403),
                ("ExpiredToken", 403),
            ],
            strict=True,
        )
    ),
)
def test_temporary_keys_end(simulator, client, as_key, call, expected):
    answer = client("sts").assume_role(RoleArn=ROLE, RoleSessionName="op", DurationSeconds=900)
    key = answer["Credentials"]
    service, operation, parameters = call
    simulator.world.advance(901)
    with pytest.raises(ClientError) as error:
        getattr(as_key(service, key["AccessKeyId"], key["SessionToken"]), operation)(**parameters)
    assert code_of(error) == expected


def test_a_session_token_is_of_the_same_principal(client, as_key):
    key = client("sts").get_session_token()["Credentials"]
    answer = as_key("sts", key["AccessKeyId"], key["SessionToken"]).get_caller_identity()
    assert answer["Arn"] == "arn:aws:iam::111122223333:user/sandbox"


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::111122223333:role/nobody",
        "arn:aws:iam::111122223333:role/service-role/AWSBatchServiceRole",
    ],
)
def test_a_role_that_is_absent_or_trusts_a_service_only_is_denied(client, arn):
    with pytest.raises(ClientError, match=f"sts:AssumeRole on resource: {arn}") as error:
        client("sts").assume_role(RoleArn=arn, RoleSessionName="op")
    assert code_of(error) == ("AccessDenied", 403)


def test_a_duration_outside_of_awss_limits_is_refused(client):
    with pytest.raises(ClientError) as error:
        client("sts").assume_role(RoleArn=ROLE, RoleSessionName="op", DurationSeconds=50_000)
    assert code_of(error) == ("ValidationError", 400)


def test_an_assumed_role_can_be_trusted_by_its_roles_arn(client, as_key):
    role = "arn:aws:iam::111122223333:role/batch-operator"
    statement = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = client("iam").create_role(RoleName="chained", AssumeRolePolicyDocument=policy)
    key = client("sts").assume_role(RoleArn=role, RoleSessionName="op")["Credentials"]
    chained = as_key("sts", key["AccessKeyId"], key["SessionToken"])
    assert assumes(chained, made["Role"]["Arn"], {})


def test_a_role_deleted_in_iam_can_no_longer_be_assumed(client):
    arn = "arn:aws:iam::111122223333:role/batch-operator"
    assert assumes(client("sts"), arn, {})
    client("iam").delete_role(RoleName="batch-operator")
    assert not assumes(client("sts"), arn, {})


def test_a_role_that_vanished_can_no_longer_be_assumed(simulator, client):
    spec = FaultSpec(effect=Effect.WORLD, name="role_vanished", match={"role": ROLE})
    fault = simulator.world.faults.add(spec)
    assert not assumes(client("sts"), ROLE, {})
    simulator.world.faults.remove(fault.id)
    assert assumes(client("sts"), ROLE, {})


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "MissingAuthenticationTokenException"),
        ({"authorization": "Basic dXNlcjpwYXNz"}, "IncompleteSignatureException"),
        (
            {"x-amz-target": "AmazonEC2ContainerServiceV20141113.ListClusters"},
            "MissingAuthenticationTokenException",
        ),
    ],
)
def test_an_unsigned_request_is_refused(simulator, headers, code):
    answer = simulator.dispatcher.admit(WireRequest("POST", "/v1/submitjob", headers=headers))
    assert isinstance(answer, WireAnswer)
    assert answer.headers["x-amzn-ErrorType"] == code


def test_two_simulators_share_no_key(simulator, loader):
    other = boto3.Session(
        aws_access_key_id="AKIA" + "A" * 16,
        aws_secret_access_key="anything",
        region_name="eu-central-1",
    )
    inprocess.InProcess(simulator).connect(other)
    with pytest.raises(ClientError, match="UnrecognizedClient"):
        other.client("batch", config=ONCE).describe_job_queues()


def assumes(sts: Any, arn: str, given: dict[str, str]) -> bool:
    try:
        sts.assume_role(RoleArn=arn, RoleSessionName="op", **given)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


@pytest.mark.parametrize(
    "parameters",
    [
        *(
            {"RoleArn": arn, "RoleSessionName": "op"}
            for arn in (
                *("arn:aws:iam::role/batch-operator", "arn:aws:iam::1:role/batch-operator"),
                *("arn:aws:iam::111122223333:user/somebody", "arn:aws:iam::111122223333:role/"),
            )
        ),
        *({"RoleArn": ROLE, "RoleSessionName": name} for name in ("a b", "é", "x" * 65)),
    ],
)
def test_what_sts_cannot_read_is_invalid(client, parameters):
    with pytest.raises(ClientError, match="ValidationError"):
        client("sts").assume_role(**parameters)
