"""The kernel's command line and the CPUs that it leaves online.

Sources: the kernel's admin guide, "The kernel's command-line parameters" (nosmt, nr_cpus, maxcpus);
grubby(8); the boot loader entries of Amazon Linux 2023.
"""

import re
import shlex
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any

from awsbatch_simulator.host.guest.disks import ROOT_UUID
from awsbatch_simulator.host.guest.machine import OK, Answer, Guest, fail

VERSION = "6.1.158-178.288.amzn2023.x86_64"
ENTRY = f"/boot/loader/entries/ffffffffffffffffffffffffffffffff-{VERSION}.conf"
USUAL = (
    f"root=UUID={ROOT_UUID}", "ro", "console=tty0", "console=ttyS0,115200n8",
    "nvme_core.io_timeout=4294967295", "rd.emergency=poweroff", "rd.shell=0", "selinux=1",
    "security=selinux", "quiet",
)  # fmt: skip
_NUMBER = re.compile(r"(?:nr_cpus|maxcpus)=(\d{1,5})")


def entry(options: Iterable[str] = USUAL) -> str:
    """The boot loader's entry."""
    return (
        f"title Amazon Linux ({VERSION}) 2023\nversion {VERSION}\nlinux /boot/vmlinuz-{VERSION}\n"
        f"initrd /boot/initramfs-{VERSION}.img\noptions {' '.join(options)}\ngrub_class amzn\n"
    )


def arguments(guest: Guest) -> list[str]:
    """Those of the next boot, as the boot loader has them."""
    for line in guest.read(ENTRY).splitlines():
        if line.startswith("options "):
            return line.split()[1:]
    return list(USUAL)


def left_online(given: Iterable[str], *, cpus: int, threads: int) -> int:
    """How many of a machine's CPUs are online with these arguments.

    The kernel of an x86 machine in EC2 numbers first threads of all cores first, so that `nr_cpus`
    up to the number of cores leaves one thread of each.
    """
    words = list(given)
    found = cpus
    if threads > 1 and {"nosmt", "nosmt=force"} & set(words):
        found = cpus // threads
    for word in words:
        if (number := _NUMBER.fullmatch(word)) is not None:
            found = min(found, max(1, int(number[1])))
    return found


def online(about: Mapping[str, Any]) -> int:
    """The CPUs that are online in this boot."""
    return left_online(about["kernelArguments"], cpus=about["cpus"], threads=about["threads"])


def grubby(guest: Guest, words: list[str]) -> Answer:
    """Arguments of all kernels, for there is one."""
    values = _values(words)
    if "--default-kernel" in words:
        return Answer(out=f"/boot/vmlinuz-{VERSION}\n")
    if "--info" in values:
        return Answer(out=_information(guest))
    if "--update-kernel" not in values:
        return OK if words else fail("grubby: no options given")
    found = arguments(guest)
    for text in values.get("--remove-args", ()):
        gone = text.split()
        found = [each for each in found if each not in gone and each.partition("=")[0] not in gone]
    for text in values.get("--args", ()):
        for new in text.split():
            same = new.partition("=")[0]
            if "=" in new and same != "console":
                found = [each for each in found if each.partition("=")[0] != same]
            found = [each for each in found if each != new] + [new]
    guest.write(ENTRY, entry(found))
    return OK


