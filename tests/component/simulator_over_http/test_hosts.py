"""Hosts in a simulator as it is served: their boots, the settings about them, and their notices."""

import json

import pytest
from tests.simulator.hosts import executing
from tests.support.deadline import wait_until
from tests.support.simulated_aws import ONCE, admin, http_session, make_simulator, request, served

from awsbatch_simulator import __main__ as program
from awsbatch_simulator.host import execution

SCRIPT = """#!/bin/sh
echo ECS_CLUSTER=mine >> /etc/ecs/ecs.config
echo it was executed
"""


def launch(session, url, **fields):
    ec2 = session.client("ec2", endpoint_url=url, config=ONCE)
    answer = ec2.run_instances(
        ImageId="ami-12c6146b", InstanceType="m7i.large", MinCount=1, MaxCount=1,
        IamInstanceProfile={"Name": "ecsInstanceRole"}, **fields,
    )  # fmt: skip
    ec2.close()
    return answer["Instances"][0]["InstanceId"]


@executing
def test_a_live_simulator_boots_an_instance_beside_its_clock(loader):
    simulator = make_simulator(stepped=False, limits=False)
    with served(simulator) as url:
        session = http_session(simulator, loader)
        changes = {"hosts": {"userData": "execute"}, "speed": 1000}
        simulator.world.change(simulator.world.settings.patched(changes))  # as its start does
        ecs = session.client("ecs", endpoint_url=url, config=ONCE)
        ecs.create_cluster(clusterName="mine")
        instance_id = launch(session, url, UserData=SCRIPT)

        def arns():
            return ecs.list_container_instances(cluster="mine")["containerInstanceArns"]

        wait_until(arns, "it has joined")
        found = ecs.describe_container_instances(cluster="mine", containerInstances=arns())
        assert found["containerInstances"][0]["ec2InstanceId"] == instance_id
        ecs.close()
        state = admin(url, simulator, "GET", "state")
        assert state["userData"] == {"mode": "execute", "why": "", "executed": 1}
        [region] = [each for each in state["regions"] if each["region"] == "eu-central-1"]
        assert region["ecs"]["clusters"]["mine"]["containerInstances"] == 1
        host = admin(url, simulator, "GET", f"hosts/{instance_id}")
        assert (host["bootEnded"], host["executed"], host["trouble"]) == (True, True, "")
        assert host["ecsConfig"] == "ECS_CLUSTER=mine\n"
        assert "it was executed" in host["console"]


def test_an_agent_that_does_not_register_is_listed_with_the_reason(simulator, url, session):
    instance_id = launch(session, None, UserData=SCRIPT)
    admin(url, simulator, "POST", "clock", {"advanceSeconds": 60})
    state = admin(url, simulator, "GET", "state")
    assert state["userData"]["mode"] == "interpret"
    [region] = [each for each in state["regions"] if each["region"] == "eu-central-1"]
    assert "Cluster not found" in region["ecs"]["agentsNotRegistered"][instance_id]
    host = admin(url, simulator, "GET", f"hosts/{instance_id}")
    assert (host["executed"], host["ecsConfig"]) == (False, "ECS_CLUSTER=mine\n")
    assert "Cluster not found" in host["trouble"]
    assert state["userData"]["executed"] == 0


def test_interpreting_is_never_turned_into_executing_while_it_runs(simulator, url):
    headers = {"Authorization": f"Bearer {simulator.admin_token}"}
    for mode in ("auto", "execute"):
        body = {"hosts": {"userData": mode}}
        status, _, content = request(url, "PUT", "/_simulator/settings", body, headers)
        assert status == 409
        assert "--user-data" in json.loads(content)["message"]
    assert simulator.world.settings.hosts.user_data == "interpret"


def test_notices_reach_the_queue_of_their_account_and_region(simulator, url, session):
    change = {"notices": {"queue": "interruptions"}}
    admin(url, simulator, "PUT", "settings", change)
    launch(session, None)  # nobody has made a queue: the notice is lost
    sqs = session.client("sqs", config=ONCE)
    queue = sqs.create_queue(QueueName="interruptions")["QueueUrl"]
    instance_id = launch(session, None)
    [message] = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    event = json.loads(message["Body"])
    assert event["detail"] == {"instance-id": instance_id, "state": "pending"}
    elsewhere = session.client("sqs", region_name="us-east-1", config=ONCE)
    other = elsewhere.create_queue(QueueName="interruptions")["QueueUrl"]
    admin(url, simulator, "POST", "clock", {"advanceSeconds": 30})
    assert "Messages" not in elsewhere.receive_message(QueueUrl=other)


def test_it_does_not_start_in_ci_where_user_data_could_only_be_interpreted(monkeypatch):
    monkeypatch.setattr(execution, "trouble", lambda: "no user namespaces")
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr("sys.argv", ["awsbatch_simulator"])
    monkeypatch.setattr("gc.set_threshold", lambda *_: None)
    with pytest.raises(SystemExit, match="--user-data interpret"):
        program.main()
