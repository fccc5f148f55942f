"""A sandbox before the eyes of a person: commands and what they print, and what happens when."""

import json
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.kubectl import Kubectl
from awsbatch_sandbox.progress import Progress, duration
from awsbatch_sandbox.sandbox import Sandbox

LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found: lines by what they are about, each told once; and whether that is all.

    `rest` is what a person wants to know if it never comes to its end.
    """

    lines: Sequence[tuple[str, str]]
    over: bool
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a demo is shown."""

    sandbox: Sandbox
    progress: Progress

    @property
    def kubectl(self) -> Kubectl:
        """The administrator's kubectl; what it prints is not shown."""
        return self.sandbox.control_plane.kubectl

    def say(self, text: str) -> None:
        """Print lines."""
        self.progress.say(text)

    def show(self, *arguments: str) -> None:
        """Run kubectl as the person would: the command, and what it prints."""
        self.say(f"\n$ kubectl {shlex.join(arguments)}")
        self.say(self.kubectl(*arguments).stdout.rstrip())

    def objects(self, *kinds: str) -> list[dict[str, Any]]:
        """All objects of those kinds."""
        answer = json.loads(self.kubectl("get", ",".join(kinds), "--output=json").stdout)
        return list(answer["items"])

    def follow(
        self,
        look: Callable[[], Seen],
        *,
        seconds: float,
        what: str,
        tell: Callable[[str, float, str], None] | None = None,
    ) -> None:
        """Look again and again until all is over, telling what is new with the seconds since.

        `tell` gets the key, the seconds and the text of what is new; without it they are printed.
        SandboxError, with what was seen last, if that takes longer, or a part of the sandbox ends.
        """
        started, told = time.monotonic(), set[str]()
        while True:
            self.sandbox.check()
            seen = look()
            passed = time.monotonic() - started
            for key, text in seen.lines:
                if key in told:
                    continue
                told.add(key)
                if tell is None:
                    self.say(f"{duration(passed):>6}  {text}")
                else:
                    tell(key, passed, text)
            if seen.over:
                return
            if passed > seconds:
                self.show("get", "awsbatch")
                raise SandboxError(
                    f"{what} after {duration(passed)}. {seen.rest}"
                    f"{self.sandbox.operator_last_words()}"
                )
            self.sandbox.wait(LOOK_SECONDS)
