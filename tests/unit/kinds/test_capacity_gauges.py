"""What of `status.capacity` becomes numbers, whatever somebody has written there."""

from tests.support.clock import SteppedClock
from tests.unit.engine.bodies import body

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.kinds.computeenvironment.gauges import CapacityGauges

KEY = ObjectKey("ComputeEnvironment", "science", "own")
SPEC = {"capacity": {"pools": [{"name": "main"}]}}


def counted():
    cache, gauges = Cache(clock=SteppedClock(), settled=lambda _: False), CapacityGauges()
    cache.listen(gauges.absorb)
    return cache, gauges


def shown(*rows, spec=SPEC, version=1, key=KEY):
    return body(key, version=version, spec=spec, status={"capacity": {"pools": list(rows)}})


def test_each_pool_has_its_instances_by_stage_and_their_cost():
    cache, gauges = counted()
    cache.put(shown({"name": "main", "wanted": 3, "launched": 2, "hourlyCost": "0.25"}))
    assert dict(gauges.instances()) == {
        ("science", "own", "main", "wanted"): 3,
        ("science", "own", "main", "launched"): 2,
    }
    assert dict(gauges.costs()) == {("science", "own", "main"): 0.25}
    cache.put(shown({"name": "main", "wanted": 0}, version=2))
    assert dict(gauges.instances()) == {("science", "own", "main", "wanted"): 0}
    assert dict(gauges.costs()) == {}  # not known is not nothing


def test_an_environment_that_is_gone_or_has_no_capacity_any_more_has_no_numbers():
    cache, gauges = counted()
    row = {"name": "main", "wanted": 3}
    cache.put(shown(row))
    cache.put(shown(row, spec={}, version=2))
    assert list(gauges.instances()) == []
    cache.put(shown(row, version=3))
    assert len(list(gauges.instances())) == 1
    cache.drop(KEY, uid="uid-1")
    assert list(gauges.instances()) == []


def test_what_somebody_else_has_written_there_is_left_out_and_makes_no_labels_without_end():
    cache, gauges = counted()
    odd = [{"wanted": 1}, {"name": "main", "wanted": "many", "hourlyCost": "?", "other": 5}]
    cache.put(shown(*odd, *({"name": f"p{number}", "idle": 1} for number in range(100))))
    assert len(list(gauges.instances())) < 16
    assert list(gauges.costs()) == []
    cache.put(body(KEY, version=2, spec=SPEC, status={"capacity": "?"}))
    assert list(gauges.instances()) == []
    other = ObjectKey("JobQueue", "science", "own")
    cache.put(shown({"name": "main", "wanted": 3}, key=other))
    assert list(gauges.instances()) == []
