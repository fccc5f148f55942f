"""The calls by which instances leave, as steps: each pool's in a lane of its own for that."""

from collections.abc import Mapping, Sequence

from awsbatch_operator.api import capacity_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.plans import Step
from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.leaving import Deregister, Drain, Leaving, Terminate
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.requests import Call


def leaving_steps(leaving: Leaving, seen: Observed) -> tuple[Step[Call], ...]:
    """Terminate what is due, then drain, then deregister: each pool's in a lane of its own."""
    pool_of = {life.id: life.pool for life in seen.lives}
    of_member = {life.member.arn: life.id for life in seen.lives if life.member is not None}
    steps: list[Step[Call]] = []
    for action in sorted(leaving.actions, key=_order):
        ids = _ids(action, of_member)
        for pool in sorted({pool_of[each] for each in ids}):
            mine = [each for each in ids if pool_of[each] == pool]
            arns = [arn for arn, each in sorted(of_member.items()) if each in set(mine)]
            steps += _steps(action, pool, mine, arns, seen.cluster)
    return tuple(steps)


def _steps(
    action: Terminate | Drain | Deregister,
    pool: str,
    ids: Sequence[str],
    arns: Sequence[str],
    cluster: str,
) -> list[Step[Call]]:
    lane = f"{pool}/leaving"
    match action:
        case Terminate(why=why):
            return [
                Step(call, lane=lane, note=_ended(call, pool, why))
                for call in requests.terminate(pool, ids)
            ]
        case Drain():
            return [Step(call, lane=lane) for call in requests.drain(pool, cluster, arns)]
        case Deregister():
            return [Step(call, lane=lane) for call in requests.deregister(pool, cluster, arns)]


def _ended(call: Call, pool: str, why: str) -> Finding:
    count = len(call.request["InstanceIds"])
    what = "1 instance" if count == 1 else f"{count} instances"
    return Finding(capacity_reasons.INSTANCES_ENDED, f"Ended {what} of pool {pool}: {why}.")


def _order(action: Terminate | Drain | Deregister) -> int:
    return (Terminate, Drain, Deregister).index(type(action))


def _ids(action: Terminate | Drain | Deregister, of_member: Mapping[str, str]) -> list[str]:
    if isinstance(action, Deregister):
        return [of_member[arn] for arn in action.members]
    return list(action.instances)
