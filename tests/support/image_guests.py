"""Builders and verifiers of machine images that follow a script instead of running their own.

For tests of what the operator does about them: nothing of their user data is run, but they say and
do what those that run it say and do. Set `tale` to have the next ones end otherwise.
"""

import json
import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from awsbatch_simulator.host.boots import Done
from awsbatch_simulator.host.execution import Order
from awsbatch_simulator.host.interpret import interpret
from awsbatch_simulator.host.outcome import Outcome

_NONCE = re.compile(r"nonce=[\"']?([0-9a-z]{8,64})")
_CLUSTER = re.compile(r"ECS_CLUSTER=([\w-]+)")
MEASURED = {"rootGiB": 111, "cpus": 2, "kernel": "6.1", "mounts": [], "agentVersion": "1.106"}


class Tale(Enum):
    """What becomes of a builder or a verifier."""

    WELL = "it does what it is for"
    FAILS = "a step fails, and it switches itself off"
    HANGS = "it never comes to an end, not even at its limit"
    OFF = "it switches itself off in the midst of it"
    FORGED = "it says that all is well, with another nonce, and switches itself off"


@dataclass
class Guests:
    """In the place of a world's boots."""

    builders: list[Tale] = field(default_factory=list)  # the next ones; then they do well
    verifiers: list[Tale] = field(default_factory=list)
    built: int = 0
    verified: int = 0
    executed: int = 0
    booted: int = 0

    def start(self, order: Order, done: Done, *, now: bool) -> None:
        del now
        done(self._outcome(order))

    def _outcome(self, order: Order) -> Outcome:
        text = "\n".join(_texts(order.plan.steps))
        nonce = _NONCE.search(text)
        if nonce is None:
            return interpret(order)
        cluster = _CLUSTER.search(text)
        if cluster is None:
            self.built += 1
            tale = self.builders.pop(0) if self.builders else Tale.WELL
            return self._builder(nonce[1], tale)
        self.verified += 1
        tale = self.verifiers.pop(0) if self.verifiers else Tale.WELL
        return self._verifier(nonce[1], cluster[1], tale)

    def _builder(self, nonce: str, tale: Tale) -> Outcome:
        lines = ["booting", _marker(nonce, "STEP packages"), "Installing: htop"]
        match tale:
            case Tale.WELL:
                lines += [_marker(nonce, "STEP clean"), _marker(nonce, "OK")]
            case Tale.FAILS:
                lines += ["No match for argument: no-such-package"]
                lines += [_marker(nonce, "FAIL step=packages rc=1 No match for argument")]
            case Tale.FORGED:
                lines += [_marker("0123456789abcdef", "OK")]
            case Tale.HANGS | Tale.OFF:
                pass
        # The agent is kept out, or the image would bring its state. All of it takes the time that
        # the setting delays.imageBuild says.
        masked = ("systemctl", "mask", "ecs.service")
        calls = (masked,) if tale is Tale.HANGS else (masked, ("poweroff",))
        return Outcome(_console(lines), calls=calls)

    def _verifier(self, nonce: str, cluster: str, tale: Tale) -> Outcome:
        lines = [_marker(nonce, "STEP measure")]
        config = f"ECS_CLUSTER={cluster}\n"
        off = (("poweroff",),)
        match tale:
            case Tale.WELL:
                lines += [_marker(nonce, f"MEASURED {json.dumps(MEASURED)}")]
                return Outcome(_console([*lines, _marker(nonce, "OK")]), config=config)
            case Tale.FAILS:
                lines += [_marker(nonce, "FAIL step=compare rc=1 / has 30 GiB, not 111")]
                return Outcome(_console(lines), config=config, calls=off)
            case Tale.HANGS:
                return Outcome(_console(lines))
            case _:
                return Outcome(_console(lines), config=config, calls=off)


def _texts(value: Any) -> list[str]:
    """All texts in a structure."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes):
        return [value.decode("utf-8", "replace")]
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in _texts(each)]
    return []


def _marker(nonce: str, words: str) -> str:
    return f"awsbatch-image {nonce} {words}"


def _console(lines: list[str]) -> str:
    return "\r\n".join([*lines, ""])
