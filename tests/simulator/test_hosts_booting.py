"""User data is really executed, in a root of its own, and what it leaves is what the agent reads.

These boots are processes (about 0.1 s each), so there are few of them; what can be told without
one is in test_hosts_joining.py.
"""

import threading

import pytest
from tests.simulator.hosts import (
    cluster,
    console,
    executing,
    joined,
    joining,
    launch,
    resources,
    unmanaged,
    why,
)

from awsbatch_simulator.host import boots, execution
from awsbatch_simulator.host.boots import Boots, NoNamespacesError
from awsbatch_simulator.host.console import CONSOLE_BYTES
from awsbatch_simulator.host.execution import Order, execute
from awsbatch_simulator.host.outcome import Outcome
from awsbatch_simulator.host.plan import plan
from awsbatch_simulator.host.userdata import parts
from awsbatch_simulator.hosting import Hosts, UserDataMode

EXECUTE = UserDataMode.EXECUTE
pytestmark = executing


def booted(text: str, *, now: float = 1_800_000_000, **settings: object) -> Outcome:
    given = Hosts(user_data=EXECUTE, **settings)
    metadata = {"meta-data/instance-id": "i-1", "meta-data/placement/region": "eu-central-1"}
    return execute(Order(plan(parts(text.encode())), "i-1", now, metadata, given))


def test_an_instance_joins_the_cluster_that_its_user_data_writes_down():
    cloud = unmanaged(user_data=EXECUTE)
    script = "".join(
        [
            "#!/bin/bash\nset -euo pipefail\n",
            "exec > >(tee /var/log/user-data.log | logger -t user-data -s 2>/dev/console) 2>&1\n",
            "TOKEN=$(curl -sX PUT http://169.254.169.254/latest/api/token)\n",
            "ID=$(curl -sf http://169.254.169.254/latest/meta-data/instance-id)\n",
            f"echo ECS_CLUSTER={cluster(cloud)} >> /etc/ecs/ecs.config\n",
            'echo "ECS_INSTANCE_ATTRIBUTES={\\"id\\":\\"$ID\\"}" >> /etc/ecs/ecs.config\n',
            "/usr/bin/yum install -y jq && dnf -y update && mkfs -t xfs /dev/nvme1n1\n",
            "mkdir /data; mount /dev/nvme1n1 /data; systemctl enable docker; echo boot was here\n",
        ]
    )
    disk = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 50}}
    instance_id = launch(cloud, script, BlockDeviceMappings=[disk])
    [instance] = joined(cloud)
    assert instance["ec2InstanceId"] == instance_id
    assert {"name": "id", "value": instance_id} in instance["attributes"]
    assert resources(instance)["CPU"] == 2048
    assert "boot was here" in console(cloud, instance_id)
    outcome = cloud.region.hosts.hosts[instance_id].outcome
    calls = outcome.calls if outcome is not None else ()
    assert ("yum", "install", "-y", "jq") in calls
    assert ("mkfs", "-t", "xfs", "/dev/nvme1n1") in calls


