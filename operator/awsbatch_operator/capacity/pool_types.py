"""Which instance types a pool may launch: of those that EC2 has, what the spec asks for.

Listed types that can never be launched are faults of the spec, each told; of described ones
(`instanceRequirements`) those that cannot be launched simply do not match.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.words import some_of
from awsbatch_operator.capacity.model import InstanceType, Market, Pool, Requirements
from awsbatch_operator.capacity.offers import STANDARD, quota_group
from awsbatch_operator.capacity.pool_checks import ImageCpus
from awsbatch_operator.userdata.model import Problem, pool_path

MOST = 60  # types of a pool: so many may be listed, and one launch offers no more to EC2
_NUMBER = re.compile(r"[0-9]+")
_LINUX = ("x86_64", "arm64")
_USAGE = {Market.ON_DEMAND: "on-demand", Market.SPOT: "spot", Market.SPOT_BLOCK: "on-demand"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What decides about types besides EC2: `reserved_mib` is the agent's ECS_RESERVED_MEMORY."""

    pool: Pool
    region: str
    architecture: str = ""  # of the image that the spec names; "": it names none
    image_cpus: ImageCpus = field(default_factory=ImageCpus)
    reserved_mib: int
    seen_mib: Mapping[str, int] = field(default_factory=dict)  # what ECS has registered, by type

    def path(self, *members: str) -> str:
        """Where a member of the pool stands in the spec."""
        return pool_path(self.pool.name, *members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Types:
    """The types that a pool may launch, by name, and what of the spec is at fault."""

    usable: Mapping[str, InstanceType] = field(default_factory=dict)
    spot: frozenset[str] = frozenset()  # those that are sold as Spot Instances
    wrong: tuple[Problem, ...] = ()

    @property
    def architectures(self) -> tuple[str, ...]:
        """Those of the types, each once."""
        return tuple(sorted({each.architecture for each in self.usable.values()}))

    @property
    def gpu(self) -> bool:
        """Whether any of them has GPUs."""
        return any(each.gpus for each in self.usable.values())


def usable(wanted: Wanted, described: Mapping[str, Shape]) -> Types:
    """The types that can be launched, of those named or matching that EC2 describes."""
    pool = wanted.pool
    if pool.requirements is not None:
        faults = {name: _fault(wanted, body) for name, body in sorted(described.items())}
        bodies = [described[name] for name, fault in faults.items() if fault is None]
        return _types(wanted, bodies, () if bodies else _none_of(wanted, faults))
    found, alike = [], dict[_Fault, list[str]]()
    for name in dict.fromkeys(pool.instance_types):
        body = described.get(name)
        fault = _absent(wanted) if body is None else _fault(wanted, body)
        if fault is not None:
            alike.setdefault(fault, []).append(name)
        elif body is not None:
            found.append(body)
    wrong = tuple(
        Problem(fault.path, f"{some_of(names)} {fault.what}", fault.why, fault.remedy)
        for fault, names in alike.items()
    )
    return _types(wanted, found, wrong)


def _types(wanted: Wanted, bodies: Iterable[Shape], wrong: tuple[Problem, ...]) -> Types:
    made = {str(body["InstanceType"]): body for body in bodies}
    return Types(
        usable={name: _described(wanted, body) for name, body in sorted(made.items())},
        spot=frozenset(n for n, body in made.items() if "spot" in _usage_classes(body)),
        wrong=wrong,
    )


def _described(wanted: Wanted, body: Shape) -> InstanceType:
    cpus = wanted.image_cpus
    threads = [wanted.pool.threads_per_core, cpus.threads_per_core]
    return InstanceType.described(
        body,
        threads_per_core=min((each for each in threads if each is not None), default=None),
        max_cpus=cpus.max_cpus,
        reserved=wanted.reserved_mib,
        seen_mib=wanted.seen_mib.get(str(body["InstanceType"])),
    )


# --- what keeps a type from being launched ---


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why a type can never be launched by the pool; `what` follows the names of types."""

    path: str
    what: str
    why: str
    remedy: str


def _absent(wanted: Wanted) -> _Fault:
    return _Fault(
        wanted.path("instanceTypes"),
        f"is not among the instance types that EC2 has in {wanted.region}",
        "It can never be launched there",
        "Correct the name, or name another type",
    )


def _fault(wanted: Wanted, body: Shape) -> _Fault | None:
    pool, usage = wanted.pool, _USAGE[wanted.pool.market]
    path, named = wanted.path("instanceTypes"), "Name other types"
    if not _linux(body):
        return _Fault(path, "runs no Linux", "The ECS agent needs it", named)
    if usage not in _usage_classes(body):
        sold = "Spot Instances" if pool.market is Market.SPOT else "On-Demand Instances"
        why = f"A pool with market {pool.market} launches {sold}"
        remedy = f"{named}, or another market"
        return _Fault(path, f"is not sold as {sold}", why, remedy)
    if wanted.architecture and wanted.architecture not in _architectures(body):
        what = f"cannot start an image for {wanted.architecture}, which the pool's image is"
        remedy = f"{named} or another image, or make a pool for each architecture"
        return _Fault(path, what, "EC2 refuses such a launch", remedy)
    threads = pool.threads_per_core
    if threads is not None and threads not in body["VCpuInfo"].get("ValidThreadsPerCore", ()):
        what = f"cannot run with threadsPerCore {threads}"
        remedy = f"Leave cpuOptions out, or name other types in {path}"
        return _Fault(wanted.path("cpuOptions"), what, "EC2 refuses such a launch", remedy)
    return None


def _none_of(wanted: Wanted, faults: Mapping[str, _Fault | None]) -> tuple[Problem, ...]:
    """That types match, and none of them can be launched; nothing if none matches."""
    first = next((fault for fault in faults.values() if fault is not None), None)
    if first is None:
        return ()
    what = f"matches {some_of(list(faults))}, and none of them can be launched"
    why = f"{next(iter(faults))} {first.what}"
    return (Problem(wanted.path("instanceRequirements"), what, why, first.remedy),)


def _usage_classes(body: Shape) -> Collection[str]:
    classes: Collection[str] = body.get("SupportedUsageClasses", ("on-demand", "spot"))
    return classes


def _architectures(body: Shape) -> Collection[str]:
    processor = body.get("ProcessorInfo", {})
    architectures: Collection[str] = processor.get("SupportedArchitectures", _LINUX[:1])
    return architectures


def _linux(body: Shape) -> bool:
    return any(each in _LINUX for each in _architectures(body))


# --- requirements ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """The types of a region that requirements accept; if there are none, the nearest one."""

    found: Mapping[str, Shape]
    nearest: str = ""


def matching(requirements: Requirements, described: Mapping[str, Shape]) -> Matching:
    """Of all types of a region those that match.

    Bare metal, earlier generations, and accelerators and other special groups of types are left out
    unless nothing else matches: they boot slowly, or cost many times as much, and who describes
    types by size does not mean them. Whoever does names the family.
    """
    linux = {name: body for name, body in sorted(described.items()) if _linux(body)}
    sizes = {name: InstanceType.described(body) for name, body in linux.items()}
    names = [name for name, about in sizes.items() if requirements.accept(about)]
    if not names:
        return Matching(found={}, nearest=_nearest(requirements, sizes.values()))
    if not requirements.families:
        names = _preferred(names, lambda name: not linux[name].get("BareMetal"))
        names = _preferred(names, lambda name: bool(linux[name].get("CurrentGeneration", True)))
        if not requirements.gpus:
            names = _preferred(names, lambda name: quota_group(name) == STANDARD)
    return Matching(found={name: linux[name] for name in names})


def _preferred(names: list[str], good: Callable[[str], bool]) -> list[str]:
    return [name for name in names if good(name)] or names


def narrowed(
    types: Types, zones: Mapping[str, frozenset[str]], places: Collection[str]
) -> tuple[Types, int]:
    """Of the types so many as one launch takes; and how many there are in those zones."""
    offered = {
        name: about
        for name, about in types.usable.items()
        if not places or not zones[name].isdisjoint(places)
    }
    found = offered or types.usable
    return Types(usable=spread(found), spot=types.spot, wrong=types.wrong), len(found)


def spread(types: Mapping[str, InstanceType], most: int = MOST) -> Mapping[str, InstanceType]:
    """At most so many, of each size some: jobs of every size shall find one that fits."""
    if len(types) <= most:
        return types
    by_size: dict[tuple[int, int, int], list[InstanceType]] = {}
    for about in sorted(types.values(), key=_newest):
        by_size.setdefault((about.vcpus, about.memory_mib, about.gpus), []).append(about)
    ranked = [
        (place, size, about.name)
        for size, alike in by_size.items()
        for place, about in enumerate(alike)
    ]
    kept = {name for _, _, name in sorted(ranked)[:most]}
    return {name: about for name, about in types.items() if name in kept}


def _newest(about: InstanceType) -> tuple[int, int, str]:
    """The higher number of a family is the later generation; the shorter name has fewer extras."""
    family = about.name.partition(".")[0]
    number = _NUMBER.search(family)
    return -int(number[0] if number else 0), len(family), about.name


def _nearest(requirements: Requirements, sizes: Iterable[InstanceType]) -> str:
    """What comes closest, in words; "" if EC2 describes no type at all."""

    def distance(about: InstanceType) -> tuple[bool, bool, bool, float, str]:
        family = about.name.partition(".")[0]
        return (
            about.gpus < (requirements.gpus or 0) or (about.gpus > 0 and not requirements.gpus),
            requirements.architecture not in {"", about.architecture},
            bool(requirements.families) and family not in requirements.families,
            _off(about.vcpus, requirements.vcpus) + _off(about.memory_mib, requirements.memory_mib),
            about.name,
        )

    best = min(sizes, key=distance, default=None)
    if best is None:
        return ""
    gpus = f", {best.gpus} GPUs" if best.gpus else ""
    size = f"{best.vcpus} vCPUs, {best.memory_mib} MiB{gpus}, {best.architecture}"
    return f"{best.name} ({size})"


def _off(value: int, bounds: tuple[int | None, int | None]) -> float:
    """How far outside, as a logarithm of the ratio; 0 inside."""
    low, high = bounds
    if low is not None and value < low:
        return math.log(low / max(value, 1))
    if high is not None and value > high:
        return math.log(value / max(high, 1))
    return 0.0


def unmatched(wanted: Wanted, nearest: str) -> Problem:
    """The problem of requirements that no type of the region meets."""
    what = f"no instance type that EC2 has in {wanted.region} is as it says"
    why = f"The nearest one is {nearest}" if nearest else "EC2 describes no instance types"
    return Problem(wanted.path("instanceRequirements"), what, why, "Widen the ranges")


def undecided(wanted: Wanted, architectures: Sequence[str]) -> Problem:
    """The problem of types of two architectures without an image that would decide."""
    member = "instanceTypes" if wanted.pool.requirements is None else "instanceRequirements"
    if wanted.pool.requirements is not None:
        member += ".architecture"
    both = " and ".join(architectures)
    why = "An image is made for one architecture, and a pool has one image"
    remedy = "Keep to one architecture here, and make another pool for the other one"
    return Problem(wanted.path(member), f"leaves open {both}", why, remedy)


def without_default_image(wanted: Wanted, architecture: str) -> Problem:
    """The problem of types for which AWS provides no ECS-optimized image of Amazon Linux 2023."""
    what = f"is not set, and AWS has no ECS-optimized image with GPU drivers for {architecture}"
    remedy = "Set image.amiId or image.ssmParameter to an image of your own, or name other types"
    return Problem(wanted.path("image"), what, "Instances need an image", remedy)
