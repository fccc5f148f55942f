"""Kubeconfig files, as kubectl reads them: which cluster, and who we are there.

Several files are read as one: of two entries with a name, and of two current contexts, the first
counts. Relative paths are relative to the file that they stand in.
"""

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
import yaml

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kube.configuration import Configuration, ConfigurationError, Pem
from awsbatch_operator.kube.exec_plugin import Plugin, credentials

_FOR_PLUGINS = "client.authentication.k8s.io/exec"  # the extension of a cluster that they get
_SCHEMES = ("https", "http")  # of the API server, and of a proxy
_E = TypeVar("_E")


class _Extension(msgspec.Struct, frozen=True):
    name: str
    extension: object = None


class _Cluster(msgspec.Struct, frozen=True, rename="kebab"):
    server: str
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    insecure_skip_tls_verify: bool = False
    tls_server_name: str | None = None
    proxy_url: str | None = None
    disable_compression: bool = False
    extensions: list[_Extension] | None = None


class _User(msgspec.Struct, frozen=True, rename="kebab"):
    token: str | None = None
    token_file: str | None = msgspec.field(name="tokenFile", default=None)
    username: str | None = None
    password: str | None = None
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    exec: Plugin | None = None
    auth_provider: object = None


class _Context(msgspec.Struct, frozen=True):
    cluster: str
    user: str | None = None


class _NamedCluster(msgspec.Struct, frozen=True):
    name: str
    cluster: _Cluster


class _NamedUser(msgspec.Struct, frozen=True):
    name: str
    user: _User | None = None


class _NamedContext(msgspec.Struct, frozen=True):
    name: str
    context: _Context


class _File(msgspec.Struct, frozen=True, rename="kebab"):
    current_context: str | None = None
    clusters: list[_NamedCluster] | None = None
    contexts: list[_NamedContext] | None = None
    users: list[_NamedUser] | None = None


@dataclass(frozen=True, slots=True)
class _Merged:
    """The entries of all files by their names, with the directory that each one stands in."""

    current: str | None = None
    clusters: dict[str, tuple[_Cluster, Path]] = field(default_factory=dict)
    contexts: dict[str, _Context] = field(default_factory=dict)
    users: dict[str, tuple[_User, Path]] = field(default_factory=dict)


def load(paths: str, context: str | None, environ: Mapping[str, str]) -> Configuration:
    """What these files say (several with ":" between them). It may take long: plug-ins are run.

    ConfigurationError if they cannot be used.
    """
    try:
        return _load(paths.split(os.pathsep), context, environ)
    except (ConfigurationError, yaml.YAMLError, OSError, ValueError) as error:
        raise ConfigurationError(
            f"The kubeconfig {paths} cannot be used: {error}. "
            "Point KUBECONFIG to one that `kubectl` works with."
        ) from error


def _load(paths: Sequence[str], context: str | None, environ: Mapping[str, str]) -> Configuration:
    merged = _merged([Path(path).expanduser() for path in paths if path])
    name = context or merged.current
    if not name:
        raise ConfigurationError("it has no current-context")
    chosen = _entry("context", merged.contexts, name)
    cluster, place = _entry("cluster", merged.clusters, chosen.cluster)
    found = _of_cluster(cluster, place)
    if not chosen.user:
        return found
    user, directory = _entry("user", merged.users, chosen.user)
    found, plugin = _as_user(found, user, directory)
    if plugin is None:
        return found
    about = _for_plugins(cluster, found.authority) if plugin.provide_cluster_info else {}
    given = credentials(plugin, directory, environ, about)
    return replace(
        found,
        authorization=f"Bearer {given.token}" if given.token else None,
        certificate=given.certificate,
        key=given.key,
    )


def _merged(paths: Sequence[Path]) -> _Merged:
    there = [path for path in paths if path.exists()]
    if not there:
        raise ConfigurationError("there is no such file")
    merged = _Merged()
    for path in there:
        file = _read(path)
        directory = path.absolute().parent
        for cluster in file.clusters or ():
            merged.clusters.setdefault(cluster.name, (cluster.cluster, directory))
        for context in file.contexts or ():
            merged.contexts.setdefault(context.name, context.context)
        for user in file.users or ():
            merged.users.setdefault(user.name, (user.user or _User(), directory))
        merged = replace(merged, current=merged.current or file.current_context)
    return merged


def _read(path: Path) -> _File:
    """One file. What YAML says of a fault is not repeated: it shows the line, often a secret."""
    try:
        content = yaml.safe_load(path.read_bytes())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigurationError(f"{path} is no YAML{where}") from None
    return msgspec.convert({} if content is None else content, _File)  # kubectl reads empty ones


def _entry(what: str, entries: Mapping[str, _E], name: str) -> _E:
    if name not in entries:
        raise ConfigurationError(f"it has no {what} {name!r}")
    return entries[name]


def _of_cluster(cluster: _Cluster, directory: Path) -> Configuration:
    return Configuration(
        host=_address(cluster.server, "server").rstrip("/"),
        authority=_pem(
            cluster.certificate_authority_data, cluster.certificate_authority, directory
        ),
        verified=not cluster.insecure_skip_tls_verify,
        tls_server_name=cluster.tls_server_name,
        proxy=_address(cluster.proxy_url, "proxy-url") if cluster.proxy_url else None,
    )


def _address(text: str, field_name: str) -> str:
    """It is not repeated: that of a proxy may have a password in it."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an IPv6 address that is none
        usable = False
    if not usable:
        form = " or ".join(f"{scheme}://host:port" for scheme in _SCHEMES)
        raise ConfigurationError(f"its cluster's {field_name} is not of the form {form}")
    return text


def _for_plugins(cluster: _Cluster, authority: Pem) -> Shape:
    """What a plug-in is told of the cluster (Kubernetes documentation, ExecCredential)."""
    content = authority.read_bytes() if isinstance(authority, Path) else authority or b""
    given = (each for each in cluster.extensions or () if each.name == _FOR_PLUGINS)
    told = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(content).decode("ascii"),
        "proxy-url": cluster.proxy_url,
        "disable-compression": cluster.disable_compression,
        "config": next((each.extension for each in given), None),
    }
    return {name: value for name, value in told.items() if value}


def _as_user(
    found: Configuration, user: _User, directory: Path
) -> tuple[Configuration, Plugin | None]:
    """With who we are: of several ways, the first one that kubectl would take.

    The plug-in is what is still to be asked; None: nothing.
    """
    if user.auth_provider is not None:
        raise ConfigurationError(
            "its user has an auth-provider, which kubectl has given up; use a plug-in (exec)"
        )
    found = replace(
        found,
        certificate=_pem(user.client_certificate_data, user.client_certificate, directory),
        key=_pem(user.client_key_data, user.client_key, directory),
    )
    token = user.token
    if user.token_file:
        token = (directory / user.token_file).read_text(encoding="ascii").strip()
    if token:
        return replace(found, authorization=f"Bearer {token}"), None
    if user.username and user.password is not None:
        pair = base64.b64encode(f"{user.username}:{user.password}".encode()).decode("ascii")
        return replace(found, authorization=f"Basic {pair}"), None
    return found, None if found.certificate and found.key else user.exec


def _pem(data: str | None, file: str | None, directory: Path) -> Pem:
    """Text in the kubeconfig goes before a file that it names."""
    if data:
        return base64.b64decode(data)
    return directory / file if file else None
