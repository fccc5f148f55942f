"""The commands of a simulated host answer from its state, as scripts that build images rely on."""

import json

import pytest
from tests.simulator.guests import ask, guest, told

from awsbatch_simulator.host.boot_steps import unmounted
from awsbatch_simulator.host.guest import containers, kernel, mounts, packages, units
from awsbatch_simulator.host.guest.commands import ANSWERING
from awsbatch_simulator.host.guest.machine import Answer, CommandFault, Guest


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("dnf -y install htop", 0, "Complete!"),
        ("dnf install -qy htop", 0, "Complete!"),
        ("dnf install htop", 1, "Operation aborted."),
        ("yum install -y docker", 0, "Nothing to do."),
        (
            "dnf -y install htop no-such-thing",
            1,
            "No match for argument: no-such-thing\nError: Unable to find a match: no-such-thing",
        ),
        ("dnf -y remove htop", 0, "No match for argument: htop"),
        ("dnf -y remove docker", 0, "Removed: docker"),
        ("rpm -q docker", 0, "docker-25.0.16-1.amzn2023.x86_64"),
        ("rpm -q htop", 1, "package htop is not installed"),
        ("rpm -q --qf %{VERSION} ecs-init", 0, "1.106.1"),
        ("systemctl is-enabled ecs", 0, "enabled"),
        ("systemctl is-enabled nobody", 1, "disabled"),
        ("systemctl is-active docker", 0, "active"),
        ("systemctl is-active ecs", 3, "inactive"),
        ("docker pull no-such-thing", 1, "manifest for no-such-thing:latest not found"),
        ("docker image inspect ubuntu", 1, "No such image: ubuntu"),
        ("docker pull 1.dkr.ecr.eu-central-1.amazonaws.com/a:1", 1, "no basic auth credentials"),
        ("docker run no-such-thing true", 125, "Unable to find image"),
        ("docker info --format '{{.Driver}} {{.NCPU}}'", 0, "overlay2 2"),
        ("lsblk -bdno SIZE /dev/sdf", 0, str(200 << 30)),
        ("lsblk -no NAME,TYPE", 0, "nvme1n1     disk"),
        ("lsblk /dev/sdz", 32, "not a block device"),
        ("blkid /dev/nvme1n1", 2, ""),
        ("df -B1 --output=size /", 0, str((30 << 30) - (12 << 20))),
        ("df -BG --output=size,target /nowhere", 1, "No such file or directory"),
        ("findmnt -no SOURCE /", 0, "/dev/nvme0n1p1"),
        ("findmnt /data", 1, ""),
        ("mountpoint -q /data", 1, ""),
        ("mkfs.xfs /dev/nvme9n1", 1, "No such file or directory"),
        ("mkfs -t ext4 /dev/nvme0n1p1", 1, "contains a mounted filesystem"),
        ("mount /dev/sdf /mnt", 32, "mount point does not exist"),
        ("growpart /dev/nvme0n1 1", 1, "NOCHANGE"),
        ("ebsnvme-id -b /dev/nvme1n1", 0, "sdf"),
        ("nproc", 0, "2"),
        ("lscpu", 0, "Thread(s) per core:     2"),
        ("cloud-init status", 0, "status: running"),
        ("grubby --info=ALL", 0, 'args="ro console=tty0'),
        ("umount /data", 32, "not mounted"),
        ("sleep soon", 1, "invalid time interval"),
        ("aws ecr get-login-password", 0, "simulated"),
    ],
)
def test_a_command_ends_as_on_a_host_with_its_words(tmp_path, line, code, words):
    answer = ask(guest(tmp_path), line)
    assert (answer.code, words in answer.out + answer.err) == (code, True), answer


@pytest.mark.parametrize("name", sorted(ANSWERING))
def test_each_command_can_be_made_to_fail_and_is_no_call_then(tmp_path, name):
    made = guest(tmp_path)
    made.faults = [CommandFault("fault-1", name, "*now", 42, "broken", 1, 1)]
    for expected in (False, True, False):
        answer = ask(made, f"{name} now")
        assert (answer == Answer(42, err="broken\n")) == expected
    assert [made.faults[0].seen, made.faults[0].struck] == [3, 1]
    assert ask(made, f"{name} later") != Answer(42, err="broken\n")


def test_what_is_installed_is_known_and_found_and_what_is_removed_is_not(tmp_path):
    made = guest(tmp_path)
    told(made, "dnf -y install htop-3.2.1-87.amzn2023 java-11-amazon-corretto")
    assert {"htop", "java-11-amazon-corretto"} <= packages.installed(made).keys()
    assert told(made, "rpm -q htop") == "htop-3.2.1-1.amzn2023.x86_64"
    assert made.path("/usr/bin/htop").stat().st_mode & 0o111
    told(made, "dnf -y remove htop")
    assert ask(made, "rpm -q htop").code == 1


def test_without_a_way_to_it_neither_repository_nor_registry_gives_anything(tmp_path):
    made = guest(tmp_path, unreachable=["al2023-repos-*", "docker.io"])
    assert "Cannot prepare internal mirrorlist" in ask(made, "dnf -y install htop").err
    assert "no route to host" in ask(made, "docker pull ubuntu").err
    told(made, "docker pull quay.io/a/b:1")


