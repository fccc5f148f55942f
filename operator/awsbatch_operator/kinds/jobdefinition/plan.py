"""Which revisions to register, tag and deregister (pure).

People and tools submit by name, and get the newest ACTIVE revision: so that one has the spec's
content, whoever registered the others, and a content that comes back is registered anew.

What a revision has is told by the hash that the status keeps of what was registered as it. Where
the status knows nothing of it (the process died before it was written, or somebody else registered
the revision) what AWS shows is compared. The hash in its tags decides nothing: whoever makes a
revision out of an older one copies the tags along.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Expectation, Plan, Step
from awsbatch_operator.api.tags import CONTENT
from awsbatch_operator.kinds.jobdefinition.desired import Desired
from awsbatch_operator.kinds.jobdefinition.execution_role import without_execution_role
from awsbatch_operator.kinds.jobdefinition.observe import Observed
from awsbatch_operator.kinds.jobdefinition.revision import Revision, registering
from awsbatch_operator.kinds.lasting import (
    APPEARING_SECONDS,
    NOTHING_SHOWN,
    ApiCall,
    LastingRemoval,
    when_absent,
)
from awsbatch_operator.kinds.tagging import tag_record, tag_steps
from awsbatch_operator.schema.canonical import comparable, differences
from awsbatch_operator.schema.request import registrable

SOON = 1.0


def plan_definition(desired: Desired, observed: Observed | None, now: Instant) -> Plan[ApiCall]:
    """The next step towards a newest revision with the content."""
    cannot_run = without_execution_role(desired.content)
    if cannot_run is not None:
        return Plan(findings=(cannot_run,))
    if observed is None:
        return _register(desired, Observed(()), now)
    current = current_revision(desired, observed)
    if current is not None:
        return _tidy(desired, current, observed)
    if observed.in_doubt:
        return Plan(findings=(_in_doubt(observed),))
    return _register(desired, observed, now)


def plan_removal(removal: LastingRemoval, observed: Observed | None, now: Instant) -> Plan[ApiCall]:
    """Deregister what we registered, and nothing else."""
    ours = () if observed is None else observed.ours(removal.owner)
    if not ours and observed is not None and (observed.in_doubt or observed.hidden):
        return Plan(findings=(_in_doubt(observed),))
    if not ours:
        return when_absent(removal, now)
    return Plan(steps=tuple(_deregister(revision) for revision in ours))


def _in_doubt(observed: Observed) -> Finding:
    words = "Whether a revision was registered is not known yet; AWS may list it late."
    return Finding(
        catalogue.OUTCOME_UNKNOWN, words, look_again_seconds=observed.inherited_seconds or None
    )


def current_revision(desired: Desired, observed: Observed) -> Revision | None:
    """The newest of our revisions with the desired content, if AWS's newest has it, too."""
    newest = observed.newest
    if newest is None or not _has(newest, desired, observed):
        return None
    ours = observed.ours(desired.owner)
    return next((each for each in ours if _has(each, desired, observed)), None)


def _has(revision: Revision, desired: Desired, observed: Observed) -> bool:
    registered = observed.recorded.get(revision.arn, "")
    if comparable(registered):
        return registered == desired.content_hash
    # Also where an operator that hashes differently wrote it: an upgrade registers nothing anew.
    return not differences(desired.content, revision.content)


