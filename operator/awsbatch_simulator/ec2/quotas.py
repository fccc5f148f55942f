"""The account's vCPU quotas: one for each group of families and market.

Sources: "Amazon EC2 service quotas" in the EC2 User Guide (names, codes, AWS's own figures) and
"On-Demand Instance quotas" there: running instances count with their default vCPUs. An account
gets more as it grows; the simulator's figures are those of one that has grown.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from awsbatch_simulator.market import Market

ON_DEMAND, SPOT = "on-demand", "spot"
_FAMILY = re.compile(r"(u|[a-z]+?)(?=[0-9-])")


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota, in vCPUs."""

    code: str
    name: str
    families: frozenset[str]  # the letters with which a type's name begins
    market: str
    default: float  # AWS's figure for a new account
    applied: float  # the simulator's figure


def _quota(
    code: str, name: str, families: str, market: str, *, default: float = 0, applied: float = 4096
) -> Quota:
    if market == ON_DEMAND:
        full = f"Running On-Demand {name} instances"
    else:
        full = f"All {name} Spot Instance Requests"
    return Quota(code, full, frozenset(families.split()), market, default, applied)


_STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
_STANDARD_FAMILIES = "a c d h i im is m r t z"
_MANY = 65_536.0
_ALL = (
    _quota("L-1216C47A", _STANDARD, _STANDARD_FAMILIES, ON_DEMAND, default=5, applied=_MANY),
    _quota("L-34B43A08", _STANDARD, _STANDARD_FAMILIES, SPOT, default=5, applied=_MANY),
    _quota("L-DB2E81BA", "G and VT", "g gr vt", ON_DEMAND),
    _quota("L-3819A6DF", "G and VT", "g gr vt", SPOT),
    _quota("L-417A185B", "P", "p", ON_DEMAND),
    _quota("L-7212CCBC", "P4, P3 and P2", "p", SPOT),
    _quota("L-74FC7D96", "F", "f", ON_DEMAND),
    _quota("L-88CF9481", "F", "f", SPOT),
    _quota("L-1945791B", "Inf", "inf", ON_DEMAND),
    _quota("L-B5D1601B", "Inf", "inf", SPOT),
    _quota("L-2C3B7624", "Trn", "trn", ON_DEMAND),
    _quota("L-6B0D517C", "Trn", "trn", SPOT),
    _quota("L-7295265B", "X", "x", ON_DEMAND),
    _quota("L-E3A00192", "X", "x", SPOT),
    _quota("L-6E869C2A", "DL", "dl", ON_DEMAND),
    _quota("L-85EED4F7", "DL", "dl", SPOT),
    _quota("L-F7808C92", "HPC", "hpc", ON_DEMAND),
    _quota("L-43DA4232", "High Memory", "u", ON_DEMAND),
)
QUOTAS: Mapping[str, Quota] = MappingProxyType({each.code: each for each in _ALL})


def quota_of(type_name: str, market: str) -> Quota | None:
    """The quota that a type's instances count against; None: AWS names none."""
    found = _FAMILY.match(type_name)
    if found is None:
        return None
    letters = found[1]
    return next((each for each in _ALL if each.market == market and letters in each.families), None)


def applied(market: Market, quota: Quota) -> float:
    """The quota's figure for the accounts of this simulator."""
    return market.quotas.get(quota.code, quota.applied)


def every() -> Iterable[Quota]:
    """All of them, in the order of their codes."""
    return sorted(_ALL, key=lambda each: each.code)
