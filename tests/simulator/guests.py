"""A host's commands for tests: asked in this process, over a root below a temporary directory."""

import shlex
from pathlib import Path
from typing import Any

from awsbatch_simulator.host.guest import disks, fresh, units
from awsbatch_simulator.host.guest.commands import call
from awsbatch_simulator.host.guest.machine import Answer, Guest

VOLUMES = (
    {"device": "/dev/xvda", "gib": 30, "id": "vol-0a"},
    {"device": "/dev/sdf", "gib": 200, "id": "vol-0b"},
)


def guest(root: Path, **about: Any) -> Guest:
    """A host that boots, with a root volume and one of 200 GiB as /dev/sdf."""
    given = {"instanceId": "i-1", "volumes": list(VOLUMES), "missingPackages": ["no-such-*"],
             "missingImages": ["*no-such-*"]}  # fmt: skip
    made = Guest(dict(fresh.MACHINE) | given | about, root)
    for path, text in fresh.FILES.items():
        made.write(path, text)
    for path, target in fresh.LINKS.items():
        link = made.path(path)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    disks.attach(made)
    units.start_boot(made)
    return made


def ask(made: Guest, line: str) -> Answer:
    """What a command line is answered."""
    return call(made, shlex.split(line))


def told(made: Guest, line: str) -> str:
    """The output of a command that succeeds."""
    answer = ask(made, line)
    assert answer.code == 0, answer
    return answer.out.strip()
