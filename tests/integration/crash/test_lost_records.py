"""Somebody takes the annotations of a BatchJob away just when AWS has taken its submission.

The intent is gone with them, and the status does not name the job yet. If the operator then dies,
the finalizer alone says that there was an intent: it was written together with it. So a BatchJob
that is held and has no intent is looked up in AWS before anything is submitted.

Whoever takes the finalizer away as well takes all that anybody knows; that is beyond this test.
"""

import pytest
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Day
from tests.integration.crash.scenario import JOB, LONG_JOB, key
from tests.integration.crash.unobserved import without_annotations
from tests.support.crashing import Mode, Points

SEED = 501
AFTER_IT = 3  # calls after a submission, of the operator or of its successor


class LostRecord(Day):
    """A day on which the record of one job's submission is taken away."""

    def __init__(self, *, dies: bool) -> None:
        super().__init__(SEED, Points())
        self._dies = dies
        self._submissions = 0  # so far
        self._since = AFTER_IT  # calls since the last of them, with it

    def is_right_after(self, name: str) -> bool:
        """Whether the call that is about to be made is a submission, or one right after it."""
        if name == "batch:SubmitJob":
            self._submissions += 1
            self._since = 0
        self._since += 1
        return self._since <= AFTER_IT

    def strike(self) -> None:
        """Let the record of the last submission go after the next call."""
        self.points.meanwhile = self._meanwhile
        self.points.strike_now(Mode.MEANWHILE)

    def _meanwhile(self) -> None:
        job = (JOB, LONG_JOB)[self._submissions - 1]
        without_annotations(self.world, key(job))
        if self._dies:
            self.points.die()


@pytest.mark.parametrize("dies", [False, True], ids=["lives", "dies"])
async def test_a_submission_whose_record_is_taken_away_is_not_repeated(
    dies, branches, record_property
):
    day = LostRecord(dies=dies)
    struck = await branches.live(
        day.live_well(),
        day.points,
        at=day.is_right_after,
        strike=day.strike,
        tell=lambda: len(day.points.struck),
    )
    assert struck == 2 * AFTER_IT
    record_property(f"{POINTS} (records taken away)", struck)
