"""What changes in AWS, and how soon and at which cost a pool comes to know of it."""

from tests.component.capacity.resolver_rig import told

from awsbatch_simulator.ec2 import public_images
from awsbatch_simulator.faults import Effect, FaultSpec

PATH = "spec.capacity.pools[name=main]"


async def test_at_rest_aws_is_asked_nothing(rig):
    pools: tuple[dict[str, object], ...] = (
        {},
        {"market": "Spot"},
        {"name": "small", "instanceTypes": ["m6i.large"]},
    )
    before = [await rig.resolve(**changes, fresh=True) for changes in pools]
    calls = rig.account.simulator.dispatcher.calls
    calls.clear()
    for _ in range(20):
        again = [await rig.resolve(**changes) for changes in pools]
    assert again == before
    assert calls.report()["total"] == 0
    await rig.clock.advance(599)  # nothing of EC2's is asked every minute
    await rig.resolve()
    assert rig.count() == 0


async def test_an_image_that_was_deregistered_is_told_within_ten_minutes(rig):
    # Not the newest, which all others are launched with.
    named = [{"Name": "name", "Values": ["al2023-ami-ecs-hvm-*-x86_64"]}]
    found = rig.client().describe_images(Owners=["amazon"], Filters=named)["Images"]
    image = sorted(found, key=lambda each: each["CreationDate"])[-2]["ImageId"]
    assert told(await rig.resolve(image={"amiId": image})) == []
    simulator = rig.account.simulator
    assert public_images.withdraw(simulator.world, simulator.place.region, image)
    assert told(await rig.resolve(image={"amiId": image})) == []
    [(reason, text)] = told(await rig.resolve(image={"amiId": image}, fresh=True))
    assert (reason, image in text) == ("PoolInvalid", True)
    await rig.clock.advance(600)
    found = await rig.resolve(image={"amiId": image})
    assert (len(told(found)), found.machine) == (1, None)


async def test_a_parameter_holds_the_image_and_has_to_hold_one(rig):
    image = (await rig.resolve()).machine.user_data.image_id
    ssm = rig.client("ssm")
    ssm.put_parameter(Name="/team/image", Value=image, Type="String")
    changes = {"image": {"ssmParameter": "/team/image"}}
    found = await rig.resolve(**changes)
    assert (told(found), found.machine.user_data.image_id) == ([], image)
    ssm.put_parameter(Name="/team/image", Value="latest", Type="String", Overwrite=True)
    [(reason, text)] = told(await rig.resolve(**changes, fresh=True))
    assert reason == "PoolInvalid"
    assert "image.ssmParameter: the parameter /team/image holds no image id" in text


async def test_security_groups_and_subnets_have_to_be_of_one_vpc(rig):
    ec2 = rig.client()
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    zone = "eu-central-1c"
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24", AvailabilityZone=zone)
    other = subnet["Subnet"]["SubnetId"]
    [(reason, text)] = told(await rig.resolve(subnets=[other]))
    assert reason == "PoolInvalid"
    assert f"{PATH}.securityGroupIds: sg-1 (vpc-1) is of another VPC than the subnets" in text
    mixed = await rig.resolve(subnets=["subnet-1", other])
    [(reason, text)] = told(mixed)
    assert (reason, mixed.machine) == ("PoolInvalid", None)
    assert f"{PATH}.subnets: the subnets are in several VPCs" in text
    without = await rig.resolve(subnets=["subnet-1", other], securityGroupIds=None)
    assert told(without) == []
    assert {each.subnet for each in without.offers} == {"subnet-1", other}


async def test_of_two_subnets_of_a_zone_the_one_with_more_free_addresses_is_used(rig):
    ec2 = rig.client()
    zone = "eu-central-1a"
    made = ec2.create_subnet(VpcId="vpc-1", CidrBlock="172.31.128.0/28", AvailabilityZone=zone)
    small = made["Subnet"]["SubnetId"]
    found = await rig.resolve(subnets=[small, "subnet-1"])
    assert {each.subnet for each in found.offers} == {"subnet-1"}
    alone = await rig.resolve(subnets=[small])
    assert {each.subnet for each in alone.offers} == {small}


async def test_without_a_free_address_nothing_is_offered_until_there_is_one(rig):
    ec2 = rig.client()
    zone = "eu-central-1a"
    made = ec2.create_subnet(VpcId="vpc-1", CidrBlock="172.31.144.0/28", AvailabilityZone=zone)
    small = made["Subnet"]["SubnetId"]
    image = (await rig.resolve()).machine.user_data.image_id
    launched = ec2.run_instances(
        ImageId=image, InstanceType="m6i.large", SubnetId=small, MinCount=11, MaxCount=11
    )["Instances"]
    changes = {"subnets": [small]}
    found = await rig.resolve(**changes)
    [(reason, text)] = told(found)
    assert reason == "NoFreeAddress"
    assert f"{PATH}.subnets: {small} has no free address" in text
    assert (found.offers, found.machine is not None) == ((), True)
    [(reason, _)] = told(await rig.resolve(subnets=[small, "subnet-2"]))
    assert reason == "PoolNarrowed"
    ec2.terminate_instances(InstanceIds=[each["InstanceId"] for each in launched])
    rig.account.world.advance(120)
    calls = rig.account.simulator.dispatcher.calls
    calls.clear()
    for _ in range(5):
        assert (await rig.resolve(**changes)).offers == ()
    assert rig.count("DescribeSubnets") == 0
    await rig.clock.advance(60)
    assert (await rig.resolve(**changes)).offers != ()


async def test_a_parameter_that_the_operator_may_not_read_is_told_by_its_field(rig):
    rig.account.world.faults.add(FaultSpec(effect=Effect.DENY, operation="GetParameter", times=1))
    found = await rig.resolve(image={"ssmParameter": "/secret/image"}, fresh=True)
    [(reason, text)] = told(found)
    assert (reason, found.machine) == ("PoolInvalid", None)
    assert f"{PATH}.image.ssmParameter: arn:aws:iam::" in text
    assert "may not read the parameter /secret/image" in text
