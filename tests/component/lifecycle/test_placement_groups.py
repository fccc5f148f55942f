"""A placement group of the operator's own: made before its environment, gone after it."""

from tests.support.installation import Installation
from tests.support.manifests import ENVIRONMENT, environment

from awsbatch_operator.api.tags import CLUSTER, NAME
from awsbatch_operator.aws.instances import tags_of

MAKE, DROP = "ec2:CreatePlacementGroup", "ec2:DeletePlacementGroup"
CREATE, UPDATE = "batch:CreateComputeEnvironment", "batch:UpdateComputeEnvironment"
DELETE = "batch:DeleteComputeEnvironment"


def managed_group(**changes):
    return environment(managedPlacementGroup=True, **changes)


def groups(there):
    return there.aws("ec2").describe_placement_groups()["PlacementGroups"]


def used_group(there):
    (found,) = there.aws().describe_compute_environments()["computeEnvironments"]
    return found["computeResources"].get("placementGroup", "")


async def test_it_is_made_before_the_environment_and_removed_after_it():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, managed_group())
        await there.until_ready(ENVIRONMENT)
        (group,) = groups(there)
        assert group["Strategy"] == "cluster"
        assert {CLUSTER, NAME} <= tags_of(group).keys()
        assert used_group(there) == group["GroupName"]
        await there.clock.advance(700)
        assert there.changes() == [MAKE, CREATE]
        there.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT)
    assert groups(there) == []
    assert there.changes() == [MAKE, CREATE, UPDATE, DELETE, DROP]


async def test_it_comes_and_goes_with_an_edit_and_what_somebody_removed_is_made_again():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        await there.until_ready(ENVIRONMENT)
        there.apply(ENVIRONMENT, managed_group())
        await there.until_ready(ENVIRONMENT)
        assert there.changes() == [CREATE, MAKE, UPDATE]
        name = used_group(there)
        there.aws("ec2").delete_placement_group(GroupName=name)
        await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        await there.until_ready(ENVIRONMENT, within=900)
        assert [group["GroupName"] for group in groups(there)] == [name]
        there.calls.clear()
        there.apply(ENVIRONMENT, environment())
        await there.until_ready(ENVIRONMENT)
        await there.clock.run_until(lambda: not groups(there))
        await there.clock.advance(700)
    assert there.changes() == [UPDATE, DROP]
    assert used_group(there) == ""


def forget(there):
    """As `kubectl replace` does."""
    annotations = there.kube.see(ENVIRONMENT)["metadata"]["annotations"]
    there.kube.annotate(ENVIRONMENT, **dict.fromkeys(annotations))


async def test_it_is_not_left_behind_when_all_annotations_are_lost_before_it_goes():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, managed_group())
        await there.until_ready(ENVIRONMENT)
        forget(there)
        await there.clock.advance(60)
        there.apply(ENVIRONMENT, environment())
        await there.clock.run_until(lambda: not groups(there), within=900)
        await there.until_ready(ENVIRONMENT)


async def test_it_is_found_again_by_its_name_when_all_annotations_are_lost_while_it_goes():
    """The spec does not ask for it any more, and AWS's environment does not name it."""
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, managed_group())
        await there.until_ready(ENVIRONMENT)
        there.fault(effect="deny", service="ec2", operation="DeletePlacementGroup")
        there.apply(ENVIRONMENT, environment())
        await there.clock.run_until(lambda: DROP in there.calls, within=900)
        assert used_group(there) == ""
    forget(there)
    there.mend()
    async with there.running():
        await there.clock.run_until(lambda: not groups(there), within=900)
        await there.until_ready(ENVIRONMENT)
        there.calls.clear()
        await there.clock.advance(60)
    assert not [call for call in there.calls if call.startswith("ec2:")], "it is over"


async def test_who_has_lost_its_annotations_and_never_had_a_group_needs_no_right_to_look_for_one():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, environment())
        await there.until_ready(ENVIRONMENT)
        there.fault(effect="deny", service="ec2", operation="DescribePlacementGroups")
        forget(there)
        await there.clock.advance(60)
        assert there.ready(ENVIRONMENT)
        assert there.changes() == [CREATE]


async def test_a_foreign_group_of_its_name_is_neither_used_nor_removed():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, managed_group())
        await there.until_ready(ENVIRONMENT)
        (group,) = groups(there)
        there.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT)
        there.calls.clear()
        there.aws("ec2").create_placement_group(GroupName=group["GroupName"], Strategy="spread")
        there.apply(ENVIRONMENT, managed_group())
        message = await there.until(ENVIRONMENT, "Stalled", "AlreadyExists")
        assert "instead of managedPlacementGroup" in message
        there.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT)
    assert there.changes() == []
    assert len(groups(there)) == 1


async def test_a_group_with_instances_that_are_on_their_way_out_is_removed_later():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, managed_group())
        await there.until_ready(ENVIRONMENT)
        there.fault(
            effect="error",
            service="ec2",
            operation="DeletePlacementGroup",
            code="InvalidPlacementGroup.InUse",
            times=2,
        )
        there.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT)
    assert there.changes().count(DROP) == 3
    assert groups(there) == []


async def test_a_retained_environment_keeps_its_group():
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, managed_group() | {"deletionPolicy": "Retain"})
        await there.until_ready(ENVIRONMENT)
        there.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT)
    assert len(groups(there)) == 1


async def test_what_may_not_be_asked_or_made_is_said_and_holds_up_no_deletion():
    there = Installation()
    async with there.running():
        there.fault(effect="deny", service="ec2", operation="DescribePlacementGroups")
        there.apply(ENVIRONMENT, managed_group())
        message = await there.until(ENVIRONMENT, "Stalled", "PermissionDenied")
        assert "ec2:DescribePlacementGroups" in message
        there.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT)
    assert there.changes() == []
