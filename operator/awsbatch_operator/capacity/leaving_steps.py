"""The calls by which instances leave, as steps: each pool's in a lane of its own for that."""

from collections.abc import Mapping, Sequence

from awsbatch_operator.api import capacity_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Step
from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.fitting import instances
from awsbatch_operator.capacity.leaving import Deregister, Drain, Leaving, Terminate, Why
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.requests import Call

_WHY: Mapping[Why, str] = {
    Why.DELETED: "the environment, or the pool, is being removed",
    Why.END: "the time is over",
    Why.INTERRUPTED: "EC2 takes back what they run on",
    Why.REBALANCE: "EC2 recommends to leave, and onRebalance says so",
    Why.MAINTENANCE: "EC2 is about to stop or retire the host",
    Why.FORMER: "the environment has another ECS cluster by now",
    Why.NEVER_JOINED: "not in the ECS cluster in time",
    Why.STOPPED: "stopped by somebody, or from inside",
    Why.REPLACED: "another image, user data or type is wanted by now",
    Why.IDLE: "no task for idleSeconds",
}


PROTECTED_SECONDS = 300.0  # until EC2 is asked again to end what somebody has protected


def leaving_steps(leaving: Leaving, seen: Observed, now: Instant) -> tuple[Step[Call], ...]:
    """Terminate what is due, then drain, then deregister: each pool's in a lane of its own.

    EC2 ends none of a zone if one of them is protected: such a one has a call of its own.
    """
    pool_of = {life.id: life.pool for life in seen.lives}
    of_member = {life.member.arn: life.id for life in seen.lives if life.member is not None}
    steps: list[Step[Call]] = []
    for action in sorted(leaving.actions, key=_order):
        ids = _ids(action, of_member)
        for pool in sorted({pool_of[each] for each in ids}):
            mine = [each for each in ids if pool_of[each] == pool]
            if isinstance(action, Terminate):
                alone = [[each] for each in mine if each in seen.protected]
                due = [each for each in alone if _may_ask(each[0], seen, now)]
                free = [each for each in mine if each not in seen.protected]
                for some in (free, *due):
                    steps += _steps(action, pool, some, (), seen.cluster)
                continue
            arns = [arn for arn, each in sorted(of_member.items()) if each in set(mine)]
            steps += _steps(action, pool, mine, arns, seen.cluster)
    return tuple(steps)


def _may_ask(instance: str, seen: Observed, now: Instant) -> bool:
    return now.since(seen.protected[instance]) >= PROTECTED_SECONDS


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


def _ended(call: Call, pool: str, why: Why) -> Finding:
    what = instances(len(call.request["InstanceIds"]))
    words = f"Ended {what} of pool {pool}: {_WHY[why]}."
    return Finding(capacity_reasons.INSTANCES_ENDED, words)


def _order(action: Terminate | Drain | Deregister) -> int:
    return (Terminate, Drain, Deregister).index(type(action))


def _ids(action: Terminate | Drain | Deregister, of_member: Mapping[str, str]) -> list[str]:
    if isinstance(action, Deregister):
        return [of_member[arn] for arn in action.members]
    return list(action.instances)
