"""Which jobs wait for an environment, and in which order they are served."""

import time

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.capacity.values import NOW

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.capacity.demand import (
    QueueView,
    Size,
    WaitingJob,
    needs,
    queue_view,
    shortest_timeout,
    waiting_job,
)

ENVIRONMENT = "arn:aws:batch:eu-central-1:1:compute-environment/ours"
OTHER = "arn:aws:batch:eu-central-1:1:compute-environment/other"
SMALL, BIG = Size(1.0, 1000, 0, None), Size(8.0, 9000, 0, None)


def job(name, size=SMALL, *, ago=100.0, **fields):
    return WaitingJob(job_id=name, size=size, since=NOW.plus(-ago), **fields)


def queue(*jobs, name="main", priority=1, state="ENABLED", environments=(ENVIRONMENT,), **fields):
    return QueueView(
        name=name,
        priority=priority,
        state=state,
        environments=environments,
        jobs=jobs,
        **fields,
    )


def wanted(*queues, overflow=120):
    return needs(queues, ENVIRONMENT, overflow, NOW)


def order(*queues):
    return [name for each in wanted(*queues) for name in each.jobs]


def test_jobs_of_every_enabled_queue_that_contains_the_environment_count():
    found = wanted(
        queue(job("a"), name="one"),
        queue(job("b"), name="two"),
        queue(job("c"), name="off", state="DISABLED"),
        queue(job("d"), name="elsewhere", environments=(OTHER,)),
    )
    assert [(each.count, each.jobs) for each in found] == [(2, ("a", "b"))]


def test_behind_another_environment_only_jobs_that_waited_longer_than_the_overflow_count():
    behind = queue(job("new", ago=120), job("old", ago=121), environments=(OTHER, ENVIRONMENT))
    assert order(behind) == ["old"]
    first = queue(job("new", ago=0), environments=(ENVIRONMENT, OTHER))
    assert order(first) == ["new"]


def test_the_queue_of_the_highest_priority_goes_first_then_age():
    low = queue(job("old", BIG, ago=900), name="low", priority=1)
    high = queue(job("young", ago=1), job("older", BIG, ago=2), name="high", priority=9)
    assert order(low, high) == ["older", "young", "old"]


def test_the_share_with_the_least_use_by_weight_goes_first():
    jobs = (
        job("a1", share="a", ago=9),
        job("a2", BIG, share="a", ago=8),
        job("b1", BIG, share="b"),
    )
    assert order(queue(*jobs, shares={})) == ["a1", "b1", "a2"]
    assert order(queue(*jobs, shares={}, in_use={"b": 100.0})) == ["a1", "a2", "b1"]
    assert order(queue(*jobs, shares={"b*": 0.001}, in_use={"a": 1.0, "b": 10.0}))[0] == "b1"


def test_in_a_share_the_scheduling_priority_goes_before_age():
    jobs = (job("old", ago=50), job("first", BIG, ago=1, priority=5))
    assert order(queue(*jobs, shares={})) == ["first", "old"]


def test_the_front_that_batch_names_goes_first_with_an_array_where_its_child_stands():
    jobs = (job("old", BIG, ago=50), job("array", ago=1, count=9), job("mid", BIG, ago=9))
    assert order(queue(*jobs, front=("array:3", "array:4", "mid"))) == ["array", "mid", "old"]


def test_alike_jobs_are_one_need_with_their_number_and_the_longest_wait():
    (found,) = wanted(queue(*(job(f"j{n}", ago=n) for n in range(100))))
    assert (found.count, found.waited_seconds) == (100, 99.0)
    assert found.jobs == ("j99", "j98", "j97", "j96", "j95")


def test_the_order_is_kept_at_the_front_and_the_needs_stay_few_behind_it():
    jobs = [job(f"j{n:05}", BIG if n % 2 else SMALL, ago=9000 - n) for n in range(8000)]
    found = wanted(queue(*jobs))
    assert [each.jobs[0] for each in found[:2]] == ["j00000", "j00001"]
    assert len(found) < 30
    assert sum(each.count for each in found) == 8000


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([SMALL, BIG]),
            st.integers(0, 5),
            st.sampled_from(["", "a", "b"]),
            st.integers(1, 30),
            st.integers(0, 2),
        ),
        max_size=12,
    ),
    fair=st.booleans(),
    data=st.data(),
)
def test_the_order_of_observations_does_not_matter_and_no_job_is_lost(rows, fair, data):
    jobs = [
        job(f"j{n}", size, ago=float(ago), share=share, count=count, priority=priority)
        for n, (size, ago, share, count, priority) in enumerate(rows)
    ]
    shares = {"a": 0.5} if fair else None
    one = wanted(queue(*jobs, shares=shares), queue(name="other"))
    other = wanted(queue(name="other"), queue(*data.draw(st.permutations(jobs)), shares=shares))
    assert one == other
    assert sum(each.count for each in one) == sum(each.count for each in jobs)


