"""Clients by identity and region, with credentials that are fetched when needed and kept.

A role is assumed with botocore's own refreshable credentials: fetched at the first call, again some
time before they expire, by one thread while the others go on with the old ones. Endpoints come
from botocore's settings (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE>), STS included.
"""

import difflib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import botocore
import botocore.config
import botocore.session
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoRegionError

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.aws_settings import AwsSettings
from awsbatch_operator.aws.errors import AwsError, Obstacle
from awsbatch_operator.aws.models import Parsers
from awsbatch_operator.aws.wire import Wire

OWN_IDENTITY = "the operator's own identity"
RENEWED_SECONDS = 60.0  # credentials that AWS refuses are fetched anew that often at most
# Said whole. Botocore would put its own together from thirty parts, twice a call, which is a fifth
# of the processor time that a call takes.
_USER_AGENT = f"aws-batch-operator botocore/{botocore.__version__}"
_SESSION_NAME = 64  # characters; STS API reference, AssumeRole

ClientHook = Callable[[Any], None]
"""Called with every new client; tests connect the simulator here."""


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom calls are made; no role: as the operator itself."""

    role_arn: str | None = None
    external_id: str | None = None

    @classmethod
    def of(cls, scope: Scope | None) -> "Identity":
        """The identity that acts in a scope."""
        return cls(scope.role_arn, scope.external_id) if scope else cls()

    def __str__(self) -> str:
        return self.role_arn or OWN_IDENTITY


AssumeRole = Callable[[Identity, str], dict[str, Any]]
"""(who, region) -> AssumeRole's answer, made as the operator itself. Raises AwsError."""


@dataclass(frozen=True, slots=True)
class _Session:
    """botocore's session, which holds the credentials, and its clients.

    By service, region, and for how many seconds AWS may hold an answer back.
    """

    core: Any
    clients: dict[tuple[str, str, int], Any] = field(default_factory=dict)


