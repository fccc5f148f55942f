"""What the command line does, once everything is imported: run, uninstall, userdata."""

import argparse
import asyncio
import logging
import os
import sys
import threading
from collections.abc import Coroutine
from pathlib import Path

import uvloop
from pydantic import ValidationError

from awsbatch_operator import app, heap, uninstall
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.assembly import kinds, load_schemas
from awsbatch_operator.aws.models import service_models
from awsbatch_operator.command_line import parser, settings_from
from awsbatch_operator.kube.port import KubeError
from awsbatch_operator.telemetry.logs import LogStyle, configure
from awsbatch_operator.userdata.preview import preview

# How long a thread may keep the interpreter while another one waits for it (usually 5 ms). A turn,
# an event of the watch or an answer of AWS takes one or two; handing over in the middle of them
# was a twentieth of the processor time of a burst of jobs.
SWITCH_SECONDS = 0.01

_WORDS = {
    "missing": "It has to be given.",
    "extra_forbidden": "There is no such flag; run --help lists them.",
}


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    given = parser().parse_args(arguments)
    if given.command == "userdata":
        return _user_data(given.file, raw=given.raw)
    if given.command == "uninstall":
        return _uninstall(given)
    try:
        settings = settings_from(given)
    except ValidationError as error:
        for problem in error.errors():
            words = _WORDS.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
            sys.stderr.write(f"aws-batch-operator: {_flag(problem['loc'])}{words}\n")
        return 2
    configure(
        style=LogStyle(settings.log_format),
        level=settings.log_level.upper(),
        quiet=dict.fromkeys(("botocore", "asyncio"), "WARNING"),
    )
    # Before there is a loop that would stand still meanwhile.
    heap.seldom()
    load_schemas()
    loader = service_models(without=() if settings.listens else ("sqs",))
    heap.spare()
    sys.setswitchinterval(SWITCH_SECONDS)
    return _told(app.run(settings, loader=loader))


def _uninstall(given: argparse.Namespace) -> int:
    """Let go of all objects, and print what was done; what is logged goes beside it."""
    configure()
    namespaces = tuple(name for name in given.namespaces.split(",") if name)
    lease = ObjectKey("Lease", given.lease_namespace, given.lease_name)
    work = uninstall.run(namespaces=namespaces, kinds=kinds(namespaces), lease=lease, say=print)
    return _told(work)


def _user_data(file: str, *, raw: bool) -> int:
    """Print what the instances of each pool get; says what is wrong, and asks nobody."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"aws-batch-operator: {file}: {error}\n")
        return 2
    shown = preview(text, file, raw=raw)
    if shown.text:
        sys.stdout.write(f"{shown.text}\n")
    for line in shown.errors:
        sys.stderr.write(f"aws-batch-operator: {line}\n")
    return 1 if shown.errors else 0


def _flag(place: tuple[int | str, ...]) -> str:
    """Which flag is wrong; nothing if it is about several of them."""
    return f"--{str(place[0]).replace('_', '-')}: " if place else ""


def _ended(code: int) -> int:
    """Leave at once, although a thread may hang in a call that only reads."""
    if threading.active_count() > 1:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _told(work: Coroutine[None, None, int]) -> int:
    """Run it; trouble that a person can mend is said without a traceback."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(work)
        return _ended(code)
    except (KubeError, OSError) as error:
        sys.stderr.write(f"aws-batch-operator: {error}\n")
        return 1
