"""Boots of builders and verifiers in the simulator's guest, with commands of the test's own."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from awsbatch_simulator.host import execution
from awsbatch_simulator.host.execution import Order, execute
from awsbatch_simulator.host.outcome import Outcome
from awsbatch_simulator.host.plan import plan
from awsbatch_simulator.host.userdata import Kind, Part, parts
from awsbatch_simulator.hosting import Hosts, UserDataMode

# Where user data cannot be executed these tests are skipped, but never in CI.
executing = pytest.mark.skipif(
    "CI" not in os.environ and bool(execution.trouble()),
    reason=execution.trouble() or "it can be executed",
)
GIB = 1 << 30
UUID = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"

# What the scripts ask a host, answered as the tests want it, by the name of the command for sh.
COMMANDS = {
    "grubby": 'echo "grubby $*"',
    "lsblk": f"echo {500 * GIB}",
    "blkid": f"""case $* in
  *UUID*) echo {UUID} ;;
  *) cat "/run/type$(echo "$*" | tr -d / | sed 's/.*dev//')" 2>/dev/null || exit 2 ;;
esac""",
    "mkfs.xfs": 'echo "mkfs.xfs $*"; echo xfs >/run/type-was-made',
    "df": f"printf '1B-blocks\\n%s\\n' {111 * GIB - (16 << 20)}",
    "docker": 'echo "docker $*"',
    "mount": 'echo "mount $*"',
    "findmnt": "exit 0",
    "mountpoint": "exit 1",
    "nproc": "echo 48",
}


@dataclass(frozen=True)
class Case:
    """One run of a script of ours: its user data, and what the guest is made to be for it."""

    user_data: bytes
    commands: Mapping[str, str] = field(default_factory=dict)  # texts for sh by name
    files: Mapping[str, str] = field(default_factory=dict)


def _furnishing(case: Case) -> str:
    """A script that makes of the guest what the case wants, whatever another one has left."""
    lines = [
        *("#!/bin/sh", "set -eu"),
        "rm -rf /run/awsbatch/told /run/cloud-init /run/type* /root/.aws /efs /scratch",
        "rm -rf /var/lib/ecs/data",
        shlex.join(
            ["mkdir", "-p", "/var/lib/ecs/data", *(str(Path(each).parent) for each in case.files)]
        ),
        ": >/etc/fstab; : >/etc/ecs/ecs.config; : >/dev/sdf",
    ]
    commands = {
        f"/usr/local/sbin/{name}": f"#!/bin/sh\n{text}\n"
        for name, text in {**COMMANDS, **case.commands}.items()
    }
    # Without a process for each.
    for path, text in {**commands, **case.files}.items():
        lines.append(f"printf '%s\\n' {shlex.quote(text.removesuffix(chr(10)))} >{path}")
    return "\n".join([*lines, "chmod 755 /usr/local/sbin/*", ""])


def booted(case: Case) -> Outcome:
    """Boot with it."""
    hook = Part(Kind.BOOTHOOK, "test", _furnishing(case), "text/cloud-boothook")
    return _executed((hook, *parts(case.user_data)))


def _executed(wanted: tuple[Part, ...]) -> Outcome:
    settings = Hosts(user_data=UserDataMode.EXECUTE)
    return execute(Order(plan(wanted), "i-1", 1_800_000_000, {}, settings))


def one_after_the_other(cases: Sequence[Case]) -> str:
    """The console of one boot in which the scripts of all cases run: a boot for each takes long.

    No command turns the guest off, and each case has all commands of every other at its defaults.
    """
    names = {name for case in cases for name in case.commands} - set(COMMANDS)
    usual = {name: f'exec /usr/bin/{name} "$@"' for name in names}
    wanted = []
    for number, case in enumerate(cases):
        quick = {"systemctl": 'echo "systemctl $*"', "sleep": "exit 0"}
        commands = {**usual, **quick, **case.commands}
        texts = (_furnishing(replace(case, commands=commands)), _script(case))
        wanted += [
            Part(Kind.SCRIPT, f"{number:03}-{step}", text, "text/x-shellscript")
            for step, text in enumerate(texts)
        ]
    return _executed(tuple(wanted)).console


def _script(case: Case) -> str:
    (found,) = (each.text for each in parts(case.user_data) if each.kind is Kind.SCRIPT)
    return found
