"""When something may last have been made for an object: as this process knows it."""

from contextlib import suppress

import pytest
from tests.support.clock import SteppedClock
from tests.unit.kinds.values import resource

from awsbatch_operator.api.scope import LeadershipStart, LeaseLostError, NoTokenError
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kinds.lasting import ApiCall
from awsbatch_operator.kinds.sent import KEPT_SECONDS, Sent

KEY, OTHER = resource("JobQueue").key, resource("JobQueue", name="other").key
CREATE, UPDATE = ApiCall("CreateJobQueue", {}), ApiCall("UpdateJobQueue", {})


def refused(*, unknown: bool) -> AwsError:
    return AwsError(ErrorKind.DENIED, operation="x", message="no", outcome_unknown=unknown)


async def sent_after_a_minute(call: ApiCall, error: BaseException | None) -> bool:
    """Whether the call counts, which was made a minute after the lease was won."""
    clock, leadership = SteppedClock(), LeadershipStart()
    leadership.at = clock.now()
    calls = Sent(clock, leadership)
    await clock.advance(60)
    with suppress(BaseException), calls.sending(KEY, call):
        await clock.advance(1)
        if error is not None:
            raise error
    assert calls.last(OTHER) == leadership.at
    assert calls.last(KEY) in {leadership.at, clock.now()}
    return calls.last(KEY) == clock.now()


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (None, True),
        (refused(unknown=True), True),
        (KeyboardInterrupt(), True),
        (refused(unknown=False), False),
        (NoTokenError(1.0), False),
        (LeaseLostError(), False),
    ],
    ids=["done", "unknown", "broken off", "refused", "no token", "no lease"],
)
async def test_a_call_that_makes_something_counts_unless_aws_has_surely_not_done_it(error, counts):
    assert await sent_after_a_minute(CREATE, error) is counts


async def test_a_call_that_makes_nothing_does_not_count():
    assert not await sent_after_a_minute(UPDATE, None)


async def test_nothing_is_known_before_the_lease_is_won_and_nothing_is_kept_for_ever():
    clock, leadership = SteppedClock(), LeadershipStart()
    calls = Sent(clock, leadership)
    with calls.sending(KEY, CREATE):
        pass
    assert calls.last(KEY) is None
    leadership.at = clock.now()
    await clock.advance(KEPT_SECONDS + 1)
    with calls.sending(OTHER, CREATE):
        pass
    assert calls.last(KEY) == leadership.at
    assert len(calls._last) == 1
