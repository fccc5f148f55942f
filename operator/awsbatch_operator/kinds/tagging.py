"""Tags of lasting AWS objects, brought in line in place.

We set the tags that the spec names and our own. Which of the spec's tags we have set is kept in an
annotation, so that a tag that left the spec can be told from one that somebody else put there,
which we leave alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from awsbatch_operator.api.metadata import TAG_KEYS, Resource
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.ports import BatchPort


@dataclass(frozen=True, slots=True)
class Tag:
    """TagResource: add tags or give them other values."""

    arn: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Untag:
    """UntagResource: take tags away."""

    arn: str
    keys: tuple[str, ...]


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


def tag_actions(arn: str, wanted: WantedTags, have: Mapping[str, str]) -> tuple[Tag | Untag, ...]:
    """The calls that bring the tags in line; none if they are."""
    missing = {key: value for key, value in wanted.all.items() if have.get(key) != value}
    stale = tuple(sorted(key for key in wanted.applied - wanted.all.keys() if key in have))
    actions: list[Tag | Untag] = []
    if missing:
        actions.append(Tag(arn, missing))
    if stale:
        actions.append(Untag(arn, stale))
    return tuple(actions)


def tag_intent(wanted: WantedTags, *, stale: bool) -> dict[str, str]:
    """The annotation to record: before keys are set, and after stale ones are gone.

    `stale` keeps the keys that are still to be removed, so that a crash forgets none.
    """
    keys = set(wanted.user) | (wanted.applied if stale else set())
    if keys == wanted.applied:
        return {}
    return {TAG_KEYS: json.dumps(sorted(keys), separators=(",", ":"))}


async def act_on_tags(batch: BatchPort, action: Tag | Untag, scope: Scope) -> None:
    """One call, safe to repeat."""
    match action:
        case Tag():
            await batch.tag_resource(scope, action.arn, action.tags)
        case Untag():
            await batch.untag_resource(scope, action.arn, action.keys)
        case never:
            assert_never(never)


def _applied(resource: Resource) -> frozenset[str]:
    try:
        keys = json.loads(resource.annotations.get(TAG_KEYS, "[]"))
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(str(key) for key in keys) if isinstance(keys, list) else frozenset()
