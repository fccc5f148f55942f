"""Nodes of parallel jobs, and several containers of a task, that really run as processes."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulator import test_batch_several as several
from tests.simulator.cloud import Cloud
from tests.simulator.parallel import container, parallel
from tests.support.deadline import wait_until

from awsbatch_simulator.hosting import Hosts, UserDataMode
from awsbatch_simulator.runners.start import stop_all
from awsbatch_simulator.settings import JobRunner, Settings

NODE = """
import os, socket, sys, time
port, own = int(sys.argv[1]), os.environ["AWS_BATCH_JOB_NODE_INDEX"]
if own == os.environ["AWS_BATCH_JOB_MAIN_NODE_INDEX"]:
    listening = socket.create_server(("", port))
    for _ in range(int(os.environ["AWS_BATCH_JOB_NUM_NODES"]) - 1):
        connection, _ = listening.accept()
        print("heard of", connection.recv(10).decode(), flush=True)
else:
    main = os.environ["AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS"]
    while True:  # the main node starts first, and may not listen yet
        try:
            connection = socket.create_connection((main, port))
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    connection.sendall(own.encode())
    time.sleep(600)
"""


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    hosts = Hosts(user_data=UserDataMode.INTERPRET)
    made = Cloud(settings=Settings(job_runner=JobRunner.PROCESS, hosts=hosts))
    made.delays(job_starting=0.1)
    made.environment(minvCpus=6, instanceTypes=["m7i.large"])
    made.step(100)
    made.queue("main", "main")
    yield made
    stop_all(made.world)


def run_to_its_end(cloud: Cloud, job_id: str) -> None:
    def ended() -> bool:
        cloud.step(0.1)
        return cloud.status(job_id) in {"SUCCEEDED", "FAILED"}

    wait_until(ended, "the job has ended", seconds=20, every=0.005)


def test_nodes_find_the_main_one_by_its_address_and_are_ended_with_it(cloud, tmp_path):
    (program := Path(tmp_path) / "node.py").write_text(NODE)
    with socket.create_server(("", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-I", "-S", str(program), str(port)]
    nodes = container() | {"command": command}
    parallel(cloud, ranges=[{"targetNodes": "0:", "container": nodes}])
    job_id = cloud.submit(definition="mpi")
    run_to_its_end(cloud, job_id)
    assert cloud.status(job_id) == "SUCCEEDED"
    (attempt,) = cloud.job(job_id)["attempts"]
    lines = cloud.lines.streams[attempt["container"]["logStreamName"]]
    assert sorted(lines) == ["heard of 1", "heard of 2"]
    assert [cloud.status(f"{job_id}#{index}") for index in (1, 2)] == ["FAILED", "FAILED"]


def test_the_containers_of_a_task_run_together_and_end_with_the_essential_one(cloud):
    several.define(
        cloud,
        several.container("main", command=["sh", "-c", "echo $AWS_BATCH_JOB_ATTEMPT; exit 0"]),
        several.container("side", command=["sleep", "600"], essential=False),
    )
    job_id = cloud.submit(definition="several")
    run_to_its_end(cloud, job_id)
    found = several.shown(cloud, job_id)
    assert cloud.lines.streams[found["main"]["logStreamName"]] == ["1"]
    assert found["main"]["exitCode"] == 0
    assert found["side"]["exitCode"] in {137, 143}  # by signal 9 where 15 took too long
