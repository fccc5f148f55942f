"""What the tasks of instances that are about to be lost will need elsewhere.

They count as waiting before AWS Batch has them waiting again, so that there is room by then. It is
found like any other: on what is free, on what is on its way, or on what is launched for it. So it
does not matter who has set the instance to DRAINING (the agent of a Spot Instance may have done it
before us), nor how often it is looked at.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from awsbatch_operator.capacity.instances import LIVING, Life
from awsbatch_operator.capacity.leaving import Notice
from awsbatch_operator.capacity.model import CPU_UNITS, Market, Need, OnRebalance, Pool
from awsbatch_operator.capacity.views import MemberView


def losses(
    current: Sequence[Life], notices: Mapping[str, Notice], pools: Sequence[Pool]
) -> Mapping[str, Need]:
    """By instance, what its tasks take, each alike.

    Of a rebalance recommendation only where the pool replaces instances because of it. A block is
    fulfilled once, so nothing is launched in the place of what it loses.
    """
    by_name = {pool.name: pool for pool in pools if pool.market is not Market.SPOT_BLOCK}
    found: dict[str, Need] = {}
    for life in current:
        pool, notice = by_name.get(life.pool), notices.get(life.id)
        if pool is None or life.member is None or not life.tasks or life.stage not in LIVING:
            continue
        replaced = pool.on_rebalance is OnRebalance.REPLACE
        if notice is Notice.INTERRUPTION or (notice is Notice.REBALANCE and replaced):
            found[life.id] = _taken(life.member)
    return found


def _taken(member: MemberView) -> Need:
    """What the tasks of a member take, divided evenly: ECS does not say more."""
    cpu = max(0, member.cpu - member.cpu_left) // member.tasks
    return Need(
        vcpus=float(Decimal(cpu) / CPU_UNITS),
        memory_mib=max(0, member.memory_mib - member.memory_left) // member.tasks,
        gpus=max(0, member.gpus - member.gpus_left) // member.tasks,
        count=member.tasks,
    )
