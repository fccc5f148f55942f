"""Memory of the cache, with bodies as large as those of real finished jobs."""

import gc
import json
import tracemalloc
from random import Random

from tests.support.clock import SteppedClock
from tests.unit.engine.bodies import body

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.decoded import MOST
from awsbatch_operator.engine.packing import LAST_APPLIED
from awsbatch_operator.engine.significance import significance

OBJECTS = 500
# 20,000 jobs have 100 MiB, so that the whole operator stays within 300 MiB.
BYTES_EACH = 100 * 2**20 // 20_000
DECODED_BYTES = 12 * 2**20  # of those that stay decoded besides, however many there are


def status_of(number: int, random: Random) -> dict:
    condition = {
        "status": "True",
        "observedGeneration": 1,
        "lastTransitionTime": "2027-01-15T08:00:00Z",
        "reason": "Succeeded",
        "message": "The job succeeded: exit code 0 after one attempt.",
    }
    arn = f"arn:aws:ecs:eu-central-1:111122223333:container-instance/science/{unique(random)}"
    lines = [f"step {step}: residual {unique(random)}" for step in range(12)]
    return {
        "observedGeneration": 1,
        "conditions": [{**condition, "type": name} for name in ("Complete", "Ready", "Stalled")],
        "jobId": unique(random),
        "jobName": f"simulate-{number}",
        "attempts": [{"containerInstanceArn": arn, "logStreamName": unique(random)}] * 2,
        "logs": {"lastLines": lines},
    }


def job(number: int, random: Random) -> dict:
    """Some five kilobytes of a finished job; ids differ, as real ones do."""
    spec = {
        "jobQueueRef": {"name": "main"},
        "jobDefinitionRef": {"name": "simulate"},
        "containerOverrides": {
            "command": ["python", "-m", "simulate", "--case", unique(random)],
            "environment": [{"name": f"V_{n}", "value": unique(random)} for n in range(10)],
        },
    }
    submission = json.dumps({"requestHash": unique(random), "jobName": f"simulate-{number}"})
    return body(
        ObjectKey("BatchJob", "science", f"simulate-{number}"),
        version=number + 1,
        uid=unique(random),
        spec=spec,
        status=status_of(number, random),
        annotations={LAST_APPLIED: json.dumps(spec), "awsbatch.dev/submission": submission},
        managedFields=[{"fieldsV1": dict.fromkeys(spec)}] * 3,
    )


def unique(random: Random) -> str:
    return f"{random.getrandbits(128):032x}"


def held(count: int, *, settled: bool, others: int = 0) -> int:
    """Bytes that the cache holds for so many objects, taken in after so many others."""
    cache = Cache(clock=SteppedClock(), settled=lambda _: settled, significance=significance())
    random = Random(5)
    gc.collect()
    tracemalloc.start()
    for number in range(others):
        cache.put(job(number, random))
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(others, others + count):
        cache.put(job(number, random))
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return after - before


def held_each(*, settled: bool) -> float:
    """Bytes for each object beyond those that stay decoded."""
    return held(OBJECTS, settled=settled, others=MOST) / OBJECTS


def test_a_cached_job_takes_no_more_than_its_share_of_the_memory():
    assert held_each(settled=False) < BYTES_EACH


def test_a_finished_job_takes_clearly_less_than_one_that_runs():
    assert held_each(settled=True) < 0.8 * held_each(settled=False)


def test_what_stays_decoded_takes_no_more_than_its_share_of_the_memory():
    assert held(MOST, settled=False) < MOST * BYTES_EACH + DECODED_BYTES
