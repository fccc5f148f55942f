"""CreateFleet of the type instant: what can be launched now, and why the rest cannot.

Sources: CreateFleet and its shapes in the EC2 API reference; "EC2 Fleet request types" and "Fleet
quotas" in the EC2 User Guide. With other parameters a token is refused (seen in
runs-on/runs-on#251). AWS documents no answer to a request that is repeated as it was, so it
launches again. Spot capacity that is lacking has two codes: osbuild/osbuild-composer#4413.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from awsbatch_simulator.ec2 import launching, once
from awsbatch_simulator.ec2.capacity_model import Fleet
from awsbatch_simulator.ec2.fleet_offers import FleetOffer, offers, ordered
from awsbatch_simulator.ec2.fleet_rules import Part, check, parts
from awsbatch_simulator.ec2.launching import Step
from awsbatch_simulator.ec2.requests import tags_for
from awsbatch_simulator.ec2.supply import Holds
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
FLEET_TAG = "aws:ec2:fleet-id"
FLEET_KINDS = frozenset({"fleet", "instance", "volume", "network-interface"})
_UNFULFILLABLE = AwsFailure(
    "UnfulfillableCapacity",
    "Unable to fulfill capacity due to your request configuration. Please adjust your request and "
    "try again.",
)


@dataclass(slots=True)
class Taking:
    """What a fleet is going to launch of one part of its target."""

    steps: list[tuple[FleetOffer, Step]] = field(default_factory=list)
    errors: list[tuple[FleetOffer, AwsFailure]] = field(default_factory=list)
    units: float = 0.0
    cost: Decimal = Decimal(0)


def create(region: Region, request: Fields) -> Fields:
    """CreateFleet: instances, and errors for each offer that gave fewer than were asked of it."""
    once.check(request.get("ClientToken") or "", most=launching.TOKEN_CHARACTERS)
    once.check_same(region, "CreateFleet", request)
    check(request)
    tags = tags_for(request, "fleet", among=FLEET_KINDS)
    held = Holds()
    takings = [_taken(region, request, part, held) for part in parts(request)]
    if request.get("DryRun"):
        raise launching.dry()
    fleet = Fleet(
        id=f"fleet-{region.world.uuid()}",
        created_at=region.world.clock.now(),
        request=request,
        tags=tags,
        instances=[],
        errors=[
            _error(offer, failure)
            for _, taking in takings
            for offer, failure in _each_once(taking.errors)
        ],
        fulfilled=sum(taking.units for _, taking in takings),
        fulfilled_on_demand=sum(
            taking.units for part, taking in takings if part.market == "on-demand"
        ),
    )
    for _, taking in takings:
        for offer, step in taking.steps:
            fleet.instances.append(_launched(region, fleet, offer, step))
    region.ec2.fleets[fleet.id] = fleet
    once.keep(region, "CreateFleet", request)
    return {"FleetId": fleet.id, "Errors": fleet.errors, "Instances": fleet.instances}


def _taken(region: Region, request: Fields, part: Part, held: Holds) -> tuple[Part, Taking]:
    """What there is room for of one part of the target: all that can be had, or nothing."""
    found = offers(region, request, part.market)
    refused = [(each, each.failure) for each in found if each.failure is not None]
    able = [each for each in found if each.failure is None]
    best = Taking()
    for group in _groups(ordered(region, able, part.strategy, part.units), part):
        trial = Holds(
            held.offers.copy(), held.vcpus.copy(), held.subnets.copy(), held.reservations.copy()
        )
        taking = _filled(region, group, part, trial)
        if not best.steps or taking.units > best.units:
            taking.errors = best.errors + taking.errors
            best = taking
            kept = trial
        else:
            best.errors += taking.errors
        if best.units >= part.units:
            break
    if best.units < part.least:
        errors = best.errors or [(each, _UNFULFILLABLE) for each in able]
        best = Taking(errors=errors)
    elif best.steps:
        held.offers, held.vcpus = kept.offers, kept.vcpus
        held.subnets, held.reservations = kept.subnets, kept.reservations
    best.errors = refused + best.errors
    return part, best


def _groups(found: Sequence[FleetOffer], part: Part) -> Iterable[Sequence[FleetOffer]]:
    """Offers that may be bought together: all, or those of one type or one zone."""
    grouped: dict[tuple[str, str], list[FleetOffer]] = {}
    for each in found:
        if each.prepared is not None:
            offer = each.prepared.offer
            key = (
                offer.size.name if part.single_type else "",
                offer.zone if part.single_zone else "",
            )
            grouped.setdefault(key, []).append(each)
    return grouped.values()


def _filled(region: Region, group: Sequence[FleetOffer], part: Part, held: Holds) -> Taking:
    """First even shares of as many offers as the strategy spreads over, then the rest in order."""
    taking = Taking()
    spread = min(len(group), part.spread or len(group))
    for share, able in ((part.units / spread, group[:spread]), (part.units, group)):
        for offer in able:
            units = min(share, part.units - taking.units)
            if units > 0:
                _take(region, offer, part, taking, units=units, held=held)
    return taking


def _take(
    region: Region, offer: FleetOffer, part: Part, taking: Taking, *, units: float, held: Holds
) -> None:
    """As much of an offer as is wanted, there is, and may be paid."""
    wanted = math.ceil(units / offer.weight)
    if part.most_cost is not None and offer.price:
        affordable = int((part.most_cost - taking.cost) // offer.price)
        if affordable < wanted:
            wanted = max(0, affordable)
            taking.errors.append((offer, _UNFULFILLABLE))
    if wanted == 0 or offer.prepared is None:
        return
    step = launching.step(region, offer.prepared, most=wanted, held=held)
    if step.failure is not None:
        taking.errors.append((offer, _as_fleets_say(step.failure, part)))
    if step.count:
        taking.steps.append((offer, step))
        taking.units += step.count * offer.weight
        taking.cost += step.count * (offer.price or Decimal(0))


def _as_fleets_say(failure: AwsFailure, part: Part) -> AwsFailure:
    """Spot strategies that look at capacity say that they cannot fulfil, others what is lacking."""
    lacking = part.market == "spot" and failure.code == "InsufficientInstanceCapacity"
    return _UNFULFILLABLE if lacking and "capacity-optimized" in part.strategy else failure


def _each_once(
    errors: Sequence[tuple[FleetOffer, AwsFailure]],
) -> Iterable[tuple[FleetOffer, AwsFailure]]:
    """An offer that failed twice for the same reason says so once."""
    return {
        (each.position, each.market, failure.code): (each, failure) for each, failure in errors
    }.values()


def _error(offer: FleetOffer, failure: AwsFailure) -> Fields:
    return {
        "LaunchTemplateAndOverrides": offer.shown,
        "Lifecycle": offer.market,
        "ErrorCode": failure.code,
        "ErrorMessage": failure.message,
    }


def _launched(region: Region, fleet: Fleet, offer: FleetOffer, step: Step) -> Fields:
    launched = launching.carry_out(region, step)
    now = region.world.clock.now()
    for instance in launched:
        region.ec2.tag(instance, {FLEET_TAG: fleet.id}, now=now)
    return {
        "LaunchTemplateAndOverrides": offer.shown,
        "Lifecycle": offer.market,
        "InstanceIds": [each.id for each in launched],
        "InstanceType": step.prepared.offer.size.name,
        "AvailabilityZone": step.prepared.offer.zone,
        "SubnetId": step.prepared.destination.subnet,
    }
