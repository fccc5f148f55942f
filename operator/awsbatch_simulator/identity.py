"""Access keys: who may call, as whom, in which account.

A request carries the id of an access key in the credential scope of its Authorization header. Only
keys that this sandbox made are known: its own (random and made at start, or given to it) and those
that its STS has issued. The id is the secret here; signatures are not checked, because whoever
knows the id of a key has read it from the sandbox's own files, or from the Secret that gave it.
"""

import random
import re
from dataclasses import dataclass

from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.given import GivenSecrets
from awsbatch_simulator.protocol.refusals import Refusals

KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
SCOPE = re.compile(
    r"AWS4-HMAC-SHA256 .*?Credential=(?P<key>[A-Z0-9]{16,128})/\d{8}"
    r"/(?P<region>[a-z0-9-]{1,32})/(?P<service>[a-z0-9.-]{1,64})/aws4_request"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What the Authorization header says about a request."""

    access_key_id: str
    region: str
    service: str  # the signing name


@dataclass(frozen=True, slots=True)
class AccessKey:
    """Credentials that this sandbox has made."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None
    account: str
    principal: str  # an ARN
    principal_id: str
    expires: float | None  # real epoch seconds


class AccessKeys:
    """All keys of a sandbox. `secrets` should be the system's randomness unless in a test."""

    def __init__(self, secrets: random.Random) -> None:
        self._secrets = secrets
        self._keys: dict[str, AccessKey] = {}

    def create(self, account: str, user: str, given: GivenSecrets | None = None) -> AccessKey:
        """A key of an IAM user, without end: the given one, or a random one."""
        key_id = given.access_key_id if given else self._unique("AKIA")
        secret = given.secret_access_key if given else self._text(LETTERS_AND_DIGITS, 40)
        return self._keep(
            AccessKey(
                access_key_id=key_id,
                secret_access_key=secret,
                session_token=None,
                account=account,
                principal=f"arn:aws:iam::{account}:user/{user}",
                principal_id=self._unique("AIDA"),
                expires=None,
            )
        )

    def issue(self, *, account: str, principal: str, session: str, expires: float) -> AccessKey:
        """Temporary credentials, as STS gives them."""
        return self._keep(
            AccessKey(
                access_key_id=self._unique("ASIA"),
                secret_access_key=self._text(LETTERS_AND_DIGITS, 40),
                session_token=self._text(LETTERS_AND_DIGITS, 120),
                account=account,
                principal=principal,
                principal_id=f"{self._unique('AROA')}:{session}",
                expires=expires,
            )
        )

    def find(self, access_key_id: str) -> AccessKey | None:
        """The key of that id, also when it has expired."""
        return self._keys.get(access_key_id)

    def principal_id(self, principal: str) -> str:
        """The unique id behind a principal's ARN."""
        return next(
            (key.principal_id for key in self._keys.values() if key.principal == principal), ""
        )

    def authenticate(
        self, scope: Scope, token: str | None, *, now: float, refusals: Refusals
    ) -> AccessKey:
        """The key of a request; raises AwsFailure as the called service would."""
        key = self._keys.get(scope.access_key_id)
        if key is None or key.session_token != token:
            raise refusals.unknown_key()
        if key.expires is not None and key.expires <= now:
            raise refusals.expired_token()
        return key

    def _keep(self, key: AccessKey) -> AccessKey:
        self._keys[key.access_key_id] = key
        return key

    def _unique(self, prefix: str) -> str:
        return prefix + self._text(KEY_ALPHABET, 16)

    def _text(self, alphabet: str, length: int) -> str:
        return "".join(self._secrets.choices(alphabet, k=length))


def scope_of(authorization: str) -> Scope | None:
    """What the Authorization header says; None if it is none of AWS's."""
    found = SCOPE.match(authorization)
    return Scope(found["key"], found["region"], found["service"]) if found else None


def bad_signature() -> AwsFailure:
    """An Authorization header that cannot be read."""
    return AwsFailure(
        "IncompleteSignatureException", "The Authorization header is not in AWS's form", 403
    )
