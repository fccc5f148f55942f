"""A sandbox that lives on after the command that started it: noted down from its first moment."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from awsbatch_sandbox import state
from awsbatch_sandbox.binaries import Binaries
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.interrupts import uninterrupted
from awsbatch_sandbox.locks import exclusive_or_refuse
from awsbatch_sandbox.parts import Launcher, Part
from awsbatch_sandbox.paths import Layout
from awsbatch_sandbox.sandbox import OPERATOR, Sandbox
from awsbatch_sandbox.state import Phase, State


class Book:
    """Keeps the state file in step with what has been started."""

    def __init__(self, path: Path, first: State) -> None:
        self._path = path
        self.state = first
        state.write(path, first)

    def note_start(self, part: Part) -> None:
        """Note a part down."""
        self._write(self.state.with_part(part))

    def note_ready(self) -> None:
        """Note that all is up."""
        self._write(replace(self.state, phase=Phase.READY))

    def _write(self, new: State) -> None:
        self.state = new
        state.write(self._path, new)


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Only one command at a time changes what runs in a directory. SandboxError for a second."""
    layout.create()
    with exclusive_or_refuse(
        layout.lock,
        f"Another command is starting or ending the sandbox in {layout.root}: wait for it, or "
        "use another directory (--directory).",
    ):
        yield


@contextmanager
def lasting(layout: Layout, binaries: Binaries) -> Iterator[Sandbox]:
    """A sandbox to be started in the body, which lives on when the body ends well.

    When the body fails or is interrupted, all that it started is ended. Hold the lock.
    """
    book = Book(layout.state, State(secrets.token_hex(4), state.boot_id()))
    launcher = Launcher(book.state.sandbox_id, layout.logs, detached=True, on_start=book.note_start)
    try:
        yield Sandbox(layout.root, controllers=True, binaries=binaries, launcher=launcher)
        book.note_ready()
    except BaseException:
        clean(layout, book.state)
        raise


def running(layout: Layout) -> bool:
    """Whether a whole sandbox runs there. SandboxError if parts of a whole one have ended."""
    found = state.read(layout.state)
    if found is None or found.phase is not Phase.READY:
        return False
    alive = {record.name for record in found.running()}
    ended = [record.name for record in found.records if record.name not in alive]
    if alive and ended:
        cure = "start it again with: make restart-operator"
        if ended != [OPERATOR]:
            cure = "end the sandbox with: make down"
        raise SandboxError(
            f"The sandbox in {layout.root} runs, but {', '.join(ended)} ended by itself. Look at "
            f"{layout.logs / ended[0]}.log, then {cure}"
        )
    return bool(alive)


def restarted(layout: Layout, name: str) -> Part:
    """A part of a sandbox that runs, started again as it was; one that still runs is ended first.

    Returns at once, when it may not be ready yet. Hold the lock. SandboxError if no whole sandbox
    runs there, this part aside.
    """
    found = state.read(layout.state)
    if found is None or found.phase is not Phase.READY:
        raise SandboxError(f"No sandbox runs in {layout.root}. Start one with: make up")
    alive = {record.name for record in found.running()} | {name}
    ended = [record.name for record in found.records if record.name not in alive]
    if ended:
        raise SandboxError(
            f"{', '.join(ended)} of the sandbox in {layout.root} ended, too: end the rest with "
            "make down, and start another one with make up"
        )
    (record,) = [each for each in found.records if each.name == name]
    if record in found.running():
        state.end(record)
    book = Book(layout.state, found)
    launcher = Launcher(found.sandbox_id, layout.logs, detached=True, on_start=book.note_start)
    return launcher.start(
        name,
        record.command,
        environ=record.environ,
        directory=layout.root,
        grace_seconds=record.grace_seconds,
    )


def clean(layout: Layout, old: State | None) -> None:
    """End what runs, and remove everything but the logs: nothing of it serves the next one."""
    with uninterrupted():
        if old is not None:
            state.end_all(old)
        for directory in (
            layout.pki,
            layout.etcd,
            layout.accounts,
            layout.temporary,
            layout.kubectl_cache,
            layout.commands,
        ):
            shutil.rmtree(directory, ignore_errors=True)
        for file in (layout.kubeconfig, layout.aws_env, layout.simulator_ready, layout.state):
            file.unlink(missing_ok=True)
