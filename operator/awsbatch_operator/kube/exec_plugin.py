"""Credential plug-ins of kubeconfigs: a command that prints a token or a client certificate.

Kubernetes documentation, "client-go credential plugins": the command gets KUBERNETES_EXEC_INFO and
prints an ExecCredential.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kube.configuration import ConfigurationError

PLUGIN_SECONDS = 60.0  # some ask a cloud; none may hold us for ever
_WORDS = 500  # characters of what it complained of


class Variable(msgspec.Struct, frozen=True):
    """A variable of the environment that the plug-in gets besides ours."""

    name: str
    value: str


class Plugin(msgspec.Struct, frozen=True, rename="camel"):
    """A user's `exec` in a kubeconfig."""

    command: str
    api_version: str
    args: list[str] | None = None
    env: list[Variable] | None = None
    provide_cluster_info: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a plug-in gave: a token, or a certificate with its key, or both."""

    token: str | None = None
    certificate: bytes | None = None
    key: bytes | None = None


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None


class _Printed(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    kind: Literal["ExecCredential"]
    status: _Status


def credentials(
    plugin: Plugin, directory: Path, environ: Mapping[str, str], cluster: Shape
) -> Credentials:
    """Run the plug-in; ConfigurationError if it gives nothing. `directory`: the kubeconfig's.

    `cluster` is what it is told of the cluster, if it asks for that.
    """
    spec: dict[str, object] = {"interactive": False}  # nobody is there to be asked
    if plugin.provide_cluster_info:
        spec["cluster"] = cluster
    told = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    given = {each.name: each.value for each in plugin.env or ()}
    environment = {**environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(told, default=str)}
    # A name alone is looked for on the PATH, a path belongs to the kubeconfig.
    command = str(directory / plugin.command) if os.sep in plugin.command else plugin.command
    try:
        done = subprocess.run(  # noqa: S603 - the command that the kubeconfig is for
            [command, *(plugin.args or ())],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PLUGIN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigurationError(
            f"its plug-in {plugin.command} has not ended within {PLUGIN_SECONDS:g} s"
        ) from error
    if done.returncode != 0:
        complaint = done.stderr.decode(errors="replace").strip()[-_WORDS:]
        raise ConfigurationError(
            f"its plug-in {plugin.command} has ended with {done.returncode}: {complaint}"
        )
    return _read(plugin, done.stdout)


def _read(plugin: Plugin, text: bytes) -> Credentials:
    """What it printed. What it printed is not repeated in errors: it may be a secret."""
    try:
        printed = msgspec.json.decode(text, type=_Printed)
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f"its plug-in {plugin.command} has printed no ExecCredential: {error}"
        ) from error
    if printed.api_version != plugin.api_version:
        raise ConfigurationError(
            f"its plug-in {plugin.command} has printed {printed.api_version}, "
            f"and {plugin.api_version} was asked for"
        )
    status = printed.status
    if not status.token and not (status.client_certificate_data and status.client_key_data):
        raise ConfigurationError(
            f"its plug-in {plugin.command} has given neither a token nor a certificate with its key"
        )
    return Credentials(
        token=status.token,
        certificate=_bytes(status.client_certificate_data),
        key=_bytes(status.client_key_data),
    )


def _bytes(text: str | None) -> bytes | None:
    return text.encode() if text else None
