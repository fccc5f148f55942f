"""Which launch templates the pools want, and which of ours nobody wants any more."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.capacity.block_record import Phase, block_of
from awsbatch_operator.capacity.launches import Launches
from awsbatch_operator.capacity.machines import Template, markets, template
from awsbatch_operator.capacity.model import InstanceType, Market, Pool, Wish
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.userdata.model import Refused

GRACE_SECONDS = 600.0  # since a template was made: a launch may be on the wire, or be sent again


@dataclass(slots=True)
class Templates:
    """The templates of one plan. `refused` gathers the pools whose user data is no good."""

    seen: Observed
    refused: dict[str, Refused] = field(default_factory=dict)
    _contents: dict[str, str] = field(default_factory=dict)

    def of(
        self, pool: Pool, about: InstanceType, end: Instant | None, market: Market
    ) -> Template | None:
        """The template for instances of that type, end and market; None if there can be none."""
        machine = self.seen.machines.get(pool.name)
        if machine is None:
            return None
        made = template(self.seen.owner, pool, machine, about=about, end=end, market=market)
        if isinstance(made, Refused):
            self.refused[pool.name] = made
            return None
        return made

    def contents(self, wish: Wish) -> Mapping[str, str]:
        """What the instances of each pool are to be made of; pools without are left out."""
        for pool in wish.pools:
            machine = self.seen.machines.get(pool.name)
            if machine is None or pool.name in self._contents or pool.name in self.refused:
                continue
            made = template(self.seen.owner, pool, machine)
            if isinstance(made, Refused):
                self.refused[pool.name] = made
            else:
                self._contents[pool.name] = made.content
        return self._contents


def unused(templates: Templates, wish: Wish, record: Launches, now: Instant) -> tuple[str, ...]:
    """Those that no pool would launch by today and no open intent names, after a while.

    Nothing is said of a pool that is in the spec and cannot be resolved now: all stay then.
    """
    seen = templates.seen
    if any(pool.name not in seen.machines for pool in wish.pools):
        return ()
    kept = {intent.template for intent in record.open_intents()}
    for pool in wish.pools:
        block = block_of(record.of(pool.name).block)
        making = block is not None and block.phase in {Phase.SECURING, Phase.LAUNCHING}
        ends = {None, block.end if block is not None and making else None}
        types = list(seen.types.get(pool.name, {}).values())
        # Only the number of cores differs from type to type.
        for about in types if pool.threads_per_core is not None else types[:1]:
            made = (templates.of(pool, about, *each) for each in product(ends, markets(pool)))
            kept.update(each.name for each in made if each is not None)
    return tuple(
        name
        for name, made in sorted(seen.templates.items())
        if name not in kept and now.since(made) >= GRACE_SECONDS
    )
