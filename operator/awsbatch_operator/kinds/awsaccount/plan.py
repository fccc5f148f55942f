"""What to do about an AWSAccount: nothing in AWS, but it is held while it is needed (pure)."""

from itertools import islice
from typing import Never

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import RecordError, Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.words import some_of
from awsbatch_operator.kinds.blockers import blocked
from awsbatch_operator.kinds.contract import Removal, is_going
from awsbatch_operator.kinds.scope_record import recorded_in

VERIFY_SECONDS = 600.0  # roles and trust policies change without telling us

# Each user that goes has the account looked at again, and it may have a hundred thousand: no more
# of them are read, and told of, than this.
COUNTED = 100


def plan_account() -> Plan[Never]:
    """Nothing in AWS. What AWS shows is held by our finalizer before the account is ever Ready."""
    return Plan(look_again_seconds=VERIFY_SECONDS)


def plan_removal(removal: Removal, now: Instant) -> Plan[Never]:
    """Let go once nothing lives in the account any more that this operator would have to remove."""
    name = removal.owner.key.name
    users = (user for user in removal.users if _lives_in(user, name))
    found = list(islice(users, COUNTED + 1))
    if not found:
        return Plan(released=True)
    staying = [user.key for user in found if not is_going(user)]
    living = staying or [user.key for user in found]
    count = f"More than {COUNTED}" if len(living) > COUNTED else f"{len(living)}"
    finding = Finding(
        catalogue.STILL_IN_USE,
        f"{count} object(s) live in this account: {some_of(sorted(living))}. Without the "
        "account they could not be removed from AWS.",
        "Delete them; this object goes on by itself.",
    )
    return Plan(findings=(blocked(removal, now, by_others=bool(staying), finding=finding),))


def _lives_in(user: Resource, account: str) -> bool:
    """Whether the user was resolved to the account and may have something in AWS.

    `kubectl replace` takes the finalizer away, and what the status shows is in AWS all the same.
    One that is being deleted without it was let go: others keep it, and nothing of it is removed.
    """
    if user.deleting and not user.held:
        return False
    if not user.held and not {"arn", "jobId"} & user.status.keys():
        return False
    try:
        recorded = recorded_in(user)
    except RecordError:
        return True  # nobody can tell, so it is kept
    # None: its annotation was taken away, and the number of an account names none of its objects.
    return recorded is None or recorded.account in {None, account}
