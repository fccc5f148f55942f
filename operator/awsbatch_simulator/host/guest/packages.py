"""dnf, yum and rpm: which packages are installed, and which there are.

The words are those of dnf 4 and rpm on Amazon Linux 2023. What is installed stands where rpm has
its database, so that it goes into images with the rest of the disk.
"""

from fnmatch import fnmatchcase

from awsbatch_simulator.host.guest.machine import OK, Answer, Guest, fail, option, plain, unglued

DATABASE = "/var/lib/rpm/rpmdb.sqlite"
VALUED = frozenset(
    {"-c", "--config", "--releasever", "--enablerepo", "--disablerepo", "--setopt", "-x",
     "--exclude", "--installroot", "--repo", "--repoid", "-d", "-e", "--qf", "--queryformat"}
)  # fmt: skip
_PROGRAMS = {"amazon-ecr-credential-helper": ("docker-credential-ecr-login",)}
# Of the ECS-optimized Amazon Linux 2023 image, as far as scripts ask for them. Source of the
# versions: aws/amazon-ecs-ami, release-al2023.auto.pkrvars.hcl.
INSTALLED = {
    "amazon-ec2-net-utils": "2.5.4", "amazon-efs-utils": "2.4.0", "amazon-ssm-agent": "3.3.3050",
    "audit": "3.0.6", "awscli-2": "2.30.4", "bash": "5.2.15", "chrony": "4.3",
    "cloud-init": "22.2.2", "cloud-utils-growpart": "0.31", "containerd": "2.2.5",
    "coreutils": "8.32", "curl-minimal": "8.5.0", "dnf": "4.14.0", "docker": "25.0.16",
    "e2fsprogs": "1.46.5", "ec2-instance-connect": "1.1", "ecs-init": "1.106.1", "grubby": "8.40",
    "gzip": "1.12", "iproute": "6.10.0", "iproute-tc": "6.10.0", "jq": "1.7.1",
    "kernel": "6.1.158", "nfs-utils": "2.5.4", "openssh-server": "8.7p1", "python3": "3.9.24",
    "rpm": "4.16.1.3", "rsyslog": "8.2204.0", "runc": "1.3.5", "sudo": "1.9.15",
    "system-release": "2023.9.20251110", "systemd": "252.23", "tar": "1.34",
    "util-linux": "2.37.4", "xfsprogs": "5.18.0",
}  # fmt: skip


def installed(guest: Guest) -> dict[str, str]:
    """The versions of what is installed, by name."""
    lines = (line.split(" ", 1) for line in guest.read(DATABASE).splitlines())
    return {line[0]: line[1] for line in lines if len(line) == 2}  # noqa: PLR2004 - name, version


def stored(packages: dict[str, str]) -> str:
    """As the database has it."""
    return "".join(f"{name} {packages[name]}\n" for name in sorted(packages))


def dnf(guest: Guest, words: list[str]) -> Answer:
    """`dnf` and `yum`."""
    words = unglued(words, "cxde")
    rest = plain(words, VALUED)
    verb = rest[0] if rest else ""
    match verb:
        case "install" | "reinstall" | "localinstall":
            return _install(guest, words, rest[1:])
        case "remove" | "erase" | "autoremove":
            return _remove(guest, words, rest[1:])
        case "update" | "upgrade" | "makecache" | "check-update":
            return _out_of_reach(guest) or Answer(out="Nothing to do.\nComplete!\n")
        case "list" if "installed" in rest or "--installed" in words:
            return _listed(guest, [each for each in rest[1:] if each != "installed"])
        case "clean":
            return Answer(out="0 files removed\n")
        case "":
            return fail("usage: dnf [options] COMMAND")
    return OK


def _out_of_reach(guest: Guest) -> Answer | None:
    host = f"al2023-repos-{guest.about['region']}-de612dc2.s3.dualstack.{guest.about['region']}"
    host += ".amazonaws.com"
    if guest.reaches(host):
        return None
    said = (
        "Errors during downloading metadata for repository 'amazonlinux':\n"
        f"  - Curl error (28): Timeout was reached for https://{host}/core/mirrors/latest/"
        "x86_64/mirror.list [Connection timed out after 30000 milliseconds]\n"
        "Error: Failed to download metadata for repo 'amazonlinux': Cannot prepare internal "
        "mirrorlist: Curl error (28): Timeout was reached"
    )
    return fail(said)


def _agreed(words: list[str]) -> bool:
    """Whether it asks nobody: scripts have no standard input to say yes with."""
    return bool({"-y", "--assumeyes"} & set(words))


