"""Lines of /etc/fstab for network file systems, and who waits for them.

EFS by its mount helper: `iam` and `accesspoint` need `tls` (aws/efs-utils, README), and with an
access point the path is the access point's own, so `/` is given. NFS with the options that AWS
recommends for EFS without the helper (EFS User Guide, "Recommended NFS mount settings").
`_netdev` and `nofail` are always set: without the former a boot may hang, without the latter a dead
file system keeps the host from booting at all.
"""

from collections.abc import Sequence

from awsbatch_operator.userdata.images.model import Mount, Recipe
from awsbatch_operator.userdata.images.quoting import unit_word

_ALWAYS = ("_netdev", "nofail")
_NFS = (
    *("nfsvers=4.1", "rsize=1048576", "wsize=1048576", "hard", "timeo=600", "retrans=2"),
    "noresvport",
)
_SAME = {"soft": "hard", "vers": "nfsvers", "resvport": "noresvport"}
_GUARD_HEAD = "# Made by aws-batch-operator: no job runs where a file system is missing.\n"


def source(mount: Mount) -> str:
    """What is mounted."""
    if mount.type == "efs":
        return f"{mount.source}:{'/' if mount.access_point_id else mount.path or '/'}"
    return f"{mount.source}:{mount.path or '/'}"


def file_system(mount: Mount) -> str:
    """The type in fstab."""
    return "efs" if mount.type == "efs" else "nfs4"


def options(mount: Mount) -> str:
    """The options; what the user gives takes the place of ours of the same name."""
    ours: tuple[str, ...] = _NFS
    if mount.type == "efs":
        point = (f"accesspoint={mount.access_point_id}",) if mount.access_point_id else ()
        ours = (*(("iam",) if mount.iam else ()), *point)
        if mount.tls or {_key(each) for each in (*ours, *mount.options)} & {"iam", "accesspoint"}:
            ours = ("tls", *ours)
    given = tuple(each for each in mount.options if each and each not in _ALWAYS)
    replaced = {_key(each) for each in given}
    kept = tuple(each for each in ours if _key(each) not in replaced)
    return ",".join((*_ALWAYS, *kept, *given))


def _key(option: str) -> str:
    name = option.partition("=")[0]
    return _SAME.get(name, name)


def guard(recipe: Recipe) -> str:
    """The drop-in of ecs.service: the agent starts after the mounts, and not without them.

    Empty if there are none. RequiresMountsFor (systemd.unit(5)) also stops the agent when a file
    system is unmounted later on.
    """
    paths: Sequence[str] = [
        *(each.mount_path for each in recipe.volumes if each.mount_path),
        *(each.mount_path for each in recipe.mounts),
    ]
    if not paths:
        return ""
    lines = "".join(f"RequiresMountsFor={unit_word(each)}\n" for each in paths)
    return f"{_GUARD_HEAD}[Unit]\n{lines}"
