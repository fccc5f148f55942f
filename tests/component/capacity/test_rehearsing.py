"""A launch is tried before it is made, so that what would be refused is told by its field."""

import pytest
from tests.component.capacity.resolver_rig import OWNER

from awsbatch_operator.api.scope import NoTokenError
from awsbatch_operator.api.tokens import OF_TEMPLATES, with_passing_token
from awsbatch_operator.capacity.machines import Template, template
from awsbatch_operator.capacity.requests import make_template
from awsbatch_simulator.faults import Effect, FaultSpec

PATH = "spec.capacity.pools[name=main]"
UNKNOWN = "arn:aws:iam::111122223333:instance-profile/none"


@pytest.fixture(autouse=True)
async def _rested(rig):
    """No faults, and all rate tokens there again."""
    rig.account.world.faults.clear()
    await rig.clock.advance(120)


@pytest.fixture
def fault(rig):
    def add(operation, effect=Effect.DENY, **more):
        rig.account.world.faults.add(FaultSpec(effect=effect, operation=operation, **more))

    return add


async def asked(rig, found):
    """What is told, and which trials it took."""
    names = ("RunInstances", "CreateLaunchTemplate", "CreateFleet", "CreateCapacityReservation")
    before = {name: rig.count(name) for name in names}
    told = await rig.rehearsal(found)
    return told, [name for name in names if rig.count(name) > before[name]]


@pytest.mark.parametrize("market", ["OnDemand", "Spot"])
async def test_a_launch_that_ec2_allows_is_tried_once_in_half_an_hour(rig, market):
    found = await rig.resolve(market=market, name=f"allowed-{market.lower()}")
    trials = ["RunInstances", "CreateLaunchTemplate"]
    assert await asked(rig, found) == ([], trials)
    await rig.clock.advance(1799)
    assert await asked(rig, found) == ([], [])
    await rig.clock.advance(1)
    assert await asked(rig, found) == ([], trials)
    changed = await rig.resolve(
        market=market, name=f"allowed-{market.lower()}", userData={"script": "#!/bin/sh\n:\n"}
    )
    assert await asked(rig, changed) == ([], trials)


async def test_nothing_is_launched_by_a_trial(rig):
    found = await rig.resolve(name="trial")
    await rig.rehearsal(found)
    assert await rig.account.aws.ec2.all_instances(rig.account.scope, fresh=True) == ()
    assert not await rig.account.aws.ec2.launch_templates(rig.account.scope)


async def test_a_profile_that_there_is_not_is_told_by_its_field_and_looked_for_again(rig):
    found = await rig.resolve(instanceProfile=UNKNOWN)
    told, _ = await asked(rig, found)
    [(reason, text)] = told
    assert reason == "PoolRefused"
    assert f"{PATH}.instanceProfile: " in text
    assert UNKNOWN in text
    await rig.clock.advance(299)
    assert await asked(rig, found) == (told, [])
    await rig.clock.advance(1)
    again, trials = await asked(rig, found)
    assert (again, "RunInstances" in trials) == (told, True)
    corrected = await rig.resolve()
    assert await rig.rehearsal(corrected) == []


async def test_another_offer_is_tried_at_once_where_one_was_refused(rig):
    found = await rig.resolve(instanceProfile=UNKNOWN, name="offers")
    await rig.rehearsal(found)
    other = await rig.resolve(instanceProfile=UNKNOWN, name="offers", subnets=["subnet-3"])
    assert "RunInstances" in (await asked(rig, other))[1]


@pytest.mark.parametrize("operation", ["RunInstances", "CreateLaunchTemplate"])
async def test_what_is_not_allowed_is_told_with_action_and_identity(rig, fault, operation):
    fault(operation)
    found = await rig.resolve(name=operation.lower())
    [(reason, text)] = await rig.rehearsal(found)
    assert reason == "LaunchDenied"
    assert f"spec.capacity.pools[name={operation.lower()}]: " in text
    assert f"may not use ec2:{operation}" in text
    assert f"Grant ec2:{operation} to " in text
    assert "arn:aws:" in text


DENIALS = {
    "a role that may not be passed": (
        "UnauthorizedOperation",
        "User: arn:aws:iam::1:user/u is not authorized to perform: iam:PassRole on resource: r",
        f"{PATH}.instanceProfile: arn:aws:iam::1:user/u may not use iam:PassRole, which RunInst",
        "Allow arn:aws:iam::1:user/u iam:PassRole on the role of instanceProfile",
    ),
    "a role that may not be made": (
        "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
        "The provided credentials do not have permission to create the service-linked role.",
        f"{PATH}.market: The provided credentials do not",
        "aws iam create-service-linked-role --aws-service-name spot.amazonaws.com",
    ),
    "an image that is not shared": (
        "AuthFailure",
        "Not authorized for images: [ami-1]",
        f"{PATH}.image: Not authorized for images",
        "Name an image that is available",
    ),
}