def _install(guest: Guest, words: list[str], names: list[str]) -> Answer:
    if not names:
        return fail("Error: Need to pass a list of pkgs to install")
    if (unreachable := _out_of_reach(guest)) is not None:
        return unreachable
    missing = [each for each in names if _missing(guest, each)]
    lenient = "--skip-broken" in words or "--setopt=strict=0" in words
    said = "".join(f"No match for argument: {each}\n" for each in missing)
    if missing and not lenient:
        return Answer(1, err=f"{said}Error: Unable to find a match: {' '.join(missing)}\n")
    have = installed(guest)
    wanted = [each for each in names if each not in missing and _name(each) not in have]
    if not wanted:
        return Answer(out="Nothing to do.\nComplete!\n", err=said)
    if not _agreed(words):
        return Answer(1, out="Is this ok [y/N]: Operation aborted.\n")
    have |= {_name(each): _version(each) for each in wanted}
    guest.write(DATABASE, stored(have))
    for each in wanted:
        _commands(guest, _name(each))
    told = "".join(f"Installed: {each}\n" for each in wanted)
    return Answer(out=f"{told}Complete!\n", err=said)


def _commands(guest: Guest, package: str) -> None:
    """The programs of a package, so that they are found; they do nothing."""
    for name in _PROGRAMS.get(package, (package,)):
        path = guest.path(f"/usr/bin/{name}")
        if not path.exists() and not path.is_symlink():
            guest.write(f"/usr/bin/{name}", "#!/bin/sh\nexit 0\n")
            path.chmod(0o755)


def _missing(guest: Guest, name: str) -> bool:
    if name.startswith(("http://", "https://")):
        return not guest.reaches(name.split("/")[2])
    if name.startswith("/") and name.endswith(".rpm"):
        return not guest.path(name).is_file()
    return any(fnmatchcase(_name(name), glob) for glob in guest.about["missingPackages"])


def _name(word: str) -> str:
    """The package's name of a word such as `jq-1.7.1-50.amzn2023` or the address of an rpm file."""
    last = word.rsplit("/", 1)[-1].removesuffix(".rpm")
    for architecture in (".x86_64", ".aarch64", ".noarch"):
        last = last.removesuffix(architecture)
    parts = last.split("-")
    while len(parts) > 1 and parts[-1][:1].isdigit() and _is_version(parts):
        parts.pop()
    return "-".join(parts)


def _is_version(parts: list[str]) -> bool:
    """Whether the last part is a version or a release: `1.7.1`, `50.amzn2023`, not `11` of java."""
    return "." in parts[-1] or "amzn" in parts[-1]


def _version(word: str) -> str:
    name = _name(word)
    given = word.rsplit("/", 1)[-1].removeprefix(name).removesuffix(".rpm").lstrip("-")
    return given.partition("-")[0] or "1.0"


def _remove(guest: Guest, words: list[str], names: list[str]) -> Answer:
    have = installed(guest)
    found = [_name(each) for each in names if _name(each) in have]
    if not found:
        said = "".join(f"No match for argument: {each}\n" for each in names)
        return Answer(out="No packages marked for removal.\nNothing to do.\nComplete!\n", err=said)
    if not _agreed(words):
        return Answer(1, out="Is this ok [y/N]: Operation aborted.\n")
    guest.write(DATABASE, stored({name: have[name] for name in have if name not in found}))
    return Answer(out="".join(f"Removed: {each}\n" for each in found) + "Complete!\n")


def _listed(guest: Guest, globs: list[str]) -> Answer:
    have = installed(guest)
    found = [name for name in have if not globs or any(fnmatchcase(name, each) for each in globs)]
    if not found:
        return fail("Error: No matching Packages to list")
    return Answer(out="".join(f"{name} {have[name]} @System\n" for name in sorted(found)))


def rpm(guest: Guest, words: list[str]) -> Answer:
    """`rpm -q NAME…` and `rpm -qa`; the rest is only written down."""
    short = "".join(word[1:] for word in words if word.startswith("-") and word[1:2] != "-")
    if "q" not in short and "--query" not in words:
        return OK
    form = option(words, "--qf", "--queryformat")  # of long options only
    have = installed(guest)
    if "a" in short or "--all" in words:
        globs = plain(words, VALUED) or ["*"]
        names = [one for one in sorted(have) if any(fnmatchcase(one, glob) for glob in globs)]
    else:
        names = [_name(each) for each in plain(words, VALUED)]
    out = [
        _shown(one, have[one], form) if one in have else f"package {one} is not installed\n"
        for one in names
    ]
    return Answer(int(any(one not in have for one in names)), out="".join(out))


def _shown(name: str, version: str, form: str) -> str:
    release = "1.amzn2023"
    if not form:
        return f"{name}-{version}-{release}.x86_64\n"
    values = {"NAME": name, "VERSION": version, "RELEASE": release, "ARCH": "x86_64"}
    for key, value in values.items():
        form = form.replace(f"%{{{key}}}", value).replace(f"%{{{key.lower()}}}", value)
    return form.replace("\\n", "\n").replace("\\t", "\t")
