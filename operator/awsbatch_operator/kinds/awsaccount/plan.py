"""What to do about an AWSAccount: nothing in AWS, but it is held while it is needed (pure)."""

from dataclasses import dataclass

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.awsaccount.desired import Desired
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.recording import RecordError, recorded_in

VERIFY_SECONDS = 600.0  # roles and trust policies change without telling us
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Hold:
    """No call: the finalizer, which every action is preceded by, is all that is wanted."""


Action = Hold


def plan_account(desired: Desired) -> Plan[Action]:
    """Held before it is ever Ready, so that nothing can live in an account that is not held."""
    actions = () if desired.held else (Hold(),)
    return Plan(actions=actions, look_again_seconds=VERIFY_SECONDS)


def plan_removal(removal: Removal) -> Plan[Action]:
    """Let go once nothing lives in the account any more that this operator would have to remove."""
    name = removal.owner.key.name
    living = [user.key for user in removal.users if _lives_in(user, name)]
    if not living:
        return Plan(released=True)
    finding = Finding(
        catalogue.STILL_IN_USE,
        f"{len(living)} object(s) live in this account: {_named(living)}. Without the account they "
        "could not be removed from AWS.",
        "Delete them; this object goes on by itself.",
    )
    return Plan(findings=(finding,))


def _lives_in(user: Resource, account: str) -> bool:
    """Whether the user was resolved to the account and may have something in AWS."""
    if not user.held:
        return False
    try:
        recorded = recorded_in(user)
    except RecordError:
        return True  # nobody can tell, so it is kept
    return recorded is None or recorded.account == account


def _named(keys: list[ObjectKey]) -> str:
    rest = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return ", ".join(str(key) for key in sorted(keys)[:_SHOWN]) + rest
