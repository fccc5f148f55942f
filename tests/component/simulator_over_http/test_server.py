"""The HTTP server: whom it answers, how it starts and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from tests.support.deadline import wait_until
from tests.support.simulated_aws import (
    ONCE,
    Invented,
    admin,
    http_session,
    make_simulator,
    request,
    served,
)

from awsbatch_simulator import seeds

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def process(tmp_path):
    """A simulator as a process of its own, with its ready file."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
        ready = tmp_path / f"ready-{len(started)}.json"
        log = (tmp_path / "log").open("ab")
        command = [sys.executable, "-m", "awsbatch_simulator", "--ready-file", str(ready), *options]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "operator")}
        with log:
            running = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
        started.append(running)
        wait_until(lambda: ready.exists() or running.poll() is not None, "it is ready")
        assert running.poll() is None, (tmp_path / "log").read_text()
        return running, json.loads(ready.read_text())

    yield start
    for running in started:
        running.kill()
        running.wait()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_simulator_says_where_it_listens_and_ends_when_told(process, end, tmp_path):
    running, ready = process("--seed", "7", "--account", "444455556666", "--region", "us-east-1")
    assert ready["pid"] == running.pid
    assert (ready["accountId"], ready["region"]) == ("444455556666", "us-east-1")
    assert ready["subnetIds"] == [f"subnet-{number}" for number in range(1, 7)]
    assert ready["instanceProfileArn"].startswith("arn:aws:iam::444455556666:instance-profile/")
    assert (tmp_path / "ready-0.json").stat().st_mode & 0o077 == 0
    status, _, _ = request(ready["url"], "GET", "/_simulator/calls")
    assert status == 401
    running.send_signal(end)
    assert running.wait(10) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_jobs_really_run_and_end_with_the_simulator(process, loader):
    running, ready = process("--job-runner", "process", "--speed", "1000", "--no-limits")
    session = boto3.Session(
        ready["accessKeyId"], ready["secretAccessKey"], region_name=ready["region"]
    )
    batch = session.client("batch", endpoint_url=ready["url"])
    job = _submitted(batch, ready, ["sh", "-c", "echo pid $$; exec sleep 600"])
    logs = session.client("logs", endpoint_url=ready["url"])

    def lines() -> list[str]:
        container = batch.describe_jobs(jobs=[job])["jobs"][0].get("container", {})
        if "logStreamName" not in container:
            return []
        try:
            answer = logs.get_log_events(
                logGroupName="/aws/batch/job", logStreamName=container["logStreamName"]
            )
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in answer["events"]]

    wait_until(lines, "it has logged something")
    pid = int(lines()[0].removeprefix("pid "))
    os.kill(pid, 0)
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    batch.close()
    logs.close()


def _submitted(batch: Any, ready: dict[str, Any], command: list[str]) -> str:
    """The id of a job that runs a command, in a queue and an environment made for it."""
    batch.create_compute_environment(
        computeEnvironmentName="main",
        type="MANAGED",
        state="ENABLED",
        computeResources={
            "type": "EC2",
            "minvCpus": 0,
            "maxvCpus": 4,
            "instanceTypes": ["m7i.large"],
            "subnets": ready["subnetIds"],
            "securityGroupIds": ready["securityGroupIds"],
            "instanceRole": ready["instanceProfileArn"],
        },
    )
    environments = batch.describe_compute_environments
    wait_until(lambda: _valid(environments()["computeEnvironments"]), "it is VALID")
    order = [{"order": 1, "computeEnvironment": "main"}]
    batch.create_job_queue(jobQueueName="main", priority=1, computeEnvironmentOrder=order)
    wait_until(lambda: _valid(batch.describe_job_queues()["jobQueues"]), "it is VALID")
    container = {
        "image": "busybox",
        "command": command,
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"},
            {"type": "MEMORY", "value": "256"},
        ],
    }
    batch.register_job_definition(
        jobDefinitionName="main", type="container", containerProperties=container
    )
    answer = batch.submit_job(jobName="main", jobQueue="main", jobDefinition="main")
    job: str = answer["jobId"]
    return job


