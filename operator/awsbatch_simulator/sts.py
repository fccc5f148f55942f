"""STS: who am I, and may I be someone else."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, Protocol

from awsbatch_simulator.context import Caller, Place
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.identity import AccessKey, AccessKeys
from awsbatch_simulator.ports import Handler
from awsbatch_simulator.protocol.refusals import refusals
from awsbatch_simulator.world import World

HOUR = 3600
DURATIONS = range(900, 43_201)  # seconds; the API reference of AssumeRole
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)  # AssumeRole, RoleSessionName
ROLE_ARN = re.compile(r"arn:aws:iam::(?P<account>\d{12}):role/(?:.*/)?(?P<name>[^/:]+)")


class Trusts(Protocol):
    """IAM, as far as STS asks it."""

    def trust_policy(self, place: Place, role: str) -> dict[str, Any] | None:
        """A role's trust policy, None if there is no such role."""


class Sts:
    """AssumeRole, GetCallerIdentity, GetSessionToken and GetAccessKeyInfo."""

    def __init__(self, world: World, keys: AccessKeys, trusts: Trusts) -> None:
        self._world = world
        self._keys = keys
        self._trusts = trusts

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {
            "AssumeRole": self.assume_role,
            "GetAccessKeyInfo": self.get_access_key_info,
            "GetCallerIdentity": self.get_caller_identity,
            "GetSessionToken": self.get_session_token,
        }

    def get_caller_identity(self, caller: Caller, _request: dict[str, Any]) -> dict[str, Any]:
        """The account and ARN behind the key."""
        return {
            "Account": caller.place.account,
            "Arn": caller.principal,
            "UserId": self._keys.principal_id(caller.principal),
        }

    def get_access_key_info(self, _caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """The account of any key."""
        key = self._keys.find(request["AccessKeyId"])
        if key is None:
            raise AwsFailure("ValidationError", "Invalid Access Key Id")
        return {"Account": key.account}

    def get_session_token(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """Temporary credentials of the same principal."""
        key = self._keys.issue(
            account=caller.place.account,
            principal=caller.principal,
            session=caller.principal.rpartition("/")[2],
            expires=self._expiry(request.get("DurationSeconds", 12 * HOUR)),
        )
        return {"Credentials": _credentials(key)}

    def assume_role(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """Credentials of a role, if it exists and its trust policy is met.

        Nobody can tell an absent role from a refusing one: AWS answers AccessDenied to both.
        """
        arn, session = request["RoleArn"], request["RoleSessionName"]
        if SESSION_NAME.fullmatch(session) is None:
            message = (
                f"1 validation error detected: Value '{session[:100]}' at 'roleSessionName' failed "
                f"to satisfy constraint: Member must satisfy regular expression pattern: "
                f"{SESSION_NAME.pattern}"
            )
            raise AwsFailure("ValidationError", message)
        account, name = _role_of(arn)
        if not self._trusted(caller, arn, request.get("ExternalId")):
            raise refusals("sts", "query").denial(caller.principal, "sts:AssumeRole", arn)
        principal = f"arn:aws:sts::{account}:assumed-role/{name}/{session}"
        key = self._keys.issue(
            account=account,
            principal=principal,
            session=session,
            expires=self._expiry(request.get("DurationSeconds", HOUR)),
        )
        return {
            "Credentials": _credentials(key),
            "AssumedRoleUser": {"AssumedRoleId": key.principal_id, "Arn": principal},
        }

    def _trusted(self, caller: Caller, arn: str, external_id: str | None) -> bool:
        if self._world.faults.active("role_vanished", role=arn):
            return False
        told = self._world.settings.roles.get(arn)
        if told is not None:
            return told.assumable and told.external_id in (None, external_id)
        policy = self._trusts.trust_policy(Place(_role_of(arn)[0], caller.place.region), arn)
        if policy is None:
            return False
        statements = _listed(policy["Statement"])
        return any(_allows(each, caller, external_id) for each in statements) and not any(
            _denies(each, caller) for each in statements
        )

    def _expiry(self, seconds: int) -> float:
        if seconds not in DURATIONS:
            message = f"DurationSeconds must be between {DURATIONS.start} and {DURATIONS[-1]}"
            raise AwsFailure("ValidationError", message)
        return self._world.real_time() + seconds


def _role_of(arn: str) -> tuple[str, str]:
    """Account and name of a role's ARN."""
    found = ROLE_ARN.fullmatch(arn)
    if found is None:
        raise AwsFailure("ValidationError", f"{arn} is invalid")
    return found["account"], found["name"]


def _allows(statement: dict[str, Any], caller: Caller, external_id: str | None) -> bool:
    """Whether a statement of a trust policy lets the caller assume the role.

    Of conditions, only the external id is judged; any other one refuses.
    """
    principal = statement.get("Principal", {})
    named = ["*"] if principal == "*" else _listed(principal.get("AWS", []))
    if statement.get("Effect") != "Allow" or not _names(caller).intersection(named):
        return False
    if not _is_about_assuming(statement):
        return False
    conditions = dict(statement.get("Condition", {}))
    equals = dict(conditions.pop("StringEquals", {}))
    accepted = equals.pop("sts:ExternalId", None)
    if conditions or equals:
        return False
    return accepted is None or external_id in _listed(accepted)


def _denies(statement: dict[str, Any], caller: Caller) -> bool:
    """Whether a statement keeps the caller from the role; conditions count as if they were met."""
    if statement.get("Effect") != "Deny" or not _is_about_assuming(statement):
        return False
    principal = statement.get("Principal", "*")
    named = ["*"] if principal == "*" else _listed(principal.get("AWS", []))
    return bool(_names(caller).intersection(named))


def _is_about_assuming(statement: dict[str, Any]) -> bool:
    """Whether sts:AssumeRole is among the actions; case does not count, asterisks do."""
    return any(
        fnmatchcase("sts:assumerole", action.lower())
        for action in _listed(statement.get("Action", "*"))
    )


def _names(caller: Caller) -> set[str]:
    """All that a trust policy may call a principal."""
    account = caller.place.account
    names = {"*", account, f"arn:aws:iam::{account}:root", caller.principal}
    kind, _, rest = caller.principal.rpartition(":")[2].partition("/")
    if kind == "assumed-role":
        names.add(f"arn:aws:iam::{account}:role/{rest.partition('/')[0]}")
    return names


def _listed(value: Any) -> list[Any]:
    """IAM writes one thing with or without a list around it."""
    return value if isinstance(value, list) else [value]


def _credentials(key: AccessKey) -> dict[str, Any]:
    return {
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
        "SessionToken": key.session_token,
        "Expiration": datetime.fromtimestamp(key.expires or 0, tz=UTC),
    }
