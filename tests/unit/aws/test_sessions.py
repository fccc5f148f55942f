import contextlib
import os
from dataclasses import replace

import botocore
import pytest
from botocore.exceptions import EndpointConnectionError
from tests.support.stub_aws import ASSUMED, CALLER, Refused

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind, Obstacle

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/batch-operator"
OWN = Scope(ACCOUNT, "eu-central-1")
ASSUMING = Scope(ACCOUNT, "eu-central-1", ROLE, "tenant-7")


@pytest.fixture
def sts(bench):
    """STS that gives credentials for an hour of the bench's clock."""
    given = []

    def assume(parameters):
        given.append(parameters)
        expires = Instant(bench.clock.now().epoch + 3600).rfc3339()
        return ASSUMED.format(
            account=ACCOUNT,
            name="batch-operator",
            session=parameters["RoleSessionName"],
            number=len(given),
            expires=expires,
        )

    bench.stub.answers |= {
        "AssumeRole": assume,
        "GetCallerIdentity": lambda _: CALLER.format(account=ACCOUNT),
        "DescribeJobs": lambda _: {"jobs": []},
    }
    return given


def keys_used(bench) -> list[str]:
    """The access key of each Batch request, from its signature."""
    return [
        request.headers["Authorization"].decode().split("Credential=")[1].split("/")[0]
        for request in bench.stub.requests
        if b"/batch/" in request.headers["Authorization"]
    ]


async def test_without_a_role_the_operator_acts_as_itself(bench, sts):
    await bench.aws.batch.job(OWN, "j")
    assert sts == []
    assert keys_used(bench) == ["AKIAEXAMPLEEXAMPLE00"]


async def test_a_request_names_the_operator_and_the_sdk_and_nothing_of_the_machine(bench, sts):
    await bench.aws.batch.job(OWN, "j")
    sent = bench.stub.requests[-1].headers["User-Agent"].decode()
    assert sent == f"aws-batch-operator botocore/{botocore.__version__}"


async def test_a_role_is_assumed_with_its_external_id_in_the_clusters_name(bench, sts):
    await bench.aws.batch.job(ASSUMING, "j")
    assert sts[0]["RoleArn"] == ROLE
    assert sts[0]["ExternalId"] == "tenant-7"
    assert sts[0]["RoleSessionName"] == "aws-batch-operator-c1"
    assert keys_used(bench) == ["ASIA0000000000000001"]


async def test_credentials_are_kept_and_fetched_again_before_they_expire(bench, sts):
    for _ in range(3):
        await bench.aws.batch.job(ASSUMING, "j")
    assert len(sts) == 1
    await bench.clock.advance(3600 - 14 * 60)
    await bench.aws.batch.job(ASSUMING, "j")
    assert len(sts) == 2
    assert keys_used(bench)[-1] == "ASIA0000000000000002"


async def test_external_ids_keep_two_tenants_of_one_role_apart(bench, sts):
    await bench.aws.batch.job(ASSUMING, "j")
    await bench.aws.batch.job(Scope(ACCOUNT, "eu-central-1", ROLE, "tenant-8"), "j")
    assert [parameters["ExternalId"] for parameters in sts] == ["tenant-7", "tenant-8"]


async def test_a_role_that_may_not_be_assumed_is_a_denial_of_that_and_nothing_was_sent(bench, sts):
    def refuse(_):
        raise Refused(
            "AccessDenied",
            "User: arn:aws:iam::1:user/u is not authorized to perform: "
            "sts:AssumeRole on resource: r",
            403,
        )

    bench.stub.answers["AssumeRole"] = refuse
    with pytest.raises(AwsError) as caught:
        await bench.aws.batch.terminate_job(ASSUMING, "j", "why")
    assert caught.value.kind is ErrorKind.DENIED
    assert caught.value.action == "sts:AssumeRole"
    assert not caught.value.outcome_unknown
    assert "TerminateJob" not in bench.stub.operations()


