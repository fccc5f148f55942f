"""Indexes of an array, as ranges and back."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsbatch_operator.kinds.batchjob.ranges import LARGEST_INDEX, parsed, shown

INDEXES = st.sets(st.integers(0, LARGEST_INDEX) | st.integers(0, 30))


@pytest.mark.parametrize(
    ("indexes", "text"),
    [
        ((), ""),
        ((0,), "0"),
        ((1, 3, 4, 5), "1,3-5"),
        ((5, 4, 3, 1, 1), "1,3-5"),
        ((0, 1), "0-1"),
        (range(10_000), "0-9999"),
    ],
)
def test_neighbours_are_joined_into_ranges(indexes: tuple[int, ...], text: str) -> None:
    assert shown(indexes) == text


@given(INDEXES)
def test_what_is_shown_is_read_back_in_order(indexes: set[int]) -> None:
    assert parsed(shown(indexes)) == tuple(sorted(indexes))


@given(INDEXES)
def test_no_index_is_named_twice_and_no_two_ranges_touch(indexes: set[int]) -> None:
    ends = [[int(end) for end in part.split("-")] for part in shown(indexes).split(",") if part]
    assert all(later[0] > earlier[-1] + 1 for earlier, later in pairwise(ends))


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "1,",
        ",1",
        " 1",
        "1, 2",
        "-1",
        "1-",
        "3-1",
        "1,1",
        "3,1",
        "1-3,3",
        "1-99999999999999999999",
        "100000",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "1\n",
    ],
)
def test_what_is_no_list_of_ranges_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is neither|is out of order"):
        parsed(text)
