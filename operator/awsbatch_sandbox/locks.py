"""Locks that the kernel frees when their holder ends, however it ends."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from awsbatch_sandbox.errors import SandboxError


@contextmanager
def exclusive(path: Path, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of that file, waiting for another holder; `on_wait` is told before a wait.

    `on_wait` may raise in order not to wait.
    """
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def exclusive_or_refuse(path: Path, refusal: str) -> Iterator[None]:
    """Hold the lock of that file; SandboxError with that message if another process holds it."""

    def refuse() -> None:
        raise SandboxError(refusal)

    with exclusive(path, on_wait=refuse):
        yield
