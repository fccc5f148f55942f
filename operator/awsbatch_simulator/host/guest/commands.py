"""Which command is answered by what, and how a call goes: faults first, then the command."""

from collections.abc import Mapping
from types import MappingProxyType

from awsbatch_simulator.host.guest import (
    blocks,
    cloud,
    containers,
    disks,
    kernel,
    mounts,
    packages,
    power,
    units,
)
from awsbatch_simulator.host.guest.machine import OK, Answer, Command, Guest, fail

# These are written down and succeed.
RECORDERS = (
    *("apt", "apt-get", "pip", "pip3", "amazon-linux-extras", "snap", "initctl"),
    *("chkconfig", "at", "crontab", "mkswap", "swapon", "swapoff", "partprobe"),
    *("lvextend", "pvcreate", "vgcreate", "lvcreate", "e2label", "xfs_admin", "tune2fs"),
    *("mdadm", "fdisk", "parted", "blockdev", "udevadm", "modprobe", "sysctl", "setenforce"),
    *("hostnamectl", "timedatectl", "localectl", "loginctl", "journalctl", "restorecon"),
    *("iptables", "ip6tables", "ip", "ifconfig", "useradd", "usermod", "groupadd", "passwd"),
    *("chown", "chgrp", "mknod", "docker-storage-setup", "nvidia-smi", "semodule", "dracut"),
    *("mount.efs", "mount.nfs", "mount.nfs4"),
    *("amazon-cloudwatch-agent-ctl", "cfn-init", "cfn-signal", "wall", "fstrim"),
)
ANSWERING: Mapping[str, Command] = MappingProxyType(
    {
        **dict.fromkeys(("dnf", "yum"), packages.dnf),
        "rpm": packages.rpm,
        "systemctl": units.systemctl,
        **dict.fromkeys(("service", "start", "stop", "restart"), units.service),
        "systemd-run": power.systemd_run,
        **dict.fromkeys(("mkfs", "mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "mkfs.ext3"), disks.mkfs),
        "wipefs": disks.wipefs,
        "ebsnvme-id": disks.ebsnvme_id,
        "growpart": disks.growpart,
        **dict.fromkeys(("xfs_growfs", "resize2fs"), disks.grow),
        "mount": mounts.mount,
        "umount": mounts.umount,
        "lsblk": blocks.lsblk,
        "blkid": blocks.blkid,
        "df": blocks.df,
        "findmnt": blocks.findmnt,
        "mountpoint": blocks.mountpoint,
        "docker": containers.docker,
        "grubby": kernel.grubby,
        **dict.fromkeys(("grub2-mkconfig", "grub-mkconfig"), kernel.grub_mkconfig),
        "nproc": kernel.nproc,
        "lscpu": kernel.lscpu,
        "cloud-init": cloud.cloud_init,
        "shutdown": power.shutdown,
        **dict.fromkeys(("poweroff", "halt"), power.poweroff),
        "reboot": power.reboot,
        **dict.fromkeys(("init", "telinit"), power.init),
        "sleep": power.sleep,
        "aws": power.aws,
    }
)
NAMES = (*RECORDERS, *ANSWERING)
_FAULTS_OF_OURS = (LookupError, ValueError, TypeError, AttributeError, RecursionError)


def call(guest: Guest, words: list[str]) -> Answer:
    """One call; those that succeed are written down, and the sleeps are not."""
    name, rest = words[0].rsplit("/", 1)[-1], words[1:]
    guest.called = name
    for fault in guest.faults:
        if fault.strikes(name, rest):
            return fail(fault.words, fault.code)
    try:
        answer = ANSWERING.get(name, _recorder)(guest, rest)
    except OSError as error:  # a full disk, a path that cannot be
        answer = fail(f"{name}: {error.strerror}")
    except _FAULTS_OF_OURS as error:
        answer = fail(f"{name}: not simulated: {error!r}", 70)
    if not answer.code and name != "sleep":
        guest.record([name, *rest])
    return answer


def _recorder(_guest: Guest, _words: list[str]) -> Answer:
    return OK
