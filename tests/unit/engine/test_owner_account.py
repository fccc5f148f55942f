"""To whom an object's turns are counted, whatever somebody has written into its record."""

import json

import pytest
from tests.support.clock import SteppedClock
from tests.unit.engine.bodies import body

from awsbatch_operator.api.metadata import RESOLVED, ObjectKey
from awsbatch_operator.engine.cache import Cache

KEY = ObjectKey("BatchJob", "science", "one")


@pytest.mark.parametrize(
    "record",
    [
        "[" * 100_000,
        '{"accountId":' * 50_000,
        '{"accountId":' + "[" * 1015 + "]" * 1015 + "}",
        json.dumps({"accountId": "\ud800"}),
        '{"accountId": 111122223333}',
        "[]",
        "{",
        "",
    ],
    ids=[
        "nested lists",
        "nested objects",
        "nested as deeply as JSON may be",
        "half a character",
        "a number",
        "a list",
        "no JSON",
        "nothing",
    ],
)
def test_no_record_keeps_the_cache_from_taking_an_object_in(record):
    """The watch ends with an error of whoever hears of an object, and with it the operator."""
    cache = Cache(clock=SteppedClock())
    assert cache.put(body(KEY, version=1, annotations={RESOLVED: record})) is not None
    assert cache.account(KEY) == "" or cache.account(KEY).startswith("group ")
