"""Somebody takes the annotations of a BatchJob away just when AWS has taken its submission.

The intent is gone with them, and the status does not name the job yet. If the operator then dies,
the finalizer alone says that there was an intent: it was written together with it. So a BatchJob
that is held and has no intent is looked up in AWS before anything is submitted.

Whoever takes the finalizer away as well takes all that anybody knows; that is beyond this test.
"""

import pytest
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Day, Trials, clean_calls
from tests.integration.crash.scenario import JOB, LONG_JOB, key
from tests.integration.crash.unobserved import without_annotations
from tests.support.crashing import Mode, Points

SEED = 501
AFTER_IT = 3  # calls after a submission, of the operator or of its successor


@pytest.mark.parametrize("dies", [False, True], ids=["lives", "dies"])
async def test_a_submission_whose_record_is_taken_away_is_not_repeated(dies, record_property):
    names = await clean_calls(SEED)
    submissions = [number for number, name in enumerate(names, 1) if name == "batch:SubmitJob"]
    trials, struck = Trials(), 0
    for job, submission in zip((JOB, LONG_JOB), submissions, strict=True):
        for number in range(submission, submission + AFTER_IT):
            points = Points({number: Mode.MEANWHILE})
            day = Day(SEED, points)

            def meanwhile(day: Day = day, job: dict = job) -> None:
                without_annotations(day.world, key(job))
                if dies:
                    day.points.die()

            points.meanwhile = meanwhile
            await trials.go(day.live_well(), f"at call {number}, {names[number - 1]}")
            struck += len(points.struck)
    trials.check()
    record_property(f"{POINTS} (records taken away)", struck)