def test_a_boot_sees_nothing_of_the_machine_and_cannot_change_it(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    script = f"""#!/bin/sh
for path in {secret} /etc/shadow /root/.bashrc /sys/kernel; do
  test -e $path && echo SEEN $path
done
touch /.host/usr/x && echo WRITTEN /usr
echo 1 > /proc/sys/vm/drop_caches && echo WRITTEN /proc/sys
kill -9 1 {threading.get_native_id()} && echo KILLED
/.host/usr/bin/mount --bind /.host/usr /mnt; touch /mnt/x && echo WRITTEN through another mount
ls /proc/1/root/.. | grep -qx work && echo SEEN the old root
cat /proc/net/route | grep -c eth
echo mine > /usr/bin/mine && echo own programs are fine
"""
    outcome = booted(script)
    assert "SEEN" not in outcome.console
    assert "WRITTEN" not in outcome.console
    assert "KILLED" not in outcome.console
    assert "own programs are fine" in outcome.console


@pytest.mark.parametrize(
    ("script", "hangs"),
    [
        ("systemctl start ecs", True),
        ("/usr/bin/systemctl enable --now docker", True),
        ("service docker restart", True),
        ("systemctl start ecs &\nsleep 9\nsleep 9", False),
        ("systemctl restart --no-block docker", False),
        ("systemctl stop sshd; systemctl start amazon-ssm-agent", False),
    ],
)
def test_a_script_that_waits_for_ecs_or_docker_hangs_the_boot(script, hangs):
    outcome = booted(f"#!/bin/sh\n{script}\necho went on > /etc/ecs/ecs.config\n")
    assert outcome.agent_starts != hangs
    assert outcome.config == ("" if hangs else "went on\n")


def test_an_instance_whose_boot_hangs_never_joins_and_shuts_down_in_time_all_the_same():
    cloud = unmanaged(user_data=EXECUTE)
    timer = "systemd-run --on-active=1h systemctl poweroff\n"
    script = joining(cloud) + timer + "systemctl start ecs\n"
    instance_id = launch(cloud, script, InstanceInitiatedShutdownBehavior="terminate")
    assert joined(cloud) == []
    assert "hangs" in why(cloud, instance_id)
    assert "hangs" in console(cloud, instance_id)
    cloud.step(3600)
    assert cloud.region.ec2.instances[instance_id].state.gone


def test_a_boot_is_bounded_in_time_disk_and_output():
    endless = booted("#!/bin/sh\nwhile :; do echo x; done\n", boot_seconds=0.3)
    assert "too long" in endless.stuck
    assert len(endless.console.encode()) <= CONSOLE_BYTES
    full = booted("#!/bin/sh\n/.host/usr/bin/head -c 40000000 /dev/zero > /big\n", root_mib=8)
    assert full.failed == ("part-001",)


def test_a_script_that_fails_does_not_keep_the_next_one_from_running():
    config = "#cloud-config\nruncmd:\n- 'false'\n- echo A=1 >> /etc/ecs/ecs.config\n- exit 3\n"
    outcome = booted(config)
    assert (outcome.failed, outcome.config) == (("runcmd",), "A=1\n")
    without = booted("Content-Type: text/x-shellscript\nMIME-Version: 1.0\n\necho no first line\n")
    assert "Missing #!" in without.console


def test_the_clock_of_a_boot_is_the_simulated_one():
    outcome = booted("#!/bin/sh\nshutdown -P +$(( ($(date +%s) - 1799999400) / 60 ))\n")
    assert outcome.calls == (("shutdown", "-P", "+10"),)
    assert outcome.reads_clock


def test_user_data_that_depends_on_nothing_is_executed_once_for_many_instances():
    cloud = unmanaged(user_data=EXECUTE)
    launch(cloud, joining(cloud), MinCount=64, MaxCount=64)
    assert len(joined(cloud)) == 64
    assert cloud.world.boots.executed == 1
    asks = joining(cloud) + "curl -s http://169.254.169.254/latest/meta-data/instance-id\n"
    launch(cloud, asks, MinCount=2, MaxCount=2)
    assert cloud.world.boots.executed == 3


def test_in_a_live_simulator_boots_run_beside_it_and_the_same_ones_wait_for_the_first():
    told, all_told = [], threading.Event()

    def post(done, outcome):
        done(outcome)

    def done(outcome):
        told.append(outcome)
        if len(told) == 12:
            all_told.set()

    world = Boots(post)
    hosts = Hosts(user_data=EXECUTE, at_once=2)
    for number in range(12):
        order = Order(plan(parts(f"#!/bin/sh\necho {number % 3}\n".encode())), "i-1", 0, {}, hosts)
        world.start(order, done, now=False)
    assert all_told.wait(20)
    assert world.executed == 3
    assert {outcome.stuck for outcome in told} == {""}


def test_where_namespaces_are_missing_it_is_interpreted_but_not_in_ci(monkeypatch):
    assert boots.executes(UserDataMode.AUTO, ci=True)
    monkeypatch.setattr(execution, "trouble", lambda: "no user namespaces")
    assert not boots.executes(UserDataMode.AUTO)
    assert not boots.executes(UserDataMode.INTERPRET, ci=True)
    for mode, ci in ((UserDataMode.AUTO, True), (UserDataMode.EXECUTE, False)):
        with pytest.raises(NoNamespacesError, match="--user-data interpret"):
            boots.executes(mode, ci=ci)
    assert boots.report(Hosts())["mode"] == "interpret"
    cloud = unmanaged(user_data=UserDataMode.AUTO)
    instance_id = launch(cloud, joining(cloud))
    assert len(joined(cloud)) == 1
    assert "Interpreted, not executed" in console(cloud, instance_id)


def test_where_there_is_nothing_to_run_no_process_is_needed():
    cloud = unmanaged(user_data=EXECUTE)
    launch(cloud)
    config = f"{{path: etc/ecs/../ecs/ecs.config, content: ECS_CLUSTER={cluster(cloud)}}}"
    instance_id = launch(cloud, f"#cloud-config\nwrite_files: [{config}]\npackages: [jq]\n")
    assert [each["ec2InstanceId"] for each in joined(cloud)] == [instance_id]
    assert cloud.world.boots.executed == 0
    text = console(cloud, instance_id)
    assert "dnf -y install jq: not done, only recorded" in text
    assert "Interpreted" not in text
