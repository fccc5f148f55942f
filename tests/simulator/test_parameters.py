"""Parameter Store: the account's own parameters beside AWS's public ones."""

import json

import pytest
from tests.simulator.cloud import Cloud
from tests.simulator.pictures import made, stopped

from awsbatch_simulator.ports import PublicParameter

NAME = "/images/atmos"
IMAGE = {"Name": NAME, "Type": "String", "DataType": "aws:ec2:image"}
TAGS = [{"Key": "a", "Value": "b"}]
FAMILY = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def value(cloud: Cloud, name: str = NAME) -> tuple[str, int]:
    found = cloud("GetParameter", Name=name)["Parameter"]
    return found["Value"], found["Version"]


def test_a_parameter_is_made_once_and_then_overwritten(cloud):
    new = {"Name": NAME, "Value": "one", "Type": "String"}
    assert cloud("PutParameter", **new) == {"Version": 1, "Tier": "Standard"}
    again = cloud.refused("PutParameter", **new)
    assert again.startswith("ParameterAlreadyExists: The parameter already exists.")
    changed = {"Name": NAME, "Value": "two", "Overwrite": True}
    assert cloud("PutParameter", **changed)["Version"] == 2
    assert value(cloud) == ("two", 2)
    assert value(cloud, f"{NAME}:1") == ("one", 1)
    arn = cloud("GetParameter", Name=NAME)["Parameter"]["ARN"]
    assert arn == f"arn:aws:ssm:eu-central-1:{cloud.caller.place.account}:parameter{NAME}"
    assert value(cloud, arn) == ("two", 2)
    missing = cloud.refused("GetParameter", Name=f"{NAME}:3")
    assert missing.startswith("ParameterVersionNotFound")
    elsewhere = cloud.elsewhere()
    assert elsewhere.refused("GetParameter", Name=NAME).startswith("ParameterNotFound")
    history = cloud("GetParameterHistory", Name=NAME)["Parameters"]
    assert [each["Value"] for each in history] == ["one", "two"]


def test_an_image_is_looked_at_after_the_answer(cloud):
    image_id = made(cloud)
    assert cloud("PutParameter", **IMAGE, Value=image_id)["Version"] == 1
    assert cloud.refused("GetParameter", Name=NAME).startswith("ParameterNotFound")
    cloud.step(5)
    assert value(cloud) == (image_id, 1)
    assert cloud("GetParameter", Name=NAME)["Parameter"]["DataType"] == "aws:ec2:image"


@pytest.mark.parametrize("held", ["pending", "unknown", "no image"])
def test_what_names_no_available_image_is_taken_and_comes_to_nothing(cloud, held):
    wrong = {
        "pending": cloud("CreateImage", InstanceId=stopped(cloud), Name="new")["ImageId"],
        "unknown": "ami-77",
        "no image": "latest",
    }[held]
    cloud.known.missing.add("ami-77")
    cloud("PutParameter", **IMAGE, Value="ami-1")
    cloud.step(5)
    cloud("PutParameter", **IMAGE, Value=wrong, Overwrite=True)
    cloud.step(5)
    assert value(cloud) == ("ami-1", 1)


