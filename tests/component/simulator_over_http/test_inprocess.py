"""boto3 without sockets."""

import threading

import pytest
from botocore.config import Config
from tests.support.simulated_aws import ONCE, Invented, make_simulator

from awsbatch_simulator import inprocess
from awsbatch_simulator.faults import Effect, FaultSpec
from awsbatch_simulator.inprocess import InProcess


def test_one_client_can_be_connected_by_itself(simulator, loader):
    session = inprocess.session(simulator, loader=loader)
    client = session.client("sts", config=ONCE)
    InProcess(simulator).connect(client)
    assert client.get_caller_identity()["Account"] == "111122223333"


def test_boto3s_own_retries_run_as_usual(simulator, loader):
    simulator.world.services["batch"] = Invented(DescribeJobs=lambda *_: {"jobs": []})
    simulator.world.faults.add(
        FaultSpec(effect=Effect.ERROR, code="ServerException", status=500, times=1)
    )
    retrying = Config(retries={"mode": "standard", "total_max_attempts": 2})
    client = inprocess.session(simulator, loader=loader).client("batch", config=retrying)
    answer = client.describe_jobs(jobs=["1"])
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert simulator.dispatcher.calls.count("batch", "DescribeJobs") == 2


def test_paginators_run_as_usual(simulator, client):
    def list_jobs(_caller, request):
        page = int(request.get("nextToken", "0"))
        jobs = [{"jobId": str(page), "jobName": "a"}]
        return {"jobSummaryList": jobs} | ({"nextToken": str(page + 1)} if page < 2 else {})

    simulator.world.services["batch"] = Invented(ListJobs=list_jobs)
    pages = client("batch").get_paginator("list_jobs").paginate(jobQueue="q")
    assert [page["jobSummaryList"][0]["jobId"] for page in pages] == ["0", "1", "2"]


def test_many_threads_with_many_clients_see_one_world(loader):
    simulator = make_simulator(limits=False)
    done: list[str] = []

    def submit(_caller, request):
        count = len(done)
        done.append(request["jobName"])
        assert len(done) == count + 1  # nobody comes between
        return {"jobId": "1", "jobName": "a"}

    simulator.world.services["batch"] = Invented(SubmitJob=submit)
    session = inprocess.session(simulator, loader=loader)
    clients = [session.client("batch", config=ONCE) for _ in range(4)]

    def work(client):
        for number in range(50):
            client.submit_job(jobName=f"j{number}", jobQueue="q", jobDefinition="d")

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 200
    assert simulator.dispatcher.calls.count("batch", "SubmitJob", "OK") == 200


def test_a_test_can_step_the_clock_before_each_call_and_stop_one(simulator, loader):
    seen = []

    def on_call(service: str, operation: str) -> None:
        seen.append((service, operation, simulator.world.clock.now()))
        simulator.world.advance(2)
        if len(seen) == 3:
            raise ConnectionError

    transport = InProcess(simulator, on_call=on_call)
    sts = inprocess.session(simulator, transport, loader=loader).client("sts", config=ONCE)
    sts.get_caller_identity()
    sts.get_caller_identity()
    with pytest.raises(ConnectionError):
        sts.get_caller_identity()
    assert [(service, operation) for service, operation, _ in seen] == [
        ("sts", "GetCallerIdentity")
    ] * 3
    assert seen[2][2] - seen[0][2] == 4
    assert simulator.dispatcher.calls.count("sts") == 2


def test_the_same_seed_and_the_same_calls_give_the_same_world(loader):
    def run() -> list[str]:
        sts = inprocess.session(make_simulator(), loader=loader).client("sts", config=ONCE)
        first = sts.get_caller_identity()
        key = sts.get_session_token()["Credentials"]
        return [first["ResponseMetadata"]["RequestId"], first["UserId"], key["AccessKeyId"]]

    assert run() == run()


def test_what_is_due_in_a_live_world_has_happened_before_a_call_is_handled(loader):
    simulator = make_simulator(stepped=False)
    happened: list[int] = []
    simulator.world.services["batch"] = Invented(
        DescribeJobs=lambda *_: {"jobs": [{"jobId": str(len(happened))}]}
    )
    simulator.world.post(lambda: happened.append(1))
    client = inprocess.session(simulator, loader=loader).client("batch", config=ONCE)
    assert client.describe_jobs(jobs=["1"])["jobs"] == [{"jobId": "1"}]


def test_the_environments_credentials_take_no_part(simulator, loader, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "somebodys")
    sts = inprocess.session(simulator, loader=loader).client("sts", config=ONCE)
    assert sts.get_caller_identity()["Account"] == "111122223333"
