"""What an AWSAccount allows its objects (pure).

The operator may pass many roles; whoever may create objects in one namespace must not thereby get
all of them. So everything here is asked before any call to AWS, and the answer names the field.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.references import DEFAULT_ACCOUNT, external_arns

# Every member of AWS Batch's requests that names a role or an instance profile, and ours. A test
# compares this with botocore's model, so that a newer boto3 brings no unguarded role.
ROLE_FIELDS = frozenset(
    {"serviceRole", "spotIamFleetRole", "jobRoleArn", "executionRoleArn", "taskRoleArn"}
    | {"infrastructureRoleArn"}
)
PROFILE_FIELDS = frozenset({"instanceRole", "ec2InstanceProfileArn", "instanceProfile"})
_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Allowances:
    """What objects may ask of an account. None means: no limit of ours."""

    account: str  # name of the AWSAccount, "" for the operator's own identity
    namespaces: tuple[str, ...] | None = None
    namespace_labels: Mapping[str, str] | None = None
    role_arns: tuple[str, ...] | None = None
    external_arns: tuple[str, ...] | None = None

    @property
    def by_labels(self) -> bool:
        """Whether the labels of the namespace have to be known."""
        return self.namespace_labels is not None

    @property
    def words(self) -> str:
        """Who does not allow it."""
        return f"AWSAccount {self.account}" if self.account else "the operator's configuration"


def allowances(account: Resource) -> Allowances:
    """What the spec of an AWSAccount allows.

    Without allowedNamespaces no namespace is served, but the account named default serves all.
    Without allowedExternalArns no AWS object may be referred to by ARN.
    """
    spec = account.spec
    served: Shape | None = spec.get("allowedNamespaces")
    everyone = served is None and account.key.name == DEFAULT_ACCOUNT
    labels = served.get("matchLabels") if served else None
    roles = spec.get("allowedRoleArns")
    return Allowances(
        account=account.key.name,
        namespaces=None if everyone else tuple((served or {}).get("names", ())),
        namespace_labels=labels or None,
        role_arns=None if roles is None else tuple(roles),
        external_arns=tuple(spec.get("allowedExternalArns", ())),
    )


def refusal(
    resource: Resource,
    allowed: Allowances,
    *,
    account_id: str,
    region: str,
    namespace_labels: Mapping[str, str],
) -> Finding | None:
    """Why the account does not allow what the object asks for; None if it does."""
    return namespace_refusal(resource.key.namespace, allowed, namespace_labels) or (
        _roles_refusal(resource, allowed, account_id, region) or _arns_refusal(resource, allowed)
    )


def namespace_refusal(
    namespace: str, allowed: Allowances, labels: Mapping[str, str]
) -> Finding | None:
    """Why the account does not serve the namespace; None if it does."""
    if allowed.namespaces is None or namespace in allowed.namespaces:
        return None
    wanted = allowed.namespace_labels
    if wanted and all(labels.get(name) == value for name, value in wanted.items()):
        return None
    return Finding(
        catalogue.NOT_ALLOWED,
        f"{_capital(allowed.words)} does not serve the namespace {namespace}.",
        "Add the namespace to its spec.allowedNamespaces, or refer to another account.",
    )


def _roles_refusal(
    resource: Resource, allowed: Allowances, account_id: str, region: str
) -> Finding | None:
    if allowed.role_arns is None:
        return None
    partition = _partition(region)
    refused = [
        f"{path} ({arn})"
        for path, arn in roles(resource.spec, account_id=account_id, partition=partition)
        if not _matches(arn, allowed.role_arns)
    ]
    return _not_listed(refused, allowed, "allowedRoleArns", "roles")


def _arns_refusal(resource: Resource, allowed: Allowances) -> Finding | None:
    if allowed.external_arns is None:
        return None
    refused = [
        f"{path} ({arn})"
        for path, arn in external_arns(resource)
        if not _matches(arn, allowed.external_arns)
    ]
    return _not_listed(refused, allowed, "allowedExternalArns", "AWS objects")


def _not_listed(
    refused: Sequence[str], allowed: Allowances, field: str, things: str
) -> Finding | None:
    if not refused:
        return None
    rest = f" and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
    return Finding(
        catalogue.NOT_ALLOWED,
        f"{_capital(allowed.words)} does not allow these {things}: "
        f"{', '.join(refused[:_SHOWN])}{rest}.",
        f"Add them to its {field}, or name others.",
    )


def roles(spec: Shape, *, account_id: str, partition: str) -> Iterator[tuple[str, str]]:
    """(path, ARN) of every role and instance profile that the spec names.

    AWS Batch also takes a bare name in some fields; it means that name in the object's account.
    """
    for path, name, value in _strings(spec, "spec"):
        if name not in ROLE_FIELDS | PROFILE_FIELDS:
            continue
        if value.startswith("arn:"):
            yield path, value
        else:
            sort = "instance-profile" if name in PROFILE_FIELDS else "role"
            yield path, f"arn:{partition}:iam::{account_id}:{sort}/{value}"


def _strings(value: Any, path: str, name: str = "") -> Iterator[tuple[str, str, str]]:
    """(path, name of the innermost field, text) of every string below."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _strings(inner, f"{path}.{key}", str(key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _strings(inner, f"{path}[{index}]", name)
    elif isinstance(value, str):
        yield path, name, value


def _matches(arn: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern matches; `*` stands for any text and `?` for one character, as in IAM."""
    return any(_pattern(pattern).fullmatch(arn) for pattern in patterns)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _partition(region: str) -> str:
    return next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
