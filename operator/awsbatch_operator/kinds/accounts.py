"""In which AWS account and region an object lives, as whom we act there, and whether we may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import condition, is_true
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.names import default_aws_name
from awsbatch_operator.api.references import DEFAULT_ACCOUNT
from awsbatch_operator.api.scope import Scope, ScopeRecord
from awsbatch_operator.api.words import joined
from awsbatch_operator.aws.ports import IdentityPort
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.kinds.permissions import (
    Allowances,
    allowances,
    namespace_refusal,
    refusal,
    roles_refusal,
)
from awsbatch_operator.kinds.scope_record import account_is_fixed
from awsbatch_operator.kube.port import KubePort

LABELS_SECONDS = 60.0  # how old the labels of a namespace may be; they are read, not watched
IDENTITY_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """The operator's own settings: who it is where no AWSAccount says otherwise."""

    cluster_id: str
    region: str = ""  # "" if the operator was given none
    allowed: Allowances = field(default_factory=lambda: Allowances(account=""))
    accounts: bool = True  # whether AWSAccounts are watched; a namespaced operator may not


@dataclass(frozen=True, slots=True)
class Home:
    """Where an object lives, and the identity that acts there."""

    recorded: ScopeRecord
    scope: Scope
    may_adopt: bool = False  # whether the account allows to take over what exists


class Homes(Protocol):
    """The gate 'account allowed and usable'. Both may raise AwsError and NoTokenError."""

    async def resolve(self, resource: Resource) -> Home | Finding: ...

    async def of_record(
        self, resource: Resource, recorded: ScopeRecord, *, to_look: bool = False
    ) -> Scope | Finding: ...

    def refuses_roles(self, resource: Resource, recorded: ScopeRecord) -> bool:
        """Whether the account does not allow roles that the spec names today."""


class Accounts:
    """Answers the gate 'account allowed and usable'. Remembers namespace labels and own identity.

    Raises AwsError if the operator's own identity cannot be asked for.
    """

    def __init__(
        self,
        *,
        cache: Cache,
        kube: KubePort,
        identity: IdentityPort,
        clock: Clock,
        own: OwnIdentity,
    ) -> None:
        self._cache = cache
        self._kube = kube
        self._identity = identity
        self._clock = clock
        self._own = own
        self._labels: dict[str, tuple[float, Mapping[str, str]]] = {}
        self._caller: tuple[float, str] | None = None

    async def resolve(self, resource: Resource) -> Home | Finding:
        """Where the object lives by today's answer, or why that cannot be said or is refused."""
        account = self._named(resource)
        if isinstance(account, Finding):
            return account
        scope = await self._scope(account, str(resource.spec.get("region", "")))
        if isinstance(scope, Finding):
            return scope
        allowed = self._allowed(account)
        refused = refusal(
            resource,
            allowed,
            account_id=scope.account_id,
            region=scope.region,
            namespace_labels=await self._labels_of(resource.key.namespace, allowed),
        )
        if refused is not None:
            return refused
        name = resource.spec.get("awsName")
        aws_name = str(name) if name else default_aws_name(self._own.cluster_id, resource.key)
        account_name = "" if account is None else account.key.name
        record = ScopeRecord(account_name, scope.account_id, scope.region, aws_name)
        return Home(record, scope, may_adopt=allowed.adoption)

    async def of_record(
        self, resource: Resource, recorded: ScopeRecord, *, to_look: bool = False
    ) -> Scope | Finding:
        """The scope in which what was recorded can be removed, or why there is none.

        The namespace has to be served, as ever: the annotation alone, which whoever owns the object
        can write, must not open an account. Only `to_look` at what is there, it need not be served
        any more if the status, which the operator alone writes, says that the object lived there.
        """
        shown = (resource.status.get("accountId"), resource.status.get("region"))
        known = to_look and shown == (recorded.account_id, recorded.region)
        refusals = []
        for account in await self._of_record(recorded):
            answer = await self._usable_for(account, resource, recorded, served=known)
            if isinstance(answer, Scope):
                return answer
            refusals.append(answer)
        return refusals[0] if refusals else _gone(str(recorded.account))

    def refuses_roles(self, resource: Resource, recorded: ScopeRecord) -> bool:
        """Whether the account does not allow roles that the spec names today.

        A deletion goes by what was recorded, so nobody else asks; and who can edit an object that
        is being deleted must not get more than who creates one. Where the account is known by its
        number only, what it allows is not known either.
        """
        account = None
        if recorded.account:
            account = self._cache.get(ObjectKey("AWSAccount", "", recorded.account))
        if account is None and recorded.account != "":
            return True
        allowed = self._allowed(account)
        refused = roles_refusal(resource, allowed, recorded.account_id, recorded.region)
        return refused is not None

    async def _usable_for(
        self, account: Resource | None, resource: Resource, recorded: ScopeRecord, *, served: bool
    ) -> Scope | Finding:
        """The scope of one account, None for our own, if it serves the object and leads there."""
        unusable = None if account is None else _not_usable(account)
        if unusable is not None:
            return _unavailable(unusable.message)
        allowed = self._allowed(account)
        labels = await self._labels_of(resource.key.namespace, allowed)
        refused = namespace_refusal(resource.key.namespace, allowed, labels)
        if refused is not None and not served:
            return _unavailable(refused.message)
        scope = await self._scope(account, recorded.region)
        if isinstance(scope, Finding):
            return _unavailable(scope.message)
        if scope.account_id != recorded.account_id:
            return _unavailable(
                f"The object lives in the AWS account {recorded.account_id}, and "
                f"{allowed.words} now leads to {scope.account_id}."
            )
        return scope

    async def _of_record(self, recorded: ScopeRecord) -> Sequence[Resource | None]:
        """The AWSAccount that was recorded; None for the operator's own identity.

        Where only the account's number is known (the annotation was taken away), it is whichever
        identities lead there: never another account, or the object would be looked for in vain.
        """
        if recorded.account:
            named = self._cache.get(ObjectKey("AWSAccount", "", recorded.account))
            return () if named is None else (named,)
        if (
            recorded.account is None
            and await self._own_account(recorded.region) != recorded.account_id
        ):
            there = [
                account
                for account in self._cache.of_kind("AWSAccount")
                if account.status.get("accountId") == recorded.account_id
            ]
            return there or (None,)  # our own identity, which says where it leads instead
        return (None,)

    def _named(self, resource: Resource) -> Resource | Finding | None:
        """The AWSAccount of an object; None for the operator's own identity."""
        reference = resource.spec.get("accountRef")
        name = str(reference["name"]) if reference else DEFAULT_ACCOUNT
        if reference is not None and not self._own.accounts:
            return Finding(
                catalogue.NOT_ALLOWED,
                "This operator watches single namespaces only, so it has no AWSAccounts.",
                "Delete this object and create it again without spec.accountRef: the operator's "
                "own identity serves these namespaces.",
            )
        account = self._cache.get(ObjectKey("AWSAccount", "", name))
        if account is None:
            if reference is None:
                return None
            words = f"There is no AWSAccount {name} yet."
            return Finding(catalogue.REFERENCE_NOT_FOUND, words, _remedy_without(resource))
        if account.deleting and not resource.held:
            return Finding(catalogue.REFERENCE_NOT_READY, f"AWSAccount {name} is being deleted.")
        return _not_usable(account) or account

    def _allowed(self, account: Resource | None) -> Allowances:
        if account is None:
            return self._own.allowed
        return allowances(account, own_region=self._own.region)

    async def _scope(self, account: Resource | None, region: str) -> Scope | Finding:
        if account is None:
            region = region or self._own.region
            return Scope(await self._own_account(region), region) if region else _no_region("")
        spec = account.spec
        region = region or str(spec.get("region", "")) or self._own.region
        if not region:
            return _no_region(account.key.name)
        return Scope(
            account_id=str(account.status["accountId"]),
            region=region,
            role_arn=spec.get("roleArn"),
            external_id=spec.get("externalId"),
        )

    async def _own_account(self, region: str) -> str:
        """Our own account, asked for in the region of whoever wants to know if we have none."""
        now = self._clock.monotonic()
        if self._caller is None or now - self._caller[0] > IDENTITY_SECONDS:
            there = None if self._own.region or not region else Scope("", region)
            caller = await self._identity.caller(there)
            self._caller = (now, str(caller["Account"]))
        return self._caller[1]

    async def _labels_of(self, namespace: str, allowed: Allowances) -> Mapping[str, str]:
        if not allowed.by_labels:
            return {}
        now = self._clock.monotonic()
        known = self._labels.get(namespace)
        if known is None or now - known[0] > LABELS_SECONDS:
            known = (now, await self._kube.namespace_labels(namespace))
            self._labels[namespace] = known
        return known[1]