@pytest.mark.parametrize("denial", DENIALS.values(), ids=DENIALS)
async def test_a_denial_names_what_it_is_about(rig, fault, denial):
    code, message, what, remedy = denial
    fault("RunInstances", Effect.ERROR, code=code, message=message, status=403)
    found = await rig.resolve(keyName=code)
    [(reason, text)] = await rig.rehearsal(found)
    assert reason == "LaunchDenied"
    assert what in text
    assert remedy in text


async def test_want_of_capacity_is_no_refusal(rig, fault):
    message = "We currently do not have sufficient capacity"
    code = "InsufficientInstanceCapacity"
    fault("RunInstances", Effect.ERROR, code=code, message=message, status=500)
    found = await rig.resolve(name="capacity")
    assert await rig.rehearsal(found) == []
    assert await asked(rig, found) == ([], [])


async def test_a_fleet_is_tried_once_its_launch_template_is_there(rig, fault):
    found = await rig.resolve(name="fleet")
    about = found.types[found.offers[0].instance_type]
    made = template(OWNER, found.pool, found.machine, about=about)
    assert isinstance(made, Template)
    call = make_template("fleet", made)
    request = with_passing_token(call.request, rig.clock.now(), OF_TEMPLATES)
    await rig.account.aws.ec2.change(rig.account.scope, call.operation, request)
    fault("CreateFleet")
    told, trials = await asked(rig, found)
    [(reason, text)] = told
    assert (reason, "may not use ec2:CreateFleet" in text) == ("LaunchDenied", True)
    assert "CreateFleet" in trials
    rig.account.world.faults.clear()
    await rig.clock.advance(300)
    assert (await asked(rig, found))[0] == []
    delete = {"LaunchTemplateName": made.name}
    await rig.account.aws.ec2.change(rig.account.scope, "DeleteLaunchTemplate", delete)


async def test_a_block_that_may_reserve_is_tried_with_a_reservation(rig, fault):
    block = {"durationSeconds": 3600, "instanceCount": 2}
    fault("CreateCapacityReservation")
    found = await rig.resolve(market="SpotBlock", spotBlock=block)
    [(reason, text)] = await rig.rehearsal(found)
    assert reason == "LaunchDenied"
    assert "may not use ec2:CreateCapacityReservation" in text
    plain = {**block, "fallback": ["OnDemandUntilDeadline"]}
    assert await rig.rehearsal(await rig.resolve(market="SpotBlock", spotBlock=plain)) == []


@pytest.mark.parametrize("effect", [Effect.THROTTLE, Effect.DROP_BEFORE, Effect.DROP_AFTER])
async def test_an_answer_that_is_no_verdict_is_no_finding_and_is_not_kept(rig, fault, effect):
    fault("RunInstances", effect)
    found = await rig.resolve(name=effect.value.replace("_", "-").lower())
    assert await rig.rehearsal(found) == []
    rig.account.world.faults.clear()
    await rig.clock.advance(60)
    assert "RunInstances" in (await asked(rig, found))[1]


async def test_without_a_token_the_caller_comes_again(rig):
    pools = [await rig.resolve(name=f"tokens-{number}") for number in range(9)]
    trials = (rig.rehearsal(found) for found in pools)
    with pytest.raises(NoTokenError) as caught:
        [await trial for trial in trials]
    await rig.clock.advance(caught.value.seconds)
    assert await rig.rehearsal(pools[-1]) == []


async def test_a_pool_without_machine_or_offers_is_not_tried(rig):
    for changes in ({"instanceTypes": ["m6i.lagre"]}, {"subnets": ["subnet-99"]}):
        assert await asked(rig, await rig.resolve(**changes)) == ([], [])


async def test_a_template_without_security_groups_launches_with_the_default_one_of_the_vpc(rig):
    found = await rig.resolve(name="groups", securityGroupIds=None)
    assert await rig.rehearsal(found) == []
    made = template(OWNER, found.pool, found.machine)
    assert isinstance(made, Template)
    assert "SecurityGroupIds" not in made.request["LaunchTemplateData"]
    launched = rig.client().run_instances(
        InstanceType="m6i.large",
        SubnetId="subnet-1",
        MinCount=1,
        MaxCount=1,
        ImageId=found.machine.user_data.image_id,
    )["Instances"]
    assert [each["GroupId"] for each in launched[0]["SecurityGroups"]] == ["sg-1"]
    rig.client().terminate_instances(InstanceIds=[launched[0]["InstanceId"]])
