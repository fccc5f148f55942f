"""Get cloud-init and shellcheck from Debian or Ubuntu into our cache, unpacked and not installed.

The tests of user data run both. Installing cloud-init would enable units that run at the next boot,
so its packages, and those Python ones that it needs, are only downloaded and unpacked; apt checks
their signatures. They stay in the cache by their versions. Where that is impossible (no apt, no
network) it says so, and fails where CI is set; the tests then do likewise.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from awsbatch_sandbox.paths import cache_directory

NEEDED = ("cloud-init", "shellcheck")
LIBRARIES = "usr/lib/python3/dist-packages"
# Of all that the two depend on: Python packages, and what shellcheck is linked with.
_WANTED = re.compile(r"python3-(?!minimal|cryptography|cffi|pkg-resources).+|libgmp10|libffi[0-9]+")
ASKED_SECONDS = 7 * 86_400  # so long nobody is asked whether there are newer ones
_TRIED = "import cloudinit.user_data, cloudinit.handlers.cloud_config, jsonschema, yaml"


class UnavailableError(Exception):
    """Why there is no cloud-init."""


def home(environ: Mapping[str, str]) -> Path:
    """Where the unpacked packages are, if they are."""
    return cache_directory(environ) / "cloud-init"


def interpreter(root: Path, environ: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """A Python that runs the unpacked cloud-init, and its environment.

    Packages with compiled parts are Debian's own Python's; the one that runs here mostly does too.
    """
    libraries = {**environ, "PYTHONPATH": str(root / LIBRARIES), "PYTHONDONTWRITEBYTECODE": "1"}
    for python in ("/usr/bin/python3", sys.executable):
        if shutil.which(python) and not _run([python, "-c", _TRIED], libraries).returncode:
            return python, libraries
    raise UnavailableError("no Python here can import the cloud-init that was unpacked")


def shellcheck(root: Path, environ: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The unpacked shellcheck, and its environment."""
    folders = ":".join(str(path) for path in sorted(root.glob("usr/lib/*-linux-gnu*")))
    return str(root / "usr/bin/shellcheck"), {**environ, "LD_LIBRARY_PATH": folders}


def provide(environ: Mapping[str, str]) -> Path:
    """The unpacked packages, downloaded if the cache has none so new; UnavailableError."""
    link = home(environ)
    if link.exists() and time.time() - link.lstat().st_mtime < ASKED_SECONDS:
        return link.resolve()
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise UnavailableError("there is no apt-get here")
    cache = cache_directory(environ)
    cache.mkdir(parents=True, exist_ok=True)
    try:
        return _provided(cache, link, [])
    except UnavailableError:
        # The machine's package lists are missing or old, and not ours to update.
        with tempfile.TemporaryDirectory(dir=cache, prefix="apt-") as lists:
            options = _own_lists(Path(lists))
            _checked(["apt-get", *options, "update"])
            return _provided(cache, link, options)


def _provided(cache: Path, link: Path, options: Sequence[str]) -> Path:
    names = _names(options)
    listed = _checked(["apt-get", *options, "--print-uris", "download", *names])
    key = hashlib.sha256("\n".join(sorted(listed.split("\n"))).encode()).hexdigest()[:12]
    kept = cache / f"cloud-init-{key}"
    if not kept.exists():
        _unpack(kept, names, options)
    _point(link, kept)
    return kept


def _own_lists(folder: Path) -> list[str]:
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    return [
        f"-oDir::State::Lists={folder / 'lists'}",
        f"-oDir::Cache={folder / 'cache'}",
        "-oAPT::Sandbox::User=",
    ]


def _names(options: Sequence[str]) -> list[str]:
    """The packages to unpack."""
    asked = ["apt-cache", *options, "depends", "--recurse", "--important", *NEEDED]
    lines = _checked(asked).splitlines()
    return [*NEEDED, *sorted(line for line in set(lines) if _WANTED.fullmatch(line))]


def _unpack(kept: Path, names: Sequence[str], options: Sequence[str]) -> None:
    """Whole or not at all."""
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="cloud-init-") as made:
        packages, root = Path(made, "packages"), Path(made, "root")
        packages.mkdir()
        options = [*options, "-oAPT::Sandbox::User="]
        _checked(["apt-get", "-qq", *options, "download", *names], folder=packages)
        for package in sorted(packages.glob("*.deb")):
            _checked(["dpkg-deb", "-x", str(package), str(root)])
        interpreter(root, os.environ)
        if not kept.exists():
            root.rename(kept)


def _point(link: Path, kept: Path) -> None:
    """So that the tests find it without asking apt."""
    fresh = link.with_name(f"{link.name}.{os.getpid()}")
    fresh.symlink_to(kept.name)
    fresh.replace(link)


def _run(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    environ = {**environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environ)  # noqa: S603 - our own commands


def _checked(command: Sequence[str], *, folder: Path | None = None) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)  # noqa: S603 - our own commands
    if done.returncode:
        raise UnavailableError(f"`{' '.join(command[:2])} …` failed: {done.stderr.strip()[-400:]}")
    return done.stdout


def main() -> int:
    """Provide both and say where; 1 if that is impossible and CI is set."""
    try:
        print(f"cloud-init and shellcheck: {provide(os.environ)}")
    except (UnavailableError, OSError) as error:
        print(f"cloud-init and shellcheck: {error}; the tests that run user data through them")
        print(
            "fail where CI is set and are skipped elsewhere. On Debian or Ubuntu `make test` gets"
        )
        print("them, or `PYTHONPATH=operator .venv/bin/python tools/cloud_init.py`.")
        return 1 if os.environ.get("CI") else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
