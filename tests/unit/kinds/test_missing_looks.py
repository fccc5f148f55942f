"""The feed shows something, and the fresh look that would tell is not made: nothing is done."""

import pytest
from tests.unit.kinds.gadget_rig import Rig
from tests.unit.kinds.gadgets import ELSEWHERE, ONE, Gadget, missing, step

from awsbatch_operator.api.scope import NoTokenError
from awsbatch_operator.aws.errors import AwsError, ErrorKind


@pytest.mark.parametrize(
    "error",
    [NoTokenError(3.0), AwsError(ErrorKind.THROTTLED, operation="Look", message="slow")],
)
@pytest.mark.parametrize("read", [None, Gadget((), ELSEWHERE)])
async def test_an_object_is_not_released_when_its_fresh_look_was_not_made(error, read):
    """The feed may have been read before the thing was made, or had these tags."""
    rig = Rig()
    rig.apply()
    rig.kind.script = missing(step("A"))
    await rig.turn()
    rig.kube.remove(ONE)
    rig.kind.feed["one"] = read
    looks = rig.kind.observe

    async def observe(*details, fresh):
        if fresh:
            raise error
        return await looks(*details, fresh=fresh)

    rig.kind.observe = observe  # type: ignore[method-assign]
    again = await rig.turn()
    assert rig.kube.exists(ONE)
    assert again.after is not None
    rig.kind.observe = looks  # type: ignore[method-assign]
    await rig.turn()
    assert "one" not in rig.kind.things
    assert not rig.kube.exists(ONE)


async def test_a_lagging_feed_takes_no_arn_away_while_aws_fails():
    rig = Rig()
    rig.apply()
    rig.kind.script = missing(step("A"))
    await rig.turn()
    rig.kind.feed["one"] = Gadget((), ELSEWHERE)  # of somebody who had the name before
    looks = rig.kind.observe

    async def observe(*details, fresh):
        if fresh:
            raise AwsError(ErrorKind.THROTTLED, operation="Look", message="slow")
        return await looks(*details, fresh=fresh)

    rig.kind.observe = observe  # type: ignore[method-assign]
    for _ in range(6):  # longer than passing trouble is kept quiet
        await rig.turn()
    assert rig.holds("Reconciling") == "Throttled"
    assert rig.status()["arn"]
