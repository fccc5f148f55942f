"""How a room under `kinds/` declares its resource; the CRD writer is handed these."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from awsbatch_operator.api.catalogue import NOT_SUPPORTED_YET
from awsbatch_operator.schema.fields import Fields
from awsbatch_operator.schema.rules import Rule
from awsbatch_operator.schema.status import Status

SpecT = TypeVar("SpecT", bound=Fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassThrough:
    """The members of an AWS operation's input that stand in spec under their own names.

    `omit` gives for each member that is left out the reason; `add` brings members of another
    operation's input under the name of their shape; `required` are ours beyond the model's.
    """

    operation: str
    omit: Mapping[str, str]
    add: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inlined:
    """Members of another AWS operation's input as a structure of their own, below `spec.<name>`.

    They have no descriptions there, or the CRD would outgrow what Helm and etcd take: another kind
    has the same members with descriptions, and `description` says which.
    """

    name: str
    members: PassThrough
    description: str
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of `kubectl get`; `wide` ones show with `-o wide` only."""

    name: str
    path: str
    type: str = "string"
    description: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """A field that is accepted but not acted on yet, so that a resource using it is Stalled.

    `path` is relative to spec, dots between; `pools[].image` is in any entry of a list. `honoured`
    are values that do no harm. The gate that refuses it and the description that says so are both
    made of this.
    """

    path: str
    remedy: str
    honoured: tuple[Any, ...] = ()

    def mark(self) -> str:
        """What the field's description says about it, for `kubectl explain` and the API pages."""
        known = [value if isinstance(value, str) else json.dumps(value) for value in self.honoured]
        only = f" (only {' and '.join(known)} is)" if known else ""
        return f"Not supported yet{only}: it makes the object Stalled, {NOT_SUPPORTED_YET.name}."

    def used_in(self, spec: Mapping[str, Any]) -> bool:
        """Whether the spec asks for what is not supported."""
        found: list[Any] = [spec]
        for part in self.path.split("."):
            name, _, lists = part.partition("[")
            holders = [each for each in found if isinstance(each, Mapping) and name in each]
            found = [each[name] for each in holders]
            if lists:
                found = [entry for each in found if isinstance(each, list) for entry in each]
        return any(value not in self.honoured for value in found)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CustomResource(Generic[SpecT]):
    """One kind as the API server learns it. Compared by identity: each is declared once.

    `rules` stand on `spec`; `object_rules` on the whole object, for those that depend on `status`.
    `selectable` are the fields that `kubectl get --field-selector` knows: single texts, numbers or
    booleans, at most eight, none of them in a list.
    """

    kind: str
    plural: str
    short_name: str
    summary: str
    spec: type[SpecT]
    status: type[Status]
    rules: tuple[Rule, ...] = ()
    object_rules: tuple[Rule, ...] = ()
    columns: tuple[Column, ...] = ()
    passthrough: PassThrough | None = None
    inlined: tuple[Inlined, ...] = ()
    not_yet: tuple[NotYet, ...] = ()
    selectable: tuple[str, ...] = ()
    namespaced: bool = True


def unsupported(resource: CustomResource[Any], spec: Mapping[str, Any]) -> tuple[NotYet, ...]:
    """The fields in the spec that are accepted but not honoured; empty for nearly all objects."""
    return tuple(entry for entry in resource.not_yet if entry.used_in(spec))


READY = Column(
    name="Ready",
    path='.status.conditions[?(@.type=="Ready")].status',
    description="Whether AWS is as specified.",
)
REASON = Column(
    name="Reason",
    path='.status.conditions[?(@.status=="True")].reason',
    description="Why it stands as it does.",
)
AGE = Column(
    name="Age", path=".metadata.creationTimestamp", type="date", description="Since creation."
)
ARN = Column(name="ARN", path=".status.arn", wide=True, description="ARN in AWS.")
AWS_NAME = Column(name="AWS Name", path=".status.awsName", wide=True, description="Name in AWS.")
