"""Hosts that switch themselves off, hang, are ended by hand, or whose commands are made to fail."""

import base64
from typing import Any

import pytest
from tests.simulator.hosts import console, executing, joined, joining, launch, unmanaged, why
from tests.simulator.instances import instance, state

from awsbatch_simulator.faults import Effect, FaultSpec
from awsbatch_simulator.host import execution, machine
from awsbatch_simulator.host.baking import baked_of
from awsbatch_simulator.host.interpret import NOT_BUILT
from awsbatch_simulator.host.outcome import Outcome
from awsbatch_simulator.hosting import UserDataMode

EXECUTE = UserDataMode.EXECUTE
STOPS: dict[str, Any] = {"InstanceInitiatedShutdownBehavior": "stop"}
LINES = [f"line {number}\n" for number in range(1, 101)]
SCRIPT = "#!/bin/sh\nanything\n"


@pytest.fixture
def boots_end(monkeypatch):
    """Says what comes of boots, none of which is really one."""

    def end(outcome: Outcome) -> None:
        monkeypatch.setattr(execution, "execute", lambda _: outcome)

    monkeypatch.setattr(execution, "trouble", lambda: "")
    return end


def posted(cloud: Any, instance_id: str) -> str:
    answer = cloud("GetConsoleOutput", InstanceId=instance_id)
    return base64.b64decode(answer.get("Output", "")).decode()


@pytest.mark.parametrize(
    ("behaviour", "first", "last"),
    [("stop", "stopping", "stopped"), ("terminate", "shutting-down", "terminated")],
)
def test_a_host_goes_off_by_itself_when_its_script_is_done(boots_end, behaviour, first, last):
    boots_end(Outcome("".join(LINES), calls=(("systemctl", "--no-block", "poweroff"),)))
    cloud = unmanaged(user_data=EXECUTE)
    fields = {"InstanceInitiatedShutdownBehavior": behaviour}
    instance_id = launch(cloud, SCRIPT, seconds=20 + 60, **fields)  # half of delays.image_build
    assert state(cloud, instance_id) == "running"
    assert "line 4" in console(cloud, instance_id)
    assert "line 70" not in console(cloud, instance_id)
    cloud.step(59.9)
    assert state(cloud, instance_id) == "running"
    assert why(cloud, instance_id) == ""  # its agent waits for the end of cloud-init
    cloud.step(0.2)
    assert state(cloud, instance_id) == first
    cloud.step(20)
    shown = instance(cloud, instance_id)
    assert shown["State"]["Name"] == last
    assert shown["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
    assert console(cloud, instance_id).endswith("line 100\n")
    assert "line 100" not in posted(cloud, instance_id)
    cloud.step(60)
    assert posted(cloud, instance_id).endswith("line 100\n")
    assert joined(cloud) == []


def test_a_host_that_is_ended_by_hand_says_no_more(boots_end):
    boots_end(Outcome("".join(LINES), calls=(("poweroff",),)))
    cloud = unmanaged(user_data=EXECUTE)
    instance_id = launch(cloud, SCRIPT, **STOPS)
    cloud("StopInstances", InstanceIds=[instance_id])
    cloud.step(500)
    shown = instance(cloud, instance_id)
    assert shown["State"]["Name"] == "stopped"
    assert shown["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    text = console(cloud, instance_id)
    assert ("line 1" in text, "line 99" in text) == (True, False)


def test_a_limit_of_its_own_cuts_what_takes_longer(boots_end):
    limit = ("systemd-run", "--unit=limit", "--on-active=60s", "poweroff")
    boots_end(Outcome("".join(LINES), calls=(limit, ("poweroff",))))
    cloud = unmanaged(user_data=EXECUTE)
    instance_id = launch(cloud, SCRIPT, seconds=200, **STOPS)
    assert state(cloud, instance_id) == "stopped"
    assert "line 99" not in console(cloud, instance_id)


def test_an_agent_waits_for_mounts_in_vain(boots_end):
    boots_end(Outcome("", unmounted=("/data",)))
    cloud = unmanaged(user_data=EXECUTE)
    instance_id = launch(cloud, SCRIPT)
    assert why(cloud, instance_id) == "ecs.service needs mounts that there are not: /data"


@executing
def test_a_fault_makes_a_command_of_certain_hosts_fail_so_often():
    cloud = unmanaged(user_data=EXECUTE)
    spec = FaultSpec(
        effect=Effect.WORLD,
        name="host_command_fails",
        match={"command": "docker", "arguments": "pull ubuntu*", "instanceType": "m7i.*"},
        message="toomanyrequests: You have reached your pull rate limit",
        exit_code=7,
        times=3,
    )
    made = cloud.world.faults.add(spec)
    script = "#!/bin/bash\nfor i in 1 2; do docker pull ubuntu; echo rc=$?; done\n"
    first = launch(cloud, script)
    assert console(cloud, first).count("pull rate limit\nrc=7") == 2
    assert (made.seen, made.struck) == (2, 2)
    second = launch(cloud, script)
    assert [console(cloud, second).count(each) for each in ("rc=7", "rc=0")] == [1, 1]
    assert made.spent


@pytest.mark.parametrize(
    ("about", "hosts"),
    [
        ({}, ["m7i.large", "m5.large"]),
        ({"instanceType": "m7i.*"}, ["m7i.large"]),
        ({"tags": "role=builder"}, ["m5.large"]),
        ({"imageId": "ami-2"}, []),
    ],
)
def test_faults_of_hosts_hold_for_those_that_they_name(about, hosts):
    cloud = unmanaged()
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "role", "Value": "builder"}]}]
    launched = (launch(cloud), launch(cloud, InstanceType="m5.large", TagSpecifications=tags))
    for name, match in (("host_command_fails", "command"), ("no_way_to_host", "host")):
        cloud.world.faults.add(
            FaultSpec(effect=Effect.WORLD, name=name, match={match: "d*"} | about)
        )
    struck = [cloud.region.ec2.instances[each] for each in launched]
    orders = {each.type: machine.command_faults(cloud.region, each) for each in struck}
    ways = {each.type: machine.about(cloud.region, each, None)["unreachable"] for each in struck}
    assert [name for name, found in orders.items() if found] == hosts
    assert [name for name, found in ways.items() if found == ["d*"]] == hosts


