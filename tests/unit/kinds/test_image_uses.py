"""Who uses an image that is about to go, and how long is waited for capacity."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest
from tests.unit.kinds.images import image

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.kinds.extendedami.desired import Retention
from awsbatch_operator.kinds.extendedami.launching import LONGEST_PAUSE, pause_seconds
from awsbatch_operator.kinds.extendedami.observed import Image
from awsbatch_operator.kinds.extendedami.usage import Usage

OLD = Image(id="ami-old", name="old", state="available", verdict="Verified")
NEW = Image(
    id="ami-new", name="new", state="available", verdict="Verified", created=Instant(1_000.0)
)


class _Ports:
    """A BatchPort and an ImagePort: no environments, and references that a kept look lacks."""

    async def compute_environments(self, _: Any, *, fresh: bool = False) -> Sequence[Any]:
        del fresh
        return ()

    async def references(
        self, _: Any, ids: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Sequence[str]]:
        return dict.fromkeys(ids, ("instance i-1",) if fresh else ())


@pytest.mark.parametrize(("fresh", "uses"), [(False, ()), (True, ("instance i-1",))])
async def test_before_an_image_goes_ec2_itself_is_asked_who_uses_it(fresh, uses):
    ports: Any = _Ports()
    scope: Any = None
    found = await Usage(ports, ports).of(
        image(), scope, (OLD, NEW), Retention(1, 0), Instant(2_000.0), fresh=fresh
    )
    assert found["ami-old"] == uses


def test_the_pause_without_capacity_grows_and_stays_within_an_hour_for_ever():
    pauses = [pause_seconds(each) for each in (0, 1, 2, 4, 5_000, 10**9)]
    assert pauses == [300.0, 600.0, 1200.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
