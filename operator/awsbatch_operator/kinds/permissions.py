"""What an AWSAccount allows its objects (pure).

The operator may pass many roles; whoever may create objects in one namespace must not thereby get
all of them. So everything here is asked before any call to AWS, and the answer names the field.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.references import DEFAULT_ACCOUNT
from awsbatch_operator.api.words import some_of
from awsbatch_operator.kinds.named_resources import (
    RESERVATION,
    Guard,
    Member,
    ResourceType,
    members,
    roles,
)

# By how the names of their regions begin; AWS's other regions are in the partition "aws".
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)


@dataclass(frozen=True, slots=True)
class Allowances:
    """What objects may ask of an account. None means: no limit of ours."""

    account: str  # name of the AWSAccount, "" for the operator's own identity
    namespaces: tuple[str, ...] | None = None
    namespace_labels: Mapping[str, str] | None = None
    role_arns: tuple[str, ...] | None = None
    external_arns: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None
    adoption: bool = False  # whether what exists may be taken over

    @property
    def by_labels(self) -> bool:
        """Whether the labels of the namespace have to be known."""
        return self.namespace_labels is not None

    @property
    def words(self) -> str:
        """Who does not allow it."""
        return f"AWSAccount {self.account}" if self.account else "the operator's configuration"

    def where(self, field: str) -> str:
        """Where a person widens what is allowed: a field of the AWSAccount, or a flag."""
        if self.account:
            return f"spec.{field} of AWSAccount {self.account}"
        return "the operator's --" + re.sub("(?=[A-Z])", "-", field).lower()


def allowances(account: Resource, *, own_region: str = "") -> Allowances:
    """What the spec of an AWSAccount allows; an account without a region has the operator's own.

    Without allowedNamespaces no namespace is served, but the account named default serves all.
    Without allowedExternalArns nothing that is guarded always may be named.
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
        regions=tuple(
            dict.fromkeys(
                region
                for region in (spec.get("region") or own_region, *spec.get("allowedRegions", ()))
                if region
            )
        ),
        adoption=spec.get("allowAdoption") is True,
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
    return (
        namespace_refusal(resource.key.namespace, allowed, namespace_labels)
        or _region_refusal(resource, region, allowed)
        or _adoption_refusal(resource, allowed)
        or roles_refusal(resource, allowed, account_id, region)
        or _resources_refusal(resource, allowed, account_id, region)
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
        _serving(allowed),
    )


def _serving(allowed: Allowances) -> str:
    return (
        f"Add the namespace to {allowed.where('allowedNamespaces')}, or delete this object and "
        "create it again with another accountRef."
    )


def _region_refusal(resource: Resource, region: str, allowed: Allowances) -> Finding | None:
    """The object's own region first, then those that an image is to be copied to."""
    if allowed.regions is None:
        return None
    further = [str(each) for each in resource.spec.get("regions") or ()]
    refused = next((each for each in (region, *further) if each not in allowed.regions), None)
    if refused is None:
        return None
    otherwise = "make the object anew in another region"
    if refused != region:
        otherwise = "remove it from spec.regions"
    return Finding(
        catalogue.NOT_ALLOWED,
        f"{_capital(allowed.words)} does not allow the region {refused}; "
        f"it allows {', '.join(allowed.regions) or 'none'}.",
        f"Add it to {allowed.where('allowedRegions')}, or {otherwise}.",
    )


def _adoption_refusal(resource: Resource, allowed: Allowances) -> Finding | None:
    """Why the account does not allow what is to be taken over.

    Not asked of an object that has something in AWS already: what it has stays its own.
    """
    if allowed.adoption or not may_take_over(resource) or "arn" in resource.status:
        return None
    return Finding(
        catalogue.NOT_ALLOWED,
        f"{_capital(allowed.words)} does not allow objects to take over what exists in AWS.",
        adoption_remedy(allowed),
    )


def may_take_over(resource: Resource) -> bool:
    """Whether the spec asks to take over what AWS has of its name."""
    return resource.spec.get("adoptionPolicy") in {"Adopt", "AdoptOrCreate"}


def adoption_remedy(allowed: Allowances) -> str:
    """How it comes to be allowed, or does without."""
    return f"Set {allowed.where('allowAdoption')} to true, or remove spec.adoptionPolicy."


def roles_refusal(
    resource: Resource, allowed: Allowances, account_id: str, region: str
) -> Finding | None:
    """Why the account does not allow the roles that the spec names; None if it does."""
    if allowed.role_arns is None:
        return None
    partition = _partition(region)
    refused = [
        f"{path} ({arn})"
        for path, arn in roles(resource.spec, account_id=account_id, partition=partition)
        if not _matches(arn, allowed.role_arns)
    ]
    return _not_listed(refused, allowed, "allowedRoleArns", "roles")


def _resources_refusal(
    resource: Resource, allowed: Allowances, account_id: str, region: str
) -> Finding | None:
    """Of what the spec names in AWS, by ARN, id or name, the first things that are not allowed."""
    entries = allowed.external_arns
    if entries is None:
        return None
    partition = _partition(region)
    refused = []
    for member, named in _named(resource):
        if named.guard is Guard.WHEN_LISTED and not any(map(named.listed, entries)):
            continue
        forms = named.forms(member.value, account_id=account_id, region=region, partition=partition)
        if not any(_matches(form, entries) for form in forms):
            refused.append(f"{member.path} ({forms[0]})")
    return _not_listed(refused, allowed, "allowedExternalArns", "AWS objects")


def allowed_reservations(
    ids: Iterable[str], allowed: Allowances, *, account_id: str, region: str
) -> frozenset[str]:
    """Of the capacity reservations of an account those that its objects may launch into.

    Somebody pays for each. A spec names none, so that none of another team's would be refused by
    what a spec says: allowedExternalArns has to list those that are everybody's.
    """
    if allowed.external_arns is None:
        return frozenset(ids)
    entries, partition = allowed.external_arns, _partition(region)
    return frozenset(
        each
        for each in ids
        if any(
            _matches(form, entries)
            for form in RESERVATION.forms(
                each, account_id=account_id, region=region, partition=partition
            )
        )
    )


def _named(resource: Resource) -> list[tuple[Member, ResourceType]]:
    found = ((member, member.resource_type) for member in members(resource.spec))
    return [(member, named) for member, named in found if named is not None]


def _not_listed(
    refused: Sequence[str], allowed: Allowances, field: str, things: str
) -> Finding | None:
    if not refused:
        return None
    return Finding(
        catalogue.NOT_ALLOWED,
        f"{_capital(allowed.words)} does not allow these {things}: {some_of(refused)}.",
        f"Add what stands in brackets to {allowed.where(field)}, or name others.",
    )


def _matches(arn: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern matches; `*` stands for any text and `?` for one character, as in IAM."""
    return any(_pattern(pattern).fullmatch(arn) for pattern in patterns)


def _pattern(text: str) -> re.Pattern[str]:
    """The pattern as a regular expression that takes linear time in the ARN.

    An ARN is a tenant's text: with a plain `.*` for each star, one of 2 kB of colons would take
    hours. The first place where the next part fits is as good as any later one, so nothing but the
    last star is ever tried again (atomic groups).
    """
    first, *rest = (re.escape(part).replace(r"\?", ".") for part in text.split("*"))
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    between = "".join(f"(?>.*?{part})" for part in middle)
    return re.compile(f"{first}{between}.*{last}", re.DOTALL)


def _partition(region: str) -> str:
    return next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
