"""Faults on request: each effect, and which calls it strikes."""

import time

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from pydantic import ValidationError
from tests.support.simulated_aws import ONCE, Invented, http_session, make_simulator, served

from awsbatch_simulator import inprocess
from awsbatch_simulator.calls import DROPPED_AFTER, DROPPED_BEFORE
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.faults import Effect, FaultSpec
from awsbatch_simulator.inprocess import InProcess


class Jobs:
    """Counts the submissions that were really done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def __call__(self, _caller, request):
        self.done.append(request["jobName"])
        return {"jobId": "1", "jobName": request["jobName"]}


@pytest.fixture
def jobs(simulator):
    made = Jobs()
    simulator.world.services["batch"] = Invented(SubmitJob=made)
    return made


def submit(batch, name="a", **more):
    return batch.submit_job(jobName=name, jobQueue="q", jobDefinition="d", **more)


def outcome(batch, name="a", **more):
    try:
        submit(batch, name, **more)
    except ClientError as error:
        return error.response["Error"]["Code"]
    except ConnectionClosedError:
        return "dropped"
    return "OK"


def test_an_error_has_the_code_message_and_status_that_were_asked_for(simulator, client, jobs):
    simulator.world.faults.add(
        FaultSpec(effect=Effect.ERROR, code="ServerException", message="Try again", status=503)
    )
    with pytest.raises(ClientError, match="Try again") as error:
        submit(client("batch"))
    assert error.value.response["Error"]["Code"] == "ServerException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert jobs.done == []


@pytest.mark.parametrize(
    ("effect", "code"),
    [(Effect.THROTTLE, "TooManyRequestsException"), (Effect.DENY, "AccessDeniedException")],
)
def test_throttling_and_denial_are_said_in_the_services_words(
    simulator, client, jobs, effect, code
):
    simulator.world.faults.add(FaultSpec(effect=effect))
    assert outcome(client("batch")) == code
    assert jobs.done == []


def test_a_denial_names_the_action_and_the_identity(simulator, client, jobs):
    simulator.world.faults.add(FaultSpec(effect=Effect.DENY))
    with pytest.raises(ClientError, match=r"user/sandbox is not authorized .* batch:SubmitJob"):
        submit(client("batch"))


def test_a_connection_dropped_before_does_nothing_and_after_does_it_all(simulator, client, jobs):
    simulator.world.faults.add(FaultSpec(effect=Effect.DROP_BEFORE, match={"jobName": "before"}))
    simulator.world.faults.add(FaultSpec(effect=Effect.DROP_AFTER, match={"jobName": "after"}))
    batch = client("batch")
    assert outcome(batch, "before") == "dropped"
    assert jobs.done == []
    assert outcome(batch, "after") == "dropped"
    assert jobs.done == ["after"]
    calls = simulator.dispatcher.calls
    assert calls.count("batch", "SubmitJob", DROPPED_BEFORE) == 1
    assert calls.count("batch", "SubmitJob", DROPPED_AFTER) == 1


def test_a_refusal_whose_answer_is_lost_counts_as_the_refusal_that_it_is(simulator, client):
    def refuse(_caller, _request):
        raise AwsFailure("ClientException", "No.", 400)

    simulator.world.services["batch"] = Invented(SubmitJob=refuse)
    simulator.world.faults.add(FaultSpec(effect=Effect.DROP_AFTER))
    assert outcome(client("batch")) == "dropped"
    calls = simulator.dispatcher.calls
    assert calls.count("batch", "SubmitJob", DROPPED_AFTER) == 0
    assert calls.count("batch", "SubmitJob", "ClientException") == 1


def test_over_http_a_dropped_connection_is_closed_without_an_answer(loader):
    simulator = make_simulator()
    jobs = Jobs()
    simulator.world.services["batch"] = Invented(SubmitJob=jobs)
    simulator.world.faults.add(FaultSpec(effect=Effect.DROP_BEFORE, match={"jobName": "before"}))
    simulator.world.faults.add(FaultSpec(effect=Effect.DROP_AFTER, match={"jobName": "after"}))
    with served(simulator) as url:
        batch = http_session(simulator, loader).client("batch", endpoint_url=url, config=ONCE)
        assert [outcome(batch, name) for name in ("first", "before", "after", "last")] == [
            *("OK", "dropped", "dropped", "OK")
        ]
        batch.close()
    assert jobs.done == ["first", "after", "last"]


def test_a_fault_strikes_as_often_as_asked_and_lets_the_first_ones_pass(simulator, client, jobs):
    simulator.world.faults.add(FaultSpec(effect=Effect.THROTTLE, skip=2, times=2))
    batch = client("batch")
    assert [outcome(batch) for _ in range(6)] == [
        *("OK", "OK", "TooManyRequestsException", "TooManyRequestsException", "OK", "OK")
    ]


@pytest.mark.parametrize(
    ("spec", "strikes"),
    [
        ({"service": "batch", "operation": "Submit*"}, True),
        ({"service": "ecs"}, False),
        ({"operation": "DescribeJobs"}, False),
        ({"principal": "*:user/sandbox"}, True),
        ({"principal": "*:assumed-role/*"}, False),
        ({"match": {"jobName": "atmos-*"}}, True),
        ({"match": {"jobName": "ocean-*"}}, False),
        ({"match": {"tags.team": "climate"}}, True),
        ({"match": {"dependsOn.jobId": "22"}}, True),
        ({"match": {"dependsOn.jobId": "33"}}, False),
        ({"match": {"jobName": "atmos-*", "jobQueue": "other"}}, False),
        ({"match": {"absent": "*"}}, False),
        ({"unless": {"jobName": "atmos-*"}}, False),
        ({"unless": {"jobName": "ocean-*", "absent": "*"}}, True),
        ({"unless": {"jobName": "ocean-*", "dependsOn.jobId": "22"}}, False),
        ({"match": {"jobName": "atmos-*"}, "unless": {"tags.team": "climate"}}, False),
    ],
)
def test_a_fault_strikes_only_what_it_matches(simulator, client, jobs, spec, strikes):
    simulator.world.faults.add(FaultSpec(effect=Effect.THROTTLE, **spec))
    done = outcome(
        client("batch"),
        "atmos-1",
        tags={"team": "climate"},
        dependsOn=[{"jobId": "11"}, {"jobId": "22"}],
    )
    assert done == ("TooManyRequestsException" if strikes else "OK")


def test_a_delay_shorter_than_the_timeout_only_passes_time(simulator, client, jobs):
    simulator.world.faults.add(FaultSpec(effect=Effect.DELAY, seconds=5))
    before = simulator.world.clock.now()
    submit(client("batch"))
    assert simulator.world.clock.now() - before == 5


def test_a_delay_longer_than_the_timeout_does_the_work_after_the_client_gave_up(
    simulator, loader, jobs
):
    simulator.world.faults.add(FaultSpec(effect=Effect.DELAY, seconds=30))
    transport = InProcess(simulator, read_timeout=10)
    batch = inprocess.session(simulator, transport, loader=loader).client("batch", config=ONCE)
    with pytest.raises(ReadTimeoutError):
        submit(batch, "late")
    simulator.world.advance(29)
    assert jobs.done == []
    simulator.world.advance(2)
    assert jobs.done == ["late"]


def test_over_http_a_delay_holds_up_nobody_else(loader):
    simulator = make_simulator(stepped=False)
    jobs = Jobs()
    simulator.world.services["batch"] = Invented(SubmitJob=jobs)
    slow = FaultSpec(effect=Effect.DELAY, seconds=30, match={"jobName": "slow"})
    simulator.world.faults.add(slow)
    impatient = ONCE.merge(type(ONCE)(read_timeout=0.2))
    with served(simulator) as url:
        session = http_session(simulator, loader)
        batch = session.client("batch", endpoint_url=url, config=impatient)
        with pytest.raises(ReadTimeoutError):
            submit(batch, "slow")
        started = time.monotonic()
        submit(batch, "quick")
        assert time.monotonic() - started < 5
        batch.close()
    assert jobs.done == ["quick"]


def test_hidden_things_are_asked_for_by_service_and_operation(simulator):
    faults = simulator.world.faults
    assert faults.hidden_seconds("batch", "DescribeJobs") == 0
    faults.add(FaultSpec(effect=Effect.HIDE, operation="DescribeJobs", seconds=4, times=1))
    assert faults.hidden_seconds("batch", "ListJobs") == 0
    assert faults.hidden_seconds("batch", "DescribeJobs") == 4
    assert faults.hidden_seconds("batch", "DescribeJobs") == 0


def test_a_fault_of_the_world_holds_for_what_it_matches(simulator):
    faults = simulator.world.faults
    faults.add(FaultSpec(effect=Effect.WORLD, name="insufficient_capacity", match={"zone": "*-1a"}))
    assert faults.active("insufficient_capacity", zone="eu-central-1a", type="m7i.large")
    assert not faults.active("insufficient_capacity", zone="eu-central-1b", type="m7i.large")
    assert not faults.active("agent_never_joins", zone="eu-central-1a")


@pytest.mark.parametrize(
    "spec",
    [
        {"effect": "explode"},
        {"effect": "world"},
        {"effect": "world", "name": "agent_newer_joins"},
        {"effect": "hide", "operation": "DescribeJobQueues", "seconds": 1},
        {"effect": "delay"},
        {"effect": "error", "status": 200},
        {"effect": "throttle", "times": 0},
        {"effect": "throttle", "job": "x"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(spec):
    with pytest.raises(ValidationError):
        FaultSpec.model_validate(spec)
