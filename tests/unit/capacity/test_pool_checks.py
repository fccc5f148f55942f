"""Whether subnets, security groups and the image of a pool exist and fit together."""

import pytest
from tests.unit.capacity.values import NOW

from awsbatch_operator.capacity.pool_checks import ImageCpus, Source, given_source, image, places

IMAGE = {"ImageId": "ami-1", "State": "available", "Architecture": "arm64"}
GIVEN = Source(image_id="ami-1")


def subnet(name, zone="a", free=10, vpc="vpc-1", **more):
    return {
        "SubnetId": name,
        "AvailabilityZone": zone,
        "AvailableIpAddressCount": free,
        "VpcId": vpc,
        **more,
    }


def placed(*subnets, named=None, groups=(), known=()):
    there = {each["SubnetId"]: each for each in subnets}
    body = {"subnets": named or list(there), "securityGroupIds": list(groups)}
    return places("main", body, there, {each: {"VpcId": vpc} for each, vpc in known})


def test_a_zone_has_one_subnet_the_one_with_most_free_addresses():
    few, many, other = subnet("s-1", free=2), subnet("s-2", free=9), subnet("s-3", "b", free=1)
    found = placed(few, many, other)
    assert (dict(found.subnets), found.network) == ({"a": "s-2", "b": "s-3"}, True)
    assert placed(many, few, other).subnets == found.subnets
    same = placed(subnet("s-2"), subnet("s-1"))
    assert dict(same.subnets) == {"a": "s-2"}  # in the order of the spec


def test_a_subnet_without_free_addresses_is_no_place_and_told_as_a_note_while_others_serve():
    full, pending = subnet("s-1", free=0), subnet("s-2", "b", State="pending")
    found = placed(full, pending, subnet("s-3", "c"))
    assert set(found.subnets) == {"c"}
    [note] = found.checked.notes
    assert "s-1, s-2 have no free address" in note.text()
    assert (found.checked.short, found.checked.wrong) == ((), ())
    none = placed(full)
    assert (none.subnets, none.checked.notes, len(none.checked.short)) == ({}, (), 1)


def test_without_security_groups_subnets_may_be_of_several_vpcs():
    found = placed(subnet("s-1"), subnet("s-2", "b", vpc="vpc-2"))
    assert (set(found.subnets), found.checked.wrong) == ({"a", "b"}, ())


def test_every_group_is_looked_at():
    known = [("sg-1", "vpc-1"), ("sg-2", "vpc-2")]
    found = placed(subnet("s-1"), groups=["sg-1", "sg-2", "sg-3"], known=known)
    texts = [problem.text() for problem in found.checked.wrong]
    assert len(texts) == 2
    assert "no security group sg-3" in texts[0]
    assert "sg-2 (vpc-2) is of another VPC than the subnets, vpc-1" in texts[1]
    assert not found.network


def test_a_pool_names_its_image_or_leaves_it_to_us():
    assert given_source({}) is None
    assert given_source({"image": {"amiId": "ami-1"}}) == GIVEN
    by_parameter = given_source({"image": {"ssmParameter": "/x"}})
    assert by_parameter is not None
    assert (by_parameter.parameter, by_parameter.field) == ("/x", "image.ssmParameter")
    assert Source(parameter="/aws/x", given=False).field == "image"


@pytest.mark.parametrize("state", ["pending", "failed", "deregistered", "disabled", "invalid"])
def test_only_an_available_image_can_be_started(state):
    found = image("main", GIVEN, None, {"ami-1": {**IMAGE, "State": state}}, NOW)
    [problem] = found.checked.wrong
    assert (found.image_id, f"is {state}, not available" in problem.text()) == ("", True)


def test_an_image_of_windows_joins_no_cluster():
    found = image("main", GIVEN, None, {"ami-1": {**IMAGE, "Platform": "windows"}}, NOW)
    assert (found.image_id, len(found.checked.wrong)) == ("", 1)


def test_a_deprecated_image_is_a_note_if_somebody_has_named_it():
    body = {"ami-1": {**IMAGE, "DeprecationTime": NOW.plus(-1).rfc3339()}}
    found = image("main", GIVEN, None, body, NOW)
    assert (found.image_id, found.architecture) == ("ami-1", "arm64")
    [note] = found.checked.notes
    assert note.path.endswith("image.amiId")
    assert "the image ami-1 is deprecated since" in note.text()
    default = Source(parameter="/aws/x", given=False)
    assert image("main", default, "ami-1", body, NOW).checked.notes == ()
    later = {"ami-1": {**IMAGE, "DeprecationTime": NOW.plus(1).rfc3339()}}
    assert image("main", GIVEN, None, later, NOW).checked.notes == ()


@pytest.mark.parametrize("held", ["", "latest", '{"image_id": "ami-1"}', "ami-1 ", "AMI-1"])
def test_a_parameter_that_holds_no_image_id_is_told(held):
    found = image("main", Source(parameter="/x"), held, {"ami-1": IMAGE}, NOW)
    [problem] = found.checked.wrong
    assert "the parameter /x holds no image id" in problem.text()


@pytest.mark.parametrize(
    ("threads", "most", "known"),
    [
        ("1", "48", ImageCpus(threads_per_core=1, max_cpus=48)),
        ("", "", ImageCpus()),
        ("0", "-1", ImageCpus()),
        ("one", "1e9", ImageCpus()),
    ],
)
def test_the_cpus_that_an_image_leaves_stand_in_its_tags_whatever_else_does(threads, most, known):
    tags = [
        {"Key": "awsbatch.dev/threads-per-core", "Value": threads},
        {"Key": "awsbatch.dev/max-cpus", "Value": most},
    ]
    assert image("main", GIVEN, None, {"ami-1": {**IMAGE, "Tags": tags}}, NOW).cpus == known
    assert image("main", GIVEN, None, {"ami-1": IMAGE}, NOW).cpus == ImageCpus()
