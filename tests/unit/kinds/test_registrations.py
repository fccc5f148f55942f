"""What AWS takes and never lists is registered more and more rarely, not for ever."""

from tests.support.clock import SteppedClock

from awsbatch_operator.api.scope import LeadershipStart, Scope
from awsbatch_operator.kinds.lasting import APPEARING_SECONDS
from awsbatch_operator.kinds.registrations import Registrations, Revision

SCOPE, NAME = Scope("111122223333", "eu-central-1"), "simulate"
DAY = 86_400


def revision(number: int) -> Revision:
    arn = f"arn:aws:batch:eu-central-1:111122223333:job-definition/{NAME}:{number}"
    return Revision(arn=arn, number=number, tags={}, content={})


async def test_revisions_that_are_never_listed_are_waited_for_longer_and_longer():
    clock = SteppedClock()
    known, made = Registrations(clock, LeadershipStart()), 0
    for _ in range(DAY // 30):
        if not known.revisions(SCOPE, NAME):
            made += 1
            known.answered(SCOPE, NAME, revision(made))
        await clock.advance(30)
    assert 8 < made < 40


async def test_one_that_is_listed_ends_the_doubt():
    clock = SteppedClock()
    known = Registrations(clock, LeadershipStart())
    for number in range(1, 4):
        known.answered(SCOPE, NAME, revision(number))
        while known.revisions(SCOPE, NAME):
            await clock.advance(30)
    known.answered(SCOPE, NAME, revision(4))
    known.listed(SCOPE, NAME, {revision(4).arn})
    known.answered(SCOPE, NAME, revision(5))
    await clock.advance(APPEARING_SECONDS + 1)
    assert known.revisions(SCOPE, NAME) == ()