def test_tags_come_with_a_new_parameter_only(cloud):
    both = {"Name": NAME, "Value": "one", "Type": "String", "Tags": TAGS}
    refused = cloud.refused("PutParameter", **both, Overwrite=True)
    assert refused.startswith("ValidationException: Invalid request: tags and overwrite can't")
    cloud("PutParameter", **both)
    named = {"ResourceType": "Parameter", "ResourceId": NAME}
    cloud("AddTagsToResource", **named, Tags=[{"Key": "c", "Value": "d"}])
    cloud("RemoveTagsFromResource", **named, TagKeys=["a"])
    assert cloud("ssm:ListTagsForResource", **named)["TagList"] == [{"Key": "c", "Value": "d"}]
    other = named | {"ResourceId": "/none"}
    assert cloud.refused("ssm:ListTagsForResource", **other).startswith("InvalidResourceId")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Name": "/aws/service/mine"}, "AccessDeniedException"),
        ({"Name": "ssm-mine"}, "ValidationException"),
        ({"Name": "images/atmos"}, "ValidationException: Parameter name must be a fully"),
        ({"Name": "/a b"}, "ValidationException"),
        ({"Name": "/a//b"}, "ValidationException"),
        ({"Name": "/a" * 16}, "HierarchyLevelLimitExceededException"),
        ({"Name": "/" + "a" * 1011}, "ValidationException"),
        ({"Value": "a" * 4097}, "ValidationException"),
        ({"Value": ""}, "ValidationException"),
        ({"Type": "Text"}, "UnsupportedParameterType"),
        ({"Type": "StringList", "DataType": "aws:ec2:image"}, "ValidationException"),
        ({"DataType": "aws:ec2:snapshot"}, "ValidationException"),
        ({"Type": "SecureString"}, "NotImplemented"),
        ({"DataType": "json"}, "NotImplemented"),
    ],
)
def test_what_no_parameter_can_be_is_refused(cloud, changes, code):
    request = {"Name": NAME, "Value": "one", "Type": "String"} | changes
    assert cloud.refused("PutParameter", **request).startswith(code)
    assert cloud("DescribeParameters")["Parameters"] == []


def test_a_type_comes_with_the_parameter_and_stays(cloud):
    assert cloud.refused("PutParameter", Name=NAME, Value="a").startswith("ValidationException")
    cloud("PutParameter", Name=NAME, Value="a", Type="String")
    other = {"Name": NAME, "Value": "a", "Type": "StringList", "Overwrite": True}
    assert cloud.refused("PutParameter", **other).startswith("HierarchyTypeMismatchException")


def test_parameters_are_found_by_names_and_by_path_and_deleted(cloud):
    public = PublicParameter(f"{FAMILY}/image_id", "ami-1", 7)
    cloud.known.parameters = {public.name: public, FAMILY: PublicParameter(FAMILY, "{}")}
    for name in ("/images/b", "/images/a", "/images/deep/c", "plain"):
        cloud("PutParameter", Name=name, Value=name, Type="String")
    many = cloud("GetParameters", Names=["/images/b", "plain", public.name, "/none", "/images/b:9"])
    assert [each["Name"] for each in many["Parameters"]] == [public.name, "/images/b", "plain"]
    assert many["InvalidParameters"] == ["/none", "/images/b:9"]

    def below(path: str, **request: object) -> list[str]:
        answer = cloud("GetParametersByPath", Path=path, **request)
        return [each["Name"] for each in answer["Parameters"]]

    assert below("/images") == ["/images/a", "/images/b"]
    assert below("/images/", Recursive=True) == ["/images/a", "/images/b", "/images/deep/c"]
    assert below("/images", MaxResults=1, NextToken="/images/a") == ["/images/b"]
    assert below(FAMILY) == [public.name]
    assert value(cloud, f"{public.name}:7") == ("ami-1", 7)
    cloud("DeleteParameter", Name="plain")
    assert cloud.refused("DeleteParameter", Name="plain").startswith("ParameterNotFound")
    gone = cloud("DeleteParameters", Names=["/images/a", "/none"])
    assert gone == {"DeletedParameters": ["/images/a"], "InvalidParameters": ["/none"]}
    assert len(cloud("DescribeParameters")["Parameters"]) == 2


def test_only_the_last_hundred_versions_are_kept(cloud):
    for number in range(103):
        cloud("PutParameter", Name=NAME, Value=str(number), Type="String", Overwrite=True)
    assert sorted(cloud.region.ssm.parameters[NAME].versions) == list(range(4, 104))


def test_values_of_recommended_images_are_json():
    from awsbatch_simulator.bridge import public  # noqa: PLC0415 - it reads large files

    found = public.parameters("eu-central-1")
    told = json.loads(found[FAMILY].value)
    assert told["image_id"] == found[f"{FAMILY}/image_id"].value
    assert told["image_id"] in public.images("eu-central-1")
