"""Services and operations that are not ours go to moto, with our accounts and the seeds."""

import fnmatch
import importlib.util
import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.simulated_aws import ONCE, Invented, make_simulator

from awsbatch_simulator import inprocess, seeds
from awsbatch_simulator.bridge import public
from awsbatch_simulator.bridge.moto import EC2_OPERATIONS, SERVICES, MotoBridge, serves
from awsbatch_simulator.context import Place
from awsbatch_simulator.lookup import MotoLookup
from awsbatch_simulator.ports import SecurityGroup
from awsbatch_simulator.protocol.models import Models
from awsbatch_simulator.wire import WireRequest

HERE = Place("111122223333", "eu-central-1")


def trusting(**changes: Any) -> str:
    """A trust policy; members of its statement as given, None for those that are missing."""
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"} | changes
    kept = {name: value for name, value in statement.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [kept]})


def test_the_default_network_has_the_promised_ids(client):
    ec2 = client("ec2")
    subnets = ec2.describe_subnets()["Subnets"]
    assert {one["SubnetId"]: one["AvailabilityZone"] for one in subnets} == {
        "subnet-1": "eu-central-1a",
        "subnet-2": "eu-central-1b",
        "subnet-3": "eu-central-1c",
    }
    assert [one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"]] == ["vpc-1"]
    assert [one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"]] == ["sg-1"]


def test_the_zones_of_every_region_are_those_of_moto():
    from moto.ec2.models.availability_zones_and_regions import (  # noqa: PLC0415 - takes a second
        RegionsAndZonesBackend,
    )

    for region, zones in RegionsAndZonesBackend.zones.items():
        assert seeds.zones(region) == tuple(zone.name for zone in zones), region


def test_the_promised_roles_and_profile_exist_in_every_account(simulator, client, loader):
    answer = client("sts").assume_role(
        RoleArn="arn:aws:iam::444455556666:role/batch-operator", RoleSessionName="op"
    )["Credentials"]
    other = inprocess.session(simulator, loader=loader).client(
        "iam",
        config=ONCE,
        aws_access_key_id=answer["AccessKeyId"],
        aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer["SessionToken"],
    )
    for iam, account in ((client("iam"), "111122223333"), (other, "444455556666")):
        found = {role["RoleName"]: role["Arn"] for role in iam.list_roles()["Roles"]}
        assert found == seeds.summary(Place(account, "eu-central-1"))["roles"]
        profile = iam.get_instance_profile(InstanceProfileName="ecsInstanceRole")
        assert profile["InstanceProfile"]["Arn"] == seeds.instance_profile_arn(account)


def test_a_fresh_simulator_knows_nothing_of_an_earlier_ones_moto(loader):
    def iam():
        return inprocess.session(make_simulator(), loader=loader).client("iam", config=ONCE)

    first = iam()
    first.create_role(RoleName="mine", AssumeRolePolicyDocument=trusting())
    assert first.get_role(RoleName="mine")
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam().get_role(RoleName="mine")


def test_an_error_of_motos_is_counted_by_its_code(simulator, client):
    with pytest.raises(ClientError, match="NoSuchEntity"):
        client("iam").get_role(RoleName="nobody")
    assert simulator.dispatcher.calls.count("iam", "GetRole", "NoSuchEntity") == 1


def test_an_operation_of_ours_wins_over_motos(simulator, client):
    simulator.world.services["ec2"] = Invented(
        DescribeSubnets=lambda *_: {"Subnets": [{"SubnetId": "subnet-ours"}]}
    )
    ec2 = client("ec2")
    assert ec2.describe_subnets()["Subnets"] == [{"SubnetId": "subnet-ours"}]
    assert ec2.describe_vpcs()["Vpcs"][0]["VpcId"] == "vpc-1"


def test_public_parameters_and_the_images_they_name_exist(client):
    path = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    image = client("ssm").get_parameter(Name=path)["Parameter"]["Value"]
    [found] = client("ec2").describe_images(ImageIds=[image])["Images"]
    assert found["ImageId"] == image


def test_queues_of_sqs_work(client):
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="events")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="<hello>")
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "<hello>"


