"""Which wishes need an image to be made, and which do without (pure).

A launch template is there at once, costs nothing and is changed in a second; an image takes an
instance, some minutes to hours, and the storage of its snapshots. So an image is made only for what
nothing else can do. Why each wish goes where it goes: docs/decisions/0027-what-needs-an-image.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.image_reasons import BAKE_NOT_NEEDED
from awsbatch_operator.api.words import joined
from awsbatch_operator.kinds.extendedami.spec import ExtendedAmiSpec
from awsbatch_operator.kinds.extendedami.spec_parts import Cpu, RootVolume, Volume


class Place(StrEnum):
    """Where a wish is fulfilled."""

    LAUNCH_TEMPLATE = "LaunchTemplate"
    IMAGE = "Image"
    JOB_DEFINITION = "JobDefinition"  # advice only: the operator changes none for it


@dataclass(frozen=True, slots=True)
class Target:
    """Where a field that is set goes, and why; `field` is its path in spec."""

    field: str
    place: Place
    words: str


@dataclass(frozen=True, slots=True)
class Bake:
    """Whether an image has to be made, the fields because of which, and where each field goes.

    `because` are the fields of spec that need one, each once, with the member where it matters.
    """

    needed: bool
    because: tuple[str, ...]
    targets: tuple[Target, ...]

    @property
    def template_needed(self) -> bool:
        """Whether instances need a launch template, beside an image or without one."""
        return any(target.place is Place.LAUNCH_TEMPLATE for target in self.targets)


@dataclass(frozen=True, slots=True)
class _Wish:
    """A field that is set. `group` is what it counts as in `because`.

    `image` says why it needs an image; a wish without can be in a launch template, as `template`
    says, and is in the image if there is one anyway, unless no image can carry it (`never`).
    """

    field: str
    image: str = ""
    template: str = ""
    group: str = ""
    never: bool = False


_MADE_ANYWAY = (
    "An image is made anyway, and the volumes of its builder are like this from the start, because "
    "they cannot be changed when the image is made of them."
)
_MADE_EMPTY = "EC2 makes the volume for each instance as the launch template says."
_RATE = (
    "Only a launch says how fast a volume is loaded from its snapshot; no image has it with itself."
)
_SMT = (
    "Switching hyper-threading off in a launch template takes the number of cores, which is "
    "another one for each instance size. In the image it is the kernel argument nosmt, which is "
    "right for every size. A pool of an UNMANAGED environment can do without an image, by its "
    "cpuOptions."
)
_MAX_CPUS = "It is the kernel argument nr_cpus, which stands in the boot loader of the image."
_MOUNT = (
    "A mount of all instances stands in their fstab, and has to be there before Docker and the ECS "
    "agent start."
)
_FORMATTED = (
    "The file system is made, and its mount written into fstab, once and for all instances; a "
    "launch template makes empty volumes."
)
_EFS_ADVICE = (
    "If only some jobs need it, no image is needed: a volume with efsVolumeConfiguration in their "
    "job definition mounts it for each of them, with an access point and the rights of the job's "
    "own role."
)
# Why each of these needs an image, by its name in the spec.
_BAKED = {
    "packages": "Packages are installed once, instead of at every start of an instance.",
    "files": "Files of the host are written into its root volume.",
    "scripts": "Scripts change the root volume, once, before any instance starts from it.",
    "kernelArguments": "They stand in the boot loader of the image.",
    "containerImages": (
        "They are pulled once and are on the root volume; without, every instance pulls them."
    ),
    "ecsConfig": (
        "The agent reads them from a file of the host when it starts; a pool of an UNMANAGED "
        "environment can do without an image, by userData.ecsConfig."
    ),
    "regions": "Only an image can be copied to another region.",
    "publish": (
        "Who takes an image from the parameter gets nothing of a launch template, so that all has "
        "to be in the image."
    ),
}


def decide(spec: ExtendedAmiSpec) -> Bake:
    """Where each field goes that is set; the same spec always gives the same answer."""
    wishes = tuple(_wishes(spec))
    because = tuple(dict.fromkeys(wish.group for wish in wishes if wish.image))
    targets = [_target(wish, baked=bool(because)) for wish in wishes]
    if because == ("mounts",):
        advised = (each.name for each in spec.mounts or () if each.type == "efs")
        targets += [Target(_named("mounts", n), Place.JOB_DEFINITION, _EFS_ADVICE) for n in advised]
    return Bake(bool(because), because, tuple(targets))


def explained(bake: Bake) -> Finding | None:
    """What is told of a spec that needs no image; None of one that does."""
    if bake.needed:
        return None
    fields = ", ".join(target.field for target in bake.targets)
    if fields:
        words = f"No image has to be made: a launch template is enough for {fields}."
    else:
        words = "No image has to be made: the spec asks for nothing but the base."
    unused = "builder, verify, rebuild, retention and pin have nothing to do."
    return Finding(BAKE_NOT_NEEDED, joined(words, unused))


def _target(wish: _Wish, *, baked: bool) -> Target:
    if wish.image:
        return Target(wish.field, Place.IMAGE, wish.image)
    if baked and not wish.never:
        return Target(wish.field, Place.IMAGE, _MADE_ANYWAY)
    return Target(wish.field, Place.LAUNCH_TEMPLATE, wish.template)


def _wishes(spec: ExtendedAmiSpec) -> Iterator[_Wish]:
    """In the order of the API."""
    if spec.root_volume is not None:
        yield from _root_wishes(spec.root_volume)
    for volume in spec.volumes or ():
        yield _volume_wish(volume)
    for mount in spec.mounts or ():
        yield _Wish(_named("mounts", mount.name), image=_MOUNT, group="mounts")
    if spec.cpu is not None:
        yield from _cpu_wishes(spec.cpu)
    given = {
        "packages": spec.packages,
        "files": spec.files,
        "scripts": spec.scripts,
        "kernelArguments": spec.kernel_arguments,
        "containerImages": spec.container_images,
        "ecsConfig": spec.ecs_config,
        "regions": spec.regions,
        "publish": spec.publish,
    }
    for name, value in given.items():
        if value:
            yield _Wish(name, image=_BAKED[name], group=name)


def _root_wishes(root: RootVolume) -> Iterator[_Wish]:
    for name, words in {
        "sizeGiB": "EC2 makes the root volume larger when an instance starts, and its file system "
        "grows at the first boot.",
        "type": "EC2 makes a root volume of this type when an instance starts.",
        "iops": "EC2 makes the root volume with as many IOPS when an instance starts.",
        "throughput": "EC2 makes the root volume with this throughput when an instance starts.",
        "encrypted": "EC2 encrypts the root volume when it makes it for an instance.",
        "kmsKeyId": "EC2 encrypts the root volume with this key when it makes it for an instance.",
    }.items():
        if _set(root, name):
            yield _Wish(f"rootVolume.{name}", template=words)
    if _set(root, "initializationRateMiBps"):
        yield _Wish("rootVolume.initializationRateMiBps", template=_RATE, never=True)


def _set(root: RootVolume, alias: str) -> bool:
    """Whether the member says anything; `encrypted: false` asks for nothing."""
    return bool(root.model_dump(by_alias=True).get(alias))


def _volume_wish(volume: Volume) -> _Wish:
    field = _named("volumes", volume.name)
    if volume.file_system is not None:
        return _Wish(field, image=_FORMATTED, group="volumes")
    return _Wish(field, template=_MADE_EMPTY)


def _cpu_wishes(cpu: Cpu) -> Iterator[_Wish]:
    if cpu.threads_per_core == 1:
        yield _Wish("cpu.threadsPerCore", image=_SMT, group="cpu.threadsPerCore")
    if cpu.max_cpus is not None:
        yield _Wish("cpu.maxCpus", image=_MAX_CPUS, group="cpu.maxCpus")


def _named(field: str, name: str) -> str:
    return f"{field}[name={name}]"
