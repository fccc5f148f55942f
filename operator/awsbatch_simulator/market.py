"""What EC2 has to sell, as part of the settings: capacity, quotas and prices.

Offers are named `MARKET:TYPE:ZONE` (`spot:r5.large:eu-central-1a`; the markets are `spot` and
`on-demand`), with globs. Domain code asks `ec2/supply.py`, `ec2/quotas.py` and `ec2/prices.py`.
"""

from fnmatch import fnmatchcase

from pydantic import Field, field_validator

from awsbatch_simulator.model import Model

PARTS_OF_AN_OFFER = 3
PARTS_OF_A_POOL = 2


class Market(Model):
    """EC2's capacity, the account's vCPU quotas, and prices where they are not the table's."""

    # How many instances of an offer there can be at a time, in each account, those that run and
    # those that are reserved together; of the entries that match, the smallest holds.
    capacity: dict[str, int] = Field(default_factory=dict)
    # vCPUs by quota code (`L-1216C47A`), in place of the simulator's own figures.
    quotas: dict[str, float] = Field(default_factory=dict)
    # How many images and snapshots an account can have in a region.
    images: int = Field(default=50_000, ge=0)
    snapshots: int = Field(default=100_000, ge=0)
    # US dollars an hour, Linux on demand, by type (globs, the first that matches); 0: AWS's lists
    # do not have it.
    prices: dict[str, float] = Field(default_factory=dict)
    # The same of spot instances, by `TYPE:ZONE`.
    spot_prices: dict[str, float] = Field(default_factory=dict)

    @field_validator("capacity")
    @classmethod
    def _offers(cls, value: dict[str, int]) -> dict[str, int]:
        for name, count in value.items():
            if name.count(":") != PARTS_OF_AN_OFFER - 1 or count < 0:
                raise ValueError(f"{name!r}: give MARKET:TYPE:ZONE and a count from 0")
        return value

    @field_validator("spot_prices")
    @classmethod
    def _pools(cls, value: dict[str, float]) -> dict[str, float]:
        for name in value:
            if name.count(":") != PARTS_OF_A_POOL - 1:
                raise ValueError(f"{name!r}: give TYPE:ZONE")
        return value

    def capacity_of(self, market: str, type_name: str, zone: str) -> int | None:
        """How many instances of an offer there can be; None: as many as anybody wants."""
        name = f"{market}:{type_name}:{zone}"
        return min(
            (count for glob, count in self.capacity.items() if fnmatchcase(name, glob)),
            default=None,
        )
