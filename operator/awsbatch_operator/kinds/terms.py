"""On what terms AWS is changed for an object: what is made, and what is only told (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass

from awsbatch_operator.api import ownership_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import RecordError, Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.lasting import RELOOK_SECONDS, ApiCall
from awsbatch_operator.kinds.scope_record import recorded_in
from awsbatch_operator.kinds.statuses import just_taken_over, was_reached
from awsbatch_operator.kinds.tagging import WantedTags, tag_drift


@dataclass(frozen=True, slots=True)
class Terms:
    """`reports`: what differs from the spec is told and left as it is (driftPolicy Report).

    It is so only once this generation was reached: until then AWS differs because of what the spec
    says, and not because of what somebody else has done. But what was just taken over was
    there before the spec: it is left as it is until the spec is edited, so that whoever moves here
    sees first what would be changed. `taking_over`: that is so now, and no status
    was written since. `adopts_only`: nothing is ever made (adoptionPolicy Adopt).
    """

    reports: bool = False
    adopts_only: bool = False
    taking_over: bool = False

    def nothing_made(self, what: str) -> Plan[ApiCall] | None:
        """Why AWS is left without the thing, which is named; None: it is made."""
        if self.reports:
            words = f"AWS has no {what} any more, and driftPolicy is Report: it is not made anew."
            return Plan(findings=(Finding(ownership_reasons.DELETED_IN_AWS, words),), drift=())
        if self.adopts_only:
            words = f"AWS has no {what}, and adoptionPolicy Adopt makes none."
            return Plan(findings=(Finding(ownership_reasons.NOTHING_TO_ADOPT, words),))
        return None


def terms_of(resource: Resource) -> Terms:
    """What spec and status say."""
    wanted = resource.spec.get("driftPolicy") == "Report"
    taking_over = wanted and _was_just_taken_over(resource)
    return Terms(
        reports=taking_over or (wanted and was_reached(resource)),
        adopts_only=resource.spec.get("adoptionPolicy") == "Adopt",
        taking_over=taking_over,
    )


def _was_just_taken_over(resource: Resource) -> bool:
    try:
        return just_taken_over(resource, recorded_in(resource))
    except RecordError:
        return False


def only_told(
    fields: tuple[str, ...],
    tags: WantedTags,
    have: Mapping[str, str],
    *,
    findings: tuple[Finding, ...] = (),
) -> Plan[ApiCall]:
    """The plan by which nothing is brought in line: what differs, the tags included, is listed."""
    drift = tuple(sorted((*fields, *tag_drift(tags, have))))
    return Plan(findings=findings, look_again_seconds=RELOOK_SECONDS, drift=drift)
