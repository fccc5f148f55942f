"""Tags of lasting AWS objects, brought in line in place (pure).

We set the tags that the spec names and our own. Which of the spec's tags we have set is kept in an
annotation, so that a tag that left the spec can be told from one that somebody else put there,
which we leave alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from awsbatch_operator.api.metadata import TAG_KEYS, Resource
from awsbatch_operator.api.plans import Action, Plan, Step
from awsbatch_operator.api.tags import RESERVED_PREFIXES, marks_in, unclaimed
from awsbatch_operator.kinds.lasting import ApiCall

TAGS = "tags"  # a lane of its own: a refused tag holds up no other change

AnyAction = TypeVar("AnyAction", bound=Action)


class Tagged(Protocol):
    """An observation that has tags."""

    @property
    def tags(self) -> Mapping[str, str]: ...

    @property
    def tagged(self) -> Mapping[str, Mapping[str, str]]:
        """The same of all that the observation consists of, by ARN."""


@dataclass(frozen=True, slots=True)
class TagsShow:
    """AWS shows these tags with these values, and those keys no more. Implements Expectation."""

    tags: Mapping[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    def met(self, observed: Tagged | None) -> bool:
        if observed is None:
            return True
        shown = all(observed.tags.get(key) == value for key, value in self.tags.items())
        return shown and not any(key in observed.tags for key in self.gone)


@dataclass(frozen=True, slots=True)
class WantedTags:
    """The user's tags and ours, and the keys that we have set for the user so far."""

    user: Mapping[str, str]
    ours: Mapping[str, str]
    applied: frozenset[str] = frozenset()

    @property
    def all(self) -> dict[str, str]:
        """Every tag that the AWS object should have."""
        return {**self.user, **self.ours}


def wanted_tags(resource: Resource, ours: Mapping[str, str]) -> WantedTags:
    """What the spec asks for, and what the annotation says about earlier specs."""
    return WantedTags(dict(resource.spec.get("tags") or {}), dict(ours), _applied(resource))


def tag_steps(arn: str, wanted: WantedTags, have: Mapping[str, str]) -> tuple[Step[ApiCall], ...]:
    """The calls that bring the tags in line; none if they are."""
    call: ApiCall
    missing = {key: value for key, value in wanted.all.items() if have.get(key) != value}
    stale = _stale(wanted, have)
    steps: list[Step[ApiCall]] = []
    if missing:
        request: dict[str, Any] = {"resourceArn": arn, "tags": missing}
        call = ApiCall("TagResource", request)
        steps.append(Step(call, lane=TAGS, expects=TagsShow(missing)))
    if stale:
        request = {"resourceArn": arn, "tagKeys": list(stale)}
        call = ApiCall("UntagResource", request)
        steps.append(Step(call, lane=TAGS, expects=TagsShow(gone=stale)))
    return tuple(steps)


def tag_drift(wanted: WantedTags, have: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the tags that are not in line."""
    missing = [key for key, value in wanted.all.items() if have.get(key) != value]
    return tuple(f"tags.{key}" for key in (*missing, *_stale(wanted, have)))


def marked_first(plan: Plan[AnyAction], have: Mapping[str, str]) -> Plan[AnyAction]:
    """Of a thing that nobody has marked, which is just being taken over, the marks come first.

    The look after them shows whether it is ours, or somebody else has marked it at the same time;
    and IAM lets us change only what carries our cluster's tag.
    """
    if not unclaimed(have):
        return plan
    return replace(plan, steps=tuple(step for step in plan.steps if step.lane == TAGS))


def unmarked(observed: Tagged | None) -> Plan[ApiCall]:
    """The plan by which our own tags go from all of it, and nothing else."""
    steps = []
    for arn, tags in (observed.tagged if observed is not None else {}).items():
        if marks := marks_in(tags):
            call = ApiCall("UntagResource", {"resourceArn": arn, "tagKeys": list(marks)})
            steps.append(Step(call, lane=arn))
    return Plan(steps=tuple(steps), released=not steps)


def tag_record(wanted: WantedTags, have: Mapping[str, str]) -> dict[str, str]:
    """The annotation to be written: before keys are set, and after stale ones are gone.

    While stale keys are still to be removed it keeps them, so that a crash forgets none. `have` is
    empty for a thing that is yet to be made.
    """
    keys = set(wanted.user) | (wanted.applied if _stale(wanted, have) else set())
    if keys == wanted.applied:
        return {}
    return {TAG_KEYS: json.dumps(sorted(keys), separators=(",", ":"))}


def _stale(wanted: WantedTags, have: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(key for key in wanted.applied - wanted.all.keys() if key in have))


def _applied(resource: Resource) -> frozenset[str]:
    try:
        keys = json.loads(resource.annotations.get(TAG_KEYS, "[]"))
    except (ValueError, RecursionError):
        return frozenset()
    listed = map(str, keys) if isinstance(keys, list) else ()
    # No spec can name the reserved ones, so whatever says that we set them for one is not ours.
    return frozenset(key for key in listed if not key.lower().startswith(RESERVED_PREFIXES))
