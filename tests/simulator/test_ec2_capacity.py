"""How many instances there can be: capacity, quotas, addresses, and partial launches.

Sources: RunInstances.MinCount and MaxCount in the EC2 API reference; "Amazon EC2 service quotas"
and "Amazon EC2 instance types" in the EC2 User Guide; "Error codes for the Amazon EC2 API".
"""

import pytest
from tests.simulator.instances import Zoned, instance, refused, run, spot, state

STANDARD, STANDARD_SPOT = "L-1216C47A", "L-34B43A08"
NO_CAPACITY = "InsufficientInstanceCapacity: We currently do not have sufficient m5.large capacity"


def usage(cloud: Zoned) -> dict[str, int]:
    return {code: count for code, count in cloud.region.ec2.vcpus.items() if count}


def test_between_minimum_and_maximum_as_many_come_as_there_are():
    cloud = Zoned(capacity={"on-demand:m5.large:eu-central-1a": 3})
    assert len(run(cloud, 5)) == 3
    assert refused(cloud).startswith(NO_CAPACITY)
    assert len(run(cloud, SubnetId="subnet-2")) == 1  # another zone
    assert len(run(cloud, InstanceType="m5.xlarge")) == 1  # another type
    assert len(run(cloud, **spot())) == 1  # another market


def test_with_fewer_than_the_minimum_none_comes():
    cloud = Zoned(capacity={"on-demand:m5.*:*": 3})
    assert refused(cloud, 4).startswith(NO_CAPACITY)
    assert cloud("DescribeInstances") == {"Reservations": []}
    assert len(run(cloud, 3)) == 3


def test_of_the_entries_that_match_an_offer_the_smallest_holds():
    cloud = Zoned(capacity={"*:*:*": 5, "*:m5.*:*": 1, "on-demand:*:eu-central-1a": 2})
    assert len(run(cloud, 9)) == 1
    assert len(run(cloud, 9, InstanceType="c5.large")) == 2
    assert len(run(cloud, 9, InstanceType="c5.large", SubnetId="subnet-2")) == 5


def test_capacity_comes_back_when_instances_are_terminated_or_stopped():
    cloud = Zoned(capacity={"*:*:*": 2})
    first, second = run(cloud, 2)
    cloud.step(20)
    cloud("TerminateInstances", InstanceIds=[first])
    assert refused(cloud).startswith(NO_CAPACITY)  # it is still shutting down
    cloud.step(20)
    assert len(run(cloud, 9)) == 1
    cloud("StopInstances", InstanceIds=[second])
    cloud.step(20)
    [third] = run(cloud, 9)
    assert cloud.refused("StartInstances", InstanceIds=[second]).startswith(NO_CAPACITY)
    cloud("TerminateInstances", InstanceIds=[third])
    cloud.step(20)
    cloud("StartInstances", InstanceIds=[second])
    cloud.step(20)
    assert state(cloud, second) == "running"


def test_running_instances_are_held_to_the_quota_of_their_families_and_market():
    cloud = Zoned(quotas={STANDARD: 5, STANDARD_SPOT: 4})
    assert len(run(cloud, 9)) == 2
    refusal = refused(cloud, InstanceType="c5.large")  # the same group of families
    assert refusal.startswith("VcpuLimitExceeded: You have requested more vCPU capacity than")
    assert "your current vCPU limit of 5 allows" in refusal
    assert len(run(cloud, InstanceType="g4dn.xlarge")) == 1  # another group
    assert len(run(cloud, 9, **spot())) == 2
    over = "MaxSpotInstanceCountExceeded: Max spot instance count exceeded"
    assert refused(cloud, **spot()) == over


def test_what_the_quotas_count_is_what_there_is_until_it_is_terminated():
    cloud = Zoned()
    on_demand, cheap = run(cloud, 3, InstanceType="m5.xlarge"), run(cloud, 2, **spot())
    assert usage(cloud) == {STANDARD: 12, STANDARD_SPOT: 4}
    cloud.step(20)
    cloud("TerminateInstances", InstanceIds=on_demand)
    assert usage(cloud) == {STANDARD: 12, STANDARD_SPOT: 4}
    cloud.step(20)
    assert usage(cloud) == {STANDARD_SPOT: 4}
    cloud("TerminateInstances", InstanceIds=cheap)
    cloud.step(20)
    assert usage(cloud) == {}


def test_what_ec2_refuses_and_what_service_quotas_say_is_the_same_figure():
    cloud = Zoned(quotas={STANDARD: 6})
    shown = cloud("GetServiceQuota", ServiceCode="ec2", QuotaCode=STANDARD)["Quota"]
    assert (shown["Value"], len(run(cloud, 99))) == (6.0, 3)
    assert shown["QuotaName"].startswith("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z)")
    listed = {
        each["QuotaCode"]: each["Value"]
        for each in cloud("ListServiceQuotas", ServiceCode="ec2")["Quotas"]
    }
    assert listed[STANDARD] == 6.0
    default = cloud("GetAWSDefaultServiceQuota", ServiceCode="ec2", QuotaCode=STANDARD)["Quota"]
    assert default["Value"] == 5.0
    for request in ({"QuotaCode": "L-00000000"}, {"QuotaCode": STANDARD, "ServiceCode": "s3"}):
        asked = {"ServiceCode": "ec2"} | request
        assert cloud.refused("GetServiceQuota", **asked).startswith("NoSuchResourceException")


