"""The spec's tags on what there is already: images, snapshots, copies, template, parameter (pure).

What is made has its tags from the call that makes it. An edit of the spec reaches it here, level by
level: what AWS shows is compared with what it is to be. Only the spec's tags are set, and only
those taken away that we have set for an earlier spec (the annotation `awsbatch.dev/tag-keys`).

Snapshots are not looked at: an image stands for its own, which get and lose a tag by its call.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.tags import owner_marks_in
from awsbatch_operator.kinds.extendedami.attempts import ImagePlan
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.observed import Image, Observed, tags_by_key
from awsbatch_operator.kinds.extendedami.publishing import is_ours
from awsbatch_operator.kinds.extendedami.requests import ImageCall
from awsbatch_operator.kinds.tagging import WantedTags, tag_record


@dataclass(frozen=True, slots=True)
class Thing:
    """What carries tags: `resources` are tagged by one call, and the first is looked at."""

    resources: tuple[str, ...]
    tags: Mapping[str, str]
    region: str = ""  # "" is the object's


@dataclass(frozen=True, slots=True)
class TagsOf:
    """AWS shows these tags of a thing with these values, and those keys no more."""

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    def met(self, observed: Observed | None) -> bool:
        have = None if observed is None else _tags_of(observed, self.name)
        if have is None:
            return True  # it is gone, with its tags
        shown = all(have.get(key) == value for key, value in self.tags.items())
        return shown and not any(key in have for key in self.gone)


def tagging(
    desired: Desired, observed: Observed, going: Collection[str], now: Instant
) -> ImagePlan:
    """The calls that bring tags in line; `going` are ids that other steps of this plan remove."""
    wanted = desired.tags
    steps = [
        *(
            s
            for each in _of_ec2(observed)
            if each.resources[0] not in going
            for s in _ec2(each, wanted)
        ),
        *_of_parameter(desired, observed),
    ]
    have = {key: value for each in _all_tags(observed) for key, value in each.items()}
    if _may_show_more(observed, now):
        have |= dict.fromkeys(wanted.applied, "")
    return Plan(steps=tuple(steps), record=tag_record(wanted, have))


def unmarked(observed: Observed | None) -> ImagePlan:
    """What was taken over is let go: the tags that name its owner go, and then it is released.

    Those that say what an image was made of stay: without them nobody could take it over again.
    """
    steps = [] if observed is None else [*map(_without_owner, filter(_owned, _of_ec2(observed)))]
    for name, have in ({} if observed is None else observed.parameters).items():
        if keys := owner_marks_in(have["Tags"]):
            request = {"ResourceType": "Parameter", "ResourceId": name, "TagKeys": list(keys)}
            call = ImageCall("ssm", "RemoveTagsFromResource", request)
            steps.append(_step(call, TagsOf(name, gone=keys)))
    return Plan(steps=tuple(steps), released=not steps)


def _owned(thing: Thing) -> bool:
    return bool(owner_marks_in(thing.tags))


def _without_owner(thing: Thing) -> Step[ImageCall]:
    keys = owner_marks_in(thing.tags)
    tags = [{"Key": key} for key in keys]
    request = {"Resources": list(thing.resources), "Tags": tags}
    call = ImageCall("ec2", "DeleteTags", request, region=thing.region)
    return _step(call, TagsOf(thing.resources[0], gone=keys))


def _may_show_more(observed: Observed, now: Instant) -> bool:
    """Whether something may come to light that has the tags of an earlier spec."""
    if observed.record is not None and observed.record.under_way:
        return True
    return observed.since is not None and now.since(observed.since) < observed.settling


def _of_ec2(observed: Observed) -> Iterator[Thing]:
    for region, images in (("", observed.images), *observed.copies.items()):
        yield from (_image(each, region) for each in images if each.available)
    for each in observed.templates:
        yield Thing((str(each["LaunchTemplateId"]),), tags_by_key(each))


def _image(image: Image, region: str) -> Thing:
    return Thing((image.id, *sorted(image.snapshots)), image.tags, region)


def _all_tags(observed: Observed) -> Iterator[Mapping[str, str]]:
    yield from (each.tags for each in _of_ec2(observed))
    yield from (each["Tags"] for each in observed.parameters.values())


def _tags_of(observed: Observed, name: str) -> Mapping[str, str] | None:
    if name in observed.parameters:
        tags: Mapping[str, str] = observed.parameters[name]["Tags"]
        return tags
    return next((each.tags for each in _of_ec2(observed) if each.resources[0] == name), None)


def _differences(
    wanted: WantedTags, have: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """What is missing or has another value, and the keys that an earlier spec has left."""
    missing = {key: value for key, value in wanted.user.items() if have.get(key) != value}
    return missing, tuple(sorted((wanted.applied - wanted.all.keys()) & have.keys()))


def _ec2(thing: Thing, wanted: WantedTags) -> Iterator[Step[ImageCall]]:
    name, resources = thing.resources[0], list(thing.resources)
    missing, stale = _differences(wanted, thing.tags)
    if missing:
        yield _step(
            ImageCall(
                "ec2",
                "CreateTags",
                {"Resources": resources, "Tags": _rows(missing)},
                region=thing.region,
            ),
            TagsOf(name, missing),
        )
    if stale:
        yield _step(
            ImageCall(
                "ec2",
                "DeleteTags",
                {"Resources": resources, "Tags": [{"Key": key} for key in stale]},
                region=thing.region,
            ),
            TagsOf(name, gone=stale),
        )


def _of_parameter(desired: Desired, observed: Observed) -> Iterator[Step[ImageCall]]:
    name = desired.ssm_parameter
    have = observed.parameters.get(name)
    if have is None or not is_ours(have, desired.owner):
        return
    missing, stale = _differences(desired.tags, have["Tags"])
    of: dict[str, Any] = {"ResourceType": "Parameter", "ResourceId": name}
    if missing:
        request = {**of, "Tags": _rows(missing)}
        yield _step(ImageCall("ssm", "AddTagsToResource", request), TagsOf(name, missing))
    if stale:
        request = {**of, "TagKeys": list(stale)}
        yield _step(ImageCall("ssm", "RemoveTagsFromResource", request), TagsOf(name, gone=stale))


def _step(call: ImageCall, expects: TagsOf) -> Step[ImageCall]:
    return Step(call, lane=f"tags {expects.name}", expects=expects)


def _rows(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
