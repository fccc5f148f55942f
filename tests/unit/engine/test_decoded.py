"""Objects are decoded once for each version, and only so many stay decoded."""

import pytest
from tests.support.clock import SteppedClock
from tests.unit.engine.bodies import body

from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.decoded import MOST, Decoded
from awsbatch_operator.engine.packing import pack

KEY = ObjectKey("BatchJob", "science", "one")


def is_finished(resource: Resource) -> bool:
    return "completionTime" in resource.status


@pytest.fixture
def cache():
    return Cache(clock=SteppedClock(), settled=is_finished)


def test_what_was_taken_in_is_not_decoded_again(cache):
    change = cache.put(body(KEY, version=5))
    assert cache.get(KEY) is change.resource


def test_what_the_writer_has_read_of_an_answer_is_what_everybody_gets(cache):
    answer = body(KEY, version=5)
    read = Resource.from_body(answer)
    assert cache.put(answer, own=True, resource=read).resource is read
    assert cache.get(KEY) is read


def test_a_finished_object_is_got_abridged_and_not_as_it_was_taken_in(cache):
    cache.put(body(KEY, version=5, spec={"a": 1}))
    cache.put(body(KEY, version=6, spec={"a": 1}, status={"completionTime": "now"}))
    assert cache.get(KEY).spec == {}


def test_an_object_that_has_gone_is_not_held_decoded(cache):
    cache.put(body(KEY, version=5))
    cache.drop(KEY, "uid-1")
    assert cache._decoded.last(KEY) is None


def test_of_more_objects_than_stay_decoded_those_looked_at_last_do():
    decoded = Decoded()
    keys = [KEY._replace(name=str(number)) for number in range(MOST)]
    texts = {key: pack(body(key, version=1)) for key in keys}
    for key in keys:
        decoded.get(key, texts[key])
    first = decoded.get(keys[0], texts[keys[0]])
    decoded.get(KEY, pack(body(KEY, version=1)))
    assert decoded.last(keys[1]) is None
    assert decoded.last(keys[0]) is first


def test_what_is_read_is_the_newest_however_often_and_in_which_order(cache):
    keys = [ObjectKey("JobQueue", "science", f"queue-{n}") for n in range(MOST + 9)]
    for version in ("1", "2", "3"):
        for key in keys:
            cache.put(body(key, version=int(version)))
            assert cache.get(key).resource_version == version
        for key in (*keys, *reversed(keys)):
            assert (cache.get(key).key, cache.get(key).resource_version) == (key, version)
