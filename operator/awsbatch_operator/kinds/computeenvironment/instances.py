"""How the capacity of an environment joins the plan of the environment itself (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import ExtraCondition
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import LAUNCHES, Resource, Shape
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.aws.notice_events import AnnouncedKind
from awsbatch_operator.capacity.block_record import Phase, block_of
from awsbatch_operator.capacity.expectations import Shown, expected
from awsbatch_operator.capacity.instances import LIVING
from awsbatch_operator.capacity.launch_codec import parsed
from awsbatch_operator.capacity.launches import Launches
from awsbatch_operator.capacity.leaving import Notice
from awsbatch_operator.capacity.model import Limits, Market, Wish
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.pacing import SOON_SECONDS
from awsbatch_operator.capacity.planner import plan_capacity
from awsbatch_operator.capacity.removal import plan_held_back, plan_removal
from awsbatch_operator.capacity.requests import Call
from awsbatch_operator.capacity.wish import wish
from awsbatch_operator.kinds.computeenvironment.placement import GroupCall
from awsbatch_operator.kinds.contract import Following
from awsbatch_operator.kinds.lasting import ApiCall

OwnCall = ApiCall | GroupCall
"""What is done about the environment itself: in Batch, and about its placement group in EC2."""

OwnPlan = Plan[OwnCall] | Plan[ApiCall] | Plan[GroupCall]

EnvironmentCall = OwnCall | Call

NOT_GUARANTEED = "DurationNotGuaranteed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`spec.capacity`; of an environment without, no pools. `bodies` are the pools as written."""

    wish: Wish = field(default_factory=lambda: Wish(limits=Limits()))
    bodies: Mapping[str, Shape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What was seen of an environment's instances, and its record of launches.

    `plan` is what plan_capacity makes of it, where that was worked out beforehand (it may take
    longer than the event loop can wait).
    """

    wanted: Wanted
    seen: Observed
    record: Launches
    plan: Plan[Call] | None = None


def has_capacity(resource: Resource) -> bool:
    """Whether instances are launched for the object, or ever were."""
    return "capacity" in resource.spec or LAUNCHES in resource.annotations


def wanted_capacity(resource: Resource) -> Wanted:
    """From the spec. If it cannot be read (which only a deletion comes across), nothing."""
    body = resource.spec.get("capacity")
    if not isinstance(body, Mapping):
        return Wanted()
    try:
        found = wish(body)
        return Wanted(wish=found, bodies={str(each["name"]): each for each in body["pools"]})
    except (KeyError, ValueError, TypeError, AttributeError):
        return Wanted()


def with_capacity(plan: OwnPlan, capacity: Capacity | None, now: Instant) -> Plan[EnvironmentCall]:
    """The environment's own plan, and beside it, in lanes of its own, that of its instances."""
    if capacity is None:
        return joined(plan, Plan())
    return joined(plan, capacity.plan or planned(capacity, now))


def planned(capacity: Capacity, now: Instant) -> Plan[Call]:
    """What to do next about the instances.

    Nothing while AWS shows no ECS cluster (it is creating the environment anew, say): who has jobs,
    and who has joined, is not known then, and all would seem never to have joined.
    """
    if _unknown(capacity.seen):
        return Plan(look_again_seconds=SOON_SECONDS * capacity.seen.pace)
    return plan_capacity(capacity.wanted.wish, capacity.seen, capacity.record, now)


def _unknown(seen: Observed) -> bool:
    return not seen.cluster and any(life.stage in LIVING for life in seen.lives)


def without_capacity(
    capacity: Capacity | None, since: Instant, now: Instant
) -> Plan[EnvironmentCall] | None:
    """The plan by which all instances go; None if there is nothing left of them."""
    if capacity is None:
        return None
    pools = capacity.wanted.wish.pools
    plan = plan_removal(pools, capacity.seen, capacity.record, since=since, now=now)
    return None if plan.released else joined(Plan(), plan)


def interrupted_hosts(seen: Observed) -> Mapping[AnnouncedKind, Mapping[str, str]]:
    """The members that EC2 takes back and that have tasks: by ARN, the ids of their instances.

    Of what EC2 announces only the end of a reservation takes back what is no Spot Instance.
    """
    found: dict[AnnouncedKind, dict[str, str]] = {}
    for life in seen.lives:
        taken = seen.notices.get(life.id) is Notice.INTERRUPTION
        if taken and life.tasks and life.member is not None:
            spot = life.instance.market is Market.SPOT
            kind = AnnouncedKind.INTERRUPTION if spot else AnnouncedKind.RESERVATION
            found.setdefault(kind, {})[life.member.arn] = life.id
    return found


@dataclass(frozen=True, slots=True)
class HeldBack(Following):
    """A gate holds back what is new: the instances that are there may go, and no more."""


def with_capacity_held_back(
    following: HeldBack, capacity: Capacity | None, now: Instant
) -> Plan[EnvironmentCall]:
    """What the instances do meanwhile."""
    if capacity is None or not following.may_change or _unknown(capacity.seen):
        return Plan(findings=following.findings)
    wish = capacity.wanted.wish
    return joined(Plan(), plan_held_back(wish, capacity.seen, following.findings, now))


def joined(one: OwnPlan, other: Plan[Call]) -> Plan[EnvironmentCall]:
    """Both plans at once; released is neither here."""
    looks = [each.look_again_seconds for each in (one, other)]
    steps: list[Step[Any]] = [*one.steps, *map(_expecting, other.steps)]
    return Plan(
        steps=tuple(steps),
        findings=(*one.findings, *other.findings),
        record={**one.record, **other.record},
        announce={**one.announce, **other.announce},
        released=one.released,
        look_again_seconds=min((each for each in looks if each is not None), default=None),
        drift=one.drift,
    )


@dataclass(frozen=True, slots=True)
class OfInstances:
    """What a look at the environment must show of its instances."""

    shown: Shown

    def met(self, observed: Any) -> bool:
        capacity = getattr(observed, "capacity", None)
        return capacity is None or self.shown.met(capacity.seen)


def _expecting(step: Step[Call]) -> Step[Call]:
    shown = expected(step.action)
    return step if shown is None else replace(step, expects=OfInstances(shown))


def shown_capacity(plan: Plan[Any] | None) -> Shape | None:
    """`status.capacity` as the plan has it."""
    return None if plan is None else plan.announce.get("capacity")


def not_guaranteed(plan: Plan[Any] | None) -> tuple[ExtraCondition, ...]:
    """The condition of blocks that Spot Instances serve: EC2 may take them back before the end."""
    text = None if plan is None else plan.record.get(LAUNCHES)
    if text is None:
        return ()
    found = {
        name: block
        for name, record in sorted(parsed(text).pools.items())
        if (block := block_of(record.block)) is not None and not block.guaranteed
    }
    pools = [name for name, block in found.items() if block.phase in {Phase.LAUNCHING, Phase.HELD}]
    if not pools:
        return ()
    words = (
        f"Spot Instances serve the block of {_named(pools)}, as its fallback allows: EC2 may take "
        "them back before the end."
    )
    reason = catalogue.ON_SPOT.name
    return (ExtraCondition(NOT_GUARANTEED, holds=True, reason=reason, message=words),)


def _named(pools: Sequence[str]) -> str:
    return f"pool {pools[0]}" if len(pools) == 1 else f"pools {', '.join(pools)}"
