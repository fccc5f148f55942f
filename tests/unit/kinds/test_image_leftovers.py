"""What of images is left over: EC2's own words tell, since anybody may copy our tags."""

import pytest

from awsbatch_operator.api import tags as tags_of_aws
from awsbatch_operator.kinds.extendedami.loose import finished, half_made, loose_snapshots
from awsbatch_operator.kinds.extendedami.observed import image_of
from awsbatch_operator.kinds.extendedami.requests import image_name

TAKEN = "Created by CreateImage(i-0123456789abcdef0) for ami-0a0a0a0a0a0a0a0a0"
COPIED = (
    "Copied for DestinationAmi ami-0a0a0a0a0a0a0a0a0 from SourceAmi ami-1 for SourceSnapshot snap-2"
)


def snapshot(description=TAKEN, **more):
    return {"SnapshotId": "snap-1", "State": "completed", "Description": description, **more}


@pytest.mark.parametrize(
    ("shape", "images", "used", "copies", "loose"),
    [
        (snapshot(), (), (), False, True),
        (snapshot(State="error"), (), (), False, True),
        (snapshot(State="pending"), (), (), False, False),
        (snapshot(), ("ami-0a0a0a0a0a0a0a0a0",), (), False, False),  # pending, and shows no disks
        (snapshot(), (), ("snap-1",), False, False),
        (snapshot(COPIED), (), (), True, True),
        (snapshot(COPIED), (), (), False, False),  # at home we copy nothing
        (snapshot("[Copied snap-2 from eu-west-1]"), (), (), True, False),
        (snapshot(""), (), (), True, False),
        (snapshot("nightly backup"), (), (), True, False),
        (
            snapshot(Tags=[{"Key": "awsbatch.dev/role", "Value": "builder"}]),
            (),
            (),
            False,
            False,
        ),  # of a builder's volume, whose tags came along
    ],
)
def test_a_snapshot_is_left_over_that_ec2_took_for_an_image_which_is_gone(
    shape, images, used, copies, loose
):
    assert bool(loose_snapshots([shape], images, used, copies=copies)) is loose


@pytest.mark.parametrize(
    ("verdict", "named", "half"),
    [
        ("", True, True),
        ("Rejected", True, True),
        ("Verified", True, False),
        ("Unverified", True, False),
        ("", False, False),
        ("Rejected", False, False),
    ],
)
def test_an_image_is_half_made_that_has_our_name_and_has_not_passed(verdict, named, half):
    name = image_name("science", "atmos", "0123456789ab") if named else "somebody's copy"
    tags = {
        "awsbatch.dev/namespace": "science",
        "awsbatch.dev/name": "atmos",
        "awsbatch.dev/build": "0123456789ab",
        **({"awsbatch.dev/verdict": verdict} if verdict else {}),
    }
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    image = {"ImageId": "ami-1", "Name": name, "State": "available", "Tags": listed}
    assert bool(half_made([image])) is half


@pytest.mark.parametrize("text", ["", "²", "٣", "-1", "1e3", "9" * 256, "\ud800", "{}", "none"])
def test_tags_that_anybody_may_have_written_are_read_as_saying_nothing(text):
    tags = [
        {"Key": value, "Value": text} for name, value in vars(tags_of_aws).items() if name.isupper()
    ]
    shape = {"ImageId": "ami-1", "Name": text, "Tags": tags, "CreationDate": "2027-01-15T08:00:00Z"}
    assert half_made([shape]) == ()
    assert finished([shape]) == ()
    assert image_of(shape).id == "ami-1"