def test_a_volume_is_formatted_mounted_by_its_uuid_and_grown(tmp_path):
    made = guest(tmp_path)
    told(made, "mkfs.xfs -L data /dev/sdf")
    assert "existing filesystem" in ask(made, "mkfs.xfs /dev/nvme1n1").err
    uuid = told(made, "blkid -s UUID -o value /dev/nvme1n1")
    assert made.path(f"/dev/disk/by-uuid/{uuid}").resolve() == made.path("/dev/nvme1n1")
    made.path("/data").mkdir()
    made.write("/etc/fstab", f"UUID={uuid} /data xfs defaults,nofail 0 2\n")
    told(made, "mount -a")
    assert told(made, "findmnt -n --mountpoint /data -o SOURCE") == "/dev/nvme1n1"
    assert told(made, "df -h --output=size /data").split()[-1] == "200G"
    listed = json.loads(told(made, "lsblk -J -o NAME,FSTYPE,LABEL,MOUNTPOINT"))["blockdevices"]
    assert listed[-1] == {
        "name": "nvme1n1", "fstype": "xfs", "label": "data", "mountpoint": "/data",
    }  # fmt: skip
    disk = made.disks[-1]
    disk.size *= 2
    told(made, "xfs_growfs /data")
    assert told(made, "df -BG --output=size /data").split()[-1] == "400"
    told(made, "umount /data")
    assert ask(made, "mountpoint -q /data").code == 1


def test_on_xen_devices_have_the_names_of_the_mapping(tmp_path):
    made = guest(tmp_path, nitro=False)
    assert told(made, "lsblk -dno NAME").split() == ["xvda", "xvdf"]
    assert told(made, "findmnt -no SOURCE /") == "/dev/xvda1"


def test_images_are_pulled_by_tag_or_digest_and_pruned(tmp_path):
    made = guest(tmp_path)
    digest = "sha256:" + "a" * 64
    told(made, "docker pull docker.io/library/ubuntu:22.04")
    told(made, f"docker pull quay.io/a/b@{digest}")
    assert sorted(containers.pulled(made)) == [f"quay.io/a/b@{digest}", "ubuntu:22.04"]
    assert told(made, "docker images --format '{{.Repository}}:{{.Tag}}' ubuntu") == "ubuntu:22.04"
    assert told(made, "docker image inspect -f '{{.Id}}' ubuntu:22.04").startswith("sha256:")
    told(made, "docker system prune -f")
    assert len(containers.pulled(made)) == 2
    told(made, "docker system prune -af")
    assert containers.pulled(made) == {}


def test_who_has_logged_in_may_pull_from_ecr_and_leaves_a_file_that_says_so(tmp_path):
    registry = "1.dkr.ecr.eu-central-1.amazonaws.com"
    made = guest(tmp_path)
    told(made, f"docker login -u AWS --password-stdin {registry}")
    told(made, f"docker pull {registry}/a:1")
    assert registry in made.read("/root/.docker/config.json")
    other = guest(tmp_path / "other")
    other.docker_config = "/run/mine"
    other.write("/run/mine/config.json", json.dumps({"credHelpers": {registry: "ecr-login"}}))
    told(other, f"docker pull {registry}/a:1")
    assert not other.path("/root/.docker").exists()


def test_docker_does_not_answer_where_it_was_stopped_with_its_socket(tmp_path):
    made = guest(tmp_path)
    told(made, "systemctl stop docker")
    told(made, "docker info")
    told(made, "systemctl stop docker.socket")
    assert "Is the docker daemon running?" in ask(made, "docker info").err
    assert ask(made, "systemctl start docker").then == "never"
    told(made, "systemctl --no-block start docker")
    told(made, "docker info")


def test_units_are_masked_and_enabled_by_links_that_an_image_keeps(tmp_path):
    made = guest(tmp_path)
    told(made, "systemctl mask --runtime ecs")
    assert (units.masked(made), units.masked(made, units.RUN)) == ([], ["ecs.service"])
    assert ask(made, "systemctl is-enabled ecs").out == "masked-runtime\n"
    told(made, "systemctl unmask --runtime ecs")
    told(made, "systemctl mask ecs")
    assert units.masked(made) == ["ecs.service"]
    told(made, "systemctl unmask ecs")
    told(made, "systemctl disable ecs")
    assert ask(made, "systemctl is-enabled -q ecs") == Answer(1)
    made.write(f"{units.ETC}/own.service", "[Install]\nWantedBy=basic.target\n")
    told(made, "systemctl enable --now own")
    assert made.path(f"{units.ETC}/basic.target.wants/own.service").is_symlink()
    assert told(made, "systemctl is-active own") == "active"
    assert "already exists" in ask(made, "systemctl mask own").err


