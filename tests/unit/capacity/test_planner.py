"""Plans of capacity, carried out on a small model of AWS."""

from dataclasses import replace

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.capacity.cloud_model import Job
from tests.unit.capacity.planning_model import World
from tests.unit.capacity.small_worlds import HOUR, at_rest, block, world
from tests.unit.capacity.values import LARGE, XLARGE, pool

from awsbatch_operator.capacity.instances import Stage
from awsbatch_operator.capacity.model import Limits, Market
from awsbatch_operator.capacity.planner import plan_capacity
from awsbatch_operator.userdata.model import Given

BUSY = ("RequestLimitExceeded", "Request limit exceeded.")


def test_instances_come_for_waiting_jobs_and_go_when_they_are_done():
    made = world(jobs=40)
    first = made.turn()
    assert [step.action.operation for step in first.steps] == [
        "CreateLaunchTemplate",
        "CreateFleet",
    ]
    assert first.announce["capacity"]["wanted"].endswith("for 40 waiting jobs: 10 x r7i.xlarge")
    made.run(HOUR)
    assert all(job.done for job in made.jobs)
    assert made.alive() == []
    assert made.members == {}
    assert len(made.launches) == 1
    assert made.killed == []


def test_at_rest_nothing_is_planned_and_what_is_written_down_stays():
    made = world(jobs=3)
    made.run(HOUR)
    before = made.annotation
    plan = at_rest(made)
    assert set(plan.record.values()) == {before}
    made.step(600.0)
    assert at_rest(made).announce == plan.announce
    assert not World(wish=made.wish).plan().record  # and nothing for one that never launched


def test_user_data_that_is_seldom_meant_so_is_told_and_launched_all_the_same():
    made = world(jobs=1)
    seen = made.observed()
    body = replace(
        seen.machines["main"].user_data, given=Given(script="#!/bin/sh\n" + "#" * 14_000)
    )
    doubtful = replace(seen.machines["main"], user_data=body)
    plan = plan_capacity(
        made.wish, replace(seen, machines={"main": doubtful}), made.record(), made.now
    )
    [told] = [each for each in plan.findings if each.reason.name == "UserDataDoubtful"]
    assert "more than 90 % of the 16,384 that EC2 takes" in told.message
    assert [step.action.operation for step in plan.steps][-1] == "CreateFleet"


def test_looks_are_as_frequent_as_aws_is_quick():
    made = world()
    slow = at_rest(made)
    quick = plan_capacity(made.wish, replace(made.observed(), pace=0.1), made.record(), made.now)
    assert quick.look_again_seconds == pytest.approx(slow.look_again_seconds / 10)


def test_an_idle_instance_is_looked_at_again_when_its_time_is_over():
    made = world(pool("main", LARGE, idle_seconds=40), jobs=1, seconds=10)
    while not any(life.idle_since is not None for life in made.observed().lives):
        made.run(5, each=5)
    idle = next(life.idle_since for life in made.observed().lives)
    assert made.plan().look_again_seconds == pytest.approx(40 - made.now.since(idle))
    made.now = idle.plus(40)
    assert made.plan().steps


def test_a_launch_whose_answer_was_lost_is_looked_up_and_not_made_again():
    made = world(jobs=8, lose={1})
    made.run(HOUR)
    assert all(job.done for job in made.jobs)
    assert len(made.launches) == 1


def test_what_ec2_was_too_busy_for_is_sent_again_byte_for_byte():
    made = world(jobs=8, refusals=[BUSY, BUSY])
    made.run(HOUR)
    assert made.refused == [made.launches[0]] * 2
    assert len(made.launches) == 1


def test_a_pool_that_ec2_refuses_is_tried_rarely_and_told_with_its_field():
    denied = ("InvalidIamInstanceProfile.NotFound", "No such profile.")
    made = world(jobs=8, refusals=[denied] * 3)
    made.run(30.0)
    [told] = [each for each in made.plan().findings if each.reason.name == "PoolRefused"]
    assert "spec.capacity.pools[name=main].instanceProfile" in told.text()
    assert len(made.refused) == 1
    made.run(HOUR)
    assert len(made.refused) == 3
    assert all(job.done for job in made.jobs)


def test_a_changed_pool_sends_nothing_again_and_launches_by_its_new_template():
    made = world(jobs=8, refusals=[BUSY])
    made.turn()
    made.wish = replace(made.wish, pools=(pool("main", LARGE, XLARGE, threads_per_core=1),))
    made.run(HOUR)
    [launched] = made.launches
    assert launched["ClientToken"] != made.refused[0]["ClientToken"]


@settings(max_examples=6, deadline=None)
@given(
    jobs=st.integers(1, 60),
    most=st.integers(4, 40),
    short=st.dictionaries(st.sampled_from([LARGE.name, XLARGE.name]), st.integers(0, 3)),
    lost=st.sets(st.integers(1, 3)),
    crash=st.integers(1, 8),
)
def test_demand_is_met_within_limits_whatever_is_lost_or_crashes(jobs, most, short, lost, crash):
    pools = (pool("main", LARGE, XLARGE), pool("second", XLARGE, LARGE, priority=2))
    made = world(
        *pools, limits=Limits(max_vcpus=most), jobs=jobs, seconds=120.0, lose=lost, crash_at=crash
    )
    made.capacity = {(Market.ON_DEMAND, name, "a"): count for name, count in short.items()}
    made.run(2.5 * HOUR)
    assert all(job.done for job in made.jobs)
    assert made.most <= most
    assert made.killed == []
    tokens = [each["ClientToken"] for each in made.launches]
    assert len(tokens) == len(set(tokens))
    assert made.alive() == []
    assert made.members == {}
    at_rest(made)