def test_moto_has_every_service_that_is_handed_to_it():
    for service in SERVICES:
        assert importlib.util.find_spec(f"moto.{service.replace('-', '')}"), service


def test_what_of_ec2_is_ours_never_goes_to_moto():
    models = Models()
    names = models.operation("ec2", "RunInstances").model.service_model.operation_names
    ours = re.compile(
        "Instances$|Fleet|Tags$|Volume|Snapshot|Image|Template|CapacityReservation|Spot"
        "|PlacementGroup|Hosts$"
    )
    served = [name for name in names if serves(models.operation("ec2", name))]
    assert [name for name in served if ours.search(name)] == []
    for glob in EC2_OPERATIONS:
        assert fnmatch.filter(served, glob), f"{glob} matches nothing"


def test_the_images_before_moto_is_loaded_are_those_that_it_shows():
    shown = MotoBridge().backend("ec2", HERE).amis
    ours = {name: one.architecture for name, one in public.images(HERE.region).items()}
    assert ours == {name: one.architecture for name, one in shown.items()}


def test_the_public_parameters_are_those_that_moto_shows():
    shown = MotoBridge().backend("ssm", HERE)
    for name, one in public.parameters(HERE.region).items():
        if one.value.startswith("{"):
            assert json.loads(one.value)["image_id"]
        else:
            assert shown.get_parameter(name).value == one.value


def test_a_region_that_moto_does_not_know_is_said_and_does_not_stop_what_is_ours(
    simulator, session, client
):
    client("ec2").describe_vpcs()
    elsewhere = session.client("ec2", region_name="xx-north-9", config=ONCE)
    with pytest.raises(ClientError, match=r"NotImplemented.*xx-north-9"):
        elsewhere.describe_vpcs()
    there = Place(HERE.account, "xx-north-9")
    assert simulator.world.lookup.subnet_zone(there, "subnet-1") == "xx-north-9a"
    assert set(public.images("xx-north-9")) < set(public.images(HERE.region))


class TestLookup:
    """Roles, profiles, subnets and groups as other services see them."""

    @pytest.fixture(params=["before moto is loaded", "with moto's state"])
    def lookup(self, request):
        bridge = MotoBridge()
        if request.param == "with moto's state":
            bridge.backend("iam", HERE)
            bridge.backend("ec2", HERE)
        return MotoLookup(bridge)

    def test_the_promised_things_exist(self, lookup):
        for name in ("ecsInstanceRole", "service-role/AWSBatchServiceRole", "/batch-job"):
            assert lookup.role_exists(HERE, name)
        for arn in seeds.summary(HERE)["roles"].values():
            assert lookup.role_exists(HERE, arn)
        assert lookup.instance_profile_exists(HERE, "ecsInstanceRole")
        assert lookup.instance_profile_exists(HERE, seeds.instance_profile_arn(HERE.account))
        assert lookup.subnet_zone(HERE, "subnet-2") == "eu-central-1b"
        assert lookup.security_group(HERE, "sg-1") == SecurityGroup("sg-1", "default", "vpc-1")
        assert lookup.security_group_named(HERE, "vpc-1", "default").id == "sg-1"
        assert lookup.subnet_vpc(HERE, "subnet-2") == "vpc-1"
        assert lookup.subnet_network(HERE, "subnet-2") == "172.31.16.0/20"
        assert lookup.public_image(HERE.region, "ami-12c6146b").architecture == "x86_64"
        assert lookup.default_subnets(HERE) == ("subnet-1", "subnet-2", "subnet-3")

    def test_nothing_else_exists(self, lookup):
        assert not lookup.role_exists(HERE, "nobody")
        assert not lookup.role_exists(HERE, "AWSBatchServiceRole")  # its path is missing
        assert not lookup.role_exists(HERE, "arn:aws:iam::444455556666:role/batch-operator")
        assert not lookup.instance_profile_exists(HERE, "nobody")
        assert not lookup.instance_profile_exists(
            HERE, "arn:aws:iam::111122223333:role/ecsInstanceRole"
        )
        assert lookup.subnet_zone(HERE, "subnet-4") is None
        assert lookup.subnet_vpc(HERE, "subnet-4") is None
        assert lookup.subnet_network(HERE, "subnet-4") is None
        assert not lookup.security_group_exists(HERE, "sg-2")
        assert lookup.security_group_named(HERE, "vpc-2", "default") is None
        assert lookup.public_image(HERE.region, "ami-1") is None
        assert not lookup.key_pair_exists(HERE, "mine")

    def test_zones_have_ids(self, lookup):
        assert set(lookup.zone_ids(HERE)) == set(seeds.zones(HERE.region))
        assert lookup.zone_ids(HERE)["eu-central-1c"].startswith("euc1-az")


