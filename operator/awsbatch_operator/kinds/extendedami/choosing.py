"""Which image is in use, and whether another one is due (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.names import short_hash
from awsbatch_operator.api.references import AMI_REF
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.hashing import build_hash
from awsbatch_operator.kinds.extendedami.observed import Image, Observed, Verdict
from awsbatch_operator.kinds.extendedami.record import Build

DAY_SECONDS = 86_400.0
HASH_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An image that is to be made, and why, for people."""

    build: str
    content: str
    base: str
    source: str
    because: str


def newest_first(images: Iterable[Image]) -> list[Image]:
    """The newest first; of two of one moment always the same one."""
    return sorted(images, key=lambda each: (each.created.epoch, each.id), reverse=True)


def is_of(desired: Desired, observed: Observed, image: Image | Build) -> bool:
    """Whether the image, or the build, is what the spec says, of whatever release of the base.

    It does not matter how the spec comes to name a base, as long as it is that very one.
    """
    base = observed.base
    of_base = image.source == source_of(desired) or (base is not None and base.id == image.base)
    return bool(image.base) and of_base and image.content == build_hash(desired, image.base)


def source_of(desired: Desired) -> str:
    """What the spec says of the base: another one is another spec, a newer image of it is not."""
    base = desired.base
    if base.reference:
        return short_hash(AMI_REF, base.reference)
    return short_hash(base.ssm_parameter, base.image_id)


def newest(desired: Desired, observed: Observed) -> Image | None:
    """The image that would be used without a pin.

    The newest that passed and is as the spec says; where a newer base is followed, one of the base
    as it is now comes first, for AWS takes back a base as well. While there is none, the one that
    was used before goes on being used, or, where nobody knows that, the newest of all.
    """
    accepted = newest_first(each for each in observed.images if each.accepted)
    fitting = [each for each in accepted if is_of(desired, observed, each)]
    if desired.rebuild.on_base_change and observed.base is not None:
        base = observed.base.id
        fitting = [each for each in fitting if each.base == base] or fitting
    if fitting:
        return fitting[0]
    shown = [each for each in accepted if each.id == observed.shown]
    return next(iter((*shown, *accepted)), None)


def pinned(desired: Desired, observed: Observed) -> Image | None:
    """The image that the pin names, if it may be used."""
    found = observed.image(desired.pin)
    return found if found is not None and found.accepted else None


def lost(desired: Desired, observed: Observed) -> bool:
    """Whether somebody has taken the image in use away, and driftPolicy Report leaves it so.

    Another one is not used in its place either: environments would be moved to it. A newer base,
    or another text of a script, makes another image all the same.
    """
    terms, record = desired.terms, observed.record
    if not terms.reports or terms.taking_over or desired.pin or not desired.bake.needed:
        return False
    last = record.rolled_out if record is not None and record.rolled_out else observed.shown
    used = observed.image(last) if last else None
    if used is not None and used.accepted:
        return False
    since = None if record is None or not record.image else observed.image(record.image)
    return since is None or since.id == last or not since.accepted


def in_use(desired: Desired, observed: Observed) -> Image | None:
    """The image of ours that environments are to use now; None: there is none.

    A pin that names none that may be used changes nothing: what was used before stays in use, else
    a slip of the pen would keep environments from new instances.
    """
    if not desired.bake.needed or lost(desired, observed):
        return None
    if not desired.pin:
        return newest(desired, observed)
    before = observed.image(observed.shown)
    return pinned(desired, observed) or (before if before is not None and before.accepted else None)


def left_as_it_is(desired: Desired, observed: Observed) -> bool:
    """Whether the spec says another image than the one in use, and asks for no build of it."""
    used = None if desired.pin or desired.rebuild.on_spec_change else in_use(desired, observed)
    if used is None or observed.base is None or desired.unread:
        return False
    return not is_of(desired, observed, used)


def due(desired: Desired, observed: Observed, now: Instant) -> Due | None:
    """What is to be made now, budget and pauses aside; None: nothing.

    With a pin, nothing is made: whoever pins wants no change.
    """
    base = observed.base
    if desired.pin or base is None or not desired.bake.needed or desired.unread:
        return None
    if lost(desired, observed):
        return None
    content = build_hash(desired, base.id)
    source = source_of(desired)
    build = free_build(desired, observed, content)
    wanted = Due(build=build, content=content, base=base.id, source=source, because="")
    current = newest(desired, observed)
    if current is None:
        gone = f"{observed.shown} is gone from AWS." if observed.shown else "There is no image yet."
        return _because(wanted, gone)
    if not is_of(desired, observed, current):
        return _because(wanted, "The spec has changed.") if desired.rebuild.on_spec_change else None
    if current.base != base.id and desired.rebuild.on_base_change:
        return _because(wanted, f"There is a newer base image, {base.id}.")
    days = desired.rebuild.max_age_days
    if days is None or now.since(current.created) < days * DAY_SECONDS:
        return None
    return _because(wanted, f"{current.id} is older than {days} days.")


def free_build(desired: Desired, observed: Observed, content: str) -> str:
    """The hash that goes into the name of the next image of this content.

    It is this object's alone, since names of objects may look alike once they are put together and
    cut, and two clusters may have the same objects in one account. An image that has passed keeps
    its name: the one that follows it for its age, or because somebody disabled it, has another.
    """
    owner = desired.owner
    place = (owner.cluster_id, desired.namespace, desired.name)
    build = short_hash(content, *place, digits=HASH_DIGITS)
    passed = {Verdict.VERIFIED, Verdict.UNVERIFIED}
    taken = {each.build: each.id for each in observed.images if each.verdict in passed}
    while build in taken:
        build = short_hash(build, taken[build], digits=HASH_DIGITS)
    return build


def too_old_at(desired: Desired, current: Image | None) -> Instant | None:
    """When the image in use is to be made anew for its age."""
    days = desired.rebuild.max_age_days
    if days is None or current is None or desired.pin:
        return None
    return current.created.plus(days * DAY_SECONDS)


def superseded(
    images: Sequence[Image], used: Image | None, *, keep: int, min_age_days: int, now: Instant
) -> tuple[Image, ...]:
    """Images with a verdict that nobody needs by the retention alone, the oldest first.

    `keep` counts accepted images, the one in use among them; a rejected one is kept for its age.
    What was taken over is not counted and stays: somebody else has made it.
    """
    images = [each for each in images if not each.adopted]
    accepted = [each for each in newest_first(images) if each.accepted and each != used]
    kept = {each.id for each in accepted[: max(0, keep - (used is not None))]}
    kept |= set() if used is None else {used.id}
    return tuple(
        each
        for each in reversed(newest_first(images))
        if each.verdict
        and each.id not in kept
        and now.since(each.created) >= min_age_days * DAY_SECONDS
    )


def _because(made: Due, words: str) -> Due:
    return replace(made, because=words)
