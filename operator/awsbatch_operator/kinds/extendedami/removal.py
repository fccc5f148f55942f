"""Deletion: builds are cancelled, and what was made goes, unless it is kept or used (pure)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.words import SHOWN_AT_MOST, some_of
from awsbatch_operator.kinds import blockers
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.extendedami import requests
from awsbatch_operator.kinds.extendedami.attempts import ImagePlan
from awsbatch_operator.kinds.extendedami.circles import Find, circle
from awsbatch_operator.kinds.extendedami.copying import all_copies
from awsbatch_operator.kinds.extendedami.expectations import Gone
from awsbatch_operator.kinds.extendedami.observed import Observed
from awsbatch_operator.kinds.extendedami.publishing import unpublished
from awsbatch_operator.kinds.extendedami.retiring import (
    CLEAN_LOOK_SECONDS,
    leftovers,
    without_cluster,
)
from awsbatch_operator.kinds.lasting import APPEARING_SECONDS
from awsbatch_operator.kinds.scope_record import retains


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRemoval(Removal):
    """`retained`: images stay, and only what was on the way to one goes.

    `template_seen`: AWS has shown the launch template before, so that none comes to light later.
    """

    key: ObjectKey
    retained: bool
    template_seen: bool = False


def image_removal(resource: Resource, removal: Removal, find: Find) -> ImageRemoval:
    """The removal, with what is to stay.

    Of objects that are made from each other in a circle each would wait for the next one: those
    that are being deleted as well, and the object itself, are not waited for.
    """
    around = circle(resource, find)
    aside = {resource.key, *(each.key for each in removal.going if each.key in around)}
    return ImageRemoval(
        owner=removal.owner,
        recorded=removal.recorded,
        users=tuple(each for each in removal.users if each.key not in aside),
        going=tuple(each for each in removal.going if each.key not in aside),
        since=removal.since or resource.deleted_at,
        sent=removal.sent,
        refused_roles=removal.refused_roles,
        gone=_gone_words(resource.status),
        key=resource.key,
        retained=retains(resource, scoped=True),
        template_seen="launchTemplate" in resource.status,
    )


def _gone_words(status: Shape) -> str:
    """By what the status has shown, which keeps its fields while the object is being deleted."""
    made = [str(each["imageId"]) for each in status.get("images") or ()]
    template = (status.get("launchTemplate") or {}).get("id")
    made += [str(template)] if template else []
    if not made:
        return "Nothing that was made for this image is in AWS any more."
    return f"{some_of(made)} {'are' if len(made) > 1 else 'is'} gone from AWS."


def plan_removal(removal: ImageRemoval, observed: Observed | None, now: Instant) -> ImagePlan:
    """Instances at once; images when nobody needs them; then the object, once AWS shows nothing."""
    if observed is None:
        return Plan(released=True)
    unfinished = frozenset(each.id for each in observed.images)
    found = leftovers(observed, None, needed=frozenset(), kept=unfinished)
    steps = list(found.steps)
    blocked = _blocked(removal, observed, now)
    gone = [] if blocked else list(_images(removal, observed))
    steps += gone
    steps += [] if blocked or removal.retained else unpublished(observed, removal.owner)
    if not found.wait:
        steps += without_cluster(observed, removal.owner)
    if blocked is not None:
        return Plan(steps=tuple(steps), findings=(blocked,))
    if steps or found.wait:
        words = "Instances, images and snapshots of this object are being removed."
        leaving = Finding(reasons.IMAGE_CLEANING, words, look_again_seconds=CLEAN_LOOK_SECONDS)
        return Plan(steps=tuple(steps), findings=(leaving,))
    if (left := _settles_in(removal, observed, now)) > 0:
        words = "What was launched or made a moment ago may not be visible yet."
        return Plan(findings=(Finding(reasons.IMAGE_CLEANING, words, look_again_seconds=left),))
    return Plan(released=True)


def _images(removal: ImageRemoval, observed: Observed) -> Iterator[Step[requests.ImageCall]]:
    for image in observed.images:
        if removal.retained and image.accepted:
            continue
        call = requests.deregister(image.id)
        yield Step(call, lane=f"image {image.id}", expects=Gone(image.id))
    yield from () if removal.retained else all_copies(observed)
    for template in observed.templates:
        name = str(template["LaunchTemplateId"])
        names = {name, str(template.get("LaunchTemplateName"))}
        if removal.retained and names & observed.templates_used:
            continue  # what no environment uses is of no use to anybody later on either
        yield Step(requests.delete_template(name), lane=f"template {name}")


def _settles_in(removal: ImageRemoval, observed: Observed, now: Instant) -> float:
    """Seconds until AWS shows all that can have come of a call."""
    record = observed.record
    moments = [observed.since] if observed.since is not None else []
    if record is None:
        seconds = 0.0 if removal.template_seen else APPEARING_SECONDS * observed.motion
    elif record.clean:
        # Copies, parameters and launch templates are all that may come.
        seconds = APPEARING_SECONDS * observed.motion
    else:
        seconds = observed.settling
        moments.append(record.since)
        moments += [record.launch.time] if record.launch is not None else []
    return max(moments).plus(seconds).since(now) if moments else 0.0


def _named(users: Iterable[Resource]) -> tuple[str, ...]:
    """With their kinds: environments refer to an image, and images that are made from it."""
    few = islice(users, SHOWN_AT_MOST + 1)
    return tuple(f"{each.key.kind} {each.key.namespace}/{each.key.name}" for each in few)


def _blocked(removal: ImageRemoval, observed: Observed, now: Instant) -> Finding | None:
    """Who needs an image, or the launch template; None: nobody, or all of it stays."""
    if removal.retained:
        return None
    staying = tuple(user for user in removal.users if user not in tuple(removal.going))
    ours = _named(staying)
    going = _named(removal.going)
    theirs = sorted({use for uses in observed.users.values() for use in uses})
    words = []
    if ours:
        words.append(f"These objects refer to it: {blockers.listed(ours)}.")
    if going:
        words.append(f"These objects are being deleted as well: {blockers.listed(going)}.")
    if theirs:
        words.append(f"In AWS its images are used by {', '.join(theirs[:5])}.")
    if not words:
        return None
    finding = Finding(reasons.IMAGE_IN_USE, " ".join(words))
    by_others = bool(ours) or (bool(theirs) and not going)
    return blockers.blocked(removal, now, by_others=by_others, finding=finding)
