"""The AWSAccount that was recorded, where a job names another one by now."""

from dataclasses import replace

import pytest
from tests.unit.kinds.values import NOW, RECORDED, resource

from awsbatch_operator.kinds.scope_record import annotation, recorded_account, recorded_in


@pytest.mark.parametrize(
    ("recorded", "named", "kind", "needed"),
    [
        ("first", "second", "BatchJob", "first"),
        ("first", None, "BatchJob", "first"),
        ("first", "first", "BatchJob", ""),
        ("", "second", "BatchJob", ""),
        ("default", None, "BatchJob", ""),
        ("first", "second", "JobQueue", ""),
    ],
)
def test_the_recorded_account_is_needed_beside_the_one_that_a_job_names_now(
    recorded, named, kind, needed
):
    spec = {"accountRef": {"name": named}} if named else {}
    written = annotation(replace(RECORDED, account=recorded), NOW)
    of = resource(kind, spec)
    assert recorded_account(of) == ""
    assert recorded_account(replace(of, annotations=written)) == needed


def test_the_account_of_a_job_that_lost_its_record_is_the_specs_only_once_it_was_submitted():
    """Until then the spec may name another account than the one that the status is about."""
    spec = {"accountRef": {"name": "second"}}
    status = {"accountId": RECORDED.account_id, "region": RECORDED.region}
    for more, account in (({}, None), ({"run": 1, "jobId": "job-1"}, "second")):
        recorded = recorded_in(resource("BatchJob", spec, status=status | more))
        assert recorded is not None
        assert recorded.account == account