def test_kernel_arguments_replace_those_of_the_same_name(tmp_path):
    made = guest(tmp_path)
    told(made, "grubby --update-kernel=ALL --args='nosmt nr_cpus=4'")
    told(made, "grubby --update-kernel ALL --args nr_cpus=8 --remove-args=quiet")
    found = kernel.arguments(made)
    assert (found[-2:], "quiet" in found) == (["nosmt", "nr_cpus=8"], False)
    assert sum(each.startswith("console=") for each in found) == 2
    made.write("/etc/default/grub", 'GRUB_CMDLINE_LINUX="maxcpus=1"\n')
    told(made, "grub2-mkconfig -o /boot/grub2/grub.cfg")
    assert kernel.arguments(made)[-1] == "maxcpus=1"


@pytest.mark.parametrize(
    ("given", "threads", "online"),
    [
        ((), 2, 8),
        (("nosmt",), 2, 4),
        (("nosmt=force",), 2, 4),
        (("nosmt",), 1, 8),
        (("nr_cpus=3",), 2, 3),
        (("nosmt", "nr_cpus=6"), 2, 4),
        (("nr_cpus=0",), 2, 1),
        (("maxcpus=99",), 2, 8),
        (("mitigations=auto,nosmt",), 2, 8),
    ],
)
def test_arguments_of_the_kernel_leave_so_many_cpus_online(tmp_path, given, threads, online):
    assert kernel.left_online(given, cpus=8, threads=threads) == online
    made = guest(tmp_path, cpus=8, threads=threads, kernelArguments=list(given))
    assert told(made, "nproc") == str(online)
    assert f"{online - 1}\n" in told(made, "lscpu") + "\n"
    assert kernel.cpu_information(made.about).count("processor") == online


def test_what_is_slept_is_added_up_until_a_timeout_or_the_hosts_limit_is_over(tmp_path):
    made = guest(tmp_path)
    made.timeout = "7:60s"
    assert [ask(made, "sleep 25").then for _ in range(3)] == ["", "", "alarm"]
    made.timeout = ""
    assert ask(made, "sleep infinity").then == "never"
    told(made, "systemd-run --unit=x --on-active=90s /bin/sh -c 'systemctl poweroff'")
    assert [ask(made, f"sleep {length}").then for length in ("29", "1")] == ["", "limit"]


@pytest.mark.parametrize(
    ("line", "off"),
    [
        ("poweroff", True),
        ("halt -p", True),
        ("shutdown -h now", True),
        ("shutdown -P +0", True),
        ("systemctl --no-block poweroff", True),
        ("systemd-run systemctl poweroff", True),
        ("init 0", True),
        ("shutdown +5", False),
        ("shutdown -r now", True),
        ("shutdown -c", False),
        ("systemd-run --on-active=5 poweroff", False),
        ("reboot", True),
        ("systemctl reboot", True),
        ("init 6", True),
    ],
)
def test_a_host_is_switched_off_at_once_or_not(tmp_path, line, off):
    made = guest(tmp_path)
    told(made, line)
    assert made.off == off
    assert made.restarts == (line in {"shutdown -r now", "reboot", "systemctl reboot", "init 6"})
    assert ask(made, "sleep 1").then == ("off" if off else "")


def test_a_full_disk_makes_commands_fail_and_leaves_what_was_there(tmp_path, monkeypatch):
    made = guest(tmp_path)

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    assert ask(made, "dnf -y install htop") == Answer(1, err="dnf: No space left on device\n")
    assert "docker" in packages.installed(made)


def boot(made: Guest, fstab: str) -> None:
    made.write("/etc/fstab", fstab)
    mounts.at_boot(made, mounts.entries(made), lambda entry: mounts.mount_entry(made, entry))


def test_a_disk_of_fstab_that_is_not_there_ends_the_boot_unless_it_may_be_missing(tmp_path):
    with pytest.raises(mounts.EmergencyError, match=r"Dependency failed for /data.*does not exist"):
        boot(guest(tmp_path / "a"), "UUID=0-0 /data xfs defaults 0 2\n")
    made = guest(tmp_path / "b")
    boot(
        made,
        "# none\nUUID=0-0 /data xfs nofail 0 2\nfs-1:/ /efs efs tls 0 0\ntmpfs /t tmpfs rw 0 0\n",
    )
    assert [each.target for each in made.mounted[2:]] == ["/efs", "/t"]


def test_the_agent_needs_the_mounts_of_its_drop_ins_that_fstab_has(tmp_path):
    made = guest(tmp_path)
    drop_in = '[Unit]\nRequiresMountsFor=/a/b "/c"\nRequiresMountsFor=/var\n'
    made.write("/etc/systemd/system/ecs.service.d/mounts.conf", drop_in)
    made.faults = [CommandFault("fault-1", "mount", "*", 32, "broken", 0, None)]
    boot(made, "fs-1:/ /a efs nofail 0 0\nfs-2:/ /c efs nofail 0 0\nfs-3:/ /d efs nofail 0 0\n")
    assert unmounted(made, units.required_mounts(made)) == ["/a", "/c"]
    made.faults.clear()
    told(made, "mount -a")
    assert unmounted(made, units.required_mounts(made)) == []
