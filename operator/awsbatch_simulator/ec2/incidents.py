"""What befalls instances on request: `POST /_simulator/instances`.

Sources: "Spot Instance interruption notices", "EC2 instance rebalance recommendations", "Scheduled
events for your instances" and "Status checks for your instances" in the EC2 User Guide.
"""

from collections.abc import Iterable
from enum import StrEnum
from fnmatch import fnmatchcase

from pydantic import Field

from awsbatch_simulator.ec2 import life, notices, spot
from awsbatch_simulator.ec2.model import Instance, InstanceState, ScheduledEvent
from awsbatch_simulator.host import life as host_life
from awsbatch_simulator.model import Model
from awsbatch_simulator.region import Region

NOTICE_SECONDS = 120
RECLAIMED = (
    "Server.SpotInstanceTermination",
    "Server.SpotInstanceTermination: Spot instance termination",
)
RECLAIMED_STOP = (
    "Server.SpotInstanceShutdown",
    "Server.SpotInstanceShutdown: Instance was stopped for Spot interruption",
)
_ALIVE = frozenset({InstanceState.PENDING, InstanceState.RUNNING})


class Incident(StrEnum):
    """What happens."""

    INTERRUPT = "interrupt"  # spot: notice now, the end `seconds` later
    REBALANCE = "rebalance"  # spot: a rebalance recommendation
    SCHEDULE = "schedule"  # an event of `code`, `seconds` from now
    IMPAIR = "impair"  # the status check `check` fails from now on
    RECOVER = "recover"  # no check fails and no event is scheduled any more
    SHUT_DOWN = "shut_down"  # the instance shuts itself down
    SAY = "say"  # `text` appears on the console


class Order(Model):
    """An incident, and which instances it befalls: all that have these ids and match all globs."""

    incident: Incident
    instance_ids: tuple[str, ...] = ()
    # Globs by instanceType, availabilityZone, market, instanceId and `tag:KEY`.
    match: dict[str, str] = Field(default_factory=dict)
    seconds: float = Field(default=NOTICE_SECONDS, ge=0)  # simulated
    code: str = "instance-retirement"
    description: str = "The instance is running on degraded hardware"
    check: str = Field(default="instance", pattern="^(instance|system)$")
    text: str = ""


def carry_out(regions: Iterable[Region], order: Order) -> list[str]:
    """Let it happen; the ids of the instances that it befell."""
    return [
        instance.id
        for region in regions
        for instance in tuple(region.ec2.instances.values())
        if _meant(order, instance) and _befall(region, instance, order)
    ]


def _meant(order: Order, instance: Instance) -> bool:
    about = {
        "instanceType": instance.type,
        "availabilityZone": instance.zone,
        "market": instance.market,
        "instanceId": instance.id,
    } | {f"tag:{key}": value for key, value in instance.tags.items()}
    named = not order.instance_ids or instance.id in order.instance_ids
    return named and all(
        name in about and fnmatchcase(about[name], glob) for name, glob in order.match.items()
    )


def _befall(region: Region, instance: Instance, order: Order) -> bool:
    if instance.state not in _ALIVE and order.incident is not Incident.SAY:
        return False
    match order.incident:
        case Incident.INTERRUPT:
            return interrupt(region, instance, order.seconds)
        case Incident.REBALANCE:
            return recommend_rebalance(region, instance)
        case Incident.SCHEDULE:
            schedule(region, instance, order)
        case Incident.IMPAIR:
            instance.impaired.setdefault(order.check, region.world.clock.now())
        case Incident.RECOVER:
            instance.impaired.clear()
            instance.events.clear()
        case Incident.SHUT_DOWN:
            life.shut_down_from_inside(region, instance)
        case Incident.SAY:
            host_life.say(region, instance.id, f"{order.text}\n")
    return True


def interrupt(region: Region, instance: Instance, seconds: float = NOTICE_SECONDS) -> bool:
    """EC2 wants a spot instance back: a notice now, the end later; false if it is none."""
    if not instance.spot or instance.interrupted_at is not None:
        return False
    action = _behavior(region, instance)
    instance.interrupted_at = region.world.clock.now() + seconds
    done = "stopped" if action == "stop" else "terminated"
    spot.marked(region, instance, f"instance-{done}-no-capacity")
    notices.interruption(region, instance, action)
    region.world.clock.call_after(seconds, _reclaim, region, instance, action)
    return True


def _behavior(region: Region, instance: Instance) -> str:
    request = spot.of(region, instance)
    given = {} if request is None else request.options
    return (
        "stop"
        if given.get("InstanceInterruptionBehavior") in {"stop", "hibernate"}
        else "terminate"
    )


def _reclaim(region: Region, instance: Instance, action: str) -> None:
    instance.interrupted_at = None
    if action == "stop":
        life.stop(region, instance, RECLAIMED_STOP)
    else:
        life.terminate(region, instance, RECLAIMED)


def recommend_rebalance(region: Region, instance: Instance) -> bool:
    """A spot instance is likelier to be interrupted; false if it is none."""
    if not instance.spot:
        return False
    instance.rebalance_at = region.world.clock.now()
    notices.rebalance(region, instance)
    return True


def schedule(region: Region, instance: Instance, order: Order) -> None:
    """An event is planned for the instance; what it is about happens only by another order."""
    event = ScheduledEvent(
        id=f"instance-event-{region.world.hex_id(17)}",
        code=order.code,
        description=order.description,
        not_before=region.world.clock.now() + order.seconds,
    )
    instance.events.append(event)
    notices.scheduled(region, instance, order.code, order.description)
