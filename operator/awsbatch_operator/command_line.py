"""The command line, and from it and the environment to the settings."""

import argparse
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from awsbatch_operator.settings import VARIABLE, Settings


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="aws-batch-operator", description="Runs AWS Batch from Kubernetes manifests."
    )
    top.add_argument(
        "--version",
        action="store_true",
        default=argparse.SUPPRESS,
        help="print the version and exit",
    )
    commands = top.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="reconcile until stopped")
    for name, field in Settings.model_fields.items():
        run.add_argument(
            f"--{name.replace('_', '-')}",
            help=field.description,
            default=argparse.SUPPRESS,
        )
    _add_uninstall(commands.add_parser("uninstall", help="let go of all objects before removal"))
    user_data = commands.add_parser("userdata", help="print what instances of each pool boot with")
    user_data.add_argument(
        "-f", "--file", required=True, help="manifests with ComputeEnvironments; - reads them here"
    )
    user_data.add_argument(
        "--raw",
        action="store_true",
        help="a line a pool: environment, pool and the content in base64",
    )
    return top


def _add_uninstall(uninstall: argparse.ArgumentParser) -> None:
    uninstall.add_argument(
        "--retain",
        action="store_true",
        required=True,
        help="release our finalizer from every object; what it stands for in AWS stays as it is",
    )
    uninstall.add_argument("--namespaces", default="", help="only in these (comma-separated)")
    uninstall.add_argument(
        "--lease-namespace",
        default=os.environ.get("POD_NAMESPACE") or "awsbatch-system",
        help="where the operator's lease is: while somebody holds it, nothing is done",
    )
    uninstall.add_argument(
        "--lease-name",
        default=Settings.model_fields["lease_name"].default,
        help="the name of that lease",
    )


# Flags with several values, separated by commas.
_LISTS = [name for name, each in Settings.model_fields.items() if "tuple" in str(each.annotation)]


def settings_from(
    arguments: argparse.Namespace, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings of `run`; pydantic.ValidationError says what is wrong with which of them."""
    env = os.environ if environment is None else environment
    given: dict[str, Any] = {
        name.removeprefix(VARIABLE).lower().replace("-", "_"): text
        for name, text in env.items()
        if name.startswith(VARIABLE)  # one that names no flag is refused by the model
    }
    given |= {key: value for key, value in vars(arguments).items() if key != "command"}
    for name in _LISTS:
        if name in given:
            given[name] = _names(given[name])
    given.setdefault("identity", env.get("POD_NAME") or socket.gethostname())
    given.setdefault("lease_namespace", env.get("POD_NAMESPACE") or "default")
    given.setdefault("region", env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "")
    return Settings.model_validate(given)


def _names(text: str | Sequence[str]) -> tuple[str, ...]:
    names = text.split(",") if isinstance(text, str) else text
    return tuple(name.strip() for name in names if name.strip())
