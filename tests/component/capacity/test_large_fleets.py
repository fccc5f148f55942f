"""The numbers to reach of capacity: a thousand vCPUs at once, and an account at rest."""

from tests.support.instances import Fleet
from tests.support.large_fleets import burst, rest

from awsbatch_operator.aws.runner import InlineRunner
from awsbatch_operator.capacity import waiting
from awsbatch_operator.kinds.computeenvironment import instances, observe


async def test_a_thousand_vcpus_come_by_few_calls_in_three_minutes_and_all_goes_again():
    found = await burst(1_000)
    assert found.launches <= 10
    assert found.seconds <= 180
    assert found.throttled == 0
    assert 1_000 <= found.vcpus <= 1_016
    assert found.left == ()


async def test_at_rest_instances_are_read_once_a_minute_for_all_and_members_once_a_cluster():
    few, more = await rest(1, 2), await rest(3, 2)
    assert (few.running, more.running) == (2, 6)
    for found in (few, more):
        assert found.writes == 0
        assert found.changes == ()
        assert found.calls["ec2:DescribeInstances"] <= found.minutes
    own = {"batch:ListJobs", "ecs:DescribeContainerInstances", "ecs:ListContainerInstances"}
    assert more.calls["ecs:ListContainerInstances"] <= 3 * more.minutes
    assert more.calls["ecs:DescribeContainerInstances"] <= 3 * more.minutes
    shared = {name: count for name, count in more.calls.items() if name not in own}
    assert all(count <= few.calls[name] + 1 for name, count in shared.items()), shared


async def test_demand_and_plans_are_worked_out_beside_the_event_loop(monkeypatch):
    runner, seen = Aside(), []
    for module, name in ((waiting, "needs"), (observe, "planned"), (instances, "planned")):
        real = getattr(module, name)

        def noting(*given, real=real, name=name):
            seen.append((name, runner.at_work))
            return real(*given)

        monkeypatch.setattr(module, name, noting)
    there = Fleet(runner=runner)
    async with there.running():
        there.furnish(jobs=1)
        await there.run_until(lambda: there.succeeded(1))
    assert set(seen) == {("needs", True), ("planned", True)}


class Aside(InlineRunner):
    """Knows whether it is at work."""

    at_work = False

    async def run(self, work, *, priority, account):
        self.at_work = True
        try:
            return await super().run(work, priority=priority, account=account)
        finally:
            self.at_work = False