async def test_an_sts_that_fails_leaves_the_outcome_of_the_call_itself_known(bench, sts):
    def fail(_):
        raise Refused("InternalFailure", "oops", 500)

    bench.stub.answers["AssumeRole"] = fail
    with pytest.raises(AwsError) as caught:
        await bench.aws.batch.terminate_job(ASSUMING, "j", "why")
    assert caught.value.kind is ErrorKind.TRANSIENT
    assert not caught.value.outcome_unknown


async def test_credentials_that_aws_calls_expired_are_fetched_anew(bench, sts):
    await bench.aws.batch.job(ASSUMING, "j")

    def expired(_):
        raise Refused("ExpiredTokenException", "The security token is expired", 403)

    bench.stub.answers["TerminateJob"] = expired
    with pytest.raises(AwsError) as caught:
        await bench.aws.batch.terminate_job(ASSUMING, "j", "why")
    assert caught.value.kind is ErrorKind.TRANSIENT
    await bench.aws.batch.job(ASSUMING, "j")
    assert len(sts) == 2


async def test_a_role_of_another_account_than_the_objects_is_refused_before_anything_is_sent(
    bench, sts
):
    elsewhere = Scope("444455556666", "eu-central-1", ROLE)
    with pytest.raises(AwsError, match="belongs to account 111122223333") as caught:
        await bench.aws.batch.job(elsewhere, "j")
    assert caught.value.kind is ErrorKind.INVALID
    assert bench.stub.sent == []


async def test_endpoints_come_from_the_environment_sts_included(bench, sts, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4999")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:5000")
    await bench.aws.batch.job(ASSUMING, "j")
    urls = {
        name: request.url
        for (name, _), request in zip(bench.stub.sent, bench.stub.requests, strict=True)
    }
    assert urls["AssumeRole"].startswith("http://127.0.0.1:5000/")
    assert urls["DescribeJobs"].startswith("http://127.0.0.1:4999/")


async def test_sts_is_asked_in_the_objects_own_region(bench, sts):
    await bench.aws.batch.job(ASSUMING, "j")
    assert bench.stub.requests[0].url == "https://sts.eu-central-1.amazonaws.com/"


async def test_assuming_is_tried_afresh_and_tells_the_account(bench, sts):
    for _ in range(2):
        assert await bench.aws.identity.assume(ROLE, "xy", "eu-central-1") == ACCOUNT
    assert len(sts) == 2


async def test_the_operators_own_identity_is_asked_in_the_default_region(bench, sts):
    assert (await bench.aws.identity.caller(None))["Account"] == ACCOUNT
    assert "eu-central-1" in bench.stub.requests[0].url


async def test_without_any_region_nothing_is_asked(make_bench):
    bench = make_bench(region="")
    with pytest.raises(AwsError, match="specify a region") as caught:
        await bench.aws.identity.caller(None)
    assert caught.value.obstacle is Obstacle.REGION
    assert bench.stub.sent == []


async def test_a_profile_that_does_not_exist_is_an_error_of_aws_like_any_other(
    make_bench, monkeypatch
):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    bench = make_bench(region="")
    with pytest.raises(AwsError, match="nobody") as caught:
        await bench.aws.identity.caller(None)
    assert caught.value.obstacle is Obstacle.CREDENTIALS


async def test_a_profile_that_is_written_later_gives_its_region(make_bench, monkeypatch, tmp_path):
    """A session of botocore reads its files once."""
    files = tmp_path / "config"
    monkeypatch.setenv("AWS_PROFILE", "later")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(files))
    bench = make_bench(region="")
    bench.stub.answers["GetCallerIdentity"] = lambda _: CALLER.format(account=ACCOUNT)
    with pytest.raises(AwsError, match="later"):
        await bench.aws.identity.caller(None)
    files.write_text("[profile later]\nregion = eu-west-1\n")
    assert (await bench.aws.identity.caller(None))["Account"] == ACCOUNT
    assert "eu-west-1" in bench.stub.requests[0].url


