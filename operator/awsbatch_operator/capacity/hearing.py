"""What EC2 has announced of an environment's instances, by all ways by which it says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.capacity_ports import Ec2Port
from awsbatch_operator.aws.notices import NoticeBook
from awsbatch_operator.capacity.announcements import notices
from awsbatch_operator.capacity.faults import INTERRUPTED
from awsbatch_operator.capacity.instances import LIVING, Life, Stage
from awsbatch_operator.capacity.leaving import Notice
from awsbatch_operator.capacity.memory import Remembered
from awsbatch_operator.capacity.model import Market, Offer, OnRebalance, Pool
from awsbatch_operator.capacity.offers import after_fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """Hears. Raises AwsError and NoTokenError."""

    ec2: Ec2Port
    book: NoticeBook
    clock: Clock

    async def heard(
        self, scope: Scope, kept: Remembered, current: Sequence[Life], pools: Sequence[Pool]
    ) -> Mapping[str, Notice]:
        """By instance, what is announced; it is remembered as far as that is needed."""
        found = await self.notices(scope, current)
        self.heed(kept, current, found, pools)
        return found

    async def notices(self, scope: Scope, current: Sequence[Life]) -> Mapping[str, Notice]:
        """By instance; those of which nothing is announced are left out.

        Spot requests and status checks are asked for only where there are instances that they may
        be about.
        """
        alive = [life for life in current if life.stage in LIVING]
        if not alive:
            return {}
        spot = any(life.instance.market is not Market.ON_DEMAND for life in alive)
        requests = await self.ec2.spot_requests(scope) if spot else ()
        troubled = await self.ec2.troubled_instances(scope)
        ids = [life.id for life in alive]
        said = self.book.announced(ids)
        return notices(said, requests, troubled, ids, now=self.clock.now())

    def heed(
        self,
        kept: Remembered,
        current: Sequence[Life],
        heard: Mapping[str, Notice],
        pools: Sequence[Pool],
    ) -> None:
        """Pause the offers by which interrupted instances came; let go of what is seen to.

        An announcement is let go of when its instance drains or ends, or is told to stay.
        """
        ignoring = {pool.name for pool in pools if pool.on_rebalance is OnRebalance.IGNORE}
        for life in current:
            notice = heard.get(life.id)
            if notice is Notice.INTERRUPTION and life.id not in kept.taken:
                kept.taken.add(life.id)
                kept.pauses = after_fault(kept.pauses, _offer(life), INTERRUPTED, self.clock.now())
        kept.taken &= {life.id for life in current}
        self.book.handled(
            [
                life.id
                for life in current
                if life.stage in {Stage.DRAINING, Stage.TERMINATING, Stage.GONE}
                or (heard.get(life.id) is Notice.REBALANCE and life.pool in ignoring)
            ]
        )


def _offer(life: Life) -> Offer:
    """By which the instance was bought, as far as pauses go by it."""
    view = life.instance
    return Offer(
        pool=view.pool,
        market=Market.SPOT,
        instance_type=view.instance_type,
        zone=view.zone,
        subnet="",
        price=None,
    )
