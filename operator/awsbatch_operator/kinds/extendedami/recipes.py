"""From the spec to what the builder does, and to EC2's words for volumes (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.kinds.extendedami import spec_parts as parts
from awsbatch_operator.kinds.extendedami.spec import ExtendedAmiSpec
from awsbatch_operator.kinds.extendedami.spec_contents import Script as GivenScript
from awsbatch_operator.userdata.images.model import File, Mount, Recipe, Script, Volume

_MODE = "0644"
_SCRIPT_SECONDS = 600
_VOLUME_TYPE = "gp3"


@dataclass(frozen=True, slots=True)
class TextSource:
    """The key of a ConfigMap that has the text of a script."""

    script: str
    name: str
    key: str


def borrowed(spec: ExtendedAmiSpec) -> tuple[TextSource, ...]:
    """The scripts whose texts are in ConfigMaps."""
    return tuple(
        TextSource(each.name, given.config_map_key_ref.name, given.config_map_key_ref.key)
        for each in spec.scripts or ()
        if (given := each.content_from) is not None
    )


def recipe(spec: ExtendedAmiSpec) -> Recipe:
    """What is done inside the image."""
    root, cpu = spec.root_volume, spec.cpu
    return Recipe(
        root_gib=root.size_gib if root else None,
        volumes=tuple(map(_volume, spec.volumes or ())),
        mounts=tuple(map(_mount, spec.mounts or ())),
        packages=tuple(spec.packages or ()),
        files=tuple(File(f.path, f.mode or _MODE, f.content) for f in spec.files or ()),
        scripts=tuple(map(_script, spec.scripts or ())),
        kernel_arguments=tuple(spec.kernel_arguments or ()),
        no_smt=cpu is not None and cpu.threads_per_core == 1,
        max_cpus=cpu.max_cpus if cpu else None,
        container_images=tuple(each.image for each in spec.container_images or ()),
        ecs_config=dict(spec.ecs_config or {}),
    )


def root_volume(root: parts.RootVolume | None) -> Mapping[str, Any]:
    """EC2's Ebs shape of what the spec says of the root volume; empty if it says nothing."""
    if root is None:
        return {}
    found = {
        "VolumeSize": root.size_gib,
        **_disk(root, root.type),
        "VolumeInitializationRate": root.initialization_rate_mib_ps,
    }
    said = {name: value for name, value in found.items() if value is not None}
    return {**said, "DeleteOnTermination": True} if said else {}


def device(volume: parts.Volume) -> Mapping[str, Any]:
    """EC2's BlockDeviceMapping of a further volume."""
    found = {"VolumeSize": volume.size_gib, **_disk(volume, volume.type or _VOLUME_TYPE)}
    ebs = {name: value for name, value in found.items() if value is not None}
    return {"DeviceName": volume.device_name, "Ebs": {**ebs, "DeleteOnTermination": True}}


def _disk(disk: parts.Disk, kind: str | None) -> Mapping[str, Any]:
    # EC2 takes no `Encrypted: false` for a volume of a snapshot, which is what it does anyway.
    return {
        "VolumeType": kind,
        "Iops": disk.iops,
        "Throughput": disk.throughput,
        "Encrypted": disk.encrypted or None,
        "KmsKeyId": disk.kms_key_id,
    }


def _volume(volume: parts.Volume) -> Volume:
    return Volume(
        name=volume.name,
        device=volume.device_name,
        file_system=volume.file_system or "",
        mount_path=volume.mount_path or "",
        size_gib=volume.size_gib,
    )


def _mount(mount: parts.Mount) -> Mount:
    return Mount(
        name=mount.name,
        type=mount.type,
        source=mount.source,
        path=mount.path or "/",
        mount_path=mount.mount_path,
        access_point_id=mount.access_point_id or "",
        iam=bool(mount.iam),
        tls=mount.type == "efs" and mount.tls is not False,
        options=tuple(mount.options or ()),
    )


def _script(script: GivenScript) -> Script:
    return Script(script.name, script.content or "", script.timeout_seconds or _SCRIPT_SECONDS)