def _valid(things: list[dict[str, Any]]) -> bool:
    return bool(things[0]["status"] == "VALID")


def test_two_simulators_of_the_same_seed_have_different_credentials(process):
    (_, one), (_, other) = process("--seed", "7"), process("--seed", "7")
    assert one["url"] != other["url"]
    for secret in ("accessKeyId", "secretAccessKey", "adminToken"):
        assert one[secret] != other[secret]
        assert len(one[secret]) >= 20


def test_it_listens_on_the_loopback_address_only(simulator, url):
    port = urlsplit(url).port
    with pytest.raises(OSError, match="refused"):
        # It would be answered here if it listened on all of this machine's addresses.
        socket.create_connection(("127.0.0.2", port), timeout=2)


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:1", ""])
@pytest.mark.parametrize("path", ["/v1/describejobqueues", "/_simulator/calls"])
def test_a_request_under_another_name_is_refused(simulator, url, name, path):
    headers = {"Host": name, "Authorization": f"Bearer {simulator.admin_token}"}
    status, _, body = request(url, "GET", path, headers=headers)
    assert status == 403
    assert b"name" in body


def test_localhost_is_a_name_of_the_server(simulator, url):
    port = urlsplit(url).port
    headers = {"Host": f"LocalHost:{port}", "Authorization": f"Bearer {simulator.admin_token}"}
    assert request(url, "GET", "/_simulator/calls", headers=headers)[0] == 200


def test_an_unsigned_request_gets_an_aws_error_not_a_page(url):
    status, headers, body = request(url, "POST", "/v1/submitjob", {"jobName": "a"})
    assert status == 403
    assert headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    assert headers["x-amzn-requestid"]
    assert json.loads(body)["message"]


def test_boto3_works_over_http_and_each_call_is_counted(simulator, url, loader):
    sts = http_session(simulator, loader).client("sts", endpoint_url=url, config=ONCE)
    assert sts.get_caller_identity()["Account"] == "111122223333"
    assert simulator.dispatcher.calls.count("sts", "GetCallerIdentity", "OK") == 1
    sts.close()


def test_an_arn_in_the_path_arrives_as_it_was_sent_over_http(simulator, url, loader):
    got = []

    def tags(_caller, request):
        got.append(request["resourceArn"])
        return {"tags": {}}

    simulator.world.services["batch"] = Invented(ListTagsForResource=tags)
    batch = http_session(simulator, loader).client("batch", endpoint_url=url, config=ONCE)
    arn = "arn:aws:batch:eu-central-1:111122223333:job-definition/a b+c%2F:7"
    batch.list_tags_for_resource(resourceArn=arn)
    batch.close()
    assert got == [arn]


def test_moto_answers_over_http_too(simulator, url, loader):
    iam = http_session(simulator, loader).client("iam", endpoint_url=url, config=ONCE)
    profile = iam.get_instance_profile(InstanceProfileName="ecsInstanceRole")["InstanceProfile"]
    assert profile["Arn"] == seeds.instance_profile_arn("111122223333")
    iam.close()


def test_timers_run_when_they_fall_due_without_any_request():
    simulator = make_simulator(stepped=False)
    ran: list[float] = []
    with served(simulator):
        simulator.world.post_after(0.05, lambda: ran.append(simulator.world.clock.now()))
        wait_until(lambda: bool(ran), "the clock has called")


def test_a_timer_that_fails_does_not_stop_the_clock(failed_timers):
    simulator = make_simulator(stepped=False)
    ran: list[int] = []
    with served(simulator):
        simulator.world.post(lambda: 1 / 0)
        simulator.world.post(lambda: ran.append(1))
        wait_until(lambda: bool(ran), "the clock has called")
    assert "ZeroDivisionError" in failed_timers[0]
    failed_timers.clear()


def test_speed_makes_simulated_time_pass_faster():
    simulator = make_simulator(stepped=False)
    ran: list[int] = []
    with served(simulator) as url:
        with simulator.world.lock:
            simulator.world.clock.call_after(500, lambda: ran.append(1))
        admin(url, simulator, "PUT", "settings", {"speed": 10_000})
        wait_until(lambda: bool(ran), "the clock has called")
