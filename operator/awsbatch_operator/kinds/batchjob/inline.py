"""The definition in a job: its name in AWS, and which definitions a job's records name (pure).

All jobs of a namespace with the same content share one definition, so its name is made of the
content. Nobody owns it alone. A job that is recorded with it uses it; whoever is the last to need
it deregisters it. What a job has been recorded with, and does not need any more, stands in its
annotation `awsbatch.dev/definitions` until that was looked after.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from awsbatch_operator.api.encoding import canonical, decoded
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import DEFINITIONS, SUBMISSION, ObjectKey, Resource, Shape, kept
from awsbatch_operator.api.names import short_hash, with_suffix
from awsbatch_operator.api.references import in_aws
from awsbatch_operator.api.tags import CLUSTER, CONTENT, KIND, NAMESPACE, PURPOSE
from awsbatch_operator.kinds.batchjob.record import end_condition
from awsbatch_operator.kinds.definition_faults import definition_faults
from awsbatch_operator.kinds.registrations import Revision
from awsbatch_operator.schema.canonical import content_hash
from awsbatch_operator.schema.request import registrable

INLINE = "inline"  # a word of the name, and the value of the tag awsbatch.dev/purpose
_DIGITS = 32
# What a spec cannot say.
_NOT_CONTENT = frozenset(
    {"jobDefinitionName", "jobDefinitionArn", "revision", "status", "tags"}
    | {"containerOrchestrationType"}
)
_NAME = re.compile(rf"-{INLINE}-[0-9a-f]{{{_DIGITS}}}$")
# arn:PARTITION:batch:REGION:ACCOUNT:job-definition/NAME, and :REVISION
_ARN = re.compile(r"arn:[a-z-]+:batch:([a-z0-9-]+):([0-9]+):job-definition/([A-Za-z0-9_-]+)(:\d+)?")


@dataclass(frozen=True, slots=True)
class Place:
    """A definition's name, and where in AWS it is."""

    account_id: str
    region: str
    name: str

    @property
    def key(self) -> ObjectKey:
        """The stand-in by which the index of references knows who is recorded with it."""
        return in_aws(self.account_id, self.region, "JobDefinition", self.name)


@dataclass(frozen=True, slots=True)
class Inline:
    """A definition that stands in a job; `content` are RegisterJobDefinition's members."""

    cluster_id: str
    namespace: str
    name: str
    content: Mapping[str, Any]
    content_hash: str

    def request(self) -> dict[str, Any]:
        """RegisterJobDefinition's. The tags name no job: it is that of all with this content."""
        return {
            **registrable(self.content),
            "jobDefinitionName": self.name,
            "tags": {
                CLUSTER: self.cluster_id,
                KIND: "BatchJob",
                NAMESPACE: self.namespace,
                PURPOSE: INLINE,
                CONTENT: self.content_hash,
            },
        }


def inline_of(resource: Resource, cluster_id: str) -> Inline | None:
    """The definition in the spec; None if there is none."""
    content = resource.spec.get("jobDefinition")
    if not isinstance(content, Mapping):
        return None
    namespace, hashed = resource.key.namespace, _hash_of(canonical(content))
    suffix = short_hash(cluster_id, namespace, hashed, digits=_DIGITS)
    name = with_suffix(namespace, f"{INLINE}-{suffix}")
    return Inline(cluster_id, namespace, name, content, hashed)


@lru_cache(maxsize=1024)
def _hash_of(spelled: bytes) -> str:
    """The same of all spellings; a thousand jobs with one definition have it counted once."""
    return content_hash(decoded(spelled))


def unfit_definition(resource: Resource) -> tuple[Finding, ...]:
    """What is wrong with the definition in the spec, as it is told of a JobDefinition."""
    content = resource.spec.get("jobDefinition")
    return definition_faults(content, "spec.jobDefinition") if content else ()


def is_ours(tags: Mapping[str, str], cluster_id: str) -> bool:
    """Whether a revision was registered by jobs of this cluster."""
    return tags.get(CLUSTER) == cluster_id and tags.get(PURPOSE) == INLINE