def test_the_shortest_timeout_is_known_when_every_waiting_job_has_one():
    timed = [job("a", Size(1.0, 10, 0, 60)), job("b", Size(1.0, 10, 0, 90))]
    assert shortest_timeout(wanted(queue(*timed))) == 60.0
    assert shortest_timeout(wanted(queue(*timed, job("c")))) is None
    assert shortest_timeout(()) is None


def detail(**fields):
    container = {
        "resourceRequirements": [
            {"type": "VCPU", "value": "0.5"},
            {"type": "MEMORY", "value": "2048"},
        ]
    }
    return {
        "jobId": "j",
        "status": "RUNNABLE",
        "createdAt": 1_800_000_000_000,
        "container": container,
        **fields,
    }


def read(body, since=None):
    found = waiting_job(body, since)
    assert found is not None
    return found


def test_a_job_is_read_from_what_batch_describes():
    found = read(detail(timeout={"attemptDurationSeconds": 60}, shareIdentifier="s"))
    assert found == WaitingJob(job_id="j", size=Size(0.5, 2048, 0, 60), since=NOW, share="s")
    seen = Instant(5.0)
    assert read(detail(), seen).since == seen


def test_the_older_fields_of_a_container_count_where_there_are_no_others():
    found = read(detail(container={"vcpus": 2, "memory": 512}))
    assert found.size == Size(2.0, 512, 0, None)


def test_an_array_counts_its_children_that_wait_and_a_child_is_not_counted_twice():
    summary = {"RUNNABLE": 7, "PENDING": 3, "RUNNING": 5}
    parent = detail(status="PENDING", arrayProperties={"size": 15, "statusSummary": summary})
    assert read(parent).count == 7
    assert waiting_job(detail(arrayProperties={"index": 3})) is None
    done = detail(status="PENDING", arrayProperties={"size": 2, "statusSummary": {"RUNNING": 2}})
    assert waiting_job(done) is None


def test_a_job_of_several_containers_wants_the_sum_of_them():
    one = {
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"},
            {"type": "MEMORY", "value": "100"},
            {"type": "GPU", "value": "1"},
        ]
    }
    tasks = {"taskProperties": [{"containers": [one, one]}]}
    found = read(detail(container={}, ecsProperties=tasks))
    assert found.size == Size(2.0, 200, 2, None)


def test_jobs_for_which_no_instance_can_be_launched_do_not_count():
    assert waiting_job(detail(status="PENDING")) is None
    assert waiting_job(detail(isCancelled=True)) is None
    assert waiting_job(detail(isTerminated=True)) is None
    assert waiting_job(detail(nodeProperties={"numNodes": 2})) is None
    assert waiting_job(detail(eksProperties={"podProperties": {}}, container={})) is None


def test_a_queue_is_put_together_from_what_batch_answers():
    view = queue_view(
        {
            "jobQueueName": "main",
            "priority": 7,
            "state": "ENABLED",
            "computeEnvironmentOrder": [
                {"order": 2, "computeEnvironment": OTHER},
                {"order": 1, "computeEnvironment": ENVIRONMENT},
            ],
        },
        [job("a")],
        snapshot={
            "frontOfQueue": {"jobs": [{"jobArn": "arn:aws:batch:eu-central-1:1:job/a:3"}]},
            "queueUtilization": {
                "fairshareUtilization": {
                    "topCapacityUtilization": [
                        {
                            "shareIdentifier": "s",
                            "capacityUsage": [{"capacityUnit": "VCPU", "quantity": 4.0}],
                        }
                    ]
                }
            },
        },
        policy={"fairsharePolicy": {"shareDistribution": [{"shareIdentifier": "s"}]}},
    )
    assert view.environments == (ENVIRONMENT, OTHER)
    assert view.front == ("a:3",)
    assert (view.shares, view.in_use) == ({"s": 1.0}, {"s": 4.0})
    assert queue_view({"jobQueueName": "q", "state": "ENABLED"}, []).shares is None


def test_many_waiting_jobs_are_looked_through_quickly():
    jobs = [job(f"j{n}", Size(1.0, 1000, 0, None), ago=float(n % 977)) for n in range(5_000)]
    started = time.process_time()
    wanted(queue(*jobs))
    assert time.process_time() - started < 0.05
