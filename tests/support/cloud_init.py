"""Debian's cloud-init and shellcheck for tests: what a user data becomes on an instance.

Without them a test is skipped, and fails where CI is set.
"""

import base64
import functools
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tools import cloud_init

_PROBE = Path(__file__).with_name("cloud_init_probe.py")
_MISSING = (
    "cloud-init and shellcheck are not in the cache; on Debian or Ubuntu this gets them: "
    "PYTHONPATH=operator .venv/bin/python tools/cloud_init.py"
)


@dataclass(frozen=True)
class Booted:
    """What cloud-init makes of one user data."""

    parts: list[dict[str, str]]  # type, name and text, as they reach the handlers
    run: list[str]  # names of the boothooks in the order in which they run
    boothooks: dict[str, list[Any]]  # mode and text by name
    scripts: dict[str, list[Any]]
    cloud_config: dict[str, Any] | None  # all parts of cloud-config, merged
    schema: list[str]  # what cloud-init's schema says against a part of cloud-config
    warnings: list[str]  # what cloud-init warned of


def unpacked() -> Path:
    """Where both are; skips or fails the test if they are not there."""
    home = cloud_init.home(os.environ)
    if not home.exists():
        if os.environ.get("CI"):
            pytest.fail(_MISSING)
        pytest.skip(_MISSING)
    return home.resolve()


@functools.cache
def _python() -> tuple[str, Mapping[str, str]]:
    return cloud_init.interpreter(unpacked(), os.environ)


def booted(contents: Sequence[bytes]) -> list[Booted]:
    """What cloud-init makes of each user data, all in one process."""
    python, environ = _python()
    asked = json.dumps([base64.b64encode(content).decode() for content in contents])
    done = subprocess.run(
        [python, str(_PROBE)], input=asked, capture_output=True, text=True, env=environ, check=False
    )
    assert done.returncode == 0, done.stderr
    return [Booted(**answer) for answer in json.loads(done.stdout)]


def shellcheck(scripts: Mapping[str, str], folder: Path) -> str:
    """What shellcheck says against any of the scripts; empty if nothing."""
    program, environ = cloud_init.shellcheck(unpacked(), os.environ)
    for name, text in scripts.items():
        (folder / name).write_text(text)
    done = subprocess.run(
        [program, "--format=gcc", "--enable=all", "--exclude=SC2250,SC2312", *sorted(scripts)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environ,
        check=False,
    )
    return done.stdout + done.stderr
