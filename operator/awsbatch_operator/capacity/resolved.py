"""What the spec of a pool comes to in AWS: its types, offers, prices and machine.

A pool may name several types, subnets and zones. What is wrong with one of them is told, and the
others serve; only where nothing is left, or what all instances share is missing, the pool launches
nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from awsbatch_operator.api import capacity_reasons as reasons
from awsbatch_operator.api.findings import Finding, Reason
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.references import AMI_REF
from awsbatch_operator.api.words import some_of
from awsbatch_operator.capacity.holdings import Prices
from awsbatch_operator.capacity.machines import Machine, markets
from awsbatch_operator.capacity.model import (
    RESERVED_MIB,
    InstanceType,
    Market,
    Offer,
    Pool,
)
from awsbatch_operator.capacity.pool_checks import Checked, Image, Places
from awsbatch_operator.capacity.pool_types import Types
from awsbatch_operator.userdata.model import Problem, Refused, UserData, pool_path
from awsbatch_operator.userdata.pools import PoolUserData

_RESERVED = "ECS_RESERVED_MEMORY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A pool as it can be launched now.

    `offers` are all that may be bought, paused ones too: each type in each zone where EC2 offers
    it, by one subnet a zone. Of a SpotBlock pool they are on demand, and Spot where its ladder
    lists it. Without a machine nothing may be launched; `findings` say why.
    """

    pool: Pool
    types: Mapping[str, InstanceType] = field(default_factory=dict)
    offers: tuple[Offer, ...] = ()
    machine: Machine | None = None
    findings: tuple[Finding, ...] = ()
    prices: Prices = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """For whom, where and into which ECS cluster a pool launches."""

    cluster_id: str  # the operator's --cluster-id
    environment_uid: str
    region: str
    cluster: str  # its name
    ecs_endpoint: str = ""  # where agents call ECS; empty: AWS's own endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of what a pool names."""

    types: Types
    described: int  # how many types there were to choose from
    zones: Mapping[str, frozenset[str]]  # in which each type is offered
    places: Places
    image: Image
    wrong: tuple[Problem, ...] = ()  # besides what the parts found
    on_demand: Mapping[str, Decimal] = field(default_factory=dict)
    spot: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)


def reserved_mib(given: PoolUserData) -> int:
    """ECS_RESERVED_MEMORY of the pool's agents: the user's, or ours."""
    text = dict(given.given.ecs_config).get(_RESERVED, "")
    return int(text) if text.isascii() and text.isdigit() else RESERVED_MIB


def refused(pool: Pool, no: Refused) -> Resolved:
    """A pool whose user data is no good."""
    return Resolved(
        pool=pool, findings=(Finding(reasons.USER_DATA_REFUSED, no.message(), no.remedy),)
    )


def imageless(pool: Pool, body: Shape) -> Resolved:
    """A pool whose ExtendedAMI gives it no image of its own."""
    name = body["image"][AMI_REF]["name"]
    what = f"the ExtendedAMI {name} has made no image that this pool could use"
    why = "It is not ready yet, or brings a launch template, which pools do not take"
    remedy = (
        "Wait for it; or, where its status.bake lists fields for LaunchTemplate, remove those from "
        "it, or remove image.amiRef and describe the volumes in blockDeviceMappings of the pool"
    )
    problem = Problem(pool_path(pool.name, f"image.{AMI_REF}"), what, why, remedy)
    found = _findings(reasons.POOL_INVALID, [problem])
    return Resolved(pool=pool, findings=tuple(found))


def resolved(pool: Pool, body: Shape, given: PoolUserData, site: Site, facts: Facts) -> Resolved:
    """The pool, by all that is known of what it names. `body` is its spec as written."""
    prices = _prices(pool, facts)
    offers = _offers(pool, facts, prices)
    checked = facts.places.checked
    looks = (checked, facts.image.checked, _offering(pool, facts, offers))
    wrong = [*facts.types.wrong, *facts.wrong, *(one for look in looks for one in look.wrong)]
    found = [
        *_findings(reasons.POOL_INVALID, wrong),
        *_findings(reasons.NO_FREE_ADDRESS, checked.short),
        *_findings(reasons.POOL_NARROWED, (one for look in looks for one in look.notes)),
    ]
    complete = bool(facts.image.image_id and facts.types.usable) and facts.places.network
    return Resolved(
        pool=pool,
        types=facts.types.usable,
        offers=offers,
        machine=_machine(pool, body, given, site, facts) if complete else None,
        findings=tuple(found),
        prices=prices,
    )


