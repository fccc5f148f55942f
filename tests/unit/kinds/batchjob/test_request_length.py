"""What is longer than AWS takes is refused before it is sent."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.model import ServiceModel
from botocore.serialize import create_serializer
from tests.support.one_process import aws_models
from tests.unit.kinds.batchjob.jobs import NOW, desired, job

from awsbatch_operator.kinds.batchjob.plan import plan_job
from awsbatch_operator.kinds.batchjob.request import REQUEST_BYTES, too_long

NAMED = {"jobName": "n", "jobQueue": "q", "jobDefinition": "d", "tags": {"awsbatch.dev/run": "1"}}


def body(request: dict[str, Any]) -> bytes:
    """What goes over the wire."""
    model = ServiceModel(aws_models().load_service_model("batch", "service-2"))
    made = create_serializer("rest-json").serialize_to_request(
        request, model.operation_model("SubmitJob")
    )
    return bytes(made["body"])


def with_text(character: str, count: int) -> dict[str, Any]:
    return {**NAMED, "parameters": {"text": character * count}}


@pytest.mark.parametrize(
    ("character", "wide"), [("x", 1), ('"', 2), ("\n", 2), ("é", 6), ("😀", 12)]
)
def test_the_length_is_that_of_the_body_which_aws_gets(character, wide):
    room = (REQUEST_BYTES - len(body(with_text(character, 0)))) // wide
    fits, exceeds = with_text(character, room), with_text(character, room + 1)
    assert len(body(fits)) <= REQUEST_BYTES < len(body(exceeds))
    assert too_long(fits) is None
    refused = too_long(exceeds)
    assert refused is not None
    assert f"would have {len(body(exceeds))} bytes" in refused.message


def test_nothing_is_recorded_or_sent_of_what_is_too_long_and_its_longest_part_is_named():
    spec = {
        **job().spec,
        "parameters": {"small": "x"},
        "containerOverrides": {"environment": [{"name": "A", "value": 31_000 * "x"}]},
    }
    resource = replace(job(), spec=spec)
    plan = plan_job(desired(resource), None, NOW)
    (finding,) = plan.findings
    assert (plan.steps, plan.record) == ((), {})
    assert finding.reason.name == "RequestTooLong"
    assert "Of these, containerOverrides 310" in finding.message