def revision_of(described: Shape) -> Revision:
    """One revision, of AWS's description of it, or of what registered it with the answer."""
    content = {name: value for name, value in described.items() if name not in _NOT_CONTENT}
    return Revision(
        arn=str(described["jobDefinitionArn"]),
        number=int(described["revision"]),
        tags=described.get("tags") or {},
        content=content,
    )


def arn_of(place: Place, like: str) -> str:
    """The ARN without a revision, in the partition of another ARN of the same place."""
    partition = like.split(":")[1] if like.startswith("arn:") else "aws"
    return f"arn:{partition}:batch:{place.region}:{place.account_id}:job-definition/{place.name}"


def place_of(arn: str) -> Place | None:
    """Of which definition that stands in jobs the ARN is, with or without a revision."""
    return next(iter(places_in(arn)), None)


def places_in(text: str) -> Iterator[Place]:
    """All such definitions whose ARNs a text has."""
    if f"-{INLINE}-" not in text:  # nearly all have none
        return
    for region, account_id, name, _ in _ARN.findall(text):
        if _NAME.search(name):
            yield Place(account_id, region, name)


def used_by(resource: Resource) -> frozenset[Place]:
    """What a job has been recorded with: its newest run, as its record and its status have it."""
    texts = (
        resource.annotations.get(SUBMISSION, ""),
        str(resource.status.get("jobDefinitionArn", "")),
    )
    return frozenset(place for text in texts for place in places_in(text))


def let_go_by(resource: Resource, account_id: str, region: str) -> frozenset[Place]:
    """What it was recorded with before in that place, and nobody has looked after yet."""
    return _there(_let_go(resource), account_id, region)


def recorded_at(resource: Resource, account_id: str, region: str) -> frozenset[Place]:
    """All that its records and its status name there: what a deletion has to look after."""
    return _there(used_by(resource) | _let_go(resource), account_id, region)


@kept
def _let_go(resource: Resource) -> frozenset[Place]:
    return frozenset(places_in(resource.annotations.get(DEFINITIONS, "")))


def _there(places: Iterable[Place], account_id: str, region: str) -> frozenset[Place]:
    return frozenset(
        each for each in places if (each.account_id, each.region) == (account_id, region)
    )


def recorded_with(resource: Resource) -> tuple[ObjectKey, ...]:
    """For the index of references; of nearly all jobs, nothing."""
    if resource.key.kind != "BatchJob":
        return ()
    places = used_by(resource) | _let_go(resource)
    return tuple(sorted(place.key for place in places)) if places else ()


def needs(resource: Resource, place: Place, cluster_id: str) -> bool:
    """Whether a job keeps the definition: it is recorded with it, and is not at its own end.

    A finished job keeps it until it is deleted, and one that is being deleted until AWS is known
    to run nothing of it any more. One whose next run is to have it keeps it as well, from when it
    is about to be registered for that.
    """
    going = resource.deleting and not resource.paused
    if place not in used_by(resource):
        return not going and place in _let_go(resource) and _is_next(resource, place, cluster_id)
    return not (going and end_condition(resource) is not None)


def _is_next(resource: Resource, place: Place, cluster_id: str) -> bool:
    inline = inline_of(resource, cluster_id)
    return inline is not None and inline.name == place.name


def letting_go(before: Iterable[Place], arn_like: str) -> dict[str, str]:
    """The annotation that keeps them in mind; an empty text if there are none."""
    arns = sorted(arn_of(place, arn_like) for place in before)
    return {DEFINITIONS: json.dumps(arns, separators=(",", ":")) if arns else ""}


def ahead_of_its_run(before: Iterable[Place], definition: str) -> dict[str, str]:
    """The annotation that names a definition which is about to be registered before its run.

    No run is recorded with it yet. Should none ever be, it is looked after like all that were let
    go.
    """
    return letting_go({*before, *places_in(definition)}, definition)


def shown_definition(definition: str) -> Shape | None:
    """What the status says of a run whose definition stands in jobs; None of any other."""
    place, revision = place_of(definition), definition.rpartition(":")[2]
    if place is None or not revision.isdecimal():
        return None
    return {"name": place.name, "revision": int(revision)}