def test_a_subnet_gives_out_its_own_addresses_until_none_is_left():
    cloud = Zoned()
    cloud.known.networks["subnet-1"] = "10.1.2.0/28"  # 16 addresses, of which AWS keeps 5
    ids = run(cloud, 99)
    assert len(ids) == 11
    addresses = {instance(cloud, each)["PrivateIpAddress"] for each in ids}
    assert addresses == {f"10.1.2.{number}" for number in range(4, 15)}
    assert refused(cloud) == (
        "InsufficientFreeAddressesInSubnet: There are not enough free addresses in subnet "
        "'subnet-1' to satisfy the requested number of instances."
    )
    cloud("TerminateInstances", InstanceIds=ids[:2])
    cloud.step(20)
    assert len(run(cloud, 99)) == 2


def test_each_interface_takes_an_address():
    cloud = Zoned()
    cloud.known.networks["subnet-1"] = "10.1.2.0/28"
    two = [{"DeviceIndex": index, "SubnetId": "subnet-1"} for index in (0, 1)]
    request = {"ImageId": "ami-1", "InstanceType": "m5.large", "MinCount": 1, "MaxCount": 9}
    answer = cloud("RunInstances", NetworkInterfaces=two, **request)
    assert len(answer["Instances"]) == 5


def test_an_address_that_is_taken_or_elsewhere_is_refused():
    cloud = Zoned()
    run(cloud, PrivateIpAddress="10.0.0.9")
    refusal = refused(cloud, PrivateIpAddress="10.0.0.9")
    assert refusal == "InvalidIPAddress.InUse: Address 10.0.0.9 is in use."
    assert refused(cloud, PrivateIpAddress="10.9.0.9").startswith("InvalidParameterValue: ")


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"InstanceType": "p5.4xlarge"}, "Unsupported: "),
        ({"ImageId": "ami-a7"}, "InvalidParameterValue: The architecture 'x86_64'"),
        ({"CpuOptions": {"CoreCount": 9, "ThreadsPerCore": 1}}, "InvalidParameterValue: "),
        ({"CpuOptions": {"CoreCount": 1}}, "InvalidParameterCombination: "),
        (spot(MaxPrice="0.001"), "SpotMaxPriceTooLow: Your Spot request price of 0.001 is lower"),
    ],
)
def test_what_the_type_the_zone_or_the_price_does_not_allow_is_refused(fields, refusal):
    assert refused(Zoned(), **fields).startswith(refusal)


def test_cores_and_threads_are_those_of_the_type_or_those_asked_for():
    cloud = Zoned()
    [plain] = run(cloud, InstanceType="m5.xlarge")
    [half] = run(cloud, InstanceType="m5.xlarge", CpuOptions={"CoreCount": 2, "ThreadsPerCore": 1})
    assert instance(cloud, plain)["CpuOptions"] == {"CoreCount": 2, "ThreadsPerCore": 2}
    assert instance(cloud, half)["CpuOptions"] == {"CoreCount": 2, "ThreadsPerCore": 1}


def test_a_dry_run_looks_at_its_parameters_and_launches_nothing():
    cloud = Zoned(capacity={"*:*:*": 0})
    cloud.known.missing.add("ami-2")
    assert refused(cloud, DryRun=True).startswith("DryRunOperation: Request would have succeeded")
    assert refused(cloud, DryRun=True, ImageId="ami-2").startswith("InvalidAMIID.NotFound: ")


def test_a_token_holds_in_its_zone_and_is_another_one_elsewhere():
    cloud = Zoned()
    here = run(cloud, ClientToken="t")
    assert run(cloud, ClientToken="t") == here
    there = run(cloud, ClientToken="t", SubnetId="subnet-2")
    assert there != here
    assert refused(cloud, 2, ClientToken="t").startswith("IdempotentParameterMismatch: ")


def test_a_token_with_a_template_s_latest_version_is_another_request_when_that_changes():
    cloud = Zoned()
    name = {"LaunchTemplateName": "pool"}
    cloud("CreateLaunchTemplate", **name, LaunchTemplateData={"InstanceType": "m5.large"})
    given = {"LaunchTemplate": name | {"Version": "$Latest"}, "ClientToken": "t"}
    request = {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1} | given
    cloud("RunInstances", **request)
    cloud("CreateLaunchTemplateVersion", **name, LaunchTemplateData={"InstanceType": "c5.large"})
    assert cloud.refused("RunInstances", **request).startswith("IdempotentParameterMismatch: ")


def test_batch_s_own_instances_are_held_to_the_same_limits():
    cloud = Zoned(capacity={"*:*:*": 1})
    cloud.environment(minvCpus=4, instanceTypes=["m7i.large"], subnets=["subnet-1"])
    cloud.step(60)
    assert len(cloud.region.ec2.instances) == 1
    cloud.market(capacity={"*:*:*": 5})
    cloud.step(120)
    assert len(cloud.region.ec2.instances) == 2
