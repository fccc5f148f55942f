"""Whether a plan may have a submission is guessed before the look: a wrong guess costs a moment."""

import pytest
from tests.component.batchjob.inline_jobs import REGISTER, inline, with_queue
from tests.component.batchjob.runs import FOR_EVER, JOB, script, shown, submits
from tests.support.installation import Installation

from awsbatch_operator.kinds.batchjob import kind


async def test_a_submission_that_nobody_expected_is_looked_for_and_goes_out(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(kind, "run_may_be_sent", lambda *_: False)
    there = Installation()
    async with there.running():
        await with_queue(there)
        script(there, FOR_EVER)
        there.apply(JOB, inline("first", rerunPolicy="OnChange"))
        await there.clock.run_until(lambda: submits(there) == 1, within=10)
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=300)
        script(there, 5)
        there.apply(JOB, inline("second", rerunPolicy="OnChange"))
        await there.until(JOB, "Complete", within=300)
        assert (submits(there), there.calls.count(REGISTER)) == (2, 2)
