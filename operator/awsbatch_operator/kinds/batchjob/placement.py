"""On which instance a job ran, of which type and market, and in which zone.

ECS says which instance a container instance is, and EC2 what that is. Neither ever changes, so it
is asked once for each instance, for many instances in one call, and never for each job.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import NoTokenError, Scope
from awsbatch_operator.api.tags import MARKET
from awsbatch_operator.aws.capacity_ports import Ec2Port, EcsPort
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.kinds.batchjob.containers import hosts_of
from awsbatch_operator.kinds.batchjob.observed import Observed

_TELLING = frozenset({"RUNNING", "SUCCEEDED", "FAILED"})
ASIDE_SECONDS = 600.0  # after an error nobody is asked: this is worth no trouble
_MARKETS = frozenset({"OnDemand", "Spot", "SpotBlock"})
_Ask = Callable[[Scope, Collection[str]], Awaitable[Mapping[str, Shape]]]


@dataclass(frozen=True, slots=True)
class PlacementReader:
    """Asks. What cannot be had is left out: no job waits for it."""

    ecs: EcsPort
    ec2: Ec2Port
    clock: Clock
    _aside: dict[tuple[str, str, str], float] = field(default_factory=dict)

    async def added(self, observed: Observed, scope: Scope) -> Observed:
        """What is known of a job, with where it runs or ran."""
        arn = next(hosts_of(observed.telling), "")
        if not arn or observed.state not in _TELLING:
            return observed
        host = await self._asked("ecs", scope, self.ecs.container_instances_by_arn, arn)
        if not host:
            return observed
        instance_id = str(host.get("ec2InstanceId") or "")
        instance = await self._asked("ec2", scope, self.ec2.instances_by_id, instance_id)
        return replace(observed, placement=_placement(host, instance))

    async def _asked(self, service: str, scope: Scope, ask: _Ask, name: str) -> Shape:
        """The answer; {} if there is none, or it cannot be had at present."""
        where = (service, scope.account_id, scope.region)
        if not name or self.clock.monotonic() < self._aside.get(where, 0.0):
            return {}
        try:
            return (await ask(scope, [name])).get(name, {})
        except NoTokenError:
            return {}
        except AwsError:
            self._aside[where] = self.clock.monotonic() + ASIDE_SECONDS
            return {}


def _placement(host: Shape, instance: Shape) -> dict[str, str]:
    """`status.placement`, from what ECS and EC2 say; ECS knows all but the market."""
    told = {each["name"]: each.get("value") for each in host.get("attributes", ())}
    zone = (instance.get("Placement") or {}).get("AvailabilityZone")
    found = {
        "instanceId": host.get("ec2InstanceId"),
        "instanceType": instance.get("InstanceType") or told.get("ecs.instance-type"),
        "availabilityZone": zone or told.get("ecs.availability-zone"),
        "market": _market(instance) if instance else "",
    }
    return {name: str(value) for name, value in found.items() if value}


def _market(instance: Shape) -> str:
    """Ours say so by a tag; of others EC2 says whether it is a Spot instance."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in instance.get("Tags", ())}
    market = str(tags.get(MARKET) or "")
    if market in _MARKETS:
        return market
    return "Spot" if instance.get("InstanceLifecycle") == "spot" else "OnDemand"