def _values(words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        name, given, value = word.partition("=")
        if name in {"--update-kernel", "--args", "--remove-args", "--info"}:
            found.setdefault(name, []).append(value if given else following)
    return found


def _information(guest: Guest) -> str:
    found = arguments(guest)
    root = next((each.removeprefix("root=") for each in found if each.startswith("root=")), "")
    others = " ".join(each for each in found if not each.startswith("root="))
    return (
        f'index=0\nkernel="/boot/vmlinuz-{VERSION}"\nargs="{others}"\nroot="{root}"\n'
        f'initrd="/boot/initramfs-{VERSION}.img"\ntitle="Amazon Linux ({VERSION}) 2023"\n'
        f'id="ffffffffffffffffffffffffffffffff-{VERSION}"\n'
    )


def command_line(given: Iterable[str]) -> str:
    """/proc/cmdline."""
    return f"BOOT_IMAGE=(hd0,gpt1)/boot/vmlinuz-{VERSION} {' '.join(given)}\n"


def cpu_information(about: Mapping[str, Any]) -> str:
    """/proc/cpuinfo, as far as it is counted."""
    threads = _threads(about)
    return "".join(
        f"processor\t: {number}\nphysical id\t: 0\nsiblings\t: {online(about)}\n"
        f"core id\t\t: {number % max(1, online(about) // threads)}\n"
        f"cpu cores\t: {online(about) // threads}\n\n"
        for number in range(online(about))
    )


def _threads(about: Mapping[str, Any]) -> int:
    """Threads of a core that are online."""
    cores = about["cpus"] // about["threads"]
    return int(about["threads"]) if online(about) > cores else 1


def nproc(guest: Guest, words: list[str]) -> Answer:
    """CPUs that are online; with --all those that there are."""
    count = online(guest.about)
    if "--all" in words:
        limited = [each for each in guest.about["kernelArguments"] if each.startswith("nr_cpus=")]
        count = left_online(limited, cpus=guest.about["cpus"], threads=1)
    return Answer(out=f"{count}\n")


def lscpu(guest: Guest, words: list[str]) -> Answer:
    """The table, or with -p a line for each CPU."""
    about = guest.about
    count, threads = online(about), _threads(about)
    cores = max(1, count // threads)
    if any(each.startswith(("-p", "--parse", "-b")) for each in words):
        rows = (f"{each},{each % cores},0,0,,{each % cores},{each % cores},0,0\n"
                for each in range(count))  # fmt: skip
        return Answer(out="# CPU,Core,Socket,Node,,L1d,L1i,L2,L3\n" + "".join(rows))
    arm = about["architecture"] == "arm64"
    rest = about["cpus"] - count
    lines = {
        "Architecture": "aarch64" if arm else "x86_64",
        "CPU(s)": str(about["cpus"]),
        "On-line CPU(s) list": "0" if count == 1 else f"0-{count - 1}",
        **({"Off-line CPU(s) list": f"{count}-{about['cpus'] - 1}"} if rest else {}),
        "Thread(s) per core": str(threads),
        "Core(s) per socket": str(cores),
        "Socket(s)": "1",
        "Vendor ID": "ARM" if arm else "GenuineIntel",
    }
    if {"-J", "--json"} & set(words):
        pairs = ", ".join(
            f'{{"field": "{key}:", "data": "{value}"}}' for key, value in lines.items()
        )
        return Answer(out=f'{{"lscpu": [{pairs}]}}\n')
    return Answer(out="".join(f"{key + ':':<24}{value}\n" for key, value in lines.items()))


def grub_mkconfig(guest: Guest, words: list[str]) -> Answer:
    """What stands in /etc/default/grub counts from the next boot on, as on Amazon Linux 2."""
    found = list(USUAL)
    for line in guest.read("/etc/default/grub").splitlines():
        key, _, value = line.partition("=")
        if key in {"GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"}:
            new = [each for part in shlex.split(value) for each in part.split()]
            found += [each for each in new if each not in found]
    if "-o" in words or any(each.startswith("--output") for each in words):
        guest.write(ENTRY, entry(found))
    return OK


def processors(about: Mapping[str, Any]) -> dict[str, str]:
    """Files below /sys that tell of CPUs."""
    count, place = online(about), "sys/devices/system/cpu"
    single = about["threads"] == 1
    active = not single and count > about["cpus"] // about["threads"]
    control = "notsupported" if single else "on" if active else "off"
    return {
        f"{place}/online": "0\n" if count == 1 else f"0-{count - 1}\n",
        f"{place}/present": "0\n" if about["cpus"] == 1 else f"0-{about['cpus'] - 1}\n",
        f"{place}/smt/active": f"{int(active)}\n",
        f"{place}/smt/control": f"{control}\n",
    }
