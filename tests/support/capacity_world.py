"""A hard world in which instances are launched, and a witness of all that EC2 does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.hard_world import HardWorld, Weather
from tests.support.one_process import aws_models

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.tags import CLUSTER, END, INTENT, NAME, OWNER_UID
from awsbatch_simulator.ec2.capacity_model import CapacityReservation
from awsbatch_simulator.ec2.model import Instance, InstanceState
from awsbatch_simulator.ecs.model import InstanceStatus
from awsbatch_simulator.inprocess import OnCall, session
from awsbatch_simulator.jobscript import JobScript
from awsbatch_simulator.region import Region

ALIVE = frozenset({InstanceState.PENDING, InstanceState.RUNNING})
INSTANCES_LAG = 15.0  # seconds for which EC2 does not list a new instance
TAGS_LAG = 30.0  # seconds for which it shows no tags of it
_ENDS = "TerminateInstances"


@dataclass(frozen=True, slots=True)
class Launched:
    """An instance as it was launched."""

    id: str
    token: str  # of the intent
    at: float  # epoch seconds


@dataclass
class Witness:
    """What was ever launched and reserved; `wrong` is what must not have happened."""

    launched: dict[str, Launched] = field(default_factory=dict)
    reserved: dict[str, str] = field(default_factory=dict)  # ids: the tokens
    wrong: list[str] = field(default_factory=list)


class CapacityWorld(HardWorld):
    """EC2 shows what is new late, and its tags later.

    `most` instances may live at a time, and without `block` no more than there are jobs that have
    not ended, each of which fills one. `drain_seconds` is the drain deadline of a deletion.
    """

    def __init__(
        self,
        seed: int,
        weather: Weather,
        *scripts: JobScript,
        most: int,
        block: bool = False,
        drain_seconds: float = 0.0,
        faults: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self._most, self._block, self._drain_seconds = most, block, drain_seconds
        self.witness = Witness()
        super().__init__(seed, weather, *scripts)
        for operation in ("DescribeInstances", "DescribeCapacityReservations", "DescribeVolumes"):
            self.fault(effect="hide", service="ec2", operation=operation, seconds=INSTANCES_LAG)
        self.fault(effect="world", service="ec2", name="hidden_tags", seconds=TAGS_LAG)
        for each in faults:
            self.fault(**each)

    # --- what AWS has ---

    @property
    def region(self) -> Region:
        return self.simulator.world.region(self.simulator.place)

    def alive(self) -> list[Instance]:
        """The instances that have not begun to end."""
        return [each for each in self.region.ec2.instances.values() if each.state in ALIVE]

    def living(self) -> list[Instance]:
        """Those of them that take jobs, or will: nobody drains them, and EC2 does not take them."""
        return [
            each
            for each in self.alive()
            if each.interrupted_at is None
            and all(
                member.status is InstanceStatus.ACTIVE
                for _, member in self.region.ecs.of_host(each.id)
            )
        ]

    def tasks(self, instance: Instance) -> int:
        """How many tasks it has."""
        return sum(len(member.tasks) for _, member in self.region.ecs.of_host(instance.id))

    def members(self) -> list[str]:
        """The ids of all container instances' instances."""
        return [each for each, found in self.region.ecs.by_ec2_id.items() if found]

    def reservations_of_ours(self) -> list[CapacityReservation]:
        """Those that the operator has made, ended ones too."""
        return [each for each in self.region.ec2.reservations.values() if CLUSTER in each.tags]

    def job_of(self, name: str) -> Any:
        """The job of the BatchJob of that name; None if there is none."""
        found = (each for each in self.batch.jobs.values() if each.tags.get(NAME) == name)
        return next(found, None)

    def reserve(self, instance_type: str, count: int, tags: Mapping[str, str]) -> None:
        """Somebody makes a reservation of their own."""
        ec2 = session(self.simulator, super().wire(), loader=aws_models()).client("ec2")
        zone = ec2.describe_subnets(SubnetIds=["subnet-1"])["Subnets"][0]["AvailabilityZone"]
        listed = [{"Key": name, "Value": value} for name, value in tags.items()]
        ec2.create_capacity_reservation(
            InstanceType=instance_type,
            InstancePlatform="Linux/UNIX",
            AvailabilityZone=zone,
            InstanceCount=count,
            InstanceMatchCriteria="targeted",
            TagSpecifications=[{"ResourceType": "capacity-reservation", "Tags": listed}],
        )

    # --- the witness ---

    def wire(self, on_call: OnCall = lambda *_: None) -> Any:
        """The simulated AWS; all that changes instances is looked at."""
        answer = super().wire(on_call)

        def watched(**call: Any) -> Any:
            busy = {each.id for each in self.alive() if self.tasks(each)}
            try:
                return answer(**call)
            finally:
                self._look(call["event_name"], busy)

        return watched

    def _look(self, event_name: str, busy: set[str]) -> None:
        if not event_name.startswith(("before-send.ec2", "before-send.ecs")):
            return
        seen, ec2 = self.witness, self.region.ec2
        new = [each for each in ec2.instances.values() if each.id not in seen.launched]
        for each in new:
            seen.launched[each.id] = Launched(each.id, each.tags.get(INTENT, ""), each.launched_at)
        for reservation in ec2.reservations.values():
            seen.reserved.setdefault(reservation.id, reservation.tags.get(INTENT, ""))
        if new and len(self.alive()) > self._most:
            seen.wrong.append(f"{len(self.alive())} instances, above the limit of {self._most}")
        if new and not self._block and len(self.living()) > self._unfinished():
            words = f"{len(self.living())} instances for {self._unfinished()} jobs"
            seen.wrong.append(f"{words} at {self.clock.monotonic()}")
        if event_name.endswith(_ENDS):
            ended = [ec2.instances[each] for each in sorted(busy)]
            seen.wrong += [
                f"{each.id} was ended with a task"
                for each in ended
                if each.state is InstanceState.SHUTTING_DOWN and not self._may_end(each)
            ]

    def _unfinished(self) -> int:
        return sum(not each.status.finished for each in self.batch.jobs.values())

    def _may_end(self, instance: Instance) -> bool:
        """Whether it may be ended although it has a task: at its end, or at the drain deadline."""
        now, end = self.clock.now(), instance.tags.get(END)
        if end is not None and now >= Instant.parse(end):
            return True
        asked = [
            body["metadata"].get("deletionTimestamp")
            for body in self.kube.objects.of_kind("ComputeEnvironment")
            if body["metadata"]["uid"] == instance.tags.get(OWNER_UID)
        ]
        return any(now.since(Instant.parse(at)) >= self._drain_seconds for at in asked if at)
