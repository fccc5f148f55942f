"""The gates that need nothing but objects: scope as recorded, and references (pure).

A gate answers with findings; none means that the turn passes on.
"""

from collections.abc import Callable, Mapping, Sequence

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import condition, is_true
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.references import Need, Reference
from awsbatch_operator.api.scope import Recorded

_ARN_ACCOUNT = 4  # arn:partition:service:region:account:resource

Find = Callable[[ObjectKey], Resource | None]


def scope_changed(recorded: Recorded, today: Recorded) -> Finding | None:
    """Whether the object would be made elsewhere today.

    The identity may change (a role, or an AWSAccount that leads to the same account); the account,
    the region and the name may not, because the AWS object stays where it is.
    """
    differences = [
        f"{words} {before}, today it would be {now}"
        for words, before, now in (
            ("account", recorded.account_id, today.account_id),
            ("region", recorded.region, today.region),
            ("AWS name", recorded.aws_name, today.aws_name),
        )
        if before != now
    ]
    if not differences:
        return None
    return Finding(
        catalogue.SCOPE_CHANGED, f"The object was made in {'; and in '.join(differences)}."
    )


def targets(
    references: Sequence[Reference], find: Find
) -> tuple[Mapping[ObjectKey, Resource], tuple[Finding, ...]]:
    """The objects referred to, and what is still missing of them.

    The account is a gate of its own and is passed over here.
    """
    found: dict[ObjectKey, Resource] = {}
    missing = []
    for reference in references:
        if reference.target.kind == "AWSAccount":
            continue
        target = find(reference.target)
        if target is not None:
            found[reference.target] = target
        finding = unresolved(reference, target)
        if finding is not None:
            missing.append(finding)
    return found, tuple(missing)


def elsewhere(
    references: Sequence[Reference],
    found: Mapping[ObjectKey, Resource],
    arns: Sequence[tuple[str, str]],
    here: Recorded,
) -> tuple[Finding, ...]:
    """Targets in another account or region: AWS Batch cannot join what lies apart.

    `arns` are the references by ARN, as (path, ARN).
    """
    places = [
        (f"{reference.path}: {reference.target}", _place(found[reference.target]))
        for reference in references
        if reference.target in found
    ]
    places += [(f"{path}: {arn}", _arn_place(arn)) for path, arn in arns]
    return tuple(
        Finding(
            catalogue.REFERENCE_ELSEWHERE,
            f"{what} is in account {there[0]}, region {there[1]}; this object is in "
            f"{here.account_id}, {here.region}.",
        )
        for what, there in places
        if there is not None and there != (here.account_id, here.region)
    )


def _place(target: Resource) -> tuple[str, str] | None:
    """(account id, region) of a target, as far as it shows them."""
    status = target.status
    if "accountId" not in status or "region" not in status:
        return None
    return str(status["accountId"]), str(status["region"])


def _arn_place(arn: str) -> tuple[str, str] | None:
    """(account id, region) that an ARN names; None if it names none."""
    parts = arn.split(":")
    return (
        (parts[_ARN_ACCOUNT], parts[3])
        if len(parts) > _ARN_ACCOUNT and parts[_ARN_ACCOUNT] and parts[3]
        else None
    )


def unresolved(reference: Reference, target: Resource | None) -> Finding | None:
    """What the reference waits for; None if the target has come far enough."""
    where = f"{reference.path}: {reference.target}"
    if reference.need is Need.OPTIONAL:
        return None
    if target is None:
        return Finding(catalogue.REFERENCE_NOT_FOUND, f"{where} does not exist yet.")
    known = "arn" in target.status or "jobId" in target.status
    if reference.need is Need.KNOWN and known:
        return None
    if target.deleting:
        return Finding(catalogue.REFERENCE_NOT_READY, f"{where} is being deleted.")
    if is_ready(target) and known:
        return None
    return Finding(catalogue.REFERENCE_NOT_READY, f"{where} is not Ready yet{_why(target)}")


def is_ready(target: Resource) -> bool:
    """Whether AWS has what the newest generation of the target says."""
    return not target.deleting and is_true(target.status, "Ready", target.generation)


def _why(target: Resource) -> str:
    stalled = condition(target.status, "Stalled")
    if stalled is not None and stalled["status"] == "True":
        return f", and does not go on by itself: {stalled['reason']}."
    ready = condition(target.status, "Ready")
    # Only the word, not the message: it may change with every look and would be written each time.
    return f" ({ready['reason']})." if ready is not None else "."