def test_what_is_made_in_moto_is_found(simulator, client):
    client("iam").create_role(RoleName="new", Path="/team/", AssumeRolePolicyDocument=trusting())
    client("iam").create_instance_profile(InstanceProfileName="new")
    ec2 = client("ec2")
    subnet = ec2.create_subnet(
        VpcId="vpc-1", CidrBlock="172.31.96.0/20", AvailabilityZone="eu-central-1c"
    )["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="new", Description="new")["GroupId"]
    lookup = simulator.world.lookup
    assert lookup.role_exists(HERE, "team/new")
    assert lookup.instance_profile_exists(HERE, "new")
    assert lookup.subnet_zone(HERE, subnet) == "eu-central-1c"
    assert lookup.subnet_vpc(HERE, subnet) == "vpc-1"
    assert lookup.security_group_exists(HERE, group)
    assert lookup.security_group_named(HERE, "vpc-1", "new").id == group
    ec2.create_key_pair(KeyName="mine")
    assert lookup.key_pair_exists(HERE, "mine")


# Public reports of CreateRole say what IAM answers ("This policy contains invalid Json", …).
NO_STATEMENT: list[dict[str, Any]] = [
    *({name: None} for name in ("Effect", "Principal", "Action")),
    *({"Effect": effect} for effect in ("Maybe", 1)),
    *({"Principal": principal} for principal in ("me", 1, ["*"])),
    *({"Principal": {"AWS": named}} for named in (1, [1])),
    *({"Action": action} for action in (1, [1])),
    *({"Condition": condition} for condition in (1, {"StringEquals": 1})),
    {"Resource": "*"},  # the role that has the policy is the resource
]
NO_TRUST_POLICY = [
    *("not json", "[" * 100_000, "[]", '"text"', "{}"),
    *('{"Statement": []}', '{"Statement": "Allow"}', '{"Statement": ["Allow"]}'),
    *(trusting(**changes) for changes in NO_STATEMENT),
]


@pytest.mark.parametrize(
    ("query", "body"), [("Action=DescribeVpcs", b"Action=ListRoles"), ("Action=ListRoles", b"")]
)
def test_moto_does_what_was_admitted_whatever_else_a_request_says(simulator, query, body):
    key = simulator.key.access_key_id
    credit = f"AWS4-HMAC-SHA256 Credential={key}/20270101/eu-central-1/iam/aws4_request"
    headers = {"authorization": credit, "x-amz-target": "X.GetRole"}
    admitted = simulator.dispatcher.admit(WireRequest("GET", "/", query, headers, body))
    answer = simulator.dispatcher.perform(admitted)
    assert answer.status == 200
    assert b"ListRolesResponse" in answer.body


def test_a_trust_policy_that_is_none_is_refused_by_iam(client):
    iam = client("iam")
    before = iam.get_role(RoleName="batch-job")["Role"]["AssumeRolePolicyDocument"]
    for policy in NO_TRUST_POLICY:
        with pytest.raises(ClientError, match="MalformedPolicyDocument"):
            iam.create_role(RoleName="mine", AssumeRolePolicyDocument=policy)
        with pytest.raises(ClientError, match="MalformedPolicyDocument"):
            iam.update_assume_role_policy(RoleName="batch-job", PolicyDocument=policy)
    assert "mine" not in {role["RoleName"] for role in iam.list_roles()["Roles"]}
    assert iam.get_role(RoleName="batch-job")["Role"]["AssumeRolePolicyDocument"] == before
    iam.update_assume_role_policy(RoleName="batch-job", PolicyDocument=trusting(Principal="*"))
