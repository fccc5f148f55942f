"""Whatever JSON can say, can be held and sent, also where orjson refuses it."""

import pytest

from awsbatch_operator.api.encoding import canonical, decoded, encoded

NESTED: dict[str, object] = {}
for _ in range(300):
    NESTED = {"a": NESTED}


@pytest.mark.parametrize("write", [encoded, canonical])
@pytest.mark.parametrize(
    "value",
    [
        {"b": 2**63, "a": -(2**63)},
        {"a": 2**70},  # of more than 64 bits: read as the nearest float, which this one is
        {"a": "half \ud83d"},
        {"\ud83d": [1, None, True, 0.5]},
        NESTED,
    ],
)
def test_what_is_written_is_read_again_as_it_was(write, value):
    assert decoded(write(value)) == value


def test_the_order_of_members_is_no_difference_whoever_writes():
    assert canonical({"b": 2**70, "a": {"d": 1, "c": 2}}) == canonical(
        {"a": {"c": 2, "d": 1}, "b": 2**70}
    )


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object()])
def test_what_is_no_json_value_is_refused(value):
    with pytest.raises(TypeError, match="JSON"):
        encoded({"a": value})


@pytest.mark.parametrize("text", ["", "{", b"\xff", "nan", "[" * 100_000])
def test_what_is_no_json_text_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the two readers have different words
        decoded(text)
