"""What AWS has of an object's name and is not the object's: what is said of it, and when it stays.

Nothing of it is ever changed.
"""

from collections.abc import Mapping
from typing import Any

from awsbatch_operator.api import catalogue, ownership_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import RESOLVED, Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.tags import Ownership, holder, owner_words, unclaimed, was_adopted
from awsbatch_operator.kinds.accounts import Home
from awsbatch_operator.kinds.contract import LettingGo
from awsbatch_operator.kinds.permissions import may_take_over
from awsbatch_operator.kinds.scope_record import annotation
from awsbatch_operator.kinds.shared import Shared
from awsbatch_operator.kinds.turn import Turn
from awsbatch_operator.kinds.users import goes

AT_ONCE_SECONDS = 0.01
_ANOTHER_NAME = "delete this object and create it again with another awsName"


def leave_behind(turn: Turn[Any, Any, Any], shared: Shared, *, fresh: bool) -> Plan[Any]:
    """The object goes and what AWS has of that name stays, once a fresh look says the same.

    What the feed read may be older than our own thing of that name.
    """
    words = f"AWS keeps {where(turn)}: its tags say that it is not this object's."
    note = Finding(catalogue.NOT_OURS, words)
    if fresh:
        shared.narrator.noted(turn.resource, [note])
    return Plan(released=True, findings=(note,))


def leave_alone(turn: Turn[Any, Any, Any], shared: Shared, tags: Mapping[str, str]) -> None:
    """Say whose it is; if the owner is in this cluster, be woken by its end."""
    turn.plan = None
    other = holder(tags, shared.cluster_id)
    if other is not None:
        shared.claims.wait(other, turn.resource.key)
    if other is not None and goes(shared.cache, other):
        words = f"AWS still has {where(turn)} of {other}, which is being deleted."
        turn.findings.append(Finding(catalogue.WAITS_FOR_DELETIONS, words))
        return
    turn.findings.append(_taken(turn, owner_words(tags, shared.cluster_id), tags))


def _taken(turn: Turn[Any, Any, Any], owner: str, tags: Mapping[str, str]) -> Finding:
    has, resource = f"AWS already has {where(turn)}", turn.resource
    if owner:
        return Finding(catalogue.ALREADY_EXISTS, f"{has}, and it belongs to {owner}.", _HANDING_ON)
    if not unclaimed(tags) or resource.key.kind == "BatchJob":
        words = f"{has}, and its tags do not say that it is this object's."
        return Finding(catalogue.ALREADY_EXISTS, words)
    home = turn.home
    assert home is not None  # noqa: S101 - there is no look without a home
    allowed = "" if home.may_adopt else f", once {_where_allowed(home)} is true"
    if may_take_over(resource):
        words = f"{has}, which nobody has marked; the account does not allow to take it over."
        return Finding(catalogue.NOT_ALLOWED, words, f"Set {_where_allowed(home)} to true.")
    return Finding(
        catalogue.ALREADY_EXISTS,
        f"{has}, and nobody has marked it as its own.",
        f"Set spec.adoptionPolicy to Adopt, and it is taken over{allowed}; or remove it from AWS, "
        f"and this object goes on; or {_ANOTHER_NAME}.",
    )


_HANDING_ON = (
    "Delete its owner, and this object goes on; or, if AWS is to keep it, set spec.deletionPolicy "
    "of the owner to Retain before that. Tags awsbatch.dev/… that are left on it then, or that "
    "name an owner which is gone, are removed by hand, and this object takes it over with "
    f"spec.adoptionPolicy. Or {_ANOTHER_NAME}."
)


def _where_allowed(home: Home) -> str:
    account = home.recorded.account
    return f"spec.allowAdoption of AWSAccount {account}" if account else "--allow-adoption"


def was_ours(resource: Resource, observed: object) -> bool:
    """Whether AWS has shown this very thing as the object's before, and a record says what it is.

    The status has the ARN of what a look has found to be the object's own, and of nothing else.
    """
    arn = getattr(observed, "arn", "")
    return RESOLVED in resource.annotations and bool(arn) and resource.status.get("arn") == arn


def is_adopted(
    found: Ownership, tags: Mapping[str, str], resource: Resource, observed: object
) -> bool:
    """Whether the thing is taken over now, or was by an earlier object of this name.

    The record says so, too. Only where there is none (the cluster was built anew, or somebody took
    the annotation away) are the tags believed. What was ours before is what the record says, though
    somebody has taken all tags from it since: as adopted it would stay when the object goes.
    """
    if found is Ownership.ADOPTABLE:
        return not was_ours(resource, observed)
    return RESOLVED not in resource.annotations and was_adopted(tags)


def taken_over(
    turn: Turn[Any, Any, Any], found: Ownership | None, *, fresh: bool
) -> tuple[Finding, ...]:
    """What is told when what AWS has becomes the object's own, as a fresh look says.

    Not of what is about to be let go.
    """
    if not fresh or isinstance(turn.desired, LettingGo):
        return ()
    if found is Ownership.RECREATED:
        message = "AWS already had what an earlier object of this name made; it is ours now."
        return (Finding(catalogue.REOWNED, message),)
    if found is Ownership.ADOPTABLE and was_ours(turn.resource, turn.observed):
        message = f"The tags awsbatch.dev/… of {where(turn)} were gone, and are set again."
        return (Finding(catalogue.DRIFT_REPAIRED, message),)
    if found is Ownership.ADOPTABLE:
        message = f"AWS had {where(turn)}, which nobody had marked; it is ours now."
        return (Finding(ownership_reasons.ADOPTED, message),)
    return ()


def recorded_again(turn: Turn[Any, Any, Any], now: Instant) -> Plan[Any]:
    """The record of an object that goes and of whose adoption only the tags know: it is lost.

    With the record, the deletion goes on as that of anything adopted: what AWS has stays, without
    our tags, and only what was launched for it ends.
    """
    assert turn.home is not None  # noqa: S101 - there is no look without a home
    return Plan(record=annotation(turn.home.recorded, now), look_again_seconds=AT_ONCE_SECONDS)


def where(turn: Turn[Any, Any, Any]) -> str:
    """Name, account and region of what the turn has looked at."""
    assert turn.home is not None  # noqa: S101 - there is no look without a home
    recorded = turn.home.recorded
    what = turn.called or recorded.serving
    return f"{what} in account {recorded.account_id}, region {recorded.region}"
