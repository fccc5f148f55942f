"""What EC2 has of launch templates and placement groups that specs name: read together."""

import asyncio

import pytest
from tests.support.stub_aws import Refused

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError

SCOPE = Scope("111122223333", "eu-central-1")
TEMPLATES, GROUPS = "DescribeLaunchTemplates", "DescribePlacementGroups"
KNOWN = {"lt-1": "a", "lt-2": "b", "lt-3": "lt-1"}  # by id; one name looks like an id


def describe(asked):
    if "LaunchTemplateIds" in asked:
        for each in asked["LaunchTemplateIds"]:
            if each not in KNOWN:
                words = f"The specified launch template, with template ID {each}, does not exist."
                raise Refused("InvalidLaunchTemplateId.NotFound", words)
        found = {each: KNOWN[each] for each in asked["LaunchTemplateIds"]}
    else:
        (filter_,) = asked["Filters"]
        found = {key: name for key, name in KNOWN.items() if name in filter_["Values"]}
    return {
        "LaunchTemplates": [
            {"LaunchTemplateId": key, "LaunchTemplateName": name, "LatestVersionNumber": 7}
            for key, name in found.items()
        ]
    }


@pytest.fixture
def ec2(bench):
    bench.stub.answers[TEMPLATES] = describe
    return bench.aws.ec2


async def test_all_templates_that_anybody_names_are_read_by_one_call_every_ten_minutes(bench, ec2):
    for _ in range(6):
        for name, key in (("name:a", "lt-1"), ("name:b", "lt-2")):
            found = await ec2.template_versions(SCOPE, [name])
            assert found == {name: {"LaunchTemplateId": key, "LatestVersionNumber": 7}}
        await bench.clock.advance(300)
    asked = [request["Filters"][0]["Values"] for _, request in bench.stub.sent]
    assert asked == [["a"], ["a", "b"], ["a", "b"], ["a", "b"]]


async def test_ids_and_names_are_told_apart_and_what_is_not_there_spoils_nothing(ec2):
    names = ["name:lt-1", "id:lt-1", "id:lt-9", "id:lt-99", "name:none"]
    assert set(await ec2.template_versions(SCOPE, names)) == {"name:lt-1", "id:lt-1"}


async def test_a_name_whose_first_look_failed_is_not_taken_for_absent(bench, ec2):
    await ec2.template_versions(SCOPE, ["name:a"])
    bench.stub.answers[TEMPLATES] = lambda _: Refused("UnauthorizedOperation", "no")
    with pytest.raises(AwsError):
        await ec2.template_versions(SCOPE, ["name:b"])
    bench.stub.answers[TEMPLATES] = describe
    assert set(await ec2.template_versions(SCOPE, ["name:b"])) == {"name:b"}


async def test_a_name_that_nobody_asks_for_any_more_is_read_no_more(bench, ec2):
    await ec2.template_versions(SCOPE, ["name:a"])
    for _ in range(7):
        await bench.clock.advance(300)
        await ec2.template_versions(SCOPE, ["name:b"])
    assert bench.stub.sent[-1][1]["Filters"][0]["Values"] == ["b"]


async def test_our_own_change_of_a_group_is_seen_at_once_and_a_deleted_one_is_none(bench):
    there: list[dict[str, str]] = []
    bench.stub.answers[GROUPS] = lambda _: {"PlacementGroups": there}
    bench.stub.answers["CreatePlacementGroup"] = lambda _: {}
    assert await bench.aws.ec2.placement_groups(SCOPE, ["g"]) == {}
    there.append({"GroupName": "g", "State": "available"})
    assert await bench.aws.ec2.placement_groups(SCOPE, ["g"]) == {}
    await bench.aws.ec2.change(SCOPE, "CreatePlacementGroup", {"GroupName": "g"})
    assert set(await bench.aws.ec2.placement_groups(SCOPE, ["g"])) == {"g"}
    there[0]["State"] = "deleted"
    assert await bench.aws.ec2.placement_groups(SCOPE, ["g"], fresh=True) == {}


async def test_those_who_ask_at_the_same_time_share_the_calls(bench, ec2):
    names = [f"name:{number}" for number in range(50)]
    await asyncio.gather(*(ec2.template_versions(SCOPE, [name]) for name in names))
    assert len(bench.stub.sent) <= 2