def _register(desired: Desired, observed: Observed, now: Instant) -> Plan[ApiCall]:
    listed = {revision.arn for revision in observed.revisions}
    for shown in desired.shown:
        age = now.since(shown.registered)
        # A hash of other rules, of an operator before an upgrade, may be of this very content.
        same = shown.content_hash == desired.content_hash or not comparable(shown.content_hash)
        if same and shown.arn not in listed and age < APPEARING_SECONDS:
            finding = Finding(
                catalogue.AWS_BUSY, f"AWS does not show yet what was registered as {shown.arn}."
            )
            return Plan(findings=(finding,))
    request = {
        **registrable(desired.content),
        "jobDefinitionName": desired.name,
        "tags": {**desired.tags.all, CONTENT: desired.content_hash},
    }
    # The answer is the next look, so nothing is expected of AWS's listing, which may lag behind.
    numbers = [one.number for one in observed.revisions] + [one.number for one in desired.shown]
    step = Step(
        ApiCall("RegisterJobDefinition", request),
        record=registering(max(numbers, default=0)),
        note=_registered(desired, observed),
    )
    announce: Mapping[str, Any] = {} if observed.ours(desired.owner) else NOTHING_SHOWN
    return Plan(steps=(step,), record=tag_record(desired.tags, {}), announce=announce)


def _registered(desired: Desired, observed: Observed) -> Finding:
    words = f"Registered a revision of {desired.name} with content {desired.content_hash}."
    if not desired.reached:
        return Finding(catalogue.REGISTERED, words)
    if observed.newest is not None:
        words += f" Revision {observed.newest.number}, the newest until now, had another content."
    return Finding(catalogue.DRIFT_REPAIRED, words)


def _tidy(desired: Desired, current: Revision, observed: Observed) -> Plan[ApiCall]:
    """The current revision's tags, and revisions that are too many."""
    ours = observed.ours(desired.owner)
    surplus = [revision for revision in ours if revision is not current][desired.keep - 1 :]
    unused = [
        revision
        for revision in surplus
        if desired.in_use is not None and not desired.in_use.includes(revision)
    ]
    return Plan(
        steps=(
            *_tags(desired, current),
            *(_deregister(revision) for revision in unused),
        ),
        record=tag_record(desired.tags, current.tags),
        look_again_seconds=_look_again(desired, current, surplus, observed),
    )


def _look_again(
    desired: Desired, current: Revision, surplus: Sequence[Revision], observed: Observed
) -> float | None:
    if surplus and desired.in_use is None:
        return SOON  # which jobs need them is asked for once the status shows how many there are
    if current.arn in observed.unlisted:
        # By then the listing shows it. If it does not, somebody has deregistered it meanwhile: what
        # was never listed is not missed by anybody, and no feed would tell of it.
        return APPEARING_SECONDS + SOON
    return None


def _tags(desired: Desired, current: Revision) -> tuple[Step[ApiCall], ...]:
    """What is expected of its tags is expected of this revision: a newer one has its own.

    A content tag that is missing or wrong is set again; one of another version of the hash is not
    wrong.
    """
    wanted = desired.tags
    if not current.content_hash or comparable(current.content_hash):
        wanted = replace(wanted, ours={**wanted.ours, CONTENT: desired.content_hash})
    return tuple(
        replace(step, expects=OfRevision(current.arn, step.expects))
        for step in tag_steps(current.arn, wanted, current.tags)
    )


def _deregister(revision: Revision) -> Step[ApiCall]:
    """Jobs that run keep running; new ones cannot use the revision."""
    return Step(
        ApiCall("DeregisterJobDefinition", {"jobDefinition": revision.arn}),
        lane=revision.arn,
        note=Finding(catalogue.DEREGISTERED, f"Deregistered revision {revision.number}."),
        expects=Retires(revision.arn),
    )


@dataclass(frozen=True, slots=True)
class OfRevision:
    """AWS shows of one revision what is expected, or the revision no more. An Expectation."""

    arn: str
    expects: Expectation | None

    def met(self, observed: Observed | None) -> bool:
        if observed is None or self.expects is None:
            return True
        return all(self.expects.met(each) for each in observed.revisions if each.arn == self.arn)


@dataclass(frozen=True, slots=True)
class Retires:
    """AWS lists the revision as ACTIVE no more. Implements Expectation."""

    arn: str

    def met(self, observed: Observed | None) -> bool:
        return observed is None or all(each.arn != self.arn for each in observed.revisions)
