"""Offers that are short are left alone for a while: 1, 2, 4 … up to 60 minutes.

A pause belongs to (market, type, zone), whichever pool met it, for all of them would. A quota
pauses those of a whole group of types on a market, in all zones, that are as large as the one that
was refused, or larger: a smaller one may still be had. A launch that succeeds ends the pause of its
offer. Each pool's pauses stand in its status, so that a restart does not begin anew with EC2.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from textwrap import shorten
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.capacity.faults import Extent, Fault
from awsbatch_operator.capacity.model import Market, Offer

FIRST_SECONDS = 60.0
LONGEST_SECONDS = 3600.0
ANY_ZONE = "*"
_FROM = " from {} vCPUs"  # behind the offer that a quota holds back
_STILL_COUNTS = LONGEST_SECONDS  # after its end, a pause that long ago says nothing any more

# Groups of types that share one vCPU quota. Source: EC2 user guide, "On-Demand Instance quotas".
_GROUPS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:inf)\d"), "Inf"),
    (re.compile(r"(?:trn)\d"), "Trn"),
    (re.compile(r"(?:dl)\d"), "DL"),
    (re.compile(r"(?:hpc)\d"), "HPC"),
    (re.compile(r"u-|u\d"), "HighMemory"),
    (re.compile(r"(?:g|gr|vt)\d"), "G and VT"),
    (re.compile(r"p\d"), "P"),
    (re.compile(r"f\d"), "F"),
    (re.compile(r"x\d"), "X"),
)
STANDARD = "Standard"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a pause holds back."""

    market: Market
    instance_type: str  # or the group of types that shares a quota
    zone: str  # or ANY_ZONE

    def __str__(self) -> str:
        place = "" if self.zone == ANY_ZONE else f" {self.zone}"
        return f"{self.market} {self.instance_type}{place}"


@dataclass(frozen=True, slots=True)
class Pause:
    """Until when, after how many failures in a row, and why.

    `vcpus` is the smallest type that a quota holds back; 0: any.
    """

    until: Instant
    failures: int
    reason: str
    vcpus: int = 0

    def holds(self, offer: Offer, now: Instant) -> bool:
        """Whether the offer, which this pause is about, is left alone at this moment."""
        return now < self.until and (not offer.vcpus or offer.vcpus >= self.vcpus)


Pauses = Mapping[Key, Pause]


@lru_cache(maxsize=4096)
def quota_group(instance_type: str) -> str:
    """The group of types with which this one shares a vCPU quota."""
    return next((name for types, name in _GROUPS if types.match(instance_type)), STANDARD)


def keys(offer: Offer) -> tuple[Key, Key]:
    """What may hold the offer back: its own pause, and its group's."""
    group = Key(offer.market, quota_group(offer.instance_type), ANY_ZONE)
    return Key(offer.market, offer.instance_type, offer.zone), group


def is_paused(pauses: Pauses, offer: Offer, now: Instant) -> bool:
    """Whether the offer is left alone at this moment."""
    return any(key in pauses and pauses[key].holds(offer, now) for key in keys(offer))


def buyable(pauses: Pauses, offers: Iterable[Offer], now: Instant) -> tuple[Offer, ...]:
    """The offers that are not paused."""
    if not pauses:
        return tuple(offers)
    return tuple(offer for offer in offers if not is_paused(pauses, offer, now))


def next_end(pauses: Pauses, offers: Iterable[Offer], now: Instant) -> Instant | None:
    """When the next of the offers may be tried again; None if none is paused."""
    ends = [
        max(pauses[k].until for k in keys(offer) if k in pauses and pauses[k].holds(offer, now))
        for offer in offers
        if is_paused(pauses, offer, now)
    ]
    return min(ends, default=None)


def after_fault(pauses: Pauses, offer: Offer, fault: Fault, now: Instant) -> Pauses:
    """The pauses after an error for this offer. One that speaks of no offer changes none.

    Several errors of one answer for one offer count once: a pause that still runs is not doubled.
    """
    own, group = keys(offer)
    if fault.extent is Extent.QUOTA:
        key = group
    elif fault.pauses:
        key = own
    else:
        return pauses
    before = pauses.get(key)
    size = offer.vcpus if key == group else 0
    if before is not None and now < before.until:
        less = replace(before, vcpus=min(before.vcpus, size))
        return pauses if less == before else {**pauses, key: less}
    recent = before is not None and now.since(before.until) < _STILL_COUNTS
    failures = before.failures + 1 if before is not None and recent else 1
    until = now.plus(min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (min(failures, 16) - 1)))
    reason = shorten(f"{fault.code}: {fault.message}", 256, placeholder=" …")
    return {**pauses, key: Pause(until, failures, reason, size)}


def after_success(pauses: Pauses, offer: Offer) -> Pauses:
    """The pauses after an instance was launched by this offer; larger types are still held."""
    mine = keys(offer)
    return {
        key: pause
        for key, pause in pauses.items()
        if key not in mine or (offer.vcpus and offer.vcpus < pause.vcpus)
    }


def pruned(pauses: Pauses, now: Instant) -> Pauses:
    """Without those that ended so long ago that they no longer lengthen the next one."""
    kept = {key: pause for key, pause in pauses.items() if now.since(pause.until) < _STILL_COUNTS}
    return pauses if len(kept) == len(pauses) else kept


def to_status(pauses: Pauses) -> list[dict[str, Any]]:
    """As `paused` of a pool's status shows them, in a fixed order."""
    return [
        {
            "offer": f"{key}{_FROM.format(pause.vcpus)}" if pause.vcpus else str(key),
            "until": pause.until.rfc3339(),
            "failures": pause.failures,
            "reason": pause.reason,
        }
        for key, pause in sorted(pauses.items(), key=lambda each: each[0])
    ]


def from_status(rows: Iterable[Shape]) -> Pauses:
    """Read them back; a row that says nothing that we would have written is left out."""
    found: dict[Key, Pause] = {}
    for row in rows:
        try:
            text, _, size = str(row["offer"]).partition(_FROM.partition("{")[0])
            market, _, rest = text.partition(" ")
            name, _, zone = rest.rpartition(" ") if _has_zone(rest) else (rest, "", ANY_ZONE)
            pause = Pause(
                until=Instant.parse(row["until"]),
                failures=int(row.get("failures", 1)),
                reason=str(row.get("reason", "")),
                vcpus=int(size.partition(" ")[0]) if size else 0,
            )
            key = Key(Market(market), name, zone)
        except (KeyError, ValueError, TypeError, OverflowError):
            continue
        if key not in found or found[key].until < pause.until:
            found[key] = pause
    return found


def _has_zone(text: str) -> bool:
    """Whether a zone stands behind the type; the names of groups have blanks and no dot."""
    return "." in text.partition(" ")[0]
