"""Filters of DescribeInstances and DescribeTags.

Sources: the text of `Filters` in botocore's model of EC2, for their names; `Filter` in AWS's SDK
reference, for what `*`, `?` and a backslash mean.
"""

import re
from typing import Any

import pytest
from botocore.model import ListShape, Shape, StructureShape
from hypothesis import given
from hypothesis import strategies as st
from tests.simulator.cloud import Cloud, service_model

from awsbatch_simulator.ec2 import (
    filters,
    image_describing,
    instance_filters,
    snapshots,
    type_describing,
)


def run(cloud: Cloud, **fields: Any) -> list[str]:
    request = {"ImageId": "ami-1", "InstanceType": "m7i.large", "MinCount": 1, "MaxCount": 1}
    answer = cloud("RunInstances", **request | fields)
    return [each["InstanceId"] for each in answer["Instances"]]


def tagged(**tags: str) -> list[dict[str, Any]]:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"ResourceType": "instance", "Tags": pairs}]


def found(cloud: Cloud, **fields: Any) -> list[str]:
    return [
        instance["InstanceId"]
        for reservation in cloud("DescribeInstances", **fields)["Reservations"]
        for instance in reservation["Instances"]
    ]


def by(name: str, *values: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)}]


def listed(operation: str) -> set[str]:
    """The names of filters that the model's text lists."""
    shape = service_model("ec2").operation_model(operation).input_shape
    assert isinstance(shape, StructureShape)
    text = shape.members["Filters"].documentation
    names = re.findall(r"<li> ?(?:<p>)? ?<code>([^<]+)</code>", text)
    assert len(names) > 4
    return {name for name in names if name.partition(":")[0] != "tag"}


def test_every_filter_that_describe_instances_lists_exists():
    assert listed("DescribeInstances") == instance_filters.NAMES


def test_every_filter_that_describe_tags_lists_exists():
    cloud = Cloud()
    for name in (*listed("DescribeTags"), "tag:team"):
        assert cloud("DescribeTags", Filters=by(name, "x")) == {"Tags": []}
    assert "is invalid" in cloud.refused("DescribeTags", Filters=by("odd", "x"))


def test_every_filter_that_describe_instance_types_lists_exists():
    assert listed("DescribeInstanceTypes") == type_describing.PATHS.keys()


@pytest.mark.parametrize("operation", ["DescribeImages", "DescribeSnapshots"])
def test_every_filter_for_images_and_snapshots_that_is_listed_exists(operation):
    cloud = Cloud()
    severities = {"informational", "low", "medium", "high", "critical"}  # values of one of them
    for name in listed(operation) - severities:
        [answer] = cloud(operation, Filters=by(name, "x")).values()
        assert answer == []
    assert "is invalid" in cloud.refused(operation, Filters=by("odd", "x"))


LOOKED_AT = [
    *(("Image", path) for path in image_describing.PATHS.values() if path),
    *(("Snapshot", path) for path in snapshots.PATHS.values() if path),
    *(("Instance", path) for path in sorted(set(instance_filters.PATHS.values()) - {("OwnerId",)})),
    *(("InstanceTypeInfo", path) for path in type_describing.PATHS.values()),
]


@pytest.mark.parametrize(("shape_name", "path"), LOOKED_AT)
def test_a_filter_looks_where_the_model_has_something(shape_name, path):
    shape: Shape = service_model("ec2").shape_for(shape_name)
    for name in path:
        if isinstance(shape, ListShape):
            shape = shape.member
        assert isinstance(shape, StructureShape)
        shape = shape.members[name]


def test_instances_are_found_by_filters():
    cloud = Cloud()
    [first] = run(cloud, TagSpecifications=tagged(team="climate", cost="1"), ClientToken="t1")
    [second] = run(
        cloud,
        InstanceType="c7i.large",
        TagSpecifications=tagged(team="genes"),
        InstanceMarketOptions={"MarketType": "spot"},
        SubnetId="subnet-2",
    )
    assert found(cloud, Filters=by("tag:team", "climate")) == [first]
    assert sorted(found(cloud, Filters=by("tag:team", "c*", "genes"))) == sorted([first, second])
    both = by("tag:team", "genes") + by("instance-state-name", "running")
    assert found(cloud, Filters=both) == []
    for name, value in (
        ("instance-type", "c7i.*"),
        ("instance-lifecycle", "spot"),
        ("subnet-id", "subnet-2"),
        ("network-interface.subnet-id", "subnet-2"),
    ):
        assert found(cloud, Filters=by(name, value)) == [second], name
    for name, value in (("client-token", "t1"), ("tag-key", "cost")):
        assert found(cloud, Filters=by(name, value)) == [first], name
    for name, value in (
        ("vpc-id", "vpc-1"),
        ("owner-id", "111122223333"),
        ("launch-time", "2027-01-15T*"),
        ("launch-time", "2027-01-15T08:00:00.000Z"),
        ("block-device-mapping.delete-on-termination", "true"),
        ("instance-state-code", "0"),
        ("metadata-options.http-tokens", "required"),
    ):
        assert sorted(found(cloud, Filters=by(name, value))) == sorted([first, second]), name
    assert found(cloud, Filters=by("network-interface.association.public-ip", "*")) == []
    for name in ("odd", "Instance-Id", "tag-value"):
        refusal = cloud.refused("DescribeInstances", Filters=by(name, "x"))
        assert f"The filter '{name}' is invalid" in refusal


def test_a_filter_needs_a_name():
    assert "InvalidParameterValue" in Cloud().refused("DescribeInstances", Filters=[{"Values": []}])


@pytest.mark.parametrize(
    ("value", "text", "matches"),
    [
        ("a[1]", "a[1]", True),
        ("a[1]", "a1", False),
        ("a*", "abc", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        (r"a\*", "a*", True),
        (r"a\*", "abc", False),
        (r"\*amazon\?\\", "*amazon?\\", True),
        ("abc", "ABC", False),
        ("b", "abc", False),
        ("", "", True),
        ("a*c", "a\nc", True),
    ],
)
def test_only_stars_and_question_marks_mean_more_than_themselves(value, text, matches):
    cloud = Cloud()
    run(cloud, TagSpecifications=tagged(name=text))
    assert bool(found(cloud, Filters=by("tag:name", value))) is matches


@given(st.text(alphabet="ab[]*?!-\\^.", max_size=12))
def test_a_text_with_all_its_signs_escaped_matches_itself_only(text):
    escaped = re.sub(r"([*?\\])", r"\\\1", text)
    [wanted] = filters.wanted([{"Name": "x", "Values": [escaped]}], lambda _: True)
    assert wanted.fits([text])
    assert not wanted.fits([text + "a", "a" + text])
