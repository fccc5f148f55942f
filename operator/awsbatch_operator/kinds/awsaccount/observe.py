"""Whether the account can be entered, asked of STS itself."""

from dataclasses import dataclass, replace

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.words import without_sessions
from awsbatch_operator.aws.ports import IdentityPort


@dataclass(frozen=True, slots=True)
class Observed:
    """The account that the identity leads to, and who we are there.

    `identity` is the role that the account names, or what STS says of the operator's own identity,
    without the name of a session.
    """

    account_id: str
    identity: str


async def observe_account(identity: IdentityPort, scope: Scope) -> Observed:
    """Assume the role, or ask who we are without one. Raises AwsError if that is refused."""
    if scope.role_arn is None:
        # In the account's own region: the operator may have been given none.
        caller = await identity.caller(scope)
        return Observed(str(caller["Account"]), without_sessions(str(caller["Arn"])))
    account_id = await identity.assume(scope.role_arn, scope.external_id, scope.region)
    await identity.caller(replace(scope, account_id=account_id))
    return Observed(account_id, scope.role_arn)