def _findings(reason: Reason, problems: Iterable[Problem]) -> list[Finding]:
    return [Finding(reason, each.message(), each.remedy) for each in dict.fromkeys(problems)]


# --- offers ---


def _prices(pool: Pool, facts: Facts) -> dict[tuple[Market, str, str], Decimal]:
    """In all zones that offer a type, those without a subnet too: instances may still be there."""
    made: dict[tuple[Market, str, str], Decimal] = {}
    if Market.ON_DEMAND in markets(pool):
        for name, price in facts.on_demand.items():
            made |= {(Market.ON_DEMAND, name, zone): price for zone in facts.zones.get(name, ())}
    if Market.SPOT in markets(pool):
        made |= {(Market.SPOT, name, zone): price for (name, zone), price in facts.spot.items()}
    return made


def _offers(pool: Pool, facts: Facts, prices: Prices) -> tuple[Offer, ...]:
    """On demand before Spot, the cheapest first."""
    found = [
        Offer(
            pool=pool.name,
            market=market,
            instance_type=name,
            zone=zone,
            subnet=subnet,
            price=prices.get((market, name, zone)),
            vcpus=about.vcpus,
        )
        for market in markets(pool)
        for name, about in facts.types.usable.items()
        if market is Market.ON_DEMAND or name in facts.types.spot
        for zone, subnet in facts.places.subnets.items()
        if zone in facts.zones.get(name, ())
    ]
    return tuple(sorted(found, key=_order))


def _order(offer: Offer) -> tuple[Market, bool, Decimal, str, str]:
    unknown = offer.price is None
    return offer.market, unknown, offer.price or Decimal(0), offer.instance_type, offer.zone


def _offering(pool: Pool, facts: Facts, offers: tuple[Offer, ...]) -> Checked:
    """Types that EC2 does not offer in the zones of the subnets, and types beyond what is used."""
    usable, zones = facts.types.usable, facts.places.subnets
    member = "instanceTypes" if pool.requirements is None else "instanceRequirements"
    path = pool_path(pool.name, member)
    if usable and zones and not offers:
        what = f"{some_of(list(usable))} can be bought in none of the zones {some_of(list(zones))}"
        why = "The pool's subnets are in those alone"
        remedy = "Name subnets in other zones, or other types"
        return Checked(wrong=(Problem(path, what, why, remedy),))
    notes = []
    if pool.requirements is not None and facts.described > len(usable):
        what = f"{facts.described} instance types match, of which {len(usable)} are used"
        why = "One launch takes no more; some of each size are kept"
        notes.append(Problem(path, what, why, "Name families, or narrow the ranges"))
    missing: dict[tuple[str, ...], list[str]] = {}
    for name in usable if pool.requirements is None else ():
        lacking = tuple(zone for zone in zones if zone not in facts.zones.get(name, ()))
        missing.setdefault(lacking, []).append(name)
    for lacking, names in missing.items():
        if lacking:
            what = f"EC2 does not offer {some_of(names)} in {some_of(lacking)}"
            why = "None of that is launched there"
            notes.append(Problem(path, what, why, "Name subnets in other zones, or other types"))
    return Checked(notes=tuple(notes))


# --- machine ---


def _machine(pool: Pool, body: Shape, given: PoolUserData, site: Site, facts: Facts) -> Machine:
    user_data = UserData(
        cluster=site.cluster,
        cluster_id=site.cluster_id,
        environment_uid=site.environment_uid,
        pool=pool.name,
        market=pool.market.value,
        region=site.region,
        image_id=facts.image.image_id,
        gpu=facts.types.gpu,
        ecs_endpoint=site.ecs_endpoint,
        given=given.given,
    )
    return Machine(
        user_data=user_data,
        security_groups=tuple(body.get("securityGroupIds") or ()),
        instance_profile=body["instanceProfile"],
        key_name=body.get("keyName") or "",
        block_devices=tuple(_volume(each) for each in body.get("blockDeviceMappings") or ()),
        metadata_options=_in_ec2s_words(body.get("metadataOptions") or {}),
        placement=_in_ec2s_words(body.get("placement") or {}),
    )


def _volume(mapping: Shape) -> Shape:
    """A volume ends with its instance, whatever is EC2's default for it."""
    made = _in_ec2s_words(mapping)
    if "Ebs" in made:
        made["Ebs"] = {**made["Ebs"], "DeleteOnTermination": True}
    return made


def _in_ec2s_words(value: Shape) -> dict[str, Any]:
    """Members with EC2's names, which begin with a capital and are ours otherwise."""
    return {
        name[:1].upper() + name[1:]: _in_ec2s_words(each) if isinstance(each, Mapping) else each
        for name, each in value.items()
    }
