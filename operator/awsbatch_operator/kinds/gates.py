"""The gates that need nothing but objects: scope as recorded, and references (pure).

A gate answers with findings; none means that the turn passes on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import condition, is_true
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource, kept
from awsbatch_operator.api.references import DEFAULT_ACCOUNT, Need, Reference
from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.kinds.scope_record import recorded_in

_ARN_ACCOUNT = 4  # arn:partition:service:region:account:resource

_UNAWAITED = frozenset({Need.OPTIONAL, Need.OWN})

Find = Callable[[ObjectKey], Resource | None]


def scope_changed(recorded: ScopeRecord, today: ScopeRecord) -> Finding | None:
    """Whether the object would be made elsewhere today.

    The identity may change (a role, or an AWSAccount that leads to the same account); the account,
    the region and the name may not, because the AWS object stays where it is.
    """
    differences = [
        f"{words} {before}, today it would be {now}"
        for words, before, now in (
            ("account", recorded.account_id, today.account_id),
            ("region", recorded.region, today.region),
            # A job has no name of its own; and where only the status of anything is left, what it
            # shows may be the name that a replacement gave it, beside which the first is not known.
            ("AWS name", recorded.aws_name or today.aws_name, today.aws_name),
        )
        if before != now
    ]
    if not differences:
        return None
    return Finding(
        catalogue.SCOPE_CHANGED, f"The object was made in {'; and in '.join(differences)}."
    )


def completed(recorded: ScopeRecord, today: ScopeRecord) -> ScopeRecord:
    """The record, with the AWSAccount of today's answer, and a name if it has none.

    The two agree about account, region and name: `scope_changed` has seen to that. A BatchJob may
    be corrected to another AWSAccount that leads to the same account, because the first one lacks
    a right; then it must be removed through the second one as well. What the operator made as
    itself stays its own when there is an AWSAccount by default later on.
    """
    keeps = recorded.account == "" and today.account == DEFAULT_ACCOUNT
    account = recorded.account if keeps else today.account
    name = recorded.aws_name or today.aws_name
    current = "" if recorded.current == name else recorded.current
    if (account, name, current) == (recorded.account, recorded.aws_name, recorded.current):
        return recorded  # as it nearly always is
    return replace(recorded, account=account, aws_name=name, current=current)


def targets(
    references: Sequence[Reference], find: Find
) -> tuple[Mapping[ObjectKey, Resource], tuple[Finding, ...]]:
    """The objects referred to, and what is still missing of them.

    What nothing waits for is found only if its ARN could be used. The account is a gate of its own
    and is passed over here.
    """
    found: dict[ObjectKey, Resource] = {}
    missing = []
    for reference in references:
        if reference.target.kind == "AWSAccount":
            continue
        target = find(reference.target)
        if target is not None and (reference.need not in _UNAWAITED or _usable(target)):
            found[reference.target] = target
        finding = unresolved(reference, target)
        if finding is not None:
            missing.append(finding)
    return found, tuple(missing)


def elsewhere(
    references: Sequence[Reference],
    found: Mapping[ObjectKey, Resource],
    arns: Sequence[tuple[str, str]],
    here: ScopeRecord,
) -> tuple[Finding, ...]:
    """Targets in another account or region: AWS Batch cannot join what lies apart.

    `arns` are the references by ARN, as (path, ARN).
    """
    whereabouts = [
        (f"{reference.path}: {reference.target}", _whereabouts(found[reference.target]))
        for reference in references
        if reference.target in found
    ]
    whereabouts += [(f"{path}: {arn}", _arn_whereabouts(arn)) for path, arn in arns]
    return tuple(
        Finding(
            catalogue.REFERENCE_ELSEWHERE,
            f"{what} is in account {there[0]}, region {there[1]}; this object is in "
            f"{here.account_id}, {here.region}.",
        )
        for what, there in whereabouts
        if there is not None and there != (here.account_id, here.region)
    )


def _whereabouts(target: Resource) -> tuple[str, str] | None:
    """(account id, region) of a target, as far as it shows them."""
    status = target.status
    if "accountId" not in status or "region" not in status:
        return None
    return str(status["accountId"]), str(status["region"])


def _arn_whereabouts(arn: str) -> tuple[str, str] | None:
    """(account id, region) that an ARN names; None if it names none."""
    parts = arn.split(":")
    return (
        (parts[_ARN_ACCOUNT], parts[3])
        if len(parts) > _ARN_ACCOUNT and parts[_ARN_ACCOUNT] and parts[3]
        else None
    )


def unresolved(reference: Reference, target: Resource | None) -> Finding | None:
    """What the reference waits for; None if the target has come far enough."""
    if reference.need in _UNAWAITED:
        return None
    if target is not None and in_aws(target) and _has_come_far(reference.need, target):
        return None
    where = f"{reference.path}: {reference.target}"
    if target is None:
        return Finding(catalogue.REFERENCE_NOT_FOUND, f"{where} does not exist yet.")
    if target.deleting:
        return Finding(catalogue.REFERENCE_NOT_READY, f"{where} is being deleted.")
    return Finding(catalogue.REFERENCE_NOT_READY, f"{where} is not Ready yet{_why(target)}")


def _has_come_far(need: Need, target: Resource) -> bool:
    """Whether what AWS has of the target is enough."""
    if need is Need.IN_AWS:
        return True
    return not target.deleting and (need is Need.STANDING or is_ready(target))


@kept
def in_aws(target: Resource) -> bool:
    """Whether the target has something in AWS that is proven to be its own.

    Its status names an ARN only while a look has found the uid and the cluster of the target in
    AWS's tags, or an earlier look's ARN. The ARN has to be the one which account, region and AWS
    name of its record lead to: otherwise whoever can write the status of one object could have
    another use, through it, what belongs to a third.
    """
    if target.key.kind == "BatchJob":
        return "jobId" in target.status
    if "arn" not in target.status or _stall_reason(target) == catalogue.ALREADY_EXISTS.name:
        return False
    try:
        recorded = recorded_in(target)
    except RecordError:
        return False
    return recorded is not None and _leads_to(recorded, target)


_ARN_RESOURCES: Mapping[str, str] = {
    "ComputeEnvironment": "compute-environment/",
    "JobQueue": "job-queue/",
    "SchedulingPolicy": "scheduling-policy/",
    "JobDefinition": "job-definition/",
}


def _leads_to(recorded: ScopeRecord, target: Resource) -> bool:
    arn = str(target.status["arn"])
    prefix = _ARN_RESOURCES.get(target.key.kind)
    if prefix is None:
        return True
    _, _, resource = arn.partition(f":batch:{recorded.region}:{recorded.account_id}:{prefix}")
    name = resource.partition(":")[0] if target.key.kind == "JobDefinition" else resource
    return bool(name) and name in recorded.names


def _usable(target: Resource) -> bool:
    """Whether its ARN, if it shows one, is its own; a job is used by its id alone."""
    return target.key.kind == "BatchJob" or in_aws(target)


def _stall_reason(target: Resource) -> str:
    stalled = condition(target.status, "Stalled")
    return str(stalled["reason"]) if stalled is not None and stalled["status"] == "True" else ""


@kept
def is_ready(target: Resource) -> bool:
    """Whether AWS has what the newest generation of the target says."""
    return not target.deleting and is_true(target.status, "Ready", target.generation)


def _why(target: Resource) -> str:
    stalled = _stall_reason(target)
    if stalled:
        return f", and does not go on by itself: {stalled}."
    ready = condition(target.status, "Ready")
    # Only the word, not the message: it may change with every look and would be written each time.
    return f" ({ready['reason']})." if ready is not None else "."
