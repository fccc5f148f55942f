"""What of an array wakes its owner."""

from typing import Any

import pytest

from awsbatch_operator.aws.job_details import detail_mark


def counted(size: int, **counts: int) -> dict[str, Any]:
    """The detail of an array with so many children in each state."""
    summary = {"statusSummary": counts, "statusSummaryLastUpdatedAt": sum(counts.values())}
    return {"status": "PENDING", "arrayProperties": {"size": size, **summary}}


def test_the_owner_of_an_array_is_not_woken_for_each_of_its_children():
    """10,000 children end for hours, and nothing is written for each."""
    marks = [detail_mark(counted(10_000, RUNNING=1)), detail_mark(counted(10_000, RUNNING=200))]
    assert marks[0] == marks[1]
    lives = [counted(10_000, RUNNING=50, SUCCEEDED=ended) for ended in range(0, 9_951, 10)]
    assert len({detail_mark(each) for each in lives}) <= 34


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (counted(2, PENDING=2), counted(2, RUNNABLE=2)),
        (counted(9_999, RUNNING=9), counted(9_999, RUNNING=8, FAILED=1)),
        (counted(20, RUNNING=20), counted(20, RUNNING=19, SUCCEEDED=1)),
        (counted(9, RUNNABLE=9), counted(9, RUNNABLE=9) | {"statusReason": "CAPACITY"}),
    ],
)
def test_what_an_array_begins_to_do_wakes_its_owner(before, after):
    assert detail_mark(before) != detail_mark(after)
