"""What the kinds share whose AWS object lasts as long as the resource (pure)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.findings import Finding, Reason
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.references import Need, Reference, references
from awsbatch_operator.api.tags import Owner, Ownership, ownership, unclaimed
from awsbatch_operator.api.words import sentence
from awsbatch_operator.kinds import statuses
from awsbatch_operator.kinds.contract import KindStatus, Removal
from awsbatch_operator.kinds.permissions import may_take_over
from awsbatch_operator.kinds.scope_record import recorded_time

RELOOK_SECONDS = 300.0  # a look without any sign; the shared feed tells of changes much sooner
MOVING_SECONDS = 5.0  # the same while AWS is at work
# How long after we may have called AWS something can still come to light. AWS documents no bound
# for its describe calls; in practice they lag by seconds.
APPEARING_SECONDS = 30.0

# What a creation announces. A status that went on naming what is gone would have a deletion a
# moment later believe that AWS has shown the new thing, and let the object go before AWS does.
NOTHING_SHOWN: Mapping[str, Any] = {"arn": None}

# AWS refuses changes in these states; it says itself when it has finished.
_AT_WORK: Mapping[str, Reason] = {
    "CREATING": catalogue.CREATING,
    "UPDATING": catalogue.UPDATING,
    "DELETING": catalogue.DELETING,
}


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call to AWS in AWS's own words: the operation and its input."""

    operation: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Detail:
    """What a Describe call says of one environment, queue or policy."""

    detail: Shape

    @property
    def state(self) -> str:
        """ENABLED or DISABLED."""
        return str(self.detail.get("state", "ENABLED"))

    @property
    def status(self) -> str:
        """CREATING, UPDATING, DELETING, VALID or INVALID; "" where AWS has none."""
        return str(self.detail.get("status", ""))

    @property
    def reason(self) -> str:
        """What AWS says about its status."""
        return str(self.detail.get("statusReason") or "")

    @property
    def arn(self) -> str:
        """Its ARN; "" if AWS has no such thing."""
        return ""

    @property
    def tags(self) -> Mapping[str, str]:
        """All tags, ours and others'."""
        return self.detail.get("tags") or {}

    @property
    def tagged(self) -> Mapping[str, Mapping[str, str]]:
        """The tags of all that carries some, by ARN."""
        return {self.arn: self.tags} if self.arn else {}

    @property
    def present(self) -> bool:
        """Whether AWS has it; if not, what is observed is only what belongs to it."""
        return True

    @property
    def at_work(self) -> bool:
        """Whether AWS is still busy with an earlier change."""
        return self.status in _AT_WORK

    @property
    def words(self) -> str:
        """Status and reason, as a sentence."""
        return sentence(f"AWS says {self.status}: {self.reason}")


def at_work(observed: Detail) -> tuple[Finding, ...]:
    """AWS is still busy with an earlier change; none if it would take another."""
    reason = _AT_WORK.get(observed.status)
    if reason is None:
        return ()
    return (Finding(reason, observed.words, look_again_seconds=MOVING_SECONDS),)


# --- what the look after a call must show ---


@dataclass(frozen=True, slots=True)
class Appears:
    """AWS shows the thing that was created."""

    def met(self, observed: Detail | None) -> bool:
        return observed is not None and observed.present


@dataclass(frozen=True, slots=True)
class Vanishes:
    """AWS shows the thing no more, or says that it is on its way out."""

    def met(self, observed: Detail | None) -> bool:
        return observed is None or not observed.present or observed.at_work


@dataclass(frozen=True, slots=True)
class IsDisabled:
    """AWS shows the state, or is at work on it."""

    def met(self, observed: Detail | None) -> bool:
        if observed is None or not observed.present:
            return True
        return observed.at_work or observed.state == "DISABLED"


@dataclass(frozen=True, slots=True)
class NoLongerDiffers:
    """These fields of what is desired and what AWS shows are alike, or AWS is at work on it.

    `differences` are the kind's own comparison: the names of the fields in which the two differ.
    """

    desired: Any
    fields: tuple[str, ...]
    differences: Callable[[Any, Any], tuple[str, ...]]

    def met(self, observed: Detail | None) -> bool:
        if observed is None or not observed.present or observed.at_work:
            return True
        return not set(self.fields) & set(self.differences(self.desired, observed))