@pytest.mark.parametrize(
    ("region", "obstacle", "words"),
    [
        ("eu-centrl-1", Obstacle.REGION, "no AWS region eu-centrl-1. Is eu-central-1 meant?"),
        ("eu-central-1", Obstacle.ROUTE, "Could not connect"),
    ],
)
async def test_no_route_to_a_region_that_is_misspelt_is_told_as_that(
    bench, region, obstacle, words
):
    def unknown_host(_):
        raise EndpointConnectionError(endpoint_url=f"https://batch.{region}.amazonaws.com/")

    bench.stub.answers["DescribeJobs"] = unknown_host
    with pytest.raises(AwsError) as caught:
        await bench.aws.batch.job(Scope(ACCOUNT, region), "j")
    assert caught.value.obstacle is obstacle
    assert words in caught.value.message


async def test_credentials_that_come_later_are_found(bench, sts, monkeypatch):
    """A client that found none when it was made would never look for them again."""
    kept = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    for name in kept:
        monkeypatch.delenv(name)
    for scope in (OWN, ASSUMING):
        with pytest.raises(AwsError) as caught:
            await bench.aws.batch.job(scope, "j")
        assert caught.value.obstacle is Obstacle.CREDENTIALS
    for name, text in kept.items():
        monkeypatch.setenv(name, text)
    for scope in (OWN, ASSUMING):
        await bench.clock.advance(60)
        with contextlib.suppress(AwsError):
            await bench.aws.batch.job(scope, "j")
        await bench.aws.batch.job(scope, "j")


async def test_without_credentials_the_call_is_denied_and_says_so(bench, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AwsError, match="credentials") as caught:
        await bench.aws.batch.terminate_job(OWN, "j", "why")
    assert caught.value.kind is ErrorKind.DENIED
    assert not caught.value.outcome_unknown


async def test_the_session_that_was_not_used_for_longest_goes_with_its_credentials(make_bench):
    bench = make_bench(sessions=3)
    expires = Instant(bench.clock.now().epoch + 3600).rfc3339()
    bench.stub.answers |= {
        "AssumeRole": lambda asked: ASSUMED.format(
            account=ACCOUNT, name=asked["ExternalId"], session="s", number=1, expires=expires
        ),
        "DescribeJobs": lambda _: {"jobs": []},
    }
    assumed = lambda: [asked["ExternalId"] for name, asked in bench.stub.sent if "Assume" in name]  # noqa: E731
    for tenant in (
        "t-a",
        "t-b",
        "t-a",
        "t-c",
        "t-a",
        "t-b",
    ):  # beside the operator's own session two have room
        await bench.aws.batch.job(Scope(ACCOUNT, "eu-central-1", ROLE, tenant), "j")
    assert assumed() == ["t-a", "t-b", "t-c", "t-b"]
    assert len(bench.aws.sender._sessions._sessions) == 3


async def test_of_the_clients_of_any_number_of_regions_those_used_last_are_kept(make_bench):
    """A job's definition names the region of its log group, and anybody may write one."""
    bench = make_bench(clients=2)
    bench.stub.answers["DescribeJobs"] = lambda _: {"jobs": []}
    for region in ("eu-central-1", "aa-none-1", "eu-central-1", "aa-none-2"):
        await bench.aws.batch.job(replace(OWN, region=region), "j")
    [session] = bench.aws.sender._sessions._sessions.values()
    assert list(session.clients) == [("batch", "eu-central-1", 0), ("batch", "aa-none-2", 0)]


async def test_a_region_that_refuses_the_credentials_costs_a_new_session_a_minute(bench, sts):
    """As AWS answers in a region that the account has not enabled, whatever the credentials."""

    def refuse(_):
        if b"/us-gov-east-1/" in bench.stub.requests[-1].headers["Authorization"]:
            raise Refused("UnrecognizedClientException", "The security token is invalid", 403)
        return {"jobs": []}

    bench.stub.answers["DescribeJobs"] = refuse
    elsewhere = replace(ASSUMING, region="us-gov-east-1")
    await bench.aws.batch.job(ASSUMING, "j")
    for _ in range(10):
        await bench.clock.advance(30)
        with pytest.raises(AwsError):
            await bench.aws.batch.job(elsewhere, "j")
        await bench.aws.batch.job(ASSUMING, "j")
    assert len(sts) <= 1 + (1 + 5)  # one of the region without trouble
    assert set(keys_used(bench)[::2]) == {"ASIA0000000000000001"}