@executing
def test_what_hangs_runs_on_until_its_own_limit_ends_it():
    cloud = unmanaged(user_data=EXECUTE)
    script = """#!/bin/bash
systemd-run --on-active=600s /bin/sh -c 'echo over > /dev/console; poweroff'
exec > >(tee /var/log/mine) 2>&1
timeout 3600 sleep infinity
"""
    instance_id = launch(cloud, script, seconds=619, **STOPS)
    assert state(cloud, instance_id) == "running"
    assert "The boot hangs" in console(cloud, instance_id)
    assert "over" not in console(cloud, instance_id)
    cloud.step(41)
    assert state(cloud, instance_id) == "stopped"
    assert "over" in console(cloud, instance_id)


@executing
def test_what_hangs_without_a_limit_runs_on_for_ever():
    cloud = unmanaged(user_data=EXECUTE)
    instance_id = launch(cloud, "#!/bin/bash\nsleep infinity | cat\n", seconds=90_000, **STOPS)
    assert state(cloud, instance_id) == "running"
    assert "The boot hangs" in why(cloud, instance_id)


@executing
def test_of_a_script_that_switches_its_host_off_little_follows_but_its_traps():
    cloud = unmanaged(user_data=EXECUTE)
    script = """#!/bin/bash
trap 'sleep 1; echo trapped' EXIT
trap 'exit 143' TERM
bash -c 'poweroff; echo at once; sleep 1; echo LATER'
echo LATER
"""
    instance_id = launch(cloud, script, seconds=200, **STOPS)
    text = console(cloud, instance_id)
    assert state(cloud, instance_id) == "stopped"
    assert [each in text for each in ("at once", "trapped", "LATER")] == [True, True, False]


@executing
def test_a_host_that_restarts_goes_on_with_what_is_for_each_boot_and_not_with_its_script():
    cloud = unmanaged(user_data=EXECUTE)
    config = (
        "#cloud-config\nbootcmd:\n- ls /run/mine /opt/mine; grep -ow nosmt /proc/cmdline; nproc\n"
    )
    script = """runcmd:
- touch /run/mine /opt/mine
- grubby --update-kernel=ALL --args=nosmt
- systemd-run --on-active=60 poweroff
- reboot
- sleep 1
- echo NEVER
"""
    instance_id = launch(cloud, config + script, seconds=200, **STOPS)
    first, _, second = console(cloud, instance_id).partition("The host restarts")
    assert "/opt/mine" not in first.replace("'/opt/mine': No such", "")
    assert "/opt/mine\nnosmt\n1\n" in second
    assert "'/run/mine': No such file" in second
    assert "NEVER" not in first + second
    assert state(cloud, instance_id) == "running"  # the timer is gone
    again = launch(cloud, "#cloud-config\nbootcmd: [reboot, sleep 9]\n")
    assert why(cloud, again) == "The host restarts again and again; the simulator gives it up"


def test_where_user_data_is_not_executed_nothing_is_built_and_the_host_runs_on():
    cloud = unmanaged()
    instance_id = launch(cloud, joining(cloud) + "systemctl --no-block poweroff\n", **STOPS)
    cloud.step(50_000)
    assert state(cloud, instance_id) == "running"
    assert NOT_BUILT in console(cloud, instance_id)
    assert cloud.region.hosts.troubles() == {instance_id: NOT_BUILT}
    assert joined(cloud) == []
    assert baked_of(cloud.region, instance_id) is None
