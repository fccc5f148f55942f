"""Hosts that make images of themselves, and hosts that boot from what they have left.

These boots are processes, so there are few of them. The image itself is put in place by the test:
what is under test is what goes into it and what comes of it.
"""

from types import SimpleNamespace
from typing import Any

import pytest
from tests.simulator.cloud import Cloud, ready
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
from tests.simulator.instances import state

from awsbatch_simulator.faults import Effect, FaultSpec
from awsbatch_simulator.host import execution
from awsbatch_simulator.host.baking import BakedFile, BakedRoot, baked_of
from awsbatch_simulator.host.execution import Order
from awsbatch_simulator.host.outcome import Outcome
from awsbatch_simulator.hosting import UserDataMode
from awsbatch_simulator.region import Region

EXECUTE = UserDataMode.EXECUTE
STOPS: dict[str, Any] = {"InstanceInitiatedShutdownBehavior": "stop"}
IMAGE = "ami-0ba4ed00"
OFF = "#!/bin/bash\nsystemctl poweroff\n"
FILE, SECRET = 0o100644, 0o100600
BUILD = """#!/bin/bash
set -eu
dnf -y install htop
docker pull ubuntu:22.04
grubby --update-kernel=ALL --args=nosmt
mkfs.xfs /dev/sdf
mkdir /data
echo "UUID=$(blkid -s UUID -o value /dev/sdf) /data xfs defaults,nofail 0 2" >> /etc/fstab
mount /data
install -m 640 /dev/stdin /opt/mine <<< mine
ln -s /opt/mine /opt/link
rm /etc/system-release
echo ECS_RESERVED_MEMORY=512 >> /etc/ecs/ecs.config
mkdir -p /var/lib/cloud/scripts/per-boot
printf '#!/bin/sh\\necho each boot says this\\n' > /var/lib/cloud/scripts/per-boot/hello
chmod 755 /var/lib/cloud/scripts/per-boot/hello
echo gone with the power > /run/here
[ "$(nproc)" = 2 ]
systemctl poweroff
"""
CHECK = """#!/bin/bash
set -eux
rpm -q htop
docker image inspect ubuntu:22.04 >/dev/null
grep -qw nosmt /proc/cmdline
[ "$(nproc)" = 1 ]
[ "$(cat /sys/devices/system/cpu/smt/active)" = 0 ]
findmnt -n --mountpoint /data
[ "$(df -BG --output=size /data | tail -1 | tr -d ' ')" = 50 ]
[ "$(cat /opt/link)" = mine ]
[ ! -e /etc/system-release ]
[ ! -e /run/here ]
dnf -y remove htop
"""


