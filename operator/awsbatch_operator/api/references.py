"""References between objects: what a spec refers to, and what became of the target."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape, kept_of_spec
from awsbatch_operator.api.scope import ScopeRecord

DEFAULT_ACCOUNT = "default"
AMI_REF = "amiRef"

_ARN_RESOURCE = 5  # arn:partition:service:region:account:type/name, and a revision
_KINDS: Mapping[str, str] = {
    "accountRef": "AWSAccount",
    AMI_REF: "ExtendedAMI",
    "computeEnvironmentRef": "ComputeEnvironment",
    "schedulingPolicyRef": "SchedulingPolicy",
    "jobQueueRef": "JobQueue",
    "jobDefinitionRef": "JobDefinition",
    "jobRef": "BatchJob",
}


_NAMED_ALONE = ("jobDefinitionRef", "jobQueueRef", "schedulingPolicyRef")


class Need(Enum):
    """How far a target must have come before the referring object goes on."""

    READY = "Ready"  # Ready=True for its newest generation, with an ARN
    OPTIONAL = "Optional"  # found if it is there; nothing waits for it
    OWN = "Own"  # the same, and only if AWS says that what it shows is its own
    STANDING = "Standing"  # has an ARN and is not being deleted: what AWS has can be used
    IN_AWS = "InAws"  # has an ARN, or a job id: enough for what already stands in AWS


@dataclass(frozen=True, slots=True)
class Reference:
    """A `…Ref` in a spec that names a Kubernetes object; `path` is where it stands.

    `revision` is that of a JobDefinition, 0 for its newest.
    """

    path: str
    target: ObjectKey
    need: Need = Need.READY
    revision: int = 0

    def needed(self, need: Need) -> "Reference":
        """The same reference with that need."""
        return self if self.need is need else Reference(self.path, self.target, need, self.revision)


@dataclass(frozen=True, slots=True)
class Targets:
    """What `desired` is made from besides the spec: the answers of the gates before it."""

    aws_name: str
    account_id: str
    region: str
    found: Mapping[ObjectKey, Resource] = field(default_factory=dict)
    # Targets that are there, and why what they show must not be used although nothing waits for it.
    unproven: Mapping[ObjectKey, Finding] = field(default_factory=dict)
    users: Sequence[Resource] = ()  # objects that refer to this one; read only when asked
    adopted: bool = False  # AWS had it before, and it was taken over
    recorded: ScopeRecord | None = None  # None: the kind has no scope

    def arn(self, key: ObjectKey) -> str:
        """The ARN that the target shows; KeyError if it has none (the gate has seen to that)."""
        return str(self.found[key].status["arn"])


_LEAVES = frozenset({str, int, bool, float, type(None)})


@kept_of_spec
def references(resource: Resource) -> tuple[Reference, ...]:
    """All references by name in the spec, and the account, named or not.

    The namespace is the object's own; an AWSAccount has none.
    """
    found = [
        Reference(
            path,
            _key(field_name, value["name"], resource.key.namespace),
            revision=_revision(value),
        )
        for path, field_name, value in _walk(resource.spec, "spec")
        if "name" in value
    ]
    has_account = any(reference.target.kind == "AWSAccount" for reference in found)
    if not has_account and resource.key.kind != "AWSAccount":
        implied = ObjectKey("AWSAccount", "", DEFAULT_ACCOUNT)
        found.append(Reference("spec.accountRef", implied))
    return tuple(found)


@kept_of_spec
def external_arns(resource: Resource) -> tuple[tuple[str, str], ...]:
    """(path, ARN) of every reference that names an AWS object directly."""
    return tuple(
        (path, str(value["arn"]))
        for path, _, value in _walk(resource.spec, "spec")
        if "arn" in value
    )


@kept_of_spec
def arn_targets(resource: Resource) -> tuple[ObjectKey, ...]:
    """Stand-ins for what a job or a queue names by ARN, a definition of whatever revision.

    No object has such a key. They tell who else needs what an object of ours has in AWS.
    """
    spec, found = resource.spec, []
    order, fallback = spec.get("computeEnvironmentOrder"), spec.get("fallback")
    other = fallback.get("jobQueueRef") if isinstance(fallback, Mapping) else None
    entries = [each for each in order if isinstance(each, Mapping)] if type(order) is list else []
    for field_name, value in (
        *((name, spec.get(name)) for name in _NAMED_ALONE),
        *(("computeEnvironmentRef", each.get("computeEnvironmentRef")) for each in entries),
        ("jobQueueRef", other),
    ):
        arn = value.get("arn") if isinstance(value, Mapping) else None
        parts = str(arn or "").split(":")
        if len(parts) > _ARN_RESOURCE:
            found.append(in_aws(parts[4], parts[3], _KINDS[field_name], parts[5].partition("/")[2]))
    return tuple(found)


def in_aws(account_id: str, region: str, kind: str, name: str) -> ObjectKey:
    """The stand-in for what an object of that kind has in AWS under that name."""
    return ObjectKey(f"{kind} in AWS", f"{account_id}/{region}", name)


def _revision(value: Shape) -> int:
    number = value.get("revision")
    return number if isinstance(number, int) else 0


def _key(field_name: str, name: str, namespace: str) -> ObjectKey:
    kind = _KINDS[field_name]
    return ObjectKey(kind, "" if kind == "AWSAccount" else namespace, name)


def _walk(value: Any, path: str) -> Iterator[tuple[str, str, Shape]]:
    if type(value) in _LEAVES:  # most are, and each event walks through two specs
        return
    if isinstance(value, dict | Mapping):  # a dict is told at once, an abstract Mapping is not
        for name, inner in value.items():
            here = f"{path}.{name}"
            if name in _KINDS and isinstance(inner, dict | Mapping):
                yield here, name, inner
            else:
                yield from _walk(inner, here)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _walk(inner, f"{path}[{index}]")
