"""What a way of a block may be made of: offers and reservations that keep price and limits."""

from dataclasses import dataclass, field
from decimal import Decimal

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.capacity.block_record import Block, BlockView, Reservation
from awsbatch_operator.capacity.budget import Budget, Candidate, bound_of
from awsbatch_operator.capacity.model import Market, Offer, Pool


@dataclass(frozen=True, slots=True)
class Ground:
    """All that choosing a way looks at; `refused` gathers why offers are no way."""

    pool: Pool
    view: BlockView
    budget: Budget
    now: Instant
    refused: list[str] = field(default_factory=list)

    def able(self, market: Market, missing: int) -> list[Offer]:
        """The offers of a market that keep price and limits for all instances, cheapest first."""
        found = [
            offer
            for offer in self.view.offers
            if offer.market is market and self._priced(offer) and self._within(offer, missing)
        ]
        return sorted(found, key=_price_order)

    def own_reservation(
        self, missing: int, end: Instant | None
    ) -> tuple[Reservation, Offer] | None:
        """A reservation of the user's with room until the end, and what it costs to use it."""
        offers = {
            (each.instance_type, each.zone): each for each in self.able(Market.ON_DEMAND, missing)
        }
        for each in sorted(self.view.reservations, key=lambda found: found.id):
            lasts = each.end is None or (end is not None and each.end >= end)
            offer = offers.get((each.instance_type, each.zone))
            fits = each.active and not each.ours and each.available >= missing
            if fits and lasts and offer is not None:
                return each, offer
        self.refused.append("no reservation of one's own has room until the end")
        return None

    def untried(self, block: Block, market: Market, missing: int) -> list[Offer]:
        """Those that the block's way has not tried yet: what is dearer than its last one.

        A refused reservation pauses no offer, for fewer instances of it may well be had.
        """
        found = self.able(market, missing)
        if block.attempt == 0:
            return found
        last = block.price is None, block.price or Decimal(0), block.instance_type, block.zone
        left = [offer for offer in found if _price_order(offer) > last]
        if not left:
            self.refused.append("EC2 is short of all that is offered")
        return left

    def reason(self) -> str:
        """Why the last way is not open."""
        text = "; ".join(dict.fromkeys(self.refused)) or "nothing is offered now"
        self.refused.clear()
        return text

    def _within(self, offer: Offer, missing: int) -> bool:
        about = self.view.types.get(offer.instance_type)
        if about is None:
            return False
        bound = bound_of(self.pool, offer)
        one = Candidate(
            pool=self.pool.name, type=about, offers=(offer,), price=offer.price, bound=bound
        )
        if self.budget.times(one, missing) >= missing:
            return True
        self.refused.append(f"{self.budget.stop(one, missing)} does not allow all of it")
        return False

    def _priced(self, offer: Offer) -> bool:
        most, name = self.pool.max_price_per_hour, offer.instance_type
        if most is None:
            return True
        if offer.price is None:
            self.refused.append(f"the price of {name} is unknown")
            return False
        if offer.price > most:
            self.refused.append(f"{name} costs {offer.price}, above maxPricePerHour {most}")
        return offer.price <= most


def _price_order(offer: Offer) -> tuple[bool, Decimal, str, str]:
    price = offer.price
    return price is None, price or Decimal(0), offer.instance_type, offer.zone