def _remedy_without(resource: Resource) -> str:
    """What helps where the AWSAccount does not exist; "": what the catalogue says."""
    if not account_is_fixed(resource):
        return ""
    return "Create it, or delete this object and create it again with another accountRef."


def _not_usable(account: Resource) -> Finding | None:
    """Why nothing can be done in the account now; None if it can be used.

    One that is being deleted stays usable: what lives in it has to be removed first.
    """
    name, status = account.key.name, account.status
    stalled = condition(status, "Stalled")
    if stalled is not None and is_true(status, "Stalled", account.generation):
        return Finding(
            catalogue.ACCOUNT_UNAVAILABLE,
            f"AWSAccount {name} is not usable: {stalled['message']}",
        )
    verified = account.deleting or is_true(status, "Ready", account.generation)
    if not verified or "accountId" not in status:
        return Finding(catalogue.REFERENCE_NOT_READY, f"AWSAccount {name} is not Ready yet.")
    return None


def _no_region(account: str) -> Finding:
    where = f"AWSAccount {account}" if account else "the operator's configuration"
    mend = (
        f"Set spec.region of AWSAccount {account}"
        if account
        else "Set the operator's --region, or make an AWSAccount named default with a region"
    )
    return Finding(
        catalogue.IDENTITY_UNKNOWN,
        f"No AWS region: neither the spec nor {where} names one.",
        f"{mend}; or delete this object and create it again with a spec.region.",
    )


def _gone(account: str) -> Finding:
    return _unavailable(f"AWSAccount {account} does not exist.")


def _unavailable(message: str) -> Finding:
    return Finding(
        catalogue.ACCOUNT_UNAVAILABLE,
        joined(message, "What this object has in AWS can therefore not be removed."),
        "Mend the account, and deletion goes on by itself; or set spec.deletionPolicy to Retain "
        "to let the AWS object be.",
    )
