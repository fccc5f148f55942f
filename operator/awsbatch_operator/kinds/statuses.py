"""From what a turn found out to the whole status (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any

from awsbatch_operator.api.conditions import (
    ExtraCondition,
    Situation,
    Verdict,
    conditions,
    is_true,
)
from awsbatch_operator.api.findings import Finding, Severity
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import PAUSED, Resource, Shape
from awsbatch_operator.api.scope import Origin, ScopeRecord
from awsbatch_operator.api.words import SHOWN_AT_MOST, in_characters, joined

COMMON_FIELDS = frozenset(
    {"observedGeneration", "conditions", "awsName", "accountId", "region", "deletionPolicy"}
    | {"reachedGeneration", "result", "installation"}
)
"""The fields that the life cycle adds itself."""

_ENDS = frozenset({Situation.COMPLETE, Situation.FAILED})
_RESULTS: Mapping[str, str] = {"Complete": "Succeeded", "Failed": "Failed"}


def by_weight(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """What a person must mend first, then what passes by itself, then what is only worth saying."""
    order = (Severity.STALL, Severity.WAIT, Severity.NOTE)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))


def verdict(findings: Sequence[Finding], otherwise: Verdict, *, deleting: bool) -> Verdict:
    """How the object stands: what stands in its way decides, else what the kind says."""
    heaviest = by_weight(findings)
    if not heaviest or heaviest[0].severity is Severity.NOTE:
        return otherwise
    first = heaviest[0]
    over = otherwise.situation in _ENDS
    if over and first.severity is Severity.WAIT and not deleting:
        return otherwise  # it waits for nothing any more
    alike = [finding for finding in heaviest if finding.severity is first.severity]
    message = _joined(alike)
    match first.severity, deleting:
        case Severity.STALL, True:
            situation = Situation.DELETION_BLOCKED
        case Severity.STALL, False:
            situation = Situation.STALLED
        case _, True:
            situation = Situation.DELETING
        case _:
            situation = Situation.WORKING
    result = otherwise if over and situation is Situation.STALLED else otherwise.result
    return Verdict(situation, first.reason.name, message, ran=otherwise.ran, result=result)


def _before(resource: Resource, fields: Mapping[str, Any]) -> Sequence[Mapping[str, object]]:
    """The conditions as they were; without the result, once the status names another run of a job.

    Whatever stands in the way of the new run, the end of the one before is not its end: taken for
    that, the object would be let go while AWS runs its job.
    """
    listed: Sequence[Mapping[str, object]] = resource.status.get("conditions", ())
    if "run" not in fields or fields["run"] == resource.status.get("run"):
        return listed
    results = {situation.value for situation in _ENDS}
    return [each for each in listed if each["type"] not in results]


def _joined(findings: Sequence[Finding]) -> str:
    """What is the case, and how to mend it, once for all that is mended the same way."""
    by_remedy: dict[str, dict[str, None]] = {}
    for finding in findings[:SHOWN_AT_MOST]:
        remedy = finding.remedy or finding.reason.remedy
        by_remedy.setdefault(remedy, {})[finding.message] = None
    words = [word for remedy, messages in by_remedy.items() for word in (*messages, remedy)]
    if len(findings) > SHOWN_AT_MOST:
        words.append(f"And {len(findings) - SHOWN_AT_MOST} more.")
    return joined(*words)


def kept_fields(resource: Resource) -> dict[str, Any]:
    """The kind's fields as they stand in the status: nothing newer is known."""
    return {name: value for name, value in resource.status.items() if name not in COMMON_FIELDS}


