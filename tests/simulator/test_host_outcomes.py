"""What recorded calls and settings of a boot mean, without any boot."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulator.hosts import joined, joining, launch, unmanaged

from awsbatch_simulator.ec2.model import InstanceState
from awsbatch_simulator.host import agent, life
from awsbatch_simulator.host.execution import Order
from awsbatch_simulator.host.interpret import interpret
from awsbatch_simulator.host.outcome import Outcome, ends_at
from awsbatch_simulator.host.plan import plan
from awsbatch_simulator.host.userdata import parts
from awsbatch_simulator.hosting import Hosts

NOON = 1_800_014_400.0  # 2027-01-15 12:00 UTC


def calls(*lines: str) -> list[tuple[str, ...]]:
    return [tuple(line.split(" ")) for line in lines]


@pytest.mark.parametrize(
    ("lines", "minutes"),
    [
        (["shutdown -P +30"], 30),
        (["shutdown"], 1),
        (["shutdown now"], 0),
        (["shutdown -h 13:30"], 90),
        (["shutdown -P 11:00"], 23 * 60),
        (["shutdown -P +30", "shutdown -P +40"], 40),
        (["shutdown -P +30", "shutdown -c"], None),
        (["shutdown -r +30"], None),
        (["shutdown -P soon"], None),
        (["systemctl poweroff"], 0),
        (["systemctl --no-block poweroff"], 0),
        (["systemctl reboot"], None),
        (["systemd-run --on-active=1h poweroff", "shutdown +5", "reboot"], None),
        (["systemctl reboot", "reboot", "systemd-run --on-active=1h poweroff"], 60),
        (["systemd-run --on-active=2h systemctl poweroff"], 120),
        (["systemd-run --on-active 90 --unit x /sbin/shutdown -P now"], 1.5),
        (["systemd-run --on-active=1h --on-calendar=@1800016200 systemctl poweroff"], 30),
        (["systemd-run --unit=x --on-active=1h poweroff", "systemctl stop x.timer"], None),
        (["systemd-run --on-active=1h echo poweroffs"], None),
        (["systemd-run --on-active=1h shutdown -r now"], None),
        (["systemd-run --on-active=later poweroff"], None),
        (["systemd-run --on-active=1h poweroff", "shutdown -P +5"], 5),
        (["dnf install shutdown"], None),
    ],
)
def test_a_host_ends_when_its_timers_say(lines, minutes):
    when = ends_at(calls(*lines), NOON)
    assert when == (None if minutes is None else NOON + minutes * 60)


@settings(max_examples=settings().max_examples // 3)
@given(st.lists(st.lists(st.sampled_from(
    ["shutdown", "systemd-run", "systemctl", "-P", "+9", "now", "9:99", "--on-active", "--unit",
     "--on-calendar=@99999999999999999999", "-c", "stop", "poweroff", "9" * 5000, "99 w", ""]),
    min_size=1, max_size=5), max_size=4))  # fmt: skip
def test_whatever_is_called_an_end_is_a_moment_to_come(found):
    when = ends_at([tuple(each) for each in found], NOON)
    assert when is None or NOON <= when < float("inf")


@pytest.mark.parametrize(
    ("lines", "starts"),
    [
        (["systemctl mask ecs"], False),
        (["systemctl disable --now ecs.service"], False),
        (["systemctl disable ecs"], True),
        (["systemctl stop docker"], False),
        (["systemctl stop ecs docker", "systemctl start --no-block ecs docker"], True),
        (["systemctl stop sshd"], True),
        (["systemctl stop ecs", "reboot"], True),
    ],
)
def test_an_agent_that_is_kept_out_does_not_start(lines, starts):
    assert Outcome("", calls=tuple(calls(*lines))).agent_starts == starts
    assert not Outcome("", stuck="hangs").agent_starts


def test_the_later_file_and_the_later_line_of_settings_count():
    config = agent.parsed(
        "ECS_CLUSTER=baked\nECS_ENABLE_GPU_SUPPORT=true\n",
        "# ECS_CLUSTER=no\nECS_CLUSTER=one\n ECS_CLUSTER = two\nECS_RESERVED_MEMORY=x\nnothing\n",
    )
    assert (config.cluster, config.gpu, config.reserved_memory) == ("two", True, 0)
    assert agent.parsed('ECS_CLUSTER="quoted"').cluster == '"quoted"'


@pytest.mark.parametrize("value", ["{", "[]", '{"a":1}', "a=b", "[" * 99_999])
def test_attributes_and_tags_that_are_no_object_of_texts_end_the_agent(value):
    for name in ("ECS_INSTANCE_ATTRIBUTES", "ECS_CONTAINER_INSTANCE_TAGS"):
        with pytest.raises(agent.BadConfigError, match=name):
            agent.parsed(f"{name}={value}")


@pytest.mark.parametrize(
    ("text", "config", "stuck"),
    [
        ("cat >> /etc/ecs/ecs.config <<EOF\nA=1\nB={}\nEOF\n", "A=1\nB={}\n", False),
        ("echo ECS_CLUSTER=x >> /etc/ecs/ecs.config\n", "ECS_CLUSTER=x\n", False),
        ('echo "ECS_CLUSTER=x y" > /etc/ecs/ecs.config\n', "ECS_CLUSTER=x y\n", False),
        ("cat > /etc/other <<EOF\nA=1\nEOF\n", "", False),
        ("echo A=1 > /etc/other\n", "", False),
        ("systemctl restart docker\n", "", True),
        ("systemctl restart --no-block docker\nsystemctl start ecs &\n", "", False),
        ("sudo shutdown -h now\n", "", True),
        ("/sbin/poweroff; exit\n", "", True),
        ("if ask; then\n  systemctl --no-block poweroff\nfi\n", "", False),
        ("echo poweroff\npoweroffs\nshutdown -P +5\n", "", False),
    ],
)
def test_the_usual_forms_are_understood_where_nothing_can_be_run(text, config, stuck):
    script = f"#!/bin/sh\n{text}".encode()
    outcome = interpret(Order(plan(parts(script)), "i-1", NOON, {}, Hosts()))
    assert (outcome.config, bool(outcome.stuck)) == (config, stuck)
    assert outcome.console.startswith("cloud-init: Interpreted, not executed")


def test_an_instance_that_was_stopped_comes_back_as_the_container_instance_that_it_was():
    cloud = unmanaged()
    script = joining(cloud) + "shutdown -P +30\n"
    instance_id = launch(cloud, script)
    job_id = cloud.submit("long")
    cloud.step(10)
    [before] = joined(cloud)
    instance = cloud.region.ec2.instances[instance_id]
    life.stopped(cloud.region, instance)
    assert cloud.job(job_id)["statusReason"] == f"Host EC2 (instance {instance_id}) stopped."
    waiting = cloud.submit("long")
    cloud.step(3600)
    assert instance.state is InstanceState.RUNNING  # its timer went with the stop
    [during] = joined(cloud)
    assert (during["status"], during["agentConnected"]) == ("ACTIVE", False)
    assert cloud.status(waiting) == "RUNNABLE"
    life.begin(cloud.region, instance, lambda *_: None)
    cloud.step(60)
    [after] = joined(cloud)
    assert after["containerInstanceArn"] == before["containerInstanceArn"]
    assert after["agentConnected"]
    assert cloud.status(waiting) == "RUNNING"
    assert cloud.world.boots.booted == 1
    assert cloud.world.boots.executed == 0  # only read


def test_a_stopped_instance_that_is_terminated_stays_registered():
    cloud = unmanaged()
    instance_id = launch(cloud, joining(cloud))
    life.stopped(cloud.region, cloud.region.ec2.instances[instance_id])
    cloud("TerminateInstances", InstanceIds=[instance_id])
    cloud.step(9000)
    assert [each["agentConnected"] for each in joined(cloud)] == [False]
