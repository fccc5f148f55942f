"""The operations on scheduling policies. Source: their fields in the Batch API reference.

What they do to the order of jobs is in `fair_share`.
"""

from itertools import combinations
from typing import Any

from awsbatch_simulator.batch.limits import (
    answer,
    check_name,
    check_share,
    check_tags,
    page,
    refusal,
)
from awsbatch_simulator.batch.model import Policy
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
_KINDS = ("fairsharePolicy", "quotaSharePolicy")
DECAY_SECONDS = range(604_801)
RESERVATION = range(100)
SHARES = 500
LIGHTEST, HEAVIEST = 0.0001, 999.9999


def create(region: Region, request: Fields) -> Fields:
    """CreateSchedulingPolicy."""
    name = request["name"]
    check_name(name, "name")
    check_tags(request.get("tags", {}))
    _check(request)
    arn = region.arn("batch", f"scheduling-policy/{name}")
    if arn in region.batch.policies:
        raise refusal("Object already exists")
    content = {kind: request[kind] for kind in _KINDS if kind in request}
    policy = Policy(name, arn, content, dict(request.get("tags", {})))
    region.batch.policies[arn] = policy
    return {"name": name, "arn": arn}


def update(region: Region, request: Fields) -> Fields:
    """UpdateSchedulingPolicy: the kind of a policy stays."""
    policy = _found(region, request["arn"])
    _check(request)
    for kind in _KINDS:
        if kind in request:
            if policy.content and kind not in policy.content:
                raise refusal(f"{kind}: the type of a scheduling policy cannot be changed")
            policy.content = {kind: request[kind]}
    return {}


def delete(region: Region, request: Fields) -> Fields:
    """DeleteSchedulingPolicy: not while a queue uses it."""
    policy = _found(region, request["arn"])
    users = [queue.name for queue in region.batch.queues.values() if queue.policy_arn == policy.arn]
    if users:
        raise refusal(f"Cannot delete, scheduling policy is used by {', '.join(users)}")
    del region.batch.policies[policy.arn]
    return {}


def describe(region: Region, request: Fields) -> Fields:
    """DescribeSchedulingPolicies: ARNs that are unknown are left out."""
    found = [region.batch.policies.get(arn) for arn in request["arns"]]
    return {
        "schedulingPolicies": [
            {"name": each.name, "arn": each.arn, **each.content, "tags": each.tags}
            for each in found
            if each is not None
        ]
    }


def list_policies(region: Region, request: Fields) -> Fields:
    """ListSchedulingPolicies."""
    shown, token = page(region.batch.policies.items(), request)
    return answer("schedulingPolicies", [{"arn": each.arn} for each in shown], token)


def _found(region: Region, arn: str) -> Policy:
    policy = region.batch.policies.get(arn)
    if policy is None:
        raise refusal(f"{arn[:200]} does not exist")
    return policy


def _check(request: Fields) -> None:
    if all(kind in request for kind in _KINDS):
        raise refusal("Only one of fairsharePolicy or quotaSharePolicy can be set")
    fair = request.get("fairsharePolicy", {})
    if fair.get("shareDecaySeconds", 0) not in DECAY_SECONDS:
        raise refusal("shareDecaySeconds must be between 0 and 604800")
    if fair.get("computeReservation", 0) not in RESERVATION:
        raise refusal("computeReservation must be between 0 and 99")
    shares = fair.get("shareDistribution", [])
    if len(shares) > SHARES:
        raise refusal(f"shareDistribution can have up to {SHARES} shares")
    for share in shares:
        if not LIGHTEST <= share.get("weightFactor", 1.0) <= HEAVIEST:
            raise refusal("weightFactor must be between 0.0001 and 999.9999")
        check_share(share["shareIdentifier"])
    for one, other in combinations([share["shareIdentifier"] for share in shares], 2):
        if _overlap(one, other):
            raise refusal(f"Share identifiers {one} and {other} overlap")


def _overlap(one: str, other: str) -> bool:
    """`UserA*` overlaps with `UserA1`, with `UserA` and with `User*`."""
    if one.endswith("*") and other.startswith(one[:-1]):
        return True
    if other.endswith("*") and one.startswith(other[:-1]):
        return True
    return one == other
