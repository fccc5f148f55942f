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
from awsbatch_operator.api.scope import Origin
from awsbatch_operator.api.tags import CONTENT, ORIGIN, unclaimed, was_adopted
from awsbatch_operator.kinds.blockers import blocked, listed
from awsbatch_operator.kinds.jobdefinition.desired import DefinitionRemoval, Desired
from awsbatch_operator.kinds.jobdefinition.observe import Observed
from awsbatch_operator.kinds.jobdefinition.revision import registering
from awsbatch_operator.kinds.lasting import (
    APPEARING_SECONDS,
    NOTHING_SHOWN,
    ApiCall,
    when_absent,
)
from awsbatch_operator.kinds.registrations import Revision
from awsbatch_operator.kinds.tagging import TAGS, WantedTags, tag_record, tag_steps
from awsbatch_operator.kinds.terms import only_told
from awsbatch_operator.schema.canonical import comparable, differences
from awsbatch_operator.schema.request import registrable

SOON = 1.0


def plan_definition(desired: Desired, observed: Observed | None, now: Instant) -> Plan[ApiCall]:
    """The next step towards a newest revision with the content."""
    if observed is None:
        kept_back = desired.terms.nothing_made(f"job definition {desired.name}")
        return kept_back or _register(desired, Observed(()), now)
    if desired.terms.reports:
        return _only_told(desired, observed)
    current = current_revision(desired, observed)
    if current is not None:
        return _tidy(desired, current, observed)
    if observed.in_doubt:
        return Plan(findings=(_in_doubt(observed),))
    return _register(desired, observed, now)


def plan_removal(
    removal: DefinitionRemoval, observed: Observed | None, now: Instant
) -> Plan[ApiCall]:
    """Deregister what we registered, and nothing else, once no job that stays runs it."""
    ours = () if observed is None else observed.ours(removal.owner)
    if not ours and observed is not None and (observed.in_doubt or observed.hidden):
        return Plan(findings=(_in_doubt(observed),))
    if not ours:
        return when_absent(removal, now)
    jobs = removal.jobs(now)
    if jobs:
        return Plan(findings=(blocked(removal, now, by_others=True, finding=_used_by(jobs)),))
    return Plan(steps=tuple(_deregister(revision) for revision in ours))


def _used_by(jobs: Sequence[str]) -> Finding:
    words = f"BatchJobs that have not ended use revisions of this definition: {listed(jobs)}."
    return Finding(catalogue.STILL_IN_USE, words, "Wait until they have ended, or delete them.")


def _in_doubt(observed: Observed) -> Finding:
    words = "Whether a revision was registered is not known yet; AWS may list it late."
    return Finding(
        catalogue.OUTCOME_UNKNOWN, words, look_again_seconds=observed.inherited_seconds or None
    )


def current_revision(desired: Desired, observed: Observed) -> Revision | None:
    """The newest of our revisions with the desired content, if AWS's newest has it, too.

    If we have none, of a name that was adopted, it is AWS's newest, which is taken over. Where a
    drift is only reported, it is ours, whatever AWS's newest has.
    """
    newest = observed.newest
    if newest is None:
        return None
    ours = (each for each in observed.ours(desired.owner) if _has(each, desired, observed))
    if desired.terms.reports:
        return next(ours, None)
    if not _has(newest, desired, observed):
        return None
    free = newest if desired.owner.adopted and unclaimed(newest.tags) else None
    return next(ours, free)


def _only_told(desired: Desired, observed: Observed) -> Plan[ApiCall]:
    """Under which content the name runs, if it is another; only revisions that are too many go."""
    current, newest = current_revision(desired, observed), observed.newest
    if current is None and (observed.in_doubt or observed.hidden):
        return Plan(findings=(_in_doubt(observed),))  # AWS may only list it late
    if current is None or newest is None:
        gone = desired.terms.nothing_made(f"revision of job definition {desired.name} as specified")
        return Plan() if gone is None else gone
    found = () if _has(newest, desired, observed) else _differing(desired, newest)
    told = only_told(found, _tags_of(desired, current), current.tags)
    tidied = _tidy(desired, current, observed)
    kept = [step for step in tidied.steps if step.lane != TAGS]
    return replace(tidied, steps=tuple(kept), record={}, drift=told.drift)


def _differing(desired: Desired, newest: Revision) -> tuple[str, ...]:
    found = differences(desired.content, newest.content)
    return tuple(f"{path} (revision {newest.number})" for path in found)


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
    tags = {**desired.tags.all, CONTENT: desired.content_hash}
    tags.pop(ORIGIN, None)  # the revision itself is ours from the beginning
    request = {
        **registrable(desired.content),
        "jobDefinitionName": desired.name,
        "tags": tags,
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
    """The current revision's tags, and revisions that are too many; never one of others."""
    ours = [each for each in observed.ours(desired.owner) if not was_adopted(each.tags)]
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
    steps = tag_steps(current.arn, _tags_of(desired, current), current.tags)
    return tuple(replace(step, expects=OfRevision(current.arn, step.expects)) for step in steps)


def _tags_of(desired: Desired, current: Revision) -> WantedTags:
    ours = {**desired.tags.ours}
    if not current.content_hash or comparable(current.content_hash):
        ours[CONTENT] = desired.content_hash
    ours.pop(ORIGIN, None)
    if unclaimed(current.tags) or was_adopted(current.tags):
        ours[ORIGIN] = Origin.ADOPTED.value
    return replace(desired.tags, ours=ours)


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