class Sessions:
    """Makes clients and keeps those of the sessions used last. Usable from any thread.

    With a session that has not been used for longest, its credentials are forgotten.
    """

    def __init__(
        self,
        settings: AwsSettings,
        clock: Clock,
        wire: Wire,
        *,
        on_client: ClientHook | None = None,
        loader: Any = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._wire = wire
        self._on_client = on_client
        self._lock = threading.RLock()
        self._sessions: OrderedDict[tuple[Identity, str], _Session] = OrderedDict()
        self._renewed: dict[tuple[Identity, str], float] = {}  # when credentials were discarded
        self._configuration = botocore.session.Session()
        self._region = ""
        self._loader = loader or self._configuration.get_component("data_loader")

    def client(
        self, identity: Identity, service: str, region: str, assume: AssumeRole, *, waits: int = 0
    ) -> Any:
        """The client for that; made at first use. Nothing is sent by making it.

        `waits`: seconds for which AWS may hold back the answer to what it sends.
        """
        key = (service, region, waits)
        with self._lock:  # botocore's sessions are not made for several threads
            session = self._session(identity, region, assume)
            found = session.clients.get(key)
            if found is None:
                found = self._make(session.core, service, region, waits)
            # Behind the others: definitions name the regions of logs, and there is no end of names.
            session.clients.pop(key, None)
            session.clients[key] = found
            while len(session.clients) > self._settings.clients:
                del session.clients[next(iter(session.clients))]
            return found

    def discard(self, identity: Identity, region: str) -> None:
        """Forget the identity's credentials in a region: the next call there fetches new ones.

        Once in RENEWED_SECONDS: many calls may be refused for one reason at the same time, and AWS
        refuses any credentials in a region that the account has not enabled. A session and its
        clients take a tenth of a second to make, in which nobody else gets one.
        """
        now, key = self._clock.monotonic(), (identity, region)
        with self._lock:
            limit = now - RENEWED_SECONDS
            self._renewed = {each: at for each, at in self._renewed.items() if at > limit}
            if key not in self._renewed:
                self._renewed[key] = now
                self._sessions.pop(key, None)

    def region(self) -> str:
        """The region of calls without a scope. Raises BotoCoreError if nobody set one.

        For the event loop: it waits for no thread that makes a client meanwhile, which takes a
        tenth of a second. A session of botocore reads its files once, so until there is a region
        each question gets another one: the profile may be written later.
        """
        if not self._region:
            told = self._settings.region or botocore.session.Session().get_config_variable("region")
            self._region = str(told or "")
        if not self._region:
            raise NoRegionError
        return self._region

    def placed(self, error: AwsError, region: str) -> AwsError:
        """The error; no route to a region that there is not is told as what it is."""
        if error.obstacle is Obstacle.ROUTE and region not in (known := self._regions()):
            close = difflib.get_close_matches(region, known, n=1)
            meant = f" Is {close[0]} meant?" if close else ""
            error.obstacle = Obstacle.REGION
            error.message = f"This operator knows of no AWS region {region}.{meant} {error.message}"
        return error

    def _regions(self) -> frozenset[str]:
        """All that botocore knows; AWS may have newer ones."""
        core = self._configuration
        with self._lock:
            return frozenset(
                region
                for partition in core.get_available_partitions()
                for region in core.get_available_regions("ec2", partition)
            )

    def assume_request(self, identity: Identity) -> dict[str, Any]:
        """AssumeRole's request. The session's name shows in CloudTrail which cluster acted."""
        name = re.sub(r"[^\w+=,.@-]", "-", f"aws-batch-operator-{self._settings.cluster_id}")
        request = {"RoleArn": identity.role_arn, "RoleSessionName": name[:_SESSION_NAME]}
        if identity.external_id:
            request["ExternalId"] = identity.external_id
        return request

    def _session(self, identity: Identity, region: str, assume: AssumeRole) -> "_Session":
        # An assumed session belongs to a region only because STS is asked in that region.
        key = (identity, region if identity.role_arn else "")
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = _Session(botocore.session.Session())
            session.core.register_component("data_loader", self._loader)
            session.core.register_component("response_parser_factory", Parsers())
            if identity.role_arn:
                provider = _AssumedRole(identity, region, assume, self._utc)
                resolver = CredentialResolver(providers=[provider])
                session.core.register_component("credential_provider", resolver)
            while len(self._sessions) > self._settings.sessions:
                # Not closed: a thread may be using it. It goes when that one is done.
                self._sessions.popitem(last=False)
        self._sessions.move_to_end(key)
        return session

    def _make(self, session: Any, service: str, region: str, waits: int) -> Any:
        config = botocore.config.Config(
            connect_timeout=self._settings.connect_timeout,
            read_timeout=self._settings.read_timeout + waits,
            # One attempt, always: repeats go through our rate limits and our clock, and never
            # happen for a call that changes something.
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=self._settings.threads,
            user_agent=_USER_AGENT,
        )
        client = session.create_client(service, region_name=region or None, config=config)
        self._wire.attach(client, service)
        if self._on_client is not None:
            self._on_client(client)
        return client

    def _utc(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now().epoch, UTC)


class _AssumedRole(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    """Credentials of a role, as botocore wants them provided."""

    METHOD = "assume-role"

    def __init__(
        self, identity: Identity, region: str, assume: AssumeRole, utc: Callable[[], datetime]
    ) -> None:
        super().__init__()
        self._identity = identity
        self._region = region
        self._assume = assume
        self._utc = utc

    def load(self) -> Any:
        return DeferredRefreshableCredentials(
            refresh_using=self._fetch, method=self.METHOD, time_fetcher=self._utc
        )

    def _fetch(self) -> dict[str, str]:
        credentials = self._assume(self._identity, self._region)["Credentials"]
        return {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretAccessKey"],
            "token": credentials["SessionToken"],
            "expiry_time": credentials["Expiration"].isoformat(),
        }
