"""Whether what an ExtendedAMI shows is its own, asked of the tags in EC2 and of Systems Manager."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from tests.unit.kinds.values import ACCOUNT, REGION, owner, resource

from awsbatch_operator.api.metadata import PAUSED, ObjectKey, Resource, Shape
from awsbatch_operator.api.references import Reference
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.capacity_ports import Ec2Port, SsmPort
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.proofs import Proofs

IMAGE, THEIRS, TEMPLATE = "ami-0123456789abcdef0", "ami-0fedcba9876543210", "lt-0123456789abcdef0"
PARAMETER = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
FAMILY: dict[str, Any] = {"family": "AL2023"}
BY_AWS = {"Name": "al2023-ami-ecs-hvm-2023.0.1-x86_64", "ImageOwnerAlias": "amazon"}
UPON: dict[str, Any] = {"amiRef": {"name": "other"}}
PATH = "spec.computeResources.ec2Configuration[0].amiRef"


def tags_of(whose: Owner) -> list[Shape]:
    return [{"Key": key, "Value": value} for key, value in whose.tags().items()]


@dataclass
class World:
    """What EC2 and Systems Manager have. Implements what Proofs asks of both."""

    there: dict[str, Owner] = field(default_factory=dict)  # images and templates, by id
    parameters: Mapping[str, str] = field(default_factory=dict)
    public: Mapping[str, Shape] = field(default_factory=dict)  # images of others
    others: Sequence[Resource] = ()  # objects

    async def images(
        self, scope: Scope, ids: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Shape]:
        del scope, fresh
        own = {each: {"Tags": tags_of(self.there[each])} for each in ids if each in self.there}
        return own | {each: self.public[each] for each in ids if each in self.public}

    def find(self, key: ObjectKey) -> Resource | None:
        return next((each for each in self.others if each.key == key), None)

    async def launch_templates(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        del scope, fresh
        return [
            {"LaunchTemplateId": each, "Tags": tags_of(whose)}
            for each, whose in self.there.items()
            if each.startswith("lt-")
        ]

    async def image_parameter(
        self, scope: Scope, parameter: str, *, fresh: bool = False
    ) -> str | None:
        del scope, fresh
        return self.parameters.get(parameter)


def shown(base: dict[str, Any] = FAMILY, *, baked: bool = True, **status: Any) -> Resource:
    """An ExtendedAMI that shows an image."""
    told = {"arn": f"arn:aws:ec2:::image/{IMAGE}", "imageId": IMAGE, "bake": {"needed": baked}}
    return resource("ExtendedAMI", {"base": base}, name="atmos", status={**told, **status})


def base_of(base: dict[str, Any], **status: Any) -> Resource:
    """The ExtendedAMI other, which needed no image of its own."""
    found = shown(base, baked=False, **status)
    return replace(found, key=found.key._replace(name="other"), uid="uid-other")


async def missing(target: Resource, world: World) -> str:
    """Why the target must not be used; "" if it may be."""
    of_ec2, of_ssm = cast("Ec2Port", world), cast("SsmPort", world)
    proofs = Proofs(cast("BatchPort", None), of_ec2, of_ssm, owner(target).cluster_id, world.find)
    found = await proofs.missing(Reference(PATH, target.key), target, Scope(ACCOUNT, REGION))
    return "" if found is None else f"{found.reason.name}: {found.message} {found.remedy}"


def another(own: Owner, cluster_id: str = "") -> Owner:
    """Somebody else: another object of the namespace, or of another cluster."""
    key = ObjectKey("ExtendedAMI", own.key.namespace, "other")
    return Owner(cluster_id or own.cluster_id, key, "uid-other")


async def test_an_image_with_the_tags_of_the_object_is_its_own():
    target = shown()
    assert await missing(target, World({IMAGE: owner(target)})) == ""


@pytest.mark.parametrize("whose", ["nobody has it", "another object", "another cluster"])
async def test_a_status_that_names_an_image_of_somebody_else_is_not_used(whose):
    target = shown()
    there = {
        "nobody has it": {},
        "another object": {IMAGE: another(owner(target))},
        "another cluster": {IMAGE: another(owner(target), cluster_id="elsewhere")},
    }[whose]
    told = await missing(target, World(there))
    assert told.startswith(
        f"ReferenceNotReady: {PATH}: what AWS has as arn:aws:ec2:::image/{IMAGE}"
    )


async def test_of_a_paused_one_it_is_said_that_it_is_paused():
    target = replace(shown(), annotations={PAUSED: "true"})
    told = await missing(target, World())
    assert "that object is paused" in told
    assert "Remove the annotation awsbatch.dev/paused from ExtendedAMI" in told


@pytest.mark.parametrize(("whose", "used"), [("own", True), ("another's", False), ("", False)])
async def test_a_launch_template_is_used_only_if_it_was_made_for_the_object(whose, used):
    target = shown(baked=False, launchTemplate={"id": TEMPLATE, "version": 1})
    owners = {"own": owner(target), "another's": another(owner(target))}
    there = {TEMPLATE: owners[whose]} if whose else {}
    assert (await missing(target, World(there, public={IMAGE: BY_AWS})) == "") is used


@pytest.mark.parametrize(
    ("base", "world", "used"),
    [
        (FAMILY, World(public={IMAGE: BY_AWS}), True),
        (FAMILY, World(public={IMAGE: {**BY_AWS, "ImageOwnerAlias": "aws-marketplace"}}), False),
        (FAMILY, World(public={IMAGE: {**BY_AWS, "Name": "amzn2-ami-ecs-hvm"}}), False),
        (FAMILY, World(), False),
        ({"amiId": IMAGE}, World(), True),
        ({"amiId": THEIRS}, World(), False),
        ({"ssmParameter": PARAMETER}, World(parameters={PARAMETER: IMAGE}), True),
        ({"ssmParameter": PARAMETER}, World(parameters={PARAMETER: THEIRS}), False),
        ({"ssmParameter": PARAMETER}, World(), False),
        ({"amiRef": {"name": "other"}}, World({IMAGE: another(owner(shown()))}), True),
        (UPON, World(), False),
        (UPON, World(others=[base_of({"amiId": IMAGE})]), True),
        (UPON, World(others=[base_of({"amiId": THEIRS})]), False),
        (UPON, World(others=[base_of({"amiId": THEIRS}, imageId=THEIRS)]), False),
        (UPON, World(public={IMAGE: BY_AWS}, others=[base_of(FAMILY)]), True),
        (UPON, World(others=[base_of({"amiRef": {"name": "other"}})]), False),  # in a circle
    ],
)
async def test_a_base_that_is_used_as_it_is_has_to_be_the_one_that_the_spec_names(
    base, world, used
):
    assert (await missing(shown(base, baked=False), world) == "") is used


async def test_a_base_of_another_namespace_is_not_used():
    own = owner(shown())
    key = ObjectKey("ExtendedAMI", "elsewhere", "other")
    theirs = Owner(own.cluster_id, key, "uid-other")
    target = shown({"amiRef": {"name": "other"}}, baked=False)
    assert await missing(target, World({IMAGE: theirs})) != ""
