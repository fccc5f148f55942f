"""Images that everybody may use: what they are made of, and that AWS publishes newer ones."""

import json
from collections.abc import Mapping

import pytest
from tests.simulator.cloud import Cloud
from tests.simulator.instances import refused
from tests.simulator.known import KnownThings
from tests.simulator.pictures import image, listed, only

from awsbatch_simulator.bridge import public
from awsbatch_simulator.ec2 import public_images, publishing
from awsbatch_simulator.ec2.publishing import Deed, Order
from awsbatch_simulator.ports import PublicImage, PublicParameter

HERE = "eu-central-1"
FAMILIES = "/aws/service/ecs/optimized-ami"
YEAR = 365 * 86_400.0


class Published(KnownThings):
    """The images and parameters that AWS has published."""

    def public_image(self, region: str, image: str) -> PublicImage | None:
        return public.images(region).get(image)

    def public_images(self, region: str) -> Mapping[str, PublicImage]:
        return public.images(region)

    def public_parameters(self, region: str) -> Mapping[str, PublicParameter]:
        return public.parameters(region)


class Aws(Cloud):
    """A cloud with them."""

    def __init__(self) -> None:
        super().__init__()
        self.known = Published()
        self.world.lookup = self.known

    def recommended(self, family: str) -> str:
        name = f"{FAMILIES}/{family}/recommended/image_id"
        return str(self("GetParameter", Name=name)["Parameter"]["Value"])

    def order(self, deed: Deed, **what: str) -> dict[str, str]:
        return publishing.carry_out(self.world, Order(deed=deed, **what), region=HERE)


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.mark.parametrize(
    ("family", "sizes", "kind", "made_for"),
    [
        ("amazon-linux-2023", {"/dev/xvda": 30}, "gp3", "x86_64"),
        ("amazon-linux-2023/arm64", {"/dev/xvda": 30}, "gp3", "arm64"),
        ("amazon-linux-2023/gpu", {"/dev/xvda": 30}, "gp3", "x86_64"),
        ("amazon-linux-2", {"/dev/xvda": 30}, "gp2", "x86_64"),
        ("amazon-linux", {"/dev/xvda": 8, "/dev/xvdcz": 22}, "gp2", "x86_64"),
    ],
)
def test_ecs_optimized_images_have_their_volumes_with_snapshots(aws, family, sizes, kind, made_for):
    found = image(aws, aws.recommended(family))
    disks = {each["DeviceName"]: each["Ebs"] for each in found["BlockDeviceMappings"]}
    assert {device: ebs["VolumeSize"] for device, ebs in disks.items()} == sizes
    assert {ebs["VolumeType"] for ebs in disks.values()} == {kind}
    assert len({ebs["SnapshotId"] for ebs in disks.values()}) == len(sizes)
    assert (found["Architecture"], found["ImageOwnerAlias"]) == (made_for, "amazon")
    assert found.get("ImdsSupport") == ("v2.0" if "2023" in family else None)
    assert found["Public"] is True


def test_every_public_image_is_answered_by_its_id_and_by_its_owner(aws):
    everything = aws("DescribeImages", IncludeDeprecated=True)["Images"]
    assert {each["ImageId"] for each in everything} == set(public.images(HERE))
    ecs = listed(aws, Owners=["amazon"], Filters=only(name="al2023-ami-ecs-hvm-*-x86_64"))
    assert len(ecs) > 50


def test_an_old_public_image_is_hidden_from_lists_but_not_from_those_who_know_it(aws):
    old = image(aws, aws.recommended("amazon-linux"))
    assert old["DeprecationTime"] < f"{old['CreationDate'][:3]}9"
    aws.step(YEAR)
    assert old["Name"] not in listed(aws)
    assert old["Name"] in listed(aws, IncludeDeprecated=True)
    assert image(aws, old["ImageId"])["Name"] == old["Name"]


def test_a_newer_base_comes_out_and_the_parameters_name_it(aws):
    family = "amazon-linux-2023"
    before = image(aws, aws.recommended(family))
    told = aws.order(Deed.PUBLISH, family=family)
    after = image(aws, aws.recommended(family))
    assert (after["ImageId"], after["Name"]) == (told["imageId"], told["imageName"])
    assert after["ImageId"] != before["ImageId"]
    assert after["CreationDate"] > before["CreationDate"]
    assert after["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == 30
    name = f"{FAMILIES}/{family}/recommended"
    whole = aws("GetParameter", Name=name)["Parameter"]
    assert json.loads(whole["Value"])["image_id"] == after["ImageId"]
    assert json.loads(whole["Value"])["image_version"] in after["Name"]
    assert whole["Version"] == 2
    third = aws.order(Deed.PUBLISH, family=family)
    assert third["imageName"] != told["imageName"]
    assert aws.recommended("amazon-linux-2023/arm64") not in {third["imageId"], told["imageId"]}
    assert aws.elsewhere("us-east-1").refused("DescribeImages", ImageIds=[third["imageId"]])


def test_a_base_that_is_withdrawn_launches_nothing_though_parameters_name_it(aws):
    base = aws.recommended("amazon-linux-2023")
    aws.order(Deed.WITHDRAW, imageId=base)
    assert aws.recommended("amazon-linux-2023") == base
    assert refused(aws, ImageId=base).startswith("InvalidAMIID.Unavailable")
    aws.step(11)
    assert aws.refused("DescribeImages", ImageIds=[base]).startswith("InvalidAMIID.NotFound")
    assert image(aws, aws.order(Deed.PUBLISH)["imageId"])["State"] == "available"


def test_there_has_to_be_such_a_family_or_image(aws):
    with pytest.raises(LookupError, match="no parameter"):
        aws.order(Deed.PUBLISH, family="amazon-linux-9")
    with pytest.raises(LookupError, match="no public image"):
        aws.order(Deed.WITHDRAW, imageId="ami-1")
    assert public_images.find(aws.world, HERE, "ami-1") is None
