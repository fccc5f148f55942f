"""Registries of container images: names and digests, who has what, and who may have it.

The words are those of Docker Engine 25.
"""

import hashlib
import json
from fnmatch import fnmatchcase
from typing import Any

from awsbatch_simulator.host.guest.machine import Answer, Guest, fail, plain

LOGINS = "/root/.docker"  # where there is no DOCKER_CONFIG
_HUB = "docker.io"


def parts(reference: str) -> tuple[str, str, str]:
    """Repository, tag and digest of a reference."""
    rest, _, digest = reference.partition("@")
    repository, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = rest, "" if digest else "latest"
    return repository, tag, digest


def whole_name(reference: str) -> str:
    """With the tag that Docker takes where none is given, and without the hub's own name."""
    repository, tag, digest = parts(reference)
    repository = repository.removeprefix(f"{_HUB}/library/").removeprefix(f"{_HUB}/")
    return f"{repository}@{digest}" if digest else f"{repository}:{tag}"


def _registry(reference: str) -> str:
    first = reference.split("/", 1)[0]
    return first if "/" in reference and ("." in first or ":" in first) else _HUB


def digest(reference: str) -> str:
    """The digest of an image: the given one, or one of its name's own."""
    given = parts(reference)[2]
    return given or f"sha256:{hashlib.sha256(whole_name(reference).encode()).hexdigest()}"


def refusal(guest: Guest, reference: str) -> Answer | None:
    """Why a registry does not give an image."""
    registry, whole = _registry(reference), whole_name(reference)
    host = "registry-1.docker.io" if registry == _HUB else registry
    begin = "Error response from daemon: "
    if not (guest.reaches(registry) and guest.reaches(host)):
        return fail(f'{begin}Get "https://{host}/v2/": dial tcp: connect: no route to host')
    if ".dkr.ecr." in registry and not _haslogin(guest, registry):
        repository, tag, given = parts(whole)
        place = f"https://{host}/v2/{repository.partition('/')[2]}/manifests/{tag or given}"
        return fail(f'{begin}Head "{place}": no basic auth credentials')
    if any(fnmatchcase(whole, glob) for glob in guest.about["missingImages"]):
        return fail(f"{begin}manifest for {whole} not found: manifest unknown: manifest unknown")
    return None


def _config(guest: Guest) -> tuple[str, dict[str, Any]]:
    """The client's settings, and where they stand."""
    path = f"{guest.docker_config or LOGINS}/config.json"
    try:
        found = json.loads(guest.read(path) or "{}")
    except ValueError:
        found = {}
    return path, found if isinstance(found, dict) else {}


def _haslogin(guest: Guest, registry: str) -> bool:
    _, config = _config(guest)
    helpers = {config.get("credsStore"), *(config.get("credHelpers") or {}).values()} - {None}
    return registry in (config.get("auths") or {}) or bool(helpers and guest.about["profile"])


def login(guest: Guest, words: list[str], *, out: bool) -> Answer:
    """`docker login` and `docker logout`: the client's settings have credentials, or no longer."""
    names = plain(words, frozenset({"-u", "--username", "-p", "--password"}))
    registry = names[0].removeprefix("https://") if names else "https://index.docker.io/v1/"
    path, config = _config(guest)
    auths = config.setdefault("auths", {})
    if out:
        auths.pop(registry, None)
    else:
        auths[registry] = {"auth": "c2ltdWxhdGVk"}
    guest.write(path, json.dumps(config))
    return Answer(out="Removing login credentials\n" if out else "Login Succeeded\n")
