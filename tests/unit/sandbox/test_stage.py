"""What a demo tells, and how it ends when what it waits for does not come."""

import io
import subprocess
from typing import Any

import pytest

from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.progress import Progress
from awsbatch_sandbox.stage import Seen, Stage


class Parts:
    """A sandbox whose parts run, or of which one has ended."""

    def __init__(self, ended=""):
        self.ended, self.control_plane = ended, self

    def kubectl(self, *arguments):
        return subprocess.CompletedProcess(arguments, 0, stdout="NAME   STATUS\n")

    def check(self):
        if self.ended:
            raise SandboxError(self.ended)

    def wait(self, _):
        pass

    def operator_last_words(self):
        return " The end of operator.log."


def stage(**parts):
    sandbox: Any = Parts(**parts)
    return Stage(sandbox, Progress(io.StringIO()))


def printed(shown):
    return shown.progress._stream.getvalue()


def test_what_is_new_is_told_once():
    shown = stage()
    looks = iter(
        [
            Seen([("job", "the job waits")], over=False),
            Seen([("job", "the job waits still"), ("end", "it is over")], over=True),
        ]
    )
    shown.follow(lambda: next(looks), seconds=60, what="It is not over")
    assert printed(shown) == "   0 s  the job waits\n   0 s  it is over\n"


def test_what_does_not_come_ends_with_what_was_seen_and_the_operators_last_words():
    shown = stage()
    with pytest.raises(SandboxError) as raised:
        shown.follow(lambda: Seen([], over=False, rest="Stalled."), seconds=0, what="No instance")
    assert str(raised.value) == "No instance after 0 s. Stalled. The end of operator.log."
    assert "$ kubectl get awsbatch\nNAME" in printed(shown)


def test_a_part_that_has_ended_ends_the_demo():
    with pytest.raises(SandboxError, match="operator ended by itself"):
        stage(ended="operator ended by itself").follow(
            lambda: Seen([], over=True), seconds=1, what=""
        )
