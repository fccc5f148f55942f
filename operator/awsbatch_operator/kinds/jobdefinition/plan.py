"""Which revisions to register, tag and deregister (pure).

A revision per distinct content. Which one has the content is told by the hash it is tagged with, so
a process that dies between registering and writing the status finds it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.tags import CONTENT
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.jobdefinition.desired import Desired
from awsbatch_operator.kinds.jobdefinition.observe import Observed, Revision
from awsbatch_operator.kinds.release import SETTLE_SECONDS, when_absent
from awsbatch_operator.kinds.tagging import Tag, Untag, tag_actions, tag_intent
from awsbatch_operator.schema.canonical import comparable, differences

SOON = 1.0


@dataclass(frozen=True, slots=True)
class Register:
    """RegisterJobDefinition. `before` is what AWS had, so that the answer makes a new look."""

    request: Mapping[str, Any]
    before: Observed | None


@dataclass(frozen=True, slots=True)
class Deregister:
    """DeregisterJobDefinition: jobs that run keep running, new ones cannot use the revision."""

    arn: str


Action = Register | Deregister | Tag | Untag


def plan_definition(desired: Desired, observed: Observed | None, now: Instant) -> Plan[Action]:
    """The next step towards one revision with the content."""
    ours = () if observed is None else observed.ours(desired.owner)
    current = current_revision(desired, ours)
    if current is None:
        return _register(desired, observed, now)
    return _tidy(desired, current, ours)


def plan_removal(removal: Removal, observed: Observed | None, now: Instant) -> Plan[Action]:
    """Deregister what we registered, and nothing else."""
    ours = () if observed is None else observed.ours(removal.owner)
    if not ours:
        return when_absent(removal, now)
    return Plan(actions=tuple(Deregister(revision.arn) for revision in ours))


def current_revision(desired: Desired, ours: tuple[Revision, ...]) -> Revision | None:
    """The newest of our revisions with the desired content; `ours` is newest first."""
    return next((revision for revision in ours if _has(revision, desired)), None)


def _has(revision: Revision, desired: Desired) -> bool:
    if comparable(revision.content_hash):
        return revision.content_hash == desired.content_hash
    # Tagged by an operator that hashes differently, or the tag was taken away: compare what is
    # there, so that an upgrade registers nothing anew.
    return not differences(desired.content, revision.content)


def _register(desired: Desired, observed: Observed | None, now: Instant) -> Plan[Action]:
    for shown in desired.shown:
        age = now.since(shown.registered)
        if shown.content_hash == desired.content_hash and age < SETTLE_SECONDS:
            finding = Finding(
                catalogue.AWS_BUSY, f"AWS does not show yet what was registered as {shown.arn}."
            )
            return Plan(findings=(finding,))
    request = {
        **desired.content,
        "jobDefinitionName": desired.name,
        "tags": {**desired.tags.all, CONTENT: desired.content_hash},
    }
    note = Finding(
        catalogue.DRIFT_REPAIRED if desired.settled else catalogue.REGISTERED,
        f"Registered a revision of {desired.name} with content {desired.content_hash}.",
    )
    return Plan(
        actions=(Register(request, observed),),
        findings=(note,),
        intent=tag_intent(desired.tags, stale=False),
    )


def _tidy(desired: Desired, current: Revision, ours: tuple[Revision, ...]) -> Plan[Action]:
    """The current revision's tags, and revisions that are too many."""
    tags = tag_actions(current.arn, desired.tags, current.tags)
    stale = any(isinstance(action, Untag) for action in tags)
    surplus = [revision for revision in ours if revision is not current][desired.keep - 1 :]
    unused = [
        revision
        for revision in surplus
        if desired.in_use is not None and revision.arn not in desired.in_use
    ]
    notes = tuple(
        Finding(catalogue.DEREGISTERED, f"Deregistered revision {revision.number}.")
        for revision in unused
    )
    return Plan(
        actions=(*tags, *(Deregister(revision.arn) for revision in unused)),
        findings=notes,
        intent=tag_intent(desired.tags, stale=stale),
        # Which jobs need them is asked for once the status shows how many there are.
        look_again_seconds=SOON if surplus and desired.in_use is None else None,
    )
