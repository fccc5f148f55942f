"""Where the commands of a host ask the first process of its boot, and are answered.

A command is a shell script (see `host/shims.py`) that writes its words into a file named as its
process, rings a bell (a pipe) with that name, and waits at a pipe of its own. One thread answers
all of them, one after the other, so that two commands at a time do not meet in the same files.
"""

import contextlib
import os
import signal
import threading
from pathlib import Path

from awsbatch_simulator.host.guest.commands import call
from awsbatch_simulator.host.guest.machine import Answer, Guest

PLACE = Path("/run/simulator")
LARGEST_REQUEST = 1 << 20


def furnish() -> None:
    """The pipes and directories."""
    (PLACE / "asked").mkdir(parents=True, exist_ok=True)
    for name in ("bell", "never"):
        os.mkfifo(PLACE / name)


def open_for(guest: Guest, lock: threading.Lock) -> None:
    """Answer from now on; `lock` is held during each call."""
    bell = os.open(PLACE / "bell", os.O_RDWR)
    threading.Thread(target=_serve, args=(guest, bell, lock), name="desk", daemon=True).start()


def _serve(guest: Guest, bell: int, lock: threading.Lock) -> None:
    waiting = b""
    while True:
        waiting += os.read(bell, 4096)
        *whole, waiting = waiting.split(b"\n")
        for name in whole:
            if name.isdigit():
                with contextlib.suppress(OSError), lock:
                    _answer(guest, name.decode())


def _answer(guest: Guest, process: str) -> None:
    """Raises OSError where the asker has gone."""
    place = PLACE / "asked" / process
    with place.open("rb") as file:
        text = file.read(LARGEST_REQUEST).decode("utf-8", "replace")
    place.unlink()
    was_off = guest.off
    guest.timeout, guest.docker_config, *words = text.split("\x1f")
    answer = call(guest, words)
    _reply(place, answer)
    if guest.off and not was_off:
        os.kill(os.getpid(), signal.SIGUSR2)


def _reply(place: Path, answer: Answer) -> None:
    """The words go into files, and how it ends into the asker's pipe, which it holds open."""
    kinds = ""
    for kind, text in (("out", answer.out), ("err", answer.err)):
        if text:
            Path(f"{place}.{kind}").write_text(text, encoding="utf-8", errors="replace")
            kinds += f" {kind}"
    pipe = os.open(f"{place}.ready", os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(pipe, f"{answer.code} {answer.then or '-'}{kinds}\n".encode())
    finally:
        os.close(pipe)