def test_a_crash_after_any_step_ends_as_no_crash_does():
    whole = world(jobs=12)
    whole.run(HOUR)
    for number in range(1, whole.events + 1):
        made = world(jobs=12, crash_at=number)
        made.run(HOUR)
        assert all(job.done for job in made.jobs), number
        assert len(made.instances) == len(whole.instances), number
        assert made.alive() == [], number


def test_a_token_is_another_one_than_any_that_instances_carry_whatever_the_record_says():
    made = world(jobs=1, seconds=60.0)
    first = made.annotation
    made.run(HOUR)
    made.annotation = first  # somebody puts back what stood there before
    made.jobs.append(Job(1.0, 1000, 60.0))
    made.run(HOUR)
    tokens = [each["ClientToken"] for each in made.launches]
    assert len(tokens) == len(set(tokens)) == 2


def test_a_launch_that_is_over_and_is_put_back_as_open_is_not_sent_again():
    made = world(jobs=1, seconds=60.0)
    made.turn()
    opened = made.annotation
    assert made.record().open_intents()
    made.run(HOUR)
    made.annotation = opened
    made.since, made.answers, made.expected = made.now, {}, ()
    made.run(HOUR)
    assert made.record().open_intents() == ()
    assert len(made.launches) == 1


def test_a_deleted_environment_waits_for_tasks_and_leaves_nothing_behind():
    made = world(block(), pool("main", LARGE, drain_timeout_seconds=120), jobs=9, seconds=9000.0)
    made.run(300.0)
    assert any(job.on for job in made.jobs)
    begun = made.now
    assert made.remove(HOUR)
    assert all(at.since(begun) >= 120 for _, at in made.killed)
    assert made.alive() == []
    assert (made.members, made.templates, made.reservations) == ({}, {}, {})


def test_removal_waits_for_a_launch_that_may_still_come_to_light():
    made = world(jobs=4, lose={1})
    made.turn()
    assert made.record().open_intents()
    assert made.remove(HOUR)
    assert made.alive() == []


def test_jobs_that_fit_nothing_and_limits_are_told_with_what_mends_them():
    made = world(pool("main", LARGE), limits=Limits(max_vcpus=2), jobs=30)
    made.jobs.append(Job(64.0, 1000, 60.0))
    told = {each.reason.name: each.text() for each in made.plan().findings}
    assert "limits.maxvCpus (2)" in told["CapacityLimitReached"]
    assert "the nearest type, r7i.large" in told["JobFitsNoPool"]


def test_instances_that_end_by_themselves_are_launched_three_times_and_then_no_more():
    """Their user data shuts them down, or EC2 has no right to the key of their volumes."""
    made = world(jobs=1)

    def step(seconds):
        made.now = made.now.plus(seconds)
        for name, each in made.instances.items():
            if made.now.since(each.launched) >= 40:
                reason = "Client.InternalError"
                made.instances[name] = replace(each, state="terminated", reason=reason)

    made.step = step
    made.run(0.5 * HOUR)
    assert len(made.launches) == 3
    [told] = [each for each in made.plan().findings if each.reason.name == "PoolStopped"]
    assert "i-0002 has ended by itself (Client.InternalError)." in told.message


def test_rows_of_the_status_count_each_instance_where_it_stands():
    made = world(jobs=2, seconds=600.0)
    made.run(150.0)
    [row] = made.plan().announce["capacity"]["pools"]
    stages = [life.stage for life in made.observed().lives]
    assert stages == [Stage.SERVING]
    assert (row["wanted"], row["launched"], row["joined"], row["serving"]) == (1, 1, 1, 1)
    assert row["hourlyCost"] == "0.1"


def test_the_status_says_what_spot_costs_now_and_not_the_most_that_it_may():
    made = world(pool("main", LARGE, market=Market.SPOT, max_price_per_hour=9), jobs=1)
    made.run(150.0)
    [row] = made.plan().announce["capacity"]["pools"]
    assert row["hourlyCost"] == "0.1"


@pytest.fixture(scope="module")
def models():
    session = botocore.session.get_session()
    return {name: session.get_service_model(name) for name in ("ec2", "ecs")}


def test_every_request_is_one_that_aws_knows(models):
    seen = set()
    spot = pool("spot", LARGE, XLARGE, market=Market.SPOT, max_price_per_hour=1)
    cores = pool("cores", XLARGE, threads_per_core=1)
    worlds = [world(block(), jobs=2), world(spot, jobs=30), world(cores, jobs=3)]
    for made in worlds:
        original = made._call

        def checked(call, original=original):
            shape = models[call.service].operation_model(call.operation).input_shape
            report = ParamValidator().validate(dict(call.request), shape)
            assert not report.has_errors(), report.generate_report()
            seen.add(call.operation)
            return original(call)

        made._call = checked
        made.run(600.0)
        assert made.remove(HOUR)
    assert seen == {
        "CreateLaunchTemplate",
        "CreateFleet",
        "RunInstances",
        "TerminateInstances",
        "UpdateContainerInstancesState",
        "DeregisterContainerInstance",
        "CreateCapacityReservation",
        "CancelCapacityReservation",
        "DeleteLaunchTemplate",
    }
