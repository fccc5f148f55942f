"""A launch template that has the name of ours, and not our tags, is left alone and told."""

from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.unit.capacity.planning_model import OWNER, machine
from tests.unit.capacity.values import pool

from awsbatch_operator.api.scope import LeadershipStart, Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.conduct import Conductor
from awsbatch_operator.capacity.machines import Template, template
from awsbatch_operator.capacity.memory import Memories

SAID = "Launch template name already in use."


class Taken:
    """EC2, which has the name already; `ours` are the templates that carry our tags."""

    def __init__(self, *ours: str) -> None:
        self.ours = [{"LaunchTemplateName": each} for each in ours]

    async def change(self, _, operation, __):
        raise AwsError(ErrorKind.ALREADY_EXISTS, operation=operation, message=SAID)

    async def launch_templates(self, _, *, fresh):
        assert fresh
        return self.ours


def made() -> Template:
    found = template(OWNER, pool(), machine(pool()))
    assert isinstance(found, Template)
    return found


async def send(ec2: Any) -> None:
    kept = Memories(LeadershipStart())
    conductor = Conductor(ec2=ec2, ecs=ec2, memories=kept, clock=SteppedClock())
    call = requests.make_template("main", made())
    await conductor.send(call, Scope("111122223333", "eu-central-1"), OWNER)


async def test_one_without_our_tags_is_told_with_what_to_do():
    with pytest.raises(AwsError) as caught:
        await send(Taken("another"))
    assert caught.value.message.startswith(SAID)
    assert f"The launch template {made().name} does not carry the tag" in caught.value.message
    assert "delete it if nothing uses it" in caught.value.message


async def test_one_that_is_ours_is_as_good_as_made():
    await send(Taken(made().name))
