"""What whoever starts the simulator gives it: secrets, settings, and where it may be reached from.

On 127.0.0.1 only processes of this machine reach it, and its random key keeps other users of the
machine out. Anywhere else whoever reaches the port may try, so there it runs nothing: no job's
command, and no user data.
"""

import ipaddress
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from awsbatch_simulator.hosting import UserDataMode
from awsbatch_simulator.settings import JobRunner, Settings

ACCESS_KEY_ID = re.compile(r"[A-Z0-9]{20,128}")  # as AWS's own: 20 capitals and digits
SECRET = re.compile(r"[A-Za-z0-9/+=_.-]{32,512}")


class RefusedStartError(Exception):
    """The simulator does not start as it was told to; its text says why and what helps."""


@dataclass(frozen=True, slots=True)
class GivenSecrets:
    """The access key of the simulator's own account, and the token of its admin interface.

    Signatures are not checked, so the id of the key is a secret as well.
    """

    access_key_id: str
    secret_access_key: str
    admin_token: str

    @classmethod
    def read(cls, directory: Path) -> Self:
        """From the files of a mounted Secret. Raises RefusedStartError."""
        return cls(
            access_key_id=_secret(directory / "access-key-id", ACCESS_KEY_ID),
            secret_access_key=_secret(directory / "secret-access-key", SECRET),
            admin_token=_secret(directory / "admin-token", SECRET),
        )


def with_file(settings: Settings, path: Path | None) -> Settings:
    """These settings with the JSON merge patch of a file. Raises RefusedStartError."""
    if path is None:
        return settings
    try:
        return settings.patched(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise RefusedStartError(f"--settings {path}: {error}") from None


def check_reach(host: str, settings: Settings, given: GivenSecrets | None) -> None:
    """Whether it may listen there with these settings. Raises RefusedStartError."""
    if _is_loopback(host):
        return
    beyond = f"--listen {host} lets others than this machine's processes reach the simulator, so"
    if settings.job_runner is JobRunner.PROCESS:
        raise RefusedStartError(f"{beyond} it must not run jobs' commands: use the script runner.")
    if settings.hosts.user_data is not UserDataMode.INTERPRET:
        raise RefusedStartError(f"{beyond} it must not run user data: add --user-data interpret.")
    if given is None:
        raise RefusedStartError(f"{beyond} its key and token must be known: add --secrets.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name may lead anywhere


def _secret(path: Path, form: re.Pattern[str]) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise RefusedStartError(f"--secrets: {path} cannot be read: {error}") from None
    if not form.fullmatch(text):
        raise RefusedStartError(
            f"--secrets: {path} must hold random text that matches {form.pattern}"
        )
    return text
