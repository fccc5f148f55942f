"""From user data to what a first boot does, in cloud-init's order.

Boothooks run while the user data is read; then bootcmd, write_files and mounts; packages; the
per-boot and per-instance scripts; at last the user's scripts in the order of their names, among
which those of runcmd are called `runcmd`. What fails does not keep the rest from running.
Source: cloud-init's documentation, "Boot stages" and "Module reference", with its usual cloud.cfg.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from awsbatch_simulator.host import cloudconfig
from awsbatch_simulator.host.userdata import Kind, Part

Step = dict[str, Any]
SCRIPTS = "/var/lib/cloud/instance/scripts"
EACH_BOOT = {"each": True}  # not only at the first one
LASTING = "/var/lib/cloud/scripts"  # what lies below it stays on the disk, also of images
_DIRECTORIES = {
    Kind.PER_ONCE: "per-once",
    Kind.PER_BOOT: "per-boot",
    Kind.PER_INSTANCE: "per-instance",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a boot."""

    steps: tuple[Step, ...]

    @property
    def runs(self) -> bool:
        """Whether there is anything to run; the rest can be told without."""
        return any(step["do"] == "run" for step in self.steps)


def plan(parts: tuple[Part, ...]) -> Plan:
    """What happens at the first boot with these parts."""
    return Plan(tuple(_steps(parts)))


def _steps(parts: tuple[Part, ...]) -> Iterator[Step]:
    yield _say("Cloud-init running 'init'")
    for part in parts:
        if part.kind is Kind.BOOTHOOK:
            yield _boothook(part)
        elif part.kind is Kind.OTHER:
            yield _say(f"Unhandled user data {part.name} of type {part.type}")
    config, complaints = cloudconfig.merged(parts)
    yield from map(_say, complaints)
    if config.get("bootcmd"):
        step = _run("bootcmd", "/run/bootcmd", cloudconfig.commands(config["bootcmd"]))
        yield step | EACH_BOOT
    files = list(cloudconfig.files(config.get("write_files")))
    yield from (each for each in files if not each["deferred"])
    yield _say("Cloud-init running 'modules:final'")
    yield from cloudconfig.records(config)
    yield from (each for each in files if each["deferred"])
    for kind, when in _DIRECTORIES.items():
        yield from _scripts([part for part in parts if part.kind is kind], f"{LASTING}/{when}")
        step = {"do": "scripts", "name": f"scripts-{when}", "when": when}
        yield step | (EACH_BOOT if kind is Kind.PER_BOOT else {})
    scripts = [part for part in parts if part.kind is Kind.SCRIPT]
    if config.get("runcmd"):
        text = cloudconfig.commands(config["runcmd"])
        scripts.append(Part(Kind.SCRIPT, "runcmd", text, "text/x-shellscript"))
    yield from _scripts(scripts)
    yield from cloudconfig.power(config)
    yield _say("Cloud-init finished")


def _scripts(parts: list[Part], place: str = SCRIPTS) -> Iterator[Step]:
    """By name; of two with one name the later one counts."""
    by_name = {part.name: part for part in parts}
    for name in sorted(by_name):
        step = _run(name, f"{place}/{name}", _unix(by_name[name].text))
        yield step | ({"once": True} if by_name[name].kind is Kind.PER_ONCE else {})


def _boothook(part: Part) -> Step:
    """Without an interpreter the shell runs it, as the examples of ECS's guide rely on."""
    text = _unix(part.text.lstrip()).removeprefix("#cloud-boothook").lstrip()
    if not text.startswith("#!"):
        text = f"#!/bin/sh\n{text}"
    return _run(part.name, f"/var/lib/cloud/instance/boothooks/{part.name}", text) | EACH_BOOT


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def _run(name: str, path: str, content: str) -> Step:
    return {"do": "run", "name": name, "path": path, "content": content}


def _say(text: str) -> Step:
    return {"do": "say", "text": text}
