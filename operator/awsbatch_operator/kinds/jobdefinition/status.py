"""What a JobDefinition shows of its revisions (pure)."""

from dataclasses import replace
from operator import itemgetter
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.kinds.contract import KindStatus, Removal, Seen
from awsbatch_operator.kinds.jobdefinition.desired import Desired
from awsbatch_operator.kinds.jobdefinition.observe import Observed
from awsbatch_operator.kinds.jobdefinition.plan import current_revision
from awsbatch_operator.kinds.lasting import ApiCall, absent, starting
from awsbatch_operator.kinds.registrations import Revision
from awsbatch_operator.schema.canonical import content_hash

SHOWN = 200  # the CRD's limit
_OF_AWS = ("arn", "revision", "contentHash")


def definition_status(resource: Resource, seen: Seen[Desired, Observed, ApiCall]) -> KindStatus:
    """The kind's fields and its verdict."""
    before = starting(resource)
    desired, observed = seen.desired, seen.observed
    if isinstance(desired, Removal):
        words = "The revisions of this definition are being deregistered."
        return KindStatus(
            before.fields, Verdict(Situation.DELETING, catalogue.DELETING.name, words)
        )
    if desired is not None and observed is None and seen.plan is not None:
        return absent(resource, *_OF_AWS)
    if desired is None or observed is None:
        return before
    current = current_revision(desired, observed)
    unlisted = observed.in_doubt or observed.hidden
    if current is None and desired.terms.reports and not unlisted:
        return absent(resource, *_OF_AWS)
    if current is None:
        # Of what another process has called, the status may say what became of it.
        said = resource.status.get("observedGeneration") == resource.generation
        return replace(before, quiet=said and observed.inherited_seconds > 0)
    fields = {
        "arn": current.arn,
        "revision": current.number,
        "contentHash": desired.content_hash,
        "revisions": _listed(resource, desired, observed, current, seen.now),
    }
    words = f"Revision {current.number} is registered."
    return KindStatus(fields, Verdict(Situation.READY, catalogue.READY.name, words))


def _listed(
    resource: Resource, desired: Desired, observed: Observed, current: Revision, now: Instant
) -> list[dict[str, Any]]:
    """Our revisions, newest first.

    AWS does not say when a revision was registered: when it was first seen stays. What was
    registered stays, too, whatever becomes of the revision's tags, and so does what AWS may only
    list late: otherwise a deletion would not know of it.
    """
    known = {entry["arn"]: entry for entry in resource.status.get("revisions", ())}
    listed = []
    for revision in observed.ours(desired.owner)[:SHOWN]:
        before = known.get(revision.arn, {})
        entry = {
            "revision": revision.number,
            "arn": revision.arn,
            "contentHash": before.get("contentHash") or content_hash(revision.content),
            "registeredTime": before.get("registeredTime", now.rfc3339()),
            "generation": before.get("generation"),
        }
        if revision is current:
            entry |= {"contentHash": desired.content_hash, "generation": resource.generation}
        listed.append(entry)
    there = {entry["arn"] for entry in listed}
    listed += [known[arn] for arn in observed.hidden - there]
    return sorted(listed, key=itemgetter("revision"), reverse=True)[:SHOWN]
