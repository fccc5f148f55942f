"""docker: which images there are and which are pulled. Containers run nothing.

The words are those of Docker Engine 25. What is pulled stands where Docker has its own list, so
that it goes into images with the rest of the disk.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from awsbatch_simulator.host.guest import kernel, registries
from awsbatch_simulator.host.guest.machine import OK, Answer, Command, Guest, fail, option, plain
from awsbatch_simulator.host.guest.units import masked

REPOSITORIES = "/var/lib/docker/image/overlay2/repositories.json"
VERSION = "25.0.16"
_FIELD = re.compile(r"\{\{\s*(json\s+)?\.?([\w.]*)\s*\}\}")
_DOWN = (
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. "
    "Is the docker daemon running?"
)
_RUN_VALUED = frozenset(
    {"-e", "--env", "-v", "--volume", "--name", "-w", "--workdir", "-u", "--user", "--entrypoint",
     "--network", "--net", "-p", "--publish", "--cpus", "-m", "--memory", "--mount", "--env-file",
     "--ulimit", "--restart", "--log-driver", "--log-opt", "-l", "--label", "--platform", "--pull",
     "--device", "--gpus", "--tmpfs", "--shm-size", "--cap-add", "--pid", "--hostname", "-h"}
)  # fmt: skip


def pulled(guest: Guest) -> dict[str, str]:
    """Ids of images by reference."""
    try:
        stored = json.loads(guest.read(REPOSITORIES) or "{}").get("Repositories", {})
        return {ref: str(found) for refs in stored.values() for ref, found in refs.items()}
    except (ValueError, AttributeError):
        return {}


def _store(guest: Guest, images: dict[str, str]) -> None:
    repositories: dict[str, dict[str, str]] = {}
    for reference, found in images.items():
        repositories.setdefault(registries.parts(reference)[0], {})[reference] = found
    guest.write(REPOSITORIES, json.dumps({"Repositories": repositories}))


def docker(guest: Guest, words: list[str]) -> Answer:
    """All of docker that a script asks for; the rest is written down and succeeds."""
    verbs = plain(words, frozenset({"--config", "-H", "--host", "-l", "--log-level"}))
    if not verbs:
        return Answer(out=f"Docker version {VERSION}, build 58a17df\n")
    verb, rest = verbs[0], words[words.index(verbs[0]) + 1 :]
    if verb in _GROUPS and rest:
        verb, rest = _GROUPS[verb].get(rest[0], f"{verb} {rest[0]}"), rest[1:]
    if verb in {"login", "logout"}:
        return registries.login(guest, rest, out=verb == "logout")
    if "docker.service" in masked(guest) or not guest.active & {"docker.service", "docker.socket"}:
        return fail(_DOWN)
    answering = _VERBS.get(verb)
    return OK if answering is None else answering(guest, rest)


def _pull(guest: Guest, words: list[str]) -> Answer:
    names = plain(words, frozenset({"--platform"}))
    if len(names) != 1:
        return fail('"docker pull" requires exactly 1 argument.')
    whole = registries.whole_name(names[0])
    if (refusal := registries.refusal(guest, names[0])) is not None:
        return refusal
    identity = hashlib.sha256(f"image {registries.digest(whole)}".encode()).hexdigest()
    _store(guest, pulled(guest) | {whole: f"sha256:{identity}"})
    said = f"Digest: {registries.digest(whole)}\nStatus: Downloaded newer image for {whole}\n"
    said += f"{names[0]}\n"
    return Answer(out=f"{names[0]}\n" if {"-q", "--quiet"} & set(words) else said)


def _about(reference: str, identity: str) -> dict[str, Any]:
    repository, tag, _ = registries.parts(reference)
    return {
        "Repository": repository,
        "Tag": tag or "<none>",
        "Digest": registries.digest(reference),
        "ID": identity.removeprefix("sha256:")[:12],
        "Size": "80MB",
        "CreatedSince": "2 weeks ago",
    }


def _listed(guest: Guest, words: list[str]) -> Answer:
    globs = [
        registries.parts(each)[0]
        for each in plain(words, frozenset({"--format", "-f", "--filter"}))
    ]
    found = [
        _about(reference, identity)
        for reference, identity in sorted(pulled(guest).items())
        if not globs or any(fnmatchcase(registries.parts(reference)[0], each) for each in globs)
    ]
    if "-q" in words or "--quiet" in words:
        return Answer(out="".join(f"{each['ID']}\n" for each in found))
    if form := option(words, "--format"):
        return Answer(out="".join(_template(form, each) + "\n" for each in found))
    names = ("Repository", "Tag", "ID", "CreatedSince", "Size")
    rows = [["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]]
    rows += [[str(each[name]) for name in names] for each in found]
    return Answer(out="".join("   ".join(row) + "\n" for row in rows))


def _known(guest: Guest, word: str) -> list[str]:
    """References of an image that is named by reference, digest or id."""
    images = pulled(guest)
    wanted = word.removeprefix("sha256:")
    return [
        reference
        for reference, identity in images.items()
        if reference == registries.whole_name(word)
        or (len(wanted) >= 12 and identity.removeprefix("sha256:").startswith(wanted))  # noqa: PLR2004
        or ("@" in word and registries.digest(reference) == registries.parts(word)[2])
    ]


def _inspected(guest: Guest, words: list[str]) -> Answer:
    found, said = [], ""
    for word in plain(words, frozenset({"--format", "-f", "--type"})):
        references = _known(guest, word)
        if not references:
            said += f"Error response from daemon: No such image: {word}\n"
            continue
        repository = registries.parts(references[0])[0]
        found.append(
            {
                "Id": pulled(guest)[references[0]],
                "RepoTags": [each for each in references if "@" not in each],
                "RepoDigests": [f"{repository}@{registries.digest(references[0])}"],
                "Size": 80_000_000,
                "Os": "linux",
                "Architecture": "arm64" if guest.about["architecture"] == "arm64" else "amd64",
            }
        )
    if form := option(words, "--format", "-f"):
        out = "".join(_template(form, each) + "\n" for each in found)
    else:
        out = json.dumps(found, indent=4) + "\n"
    return Answer(int(bool(said)), out=out, err=said)


def _run(guest: Guest, words: list[str]) -> Answer:
    """Starts nothing; an image that is not there is pulled first."""
    names = plain(words, _RUN_VALUED)
    if not names:
        return fail('"docker run" requires at least 1 argument.', 125)
    if _known(guest, names[0]):
        return OK
    answer = _pull(guest, [names[0]])
    said = f"Unable to find image '{names[0]}' locally\n{answer.err}{answer.out}"
    return Answer(125 if answer.code else 0, err=said)


def _removed(guest: Guest, words: list[str]) -> Answer:
    images, out = pulled(guest), ""
    for name in plain(words):
        known = _known(guest, name)
        if not known:
            return fail(f"Error response from daemon: No such image: {name}")
        out += "".join(f"Untagged: {each}\n" for each in known)
        images = {each: images[each] for each in images if each not in known}
    _store(guest, images)
    return Answer(out=out)


def _tagged(guest: Guest, words: list[str]) -> Answer:
    names = plain(words)
    known = _known(guest, names[0]) if len(names) == 2 else []  # noqa: PLR2004 - old, new
    if not known:
        return fail(f"Error response from daemon: No such image: {names[0] if names else ''}")
    images = pulled(guest)
    _store(guest, images | {registries.whole_name(names[1]): images[known[0]]})
    return OK


def _pruned(guest: Guest, words: list[str]) -> Answer:
    """With --all images go that no container uses: all of them, for none runs."""
    if "--all" in words or any(each[:1] == "-" and "a" in each[1:] and each[:2] != "--"
                               for each in words):  # fmt: skip
        _store(guest, {})
    return Answer(out="Total reclaimed space: 0B\n")


def _information(guest: Guest) -> dict[str, Any]:
    return {
        "ServerVersion": VERSION,
        "Images": len(pulled(guest)),
        "Containers": 0,
        "Driver": "overlay2",
        "CgroupDriver": "systemd",
        "CgroupVersion": "2",
        "DockerRootDir": "/var/lib/docker",
        "NCPU": kernel.online(guest.about),
        "MemTotal": guest.about["memoryMib"] << 20,
        "OperatingSystem": "Amazon Linux 2023",
    }


def _informed(guest: Guest, words: list[str]) -> Answer:
    values = _information(guest)
    if form := option(words, "--format", "-f"):
        return Answer(out=_template(form, values) + "\n")
    return Answer(out="".join(f" {key}: {value}\n" for key, value in values.items()))


def _version(_guest: Guest, words: list[str]) -> Answer:
    values = {"Client": {"Version": VERSION}, "Server": {"Version": VERSION}}
    form = option(words, "--format", "-f")
    return Answer(out=_template(form, values) + "\n" if form else f"Version: {VERSION}\n")


def _template(form: str, values: dict[str, Any]) -> str:
    """Of Go's templates the fields, by themselves or as JSON."""

    def field(found: re.Match[str]) -> str:
        value: Any = values
        for name in filter(None, found[2].split(".")):
            value = value.get(name, "<no value>") if isinstance(value, dict) else "<no value>"
        return json.dumps(value) if found[1] or not isinstance(value, str) else value

    if form == "json":
        return json.dumps(values)
    return _FIELD.sub(field, form.removeprefix("table ")).replace("\\t", "\t")


_VERBS: Mapping[str, Command] = MappingProxyType(
    {
        "pull": _pull,
        "images": _listed,
        "inspect": _inspected,
        **dict.fromkeys(("run", "create"), _run),
        "rmi": _removed,
        "tag": _tagged,
        "prune": _pruned,
        "info": _informed,
        "version": _version,
    }
)
# `docker image rm` is `docker rmi`, and so on.
_GROUPS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "image": {
            **{each: each for each in ("pull", "inspect", "tag", "prune")},
            "ls": "images",
            "rm": "rmi",
        },
        "system": {"info": "info", "prune": "prune"},
        "container": {"run": "run", "create": "create"},
        "volume": {},
        "network": {},
        "builder": {},
    }
)