# --- the plans that are alike ---


def creation(
    operation: str, request: Mapping[str, Any], *, words: str, reached: bool
) -> Step[ApiCall]:
    """The step that makes a thing by the name that is ours, so a second call makes no second one.

    `reached`: it was there before, so somebody has removed it behind our back.
    """
    reason = catalogue.DRIFT_REPAIRED if reached else catalogue.CREATED
    return Step(ApiCall(operation, request), note=Finding(reason, words), expects=Appears())


def change_note(fields: tuple[str, ...], *, reached: bool) -> Finding:
    """What an update in place has done."""
    reason = catalogue.DRIFT_REPAIRED if reached else catalogue.UPDATED
    return Finding(reason, f"Changed in place: {', '.join(fields)}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastingRemoval(Removal):
    """The removal of a thing that lasts.

    `seen`: AWS has shown it to us before. `called`: the last moment at which a call that makes it
    may have gone out.
    """

    seen: bool
    called: Instant


def lasting_removal(resource: Resource, removal: Removal) -> LastingRemoval:
    """The removal, with what `when_absent` needs to know of the object."""
    return LastingRemoval(
        owner=removal.owner,
        recorded=removal.recorded,
        users=removal.users,
        going=removal.going,
        since=removal.since or resource.deleted_at,
        seen="arn" in resource.status,
        called=_called(resource) if removal.sent is None else removal.sent,
    )


def _called(resource: Resource) -> Instant:
    """Between the record and the deletion the call may have been refused and made again."""
    return max(recorded_time(resource), resource.deleted_at or resource.created)


def when_absent(removal: LastingRemoval, now: Instant) -> Plan[ApiCall]:
    """Released, unless a call may have gone out a moment ago and its result was never seen."""
    age = now.since(removal.called)
    if removal.seen or age >= APPEARING_SECONDS:
        return Plan(released=True)
    finding = Finding(
        catalogue.SETTLING,
        "AWS shows nothing of this object. A call may have gone out just before its deletion whose "
        "result is not visible yet; it is looked for once more.",
        look_again_seconds=APPEARING_SECONDS - age,
    )
    return Plan(findings=(finding,))


# --- references and status ---


def needed_references(resource: Resource) -> tuple[Reference, ...]:
    """All references by name: AWS must have the targets; what it has serves, whatever waits.

    A target that is Stalled because of a change that AWS refuses is used as it stands. Nothing new
    is built on one that is being deleted.
    """
    need = Need.IN_AWS if "arn" in resource.status else Need.STANDING
    return tuple(replace(reference, need=need) for reference in references(resource))


def starting(resource: Resource) -> KindStatus:
    """The status of an object of which AWS has nothing yet, or that was not looked at."""
    verdict = Verdict(
        Situation.WORKING, catalogue.STARTING.name, "The operator is about to look at it."
    )
    return KindStatus(statuses.kept_fields(resource), verdict)


def absent(resource: Resource, *shown: str) -> KindStatus:
    """The same of an object of which a look has just found nothing: without what AWS showed."""
    before = starting(resource)
    fields = {name: value for name, value in before.fields.items() if name not in shown}
    return KindStatus(fields, before.verdict)


def reached_before(resource: Resource) -> bool:
    """Whether this generation was reached before: a difference is then a drift."""
    return statuses.was_reached(resource)


# --- whose it is ---


def whose(observed: Any, resource: Resource, owner: Owner) -> Ownership:
    """Whose a thing with an ARN and tags is, seen from the object."""
    recorded = resource.status.get("arn") == observed.arn
    return adoptable(ownership(observed.tags, owner, recorded=recorded), observed.tags, resource)


def adoptable(found: Ownership, tags: Mapping[str, str], resource: Resource) -> Ownership:
    """ADOPTABLE instead of FOREIGN if nobody has marked the thing and the spec wants it."""
    if found is Ownership.FOREIGN and may_take_over(resource) and unclaimed(tags):
        return Ownership.ADOPTABLE
    return found
