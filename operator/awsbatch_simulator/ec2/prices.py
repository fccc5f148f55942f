"""What instances cost an hour, in US dollars.

A small table, near what AWS asked for Linux in us-east-1 in 2024: a price a vCPU for families whose
sizes cost in proportion, and the types of families where they do not. What is not in it has no
price, as AWS's lists lack new types for a while. Elsewhere it is dearer by the region's factor. A
spot instance costs about a third, each zone and type a little otherwise. The settings
`market.prices` and `market.spotPrices` come first.
"""

import zlib
from collections.abc import Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from types import MappingProxyType

from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.market import Market

_BY_VCPU: Mapping[str, str] = MappingProxyType(
    {
        "m4": "0.05",
        "c4": "0.05",
        "r4": "0.0665",
        "m5": "0.048",
        "m5a": "0.043",
        "m5d": "0.0565",
        "m5n": "0.0595",
        "c5": "0.0425",
        "c5a": "0.0385",
        "c5d": "0.048",
        "c5n": "0.054",
        "r5": "0.063",
        "r5a": "0.0565",
        "r5d": "0.072",
        "r5n": "0.0745",
        "m6i": "0.048",
        "m6a": "0.0432",
        "m6g": "0.0385",
        "c6i": "0.0425",
        "c6a": "0.03825",
        "c6g": "0.034",
        "r6i": "0.063",
        "r6a": "0.0567",
        "r6g": "0.0504",
        "m7i": "0.0504",
        "m7a": "0.05796",
        "m7g": "0.0408",
        "m7i-flex": "0.04788",
        "c7i": "0.044625",
        "c7a": "0.05132",
        "c7g": "0.03625",
        "c7i-flex": "0.04239",
        "r7i": "0.06615",
        "r7a": "0.07608",
        "r7g": "0.05355",
        "m8g": "0.04488",
        "c8g": "0.03988",
        "r8g": "0.05892",
    }
)
_BY_TYPE: Mapping[str, str] = MappingProxyType(
    {
        "t3.nano": "0.0052",
        "t3.micro": "0.0104",
        "t3.small": "0.0208",
        "t3.medium": "0.0416",
        "t3.large": "0.0832",
        "t3.xlarge": "0.1664",
        "t3.2xlarge": "0.3328",
        "t4g.small": "0.0168",
        "t4g.medium": "0.0336",
        "t4g.large": "0.0672",
        "t4g.xlarge": "0.1344",
        "t4g.2xlarge": "0.2688",
        "g4dn.xlarge": "0.526",
        "g4dn.2xlarge": "0.752",
        "g4dn.4xlarge": "1.204",
        "g4dn.8xlarge": "2.176",
        "g4dn.12xlarge": "3.912",
        "g4dn.16xlarge": "4.352",
        "g5.xlarge": "1.006",
        "g5.2xlarge": "1.212",
        "g5.4xlarge": "1.624",
        "g5.8xlarge": "2.448",
        "g5.12xlarge": "5.672",
        "g5.48xlarge": "16.288",
        "p3.2xlarge": "3.06",
        "p3.8xlarge": "12.24",
        "p3.16xlarge": "24.48",
        "p4d.24xlarge": "32.7726",
        "inf1.xlarge": "0.228",
    }
)
_FACTORS: Mapping[str, str] = MappingProxyType(
    {
        "us-east-1": "1",
        "us-east-2": "1",
        "us-west-2": "1",
        "us-west-1": "1.17",
        "eu-west-1": "1.115",
        "eu-central-1": "1.195",
        "eu-north-1": "1.065",
        "ap-northeast-1": "1.29",
        "ap-southeast-1": "1.25",
    }
)
_ELSEWHERE = "1.2"
_CENT_OF_CENT = Decimal("0.0001")
_SPOT_SHARE = Decimal("0.32")
_SPOT_STEPS, _SPOT_STEP = 8, Decimal("0.01")


def on_demand(market: Market, region: str, type_name: str) -> Decimal | None:
    """US dollars an hour for Linux on shared hardware; None: AWS's list does not have it."""
    for glob, price in market.prices.items():
        if fnmatchcase(type_name, glob):
            return Decimal(str(price)) if price > 0 else None
    size = instance_type(type_name)
    if size is None:
        return None
    if (fixed := _BY_TYPE.get(type_name)) is not None:
        base = Decimal(fixed)
    elif (share := _BY_VCPU.get(size.family)) is not None:
        base = Decimal(share) * size.vcpus
    else:
        return None
    factor = Decimal(_FACTORS.get(region, _ELSEWHERE))
    return (base * factor).quantize(_CENT_OF_CENT).normalize()


def spot(market: Market, region: str, type_name: str, zone: str) -> Decimal | None:
    """US dollars an hour of a spot instance in a zone; None: it has no history there."""
    for glob, price in market.spot_prices.items():
        if fnmatchcase(f"{type_name}:{zone}", glob):
            return Decimal(str(price)) if price > 0 else None
    full = on_demand(market, region, type_name)
    if full is None:
        return None
    step = zlib.crc32(f"{type_name}:{zone}".encode()) % _SPOT_STEPS
    return (full * (_SPOT_SHARE + step * _SPOT_STEP)).quantize(_CENT_OF_CENT).normalize()


def price(market: Market, region: str, type_name: str, zone: str, *, spot_: bool) -> Decimal | None:
    """What an instance costs an hour on its market."""
    if spot_:
        return spot(market, region, type_name, zone)
    return on_demand(market, region, type_name)


def plain(amount: Decimal, digits: int = 6) -> str:
    """A price as AWS writes it: `0.037800`."""
    return f"{amount:.{digits}f}"
