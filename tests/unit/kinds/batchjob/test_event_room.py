"""An event has 1,024 bytes, and what mends it stands at its end."""

from typing import Any

import pytest
from tests.unit.kinds.batchjob.failure_texts import ENDS
from tests.unit.kinds.batchjob.jobs import known
from tests.unit.kinds.batchjob.start_texts import STARTS

from awsbatch_operator.engine.series import NOTE_BYTES
from awsbatch_operator.kinds.batchjob.aws_verdict import verdict
from awsbatch_operator.kinds.batchjob.failure import diagnose
from awsbatch_operator.kinds.batchjob.waiting import REMEDIES, blocked

LONG = 2000 * "ä"


def padded(detail: dict[str, Any]) -> dict[str, Any]:
    """The same end, told at more length than there is room for."""
    container = detail["container"]
    if "reason" in container:
        container = {**container, "reason": f"{container['reason']} {LONG}"}
    return {**detail, "container": container, "statusReason": f"{detail['statusReason']} {LONG}"}


@pytest.mark.parametrize("name", [*ENDS, *STARTS])
def test_the_remedy_of_a_failure_stands_in_its_event_however_much_aws_says(name):
    said = {**ENDS, **STARTS}[name]
    observed = known("FAILED", **padded(said.detail()))
    message = verdict(observed).message
    assert len(message.encode()) <= NOTE_BYTES
    assert message.rstrip(".").endswith(diagnose(observed).remedy.rstrip("."))


@pytest.mark.parametrize("code", REMEDIES)
def test_the_remedy_of_a_job_that_is_blocked_stands_in_its_event(code):
    (finding,) = blocked(f"{code} - {LONG}", ())
    assert len(finding.text().encode()) <= NOTE_BYTES
    assert REMEDIES[code] in finding.text()
