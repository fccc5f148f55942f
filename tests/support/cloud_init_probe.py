"""Runs inside Debian's cloud-init: hands user data to its own processor and part handlers.

Reads a JSON list of user data in base64 and prints a JSON list of what cloud-init made of each. The
boothooks are written as cloud-init writes them, and not run.
"""

import base64
import json
import logging
import stat
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

from cloudinit import handlers, helpers, user_data
from cloudinit.config.schema import get_schema, validate_cloudconfig_schema
from cloudinit.handlers import boot_hook
from cloudinit.handlers.cloud_config import CloudConfigPartHandler
from cloudinit.handlers.jinja_template import JinjaTemplatePartHandler
from cloudinit.handlers.shell_script import ShellScriptPartHandler
from cloudinit.handlers.shell_script_by_frequency import ShellScriptByFreqPartHandler
from cloudinit.settings import PER_ALWAYS, PER_INSTANCE, PER_ONCE
from cloudinit.util import load_yaml

FREQUENCIES = (PER_ALWAYS, PER_INSTANCE, PER_ONCE)


class Warnings(logging.Handler):
    """Keeps what cloud-init warns of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())


def files(folder):
    """Name, mode and text of each file in a folder."""
    return {
        path.name: [stat.S_IMODE(path.stat().st_mode), path.read_text()]
        for path in sorted(folder.glob("*"))
        if path.is_file()
    }


def schema_errors(parts, schema):
    """What cloud-init's schema says against each part of cloud-config."""
    errors = []
    for part in parts:
        if part["type"] == "text/cloud-config":
            try:
                validate_cloudconfig_schema(load_yaml(part["text"]), schema=schema, strict=True)
            except Exception as error:  # noqa: BLE001 - whatever it says is the answer
                errors.append(str(error))
    return errors


def handled(message, paths, source, run):
    """Let cloud-init's own handlers have each part; returns the parts as they come to them."""
    boot_hook.subp = SimpleNamespace(
        subp=lambda args, **_: run.append(Path(args[0]).name), ProcessExecutionError=RuntimeError
    )
    registered = helpers.ContentHandlers()
    each_once = (
        CloudConfigPartHandler(paths),
        ShellScriptPartHandler(paths),
        boot_hook.BootHookPartHandler(paths, source),
        *(ShellScriptByFreqPartHandler(each, paths) for each in FREQUENCIES),
        JinjaTemplatePartHandler(paths),
    )
    for handler in each_once:
        registered.register(handler, overwrite=False)
    seen = []
    data = {
        "handlers": registered,
        "handlerdir": paths.cloud_dir,
        "data": {},
        "frequency": PER_INSTANCE,
        "handlercount": 0,
        "excluded": [],
    }

    def callback(given, filename, payload, headers):
        seen.append({"type": headers["Content-Type"], "name": filename, "text": payload})
        handlers.walker_callback(given, filename, payload, headers)

    for handler in each_once:
        handlers.call_begin(handler, {}, PER_INSTANCE)
    handlers.walk(message, callback, data)
    for handler in each_once:
        handlers.call_end(handler, {}, PER_INSTANCE)
    return seen


def booted(content, folder, warnings):
    """What cloud-init makes of one user data."""
    warnings.said.clear()
    source = SimpleNamespace(get_instance_id=lambda: "i-1")
    paths = helpers.Paths({"cloud_dir": str(folder), "run_dir": str(folder / "run")}, source)
    message = user_data.UserDataProcessor(paths).process(content)
    run: list[str] = []
    seen = handled(message, paths, source, run)
    instance = folder / "instances" / "i-1"
    config = instance / "cloud-config.txt"
    return {
        "parts": seen,
        "run": run,
        "boothooks": files(instance / "boothooks"),
        "scripts": files(folder / "instance" / "scripts"),
        "cloud_config": load_yaml(config.read_text()) if config.exists() else None,
        "warnings": list(warnings.said),
    }


def main():
    """Answer standard input on standard output."""
    warnings = Warnings()
    logging.getLogger().addHandler(warnings)
    schema = get_schema()
    answers = []
    for given in json.load(sys.stdin):
        with tempfile.TemporaryDirectory() as folder:
            answer = booted(base64.b64decode(given), Path(folder), warnings)
        answers.append({**answer, "schema": schema_errors(answer["parts"], schema)})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