def whole(
    resource: Resource,
    fields: Mapping[str, Any],
    judged: Verdict,
    *,
    now: Instant,
    bounded: bool,
    recorded: ScopeRecord | None,
    extra: Sequence[ExtraCondition] = (),
    anew: bool = False,
) -> dict[str, Any]:
    """The status to be written. A paused object keeps the generation that it was judged for.

    It keeps its conditions as well, unless AWS was seen to have come on (`anew`); but what held it
    back before it was paused is not looked into meanwhile, and stays.
    """
    paused = resource.paused
    generation = resource.generation
    listed = conditions(
        _before(resource, fields),
        judged,
        generation=generation,
        now=now,
        bounded=bounded,
        paused=paused,
        paused_by=resource.annotations.get(PAUSED, ""),
        extra=extra,
        anew=anew and (judged.situation in _ENDS or not is_true(resource.status, "Stalled")),
    )
    if paused:
        generation = int(resource.status.get("observedGeneration", -1))
    common = _scope_fields(resource, recorded, bounded=bounded)
    reached = was_reached(resource) or just_taken_over(resource, recorded)
    if "awsName" in common and judged.situation is not Situation.READY and reached:
        common["reachedGeneration"] = resource.generation
    common |= _result(listed) if bounded else {}
    status = {**common, **fields, "observedGeneration": generation, "conditions": listed}
    return {key: _kept(value) for key, value in status.items() if value is not None}


def _result(listed: Sequence[Shape]) -> dict[str, Any]:
    """In one word, and in no list, what Complete and Failed say.

    Argo Workflows, for one, compares single values, and the other fields of a job are about its
    current run: after a run that has failed, another one may follow.
    """
    true = {str(each["type"]) for each in listed if each["status"] == "True"}
    words = [word for name, word in _RESULTS.items() if name in true]
    return {"result": words[0]} if words else {}


def _scope_fields(
    resource: Resource, recorded: ScopeRecord | None, *, bounded: bool
) -> dict[str, Any]:
    if recorded is None:
        names = ("awsName", "accountId", "region", "deletionPolicy")
        return {name: resource.status[name] for name in names if name in resource.status}
    fields = {
        "accountId": recorded.account_id,
        "region": recorded.region,
        "deletionPolicy": str(resource.spec.get("deletionPolicy") or _usual_policy(recorded)),
    }
    return fields if bounded else fields | {"awsName": recorded.serving}


def _usual_policy(recorded: ScopeRecord) -> str:
    """What an unset deletionPolicy means."""
    return "Delete" if recorded.origin is Origin.CREATED else "Retain"


def _kept(value: Any) -> Any:
    """What the API server keeps as it is sent.

    It refuses null where it would mean 'absent' (422 on a server-side apply), and puts another
    character in the place of half of one.
    """
    if type(value) is str:  # most are
        return in_characters(value)
    if isinstance(value, dict | Mapping):  # a dict is told at once, an abstract Mapping is not
        return {key: _kept(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_kept(inner) for inner in value]
    return value


def same(status: Shape, before: Shape) -> bool:
    """Whether the status says what already stands there, whatever the order of conditions."""
    return _in_order(status) == _in_order(before)


def stands(status: Shape, before: Shape) -> bool:
    """Whether the status says what already stands there; `status` names an installation.

    Who serves it is not written for its own sake into a status that lacks nothing else: those of
    an earlier version would all be written at once by the next.
    """
    return same(status, {"installation": status["installation"], **before})


def _in_order(status: Shape) -> dict[str, Any]:
    listed = sorted(status.get("conditions", ()), key=lambda entry: str(entry["type"]))
    return {**status, "conditions": listed}


def is_ready(resource: Resource) -> bool:
    """Whether the status says that this very generation is as specified."""
    return not resource.deleting and is_true(resource.status, "Ready", resource.generation)


def was_reached(resource: Resource) -> bool:
    """Whether AWS was as this very generation says, at this moment or at any before it.

    Ready says so while it is True. When it ceases to be, the same write notes the generation in
    `reachedGeneration`: AWS is UPDATING for a while when somebody else changes a thing, and what
    that has left behind would then be taken for what the spec still has to bring about.
    """
    noted = resource.status.get("reachedGeneration") == resource.generation
    return is_ready(resource) or (noted and not resource.deleting)


def just_taken_over(resource: Resource, recorded: ScopeRecord | None) -> bool:
    """Whether AWS had it before, and what AWS has is still to be reported for the first time.

    With driftPolicy Report that counts as reached. Not so of a job definition, of which nothing is
    changed: a revision is registered beside those of others.
    """
    reports = resource.spec.get("driftPolicy") == "Report" and resource.key.kind != "JobDefinition"
    first = "arn" not in resource.status and not resource.deleting
    return reports and first and recorded is not None and recorded.origin is Origin.ADOPTED
