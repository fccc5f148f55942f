"""Where orphans are looked for: all places in which something may have been launched or made."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from awsbatch_operator.api.conditions import is_true
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import RecordError, Resource
from awsbatch_operator.api.scope import NoTokenError, Scope
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.ports import IdentityPort
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.kinds.accounts import IDENTITY_SECONDS, Homes
from awsbatch_operator.kinds.scope_record import recorded_in
from awsbatch_operator.kube.port import KubeError


def place_of(scope: Scope) -> str:
    """The account and region: what several roles see alike."""
    return f"{scope.account_id}/{scope.region}"


class OrphanPlaces:
    """Those of the operator itself, of every AWSAccount, ComputeEnvironment and ExtendedAMI.

    Who cannot be resolved, or not now, is left out. A region that no object names any more is
    not known, so nothing is looked for there.
    """

    def __init__(
        self, cache: Cache, homes: Homes, identity: IdentityPort, clock: Clock, *, region: str
    ) -> None:
        self._cache = cache
        self._homes = homes
        self._identity = identity
        self._clock = clock
        self._region = region
        self._caller: tuple[float, str] | None = None

    async def scopes(
        self, further: Callable[[Resource], Collection[str]] = lambda _: ()
    ) -> Mapping[str, Collection[Scope]]:
        """The identities by which each place can be asked, the operator's own first.

        `further` are the regions to which an ExtendedAMI is copied.
        """
        found: dict[str, dict[Scope, None]] = {}
        named = [*await self._of("ComputeEnvironment"), *await self._of("ExtendedAMI", further)]
        for scope in [*await self._own(), *self._accounts(), *named]:
            found.setdefault(place_of(scope), {})[scope] = None
        return found

    async def _own(self) -> list[Scope]:
        now = self._clock.monotonic()
        if not self._region:
            return []
        if self._caller is None or now - self._caller[0] > IDENTITY_SECONDS:
            try:
                caller = await self._identity.caller(None)
            except (AwsError, NoTokenError):
                return []
            self._caller = (now, str(caller["Account"]))
        return [Scope(self._caller[1], self._region)]

    def _accounts(self) -> list[Scope]:
        found = []
        for account in self._cache.of_kind("AWSAccount"):
            spec, status = account.spec, account.status
            region = str(spec.get("region") or self._region)
            ready = account.deleting or is_true(status, "Ready", account.generation)
            if ready and region and "accountId" in status:
                role, external = spec.get("roleArn"), spec.get("externalId")
                found.append(Scope(str(status["accountId"]), region, role, external))
        return found

    async def _of(
        self, kind: str, further: Callable[[Resource], Collection[str]] = lambda _: ()
    ) -> list[Scope]:
        found = []
        for resource in self._cache.of_kind(kind):
            scope = await self._home(resource)
            if scope is not None:
                more = sorted(further(resource))
                found += [scope, *(replace(scope, region=region) for region in more)]
        return found

    async def _home(self, resource: Resource) -> Scope | None:
        try:
            recorded = recorded_in(resource)
            if recorded is not None:
                answer = await self._homes.of_record(resource, recorded, to_look=True)
                return None if isinstance(answer, Finding) else answer
            home = await self._homes.resolve(resource)
        except (AwsError, NoTokenError, KubeError, RecordError):
            return None
        return None if isinstance(home, Finding) else home.scope
