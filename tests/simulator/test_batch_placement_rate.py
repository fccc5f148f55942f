"""How many tasks a second ECS lets Batch place, if a setting says so."""

import pytest
from tests.simulator.cloud import Cloud, serverless

from awsbatch_simulator.jobscript import JobScript

LONG = JobScript(duration_seconds=3600)


def limited(rate: float | None, *, maximum: int = 1000) -> Cloud:
    cloud = serverless(LONG, maximum=maximum)
    cloud.world.change(cloud.world.settings.model_copy(update={"placement_rate": rate}))
    return cloud


def placed(cloud: Cloud, parent: str) -> int:
    counts = cloud.job(parent)["arrayProperties"]["statusSummary"]
    return int(counts["STARTING"] + counts["RUNNING"])


@pytest.mark.parametrize(("rate", "after"), [(None, 500), (20.0, 220), (0.5, 6), (2.5, 28)])
def test_tasks_are_placed_no_faster_than_the_setting_says_and_as_fast(rate, after):
    cloud = limited(rate)
    cloud.step(30)  # what was not placed meanwhile is not saved up
    parent = cloud.submit("array", arrayProperties={"size": 500})
    cloud.step(2)
    before = placed(cloud, parent)
    cloud.step(10)
    assert placed(cloud, parent) == pytest.approx(after, abs=max(1, (rate or 0) * 1.1))
    if rate:
        assert placed(cloud, parent) - before == pytest.approx(rate * 10, abs=1)


def test_room_still_counts_before_the_rate_does():
    cloud = limited(20, maximum=50)
    parent = cloud.submit("array", arrayProperties={"size": 100})
    cloud.step(60)
    assert placed(cloud, parent) == 50


def test_the_limit_holds_for_all_queues_together_and_the_first_ones_go_first():
    cloud = limited(10)
    cloud.queue("urgent", "serverless", priority=9)
    usual = cloud.submit("array", arrayProperties={"size": 100})
    urgent = cloud.submit("array", jobQueue="urgent", arrayProperties={"size": 60})
    cloud.step(5)
    assert placed(cloud, usual) == 0
    cloud.step(10)
    assert placed(cloud, urgent) == 60
    assert 60 < placed(cloud, urgent) + placed(cloud, usual) <= 150