@pytest.fixture
def images(monkeypatch) -> dict[str, Any]:
    """The images of the account."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(Region, "images", property(lambda _: found), raising=False)
    return found


def keep(images: dict[str, Any], disk: BakedRoot | None) -> None:
    images[IMAGE] = SimpleNamespace(baked=disk)


def build(cloud: Cloud, script: str, **fields: Any) -> tuple[str, BakedRoot]:
    """A host that has run a script and switched itself off, and its disk."""
    instance_id = launch(cloud, script, seconds=200, **STOPS, **fields)
    assert state(cloud, instance_id) == "stopped", console(cloud, instance_id)
    disk = baked_of(cloud.region, instance_id)
    assert disk is not None
    return instance_id, disk


@executing
def test_a_boot_starts_with_what_stood_on_the_disk_that_its_image_was_made_of(images):
    cloud = unmanaged(user_data=EXECUTE)
    disks = [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 50}}]
    _, disk = build(cloud, BUILD, BlockDeviceMappings=disks)
    assert ("htop" in disk.packages, "docker" in disk.packages) == (True, True)
    assert disk.container_images == ("ubuntu:22.04",)
    assert disk.kernel_arguments[-1] == "nosmt"
    assert disk.file_systems["/dev/sdf"].kind == "xfs"
    assert (disk.files["/opt/mine"], disk.files["/opt/link"].content) == (
        BakedFile(0o100640, b"mine\n"),
        b"/opt/mine",
    )
    assert disk.removed == ("/etc/system-release",)
    keep(images, disk)
    checks = f"{CHECK}echo ECS_CLUSTER={cluster(cloud)} >> /etc/ecs/ecs.config\n"
    second = launch(cloud, checks, ImageId=IMAGE, BlockDeviceMappings=disks)
    host = cloud.region.hosts.hosts[second]
    assert host.outcome is not None
    assert host.outcome.failed == (), host.outcome.console
    assert why(cloud, second) == ""
    [joint] = joined(cloud)
    assert joint["ec2InstanceId"] == second
    assert host.outcome.console.count("each boot says this") == 1
    assert resources(joint)["CPU"] == 1024
    assert resources(joint)["MEMORY"] < 7800  # the memory that its image reserves
    layered = baked_of(cloud.region, second)
    assert layered is not None
    assert ("htop" in layered.packages, layered.files["/opt/mine"].content) == (False, b"mine\n")
    assert layered.agent_state == ("/var/lib/ecs/data/agent.db",)  # it has registered


@executing
def test_user_data_runs_for_each_instance_id_and_only_what_is_unique_to_a_host_is_made_anew(images):
    cloud = unmanaged(user_data=EXECUTE)
    once = (
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\nContent-Type: text/x-shellscript-per-once\n\n#!/bin/sh\necho ran only once\n"
        "--b\nContent-Type: text/x-shellscript\n\n#!/bin/sh\necho about me:\ncat /etc/machine-id\n"
        "sum /etc/ssh/ssh_host_ed25519_key\nsystemctl poweroff\n--b--\n"
    )
    first, disk = build(cloud, once)
    keep(images, disk)
    second = launch(cloud, once, seconds=200, ImageId=IMAGE, **STOPS)
    texts = [console(cloud, each).splitlines() for each in (first, second)]
    assert ["ran only once" in each for each in texts] == [True, False]
    ids = {each[each.index("about me:") + 1] for each in texts}
    keys = {each[each.index("about me:") + 2] for each in texts}
    assert len(ids) == 1  # of systemd, which finds one; clones have it in common
    assert len(keys) == 2  # cloud-init makes them anew for a new instance
    assert state(cloud, second) == "stopped"


@pytest.mark.parametrize(
    ("disk", "reason"),
    [
        (
            BakedRoot(files={"/var/lib/ecs/data/agent.db": BakedFile(SECRET, b"i-1")}),
            "The image has the state of another host's agent: /var/lib/ecs/data/agent.db",
        ),
        (BakedRoot(masked=("ecs.service",)), "ecs or docker was stopped or masked"),
        (BakedRoot(masked=("docker.service",)), "ecs or docker was stopped or masked"),
        (BakedRoot(enabled=("docker.service",)), "ecs or docker was stopped or masked"),
        (BakedRoot(enabled=("ecs.service",)), ""),
        (BakedRoot(files={"/var/lib/ecs/data": BakedFile(0o040755)}), ""),
        (BakedRoot(), ""),
    ],
)
def test_an_agent_does_not_join_from_an_image_that_keeps_it_out(images, disk, reason):
    cloud = unmanaged()
    keep(images, disk)
    instance_id = launch(cloud, joining(cloud), ImageId=IMAGE)
    assert why(cloud, instance_id) == reason
    assert bool(joined(cloud)) == (not reason)


def test_the_log_of_an_agent_with_the_state_of_another_one_says_what_clashes(images):
    cloud = unmanaged()
    keep(images, BakedRoot(files={"/var/lib/ecs/data/agent.db": BakedFile(SECRET, b"i-1")}))
    script = joining(cloud) + (
        "for s in 60; do systemd-run --on-active=${s}s /bin/sh -c 'tail /var/log/ecs/ecs-agent.log "
        ">/dev/console'; done\n"
    )
    script = script.replace("for s in 60; do ", "for s in 60; do\n")
    instance_id = launch(cloud, script, ImageId=IMAGE, seconds=120)
    assert "Arguments on this idempotent request are inconsistent" in console(cloud, instance_id)


def test_a_cluster_in_the_images_settings_counts_until_user_data_names_another(images):
    cloud = unmanaged()
    config = f"ECS_CLUSTER={cluster(cloud)}\n".encode()
    keep(images, BakedRoot(files={"/etc/ecs/ecs.config": BakedFile(FILE, config)}))
    launch(cloud, ImageId=IMAGE)
    assert len(joined(cloud)) == 1
    cloud("CreateCluster", clusterName="other")
    launch(cloud, "#!/bin/sh\necho ECS_CLUSTER=other >> /etc/ecs/ecs.config\n", ImageId=IMAGE)
    assert len(joined(cloud, "other")) == 1


@pytest.mark.parametrize(
    ("disk", "cpus"),
    [
        (BakedRoot(files={"/var/lib/ecs/data/agent.db": BakedFile(SECRET, b"i-1")}), []),
        (BakedRoot(masked=("ecs.service",)), []),
        (BakedRoot(kernel_arguments=("nosmt",)), [1024]),
        (None, [2048]),
    ],
)
def test_in_a_managed_environment_an_image_counts_as_well(images, disk, cpus):
    keep(images, disk)
    cloud = ready(imageId=IMAGE, instanceTypes=["m7i.large"])
    cloud.submit()
    cloud.step(60)
    assert [resources(each)["CPU"] for each in joined(cloud)] == cpus


@pytest.mark.parametrize(
    ("arguments", "options", "cpus"),
    [
        ((), {}, 4),
        (("nosmt",), {}, 2),
        (("nr_cpus=3",), {}, 3),
        ((), {"CoreCount": 2, "ThreadsPerCore": 1}, 2),
        (("nosmt",), {"CoreCount": 2, "ThreadsPerCore": 1}, 2),
        (("nosmt",), {"CoreCount": 1, "ThreadsPerCore": 2}, 1),
    ],
)
def test_an_agent_registers_the_cpus_that_are_online(images, arguments, options, cpus):
    cloud = unmanaged()
    keep(images, BakedRoot(kernel_arguments=("ro", *arguments)))
    fields = {"CpuOptions": options} if options else {}
    launch(cloud, joining(cloud), ImageId=IMAGE, InstanceType="m7i.xlarge", **fields)
    assert [resources(each)["CPU"] for each in joined(cloud)] == [cpus * 1024]


def test_boots_from_other_disks_and_of_other_sizes_are_not_told_from_memory(images, monkeypatch):
    ran: list[Order] = []

    def execute(order: Order) -> Outcome:
        ran.append(order)
        return Outcome(f"{len(ran)}\n", disk=BakedRoot())

    monkeypatch.setattr(execution, "trouble", lambda: "")
    monkeypatch.setattr(execution, "execute", execute)
    cloud = unmanaged(user_data=EXECUTE)

    def told(which: bytes, **fields: Any) -> str:
        keep(images, BakedRoot(files={"/opt/which": BakedFile(FILE, which)}))
        return console(cloud, launch(cloud, "#!/bin/sh\nls\n", ImageId=IMAGE, **fields)).strip()

    root = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 77}}]
    assert [told(b"one"), told(b"two"), told(b"one")] == ["1", "2", "1"]
    assert told(b"one", BlockDeviceMappings=root) == "3"
    assert told(b"one", InstanceType="m7i.xlarge") == "4"
    fault = {"name": "host_command_fails", "match": {"command": "dnf"}}
    cloud.world.faults.add(FaultSpec(effect=Effect.WORLD, **fault))
    assert [told(b"one"), told(b"one")] == ["5", "6"]
    keep(images, None)
    assert told(b"") == "7"
