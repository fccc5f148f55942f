"""AWS's request limits as token buckets."""

import pytest
from botocore.exceptions import ClientError
from tests.support.simulated_aws import Invented

from awsbatch_simulator.context import Place
from awsbatch_simulator.limits import RequestLimits
from awsbatch_simulator.throttle import Throttle

HERE = Place("111122223333", "eu-central-1")


class Caller:
    """Asks a throttle as the dispatcher does."""

    def __init__(self, limits: RequestLimits | None = None) -> None:
        self.throttle = Throttle()
        self.limits = limits or RequestLimits()
        self.now = 1000.0

    def passes(self, service: str, operation: str, place: Place = HERE, **parameters) -> bool:
        return self.throttle.admits(
            self.limits,
            place=place,
            call=(service, operation),
            parameters=parameters,
            now=self.now,
        )

    def admitted(self, count: int, service: str, operation: str, **parameters) -> int:
        return sum(self.passes(service, operation, **parameters) for _ in range(count))


def test_fifty_submissions_pass_at_once_and_fifty_more_each_second():
    caller = Caller()
    assert caller.admitted(80, "batch", "SubmitJob") == 50
    caller.now += 0.5
    assert caller.admitted(80, "batch", "SubmitJob") == 25
    caller.now += 60
    assert caller.admitted(80, "batch", "SubmitJob") == 50


def test_the_other_calls_of_batch_share_one_bucket():
    caller = Caller()
    assert caller.admitted(30, "batch", "DescribeJobs") == 30
    assert caller.admitted(30, "batch", "ListJobs") == 20
    assert caller.passes("batch", "SubmitJob")


def test_each_account_and_region_has_its_own_buckets():
    caller = Caller()
    assert caller.admitted(60, "batch", "SubmitJob") == 50
    assert caller.passes("batch", "SubmitJob", Place("444455556666", "eu-central-1"))
    assert caller.passes("batch", "SubmitJob", Place("111122223333", "us-east-1"))


def test_a_launch_pays_for_the_request_and_for_each_instance():
    caller = Caller()
    assert caller.passes("ec2", "RunInstances", MinCount=1, MaxCount=990)
    assert not caller.passes("ec2", "RunInstances", MinCount=1, MaxCount=11)
    assert caller.passes("ec2", "RunInstances", MinCount=1, MaxCount=10)
    assert caller.passes("ec2", "TerminateInstances", InstanceIds=["i-1"] * 1000)
    assert not caller.passes("ec2", "TerminateInstances", InstanceIds=["i-1"])


def test_ec2_has_a_bucket_for_each_action():
    caller = Caller()
    assert caller.admitted(150, "ec2", "DescribeImages") == 100
    assert caller.admitted(150, "ec2", "DescribeSubnets") == 100
    assert caller.admitted(99, "ec2", "CreateLaunchTemplate") == 50


def test_reading_instances_without_filter_and_page_size_costs_more():
    caller = Caller()
    assert caller.admitted(150, "ec2", "DescribeInstances") == 50
    assert caller.admitted(150, "ec2", "DescribeInstances", MaxResults=100) == 100


def test_ecs_has_a_bucket_for_each_category():
    caller = Caller()
    assert caller.admitted(70, "ecs", "ListContainerInstances") == 70
    assert caller.admitted(70, "ecs", "DescribeContainerInstances") == 30
    assert caller.admitted(30, "ecs", "CreateCluster") == 20


def test_a_service_without_published_limits_is_not_limited():
    assert Caller().admitted(500, "logs", "GetLogEvents") == 500


def test_limits_can_be_switched_off():
    assert Caller(RequestLimits(enabled=False)).admitted(500, "batch", "SubmitJob") == 500


CALLS = [
    ("batch", "SubmitJob", "submit_job", {"jobName": "a", "jobQueue": "q", "jobDefinition": "d"}),
    ("ec2", "RunInstances", "run_instances", {"MinCount": 1, "MaxCount": 1}),
    ("ecs", "CreateCluster", "create_cluster", {}),
]


@pytest.mark.parametrize(
    ("call", "expected"),
    list(
        zip(
            CALLS,
            [
                ("TooManyRequestsException", 429),
                ("RequestLimitExceeded", 503),
                ("ThrottlingException", 400),
            ],
            strict=True,
        )
    ),
)
def test_beyond_the_limit_each_service_throttles_in_its_own_words(
    simulator, client, call, expected
):
    service, operation, method, parameters = call
    simulator.world.services[service] = Invented(**{operation: lambda _caller, _request: {}})
    used = client(service)
    burst = 5 if service == "ec2" else 20 if service == "ecs" else 50
    for _ in range(burst):
        getattr(used, method)(**parameters)
    with pytest.raises(ClientError) as error:
        getattr(used, method)(**parameters)
    response = error.value.response
    assert response["Error"]["Code"] == expected[0]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == expected[1]
    simulator.world.advance(1)
    getattr(used, method)(**parameters)


def test_limits_count_real_seconds_whatever_the_speed(simulator):
    """A world ten times as fast as real time does not let ten times as many calls pass."""
    world = simulator.world
    assert world.real_time() == world.clock.now()  # a stepped clock's seconds are the real ones
    world.change(world.settings.model_copy(update={"speed": 10.0}))
    before = world.real_time()
    world.advance(3)
    assert world.real_time() - before == 3
