"""DescribeInstanceTypes. Source: its text in the EC2 API reference."""

from typing import Any

from tests.simulator.cloud import Cloud
from tests.simulator.instances import Zoned


def names(cloud: Cloud, **fields: Any) -> list[str]:
    return [
        each["InstanceType"] for each in cloud("DescribeInstanceTypes", **fields)["InstanceTypes"]
    ]


def by(name: str, *values: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)}]


def test_all_types_of_a_region_come_by_page_each_once():
    cloud, found, token = Zoned(), list[str](), dict[str, str]()
    while True:
        answer = cloud("DescribeInstanceTypes", MaxResults=100, **token)
        found += [each["InstanceType"] for each in answer["InstanceTypes"]]
        assert len(answer["InstanceTypes"]) <= 100
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert len(found) == len(set(found)) > 500
    assert {"m7i.large", "r5.large", "g4dn.xlarge"} <= set(found)


def test_a_type_has_what_sizes_are_made_of():
    [about] = Zoned()("DescribeInstanceTypes", InstanceTypes=["r5.large"])["InstanceTypes"]
    assert about["VCpuInfo"]["DefaultVCpus"] == 2
    assert about["MemoryInfo"] == {"SizeInMiB": 16384}
    assert about["SupportedUsageClasses"] == ["on-demand", "spot"]


def test_filters_choose_among_all_types_and_among_those_that_are_named():
    cloud = Zoned()
    small = [*by("instance-type", "r5.*large"), *by("vcpu-info.default-vcpus", "2", "4")]
    assert names(cloud, Filters=small) == ["r5.large", "r5.xlarge"]
    filters = by("vcpu-info.default-vcpus", "2")
    assert names(cloud, InstanceTypes=["r5.large", "r5.xlarge"], Filters=filters) == ["r5.large"]


def test_a_type_that_there_is_not_is_refused_by_its_name():
    refused = Zoned().refused("DescribeInstanceTypes", InstanceTypes=["r5.large", "r5.tiny"])
    assert refused == (
        "InvalidInstanceType: The following supplied instance types do not exist: [r5.tiny]"
    )


def test_names_and_a_size_of_pages_do_not_go_together():
    refused = Zoned().refused("DescribeInstanceTypes", InstanceTypes=["r5.large"], MaxResults=5)
    assert refused.startswith("InvalidParameterCombination")
