"""A world with things of EC2 in it that somebody left behind, and the operator's pass over them.

Only the pass runs, as often as a test says: no object gets a turn and nothing is polled.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import boto3
from tests.support import rights
from tests.support.cheap_clients import cheap_sessions, unburden
from tests.support.clock import settle
from tests.support.crashing import CrashingWire, Points, ProcessDied, crashing_kube
from tests.support.installation import NAMESPACE, manifest
from tests.support.manifests import ENVIRONMENT, PROFILE, ROLE, unmanaged
from tests.support.one_process import CLUSTER, Process, World, aws_models
from tests.support.simulated_aws import make_simulator

from awsbatch_operator.api.metadata import CONFIRM_ORPHANS, ObjectKey
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.orphans import INTERVAL_SECONDS
from awsbatch_simulator.faults import FaultSpec
from awsbatch_simulator.inprocess import session

LEASE = (NAMESPACE, "aws-batch-operator")
WITHIN_GRACE = 3  # passes, the first of which sees the orphans for the first time
OTHER = ObjectKey("ComputeEnvironment", NAMESPACE, "other")
GONE = "11111111-dead"  # a uid that no object has
_GOING = {"shutting-down", "terminated", "cancelled"}


def tags(uid: str, key: ObjectKey = ENVIRONMENT, cluster: str = CLUSTER) -> dict[str, str]:
    """The tags of capacity of that owner."""
    owned = Owner(cluster, key, uid).tags()
    return {**owned, "awsbatch.dev/purpose": "capacity", "awsbatch.dev/pool": "main"}


def rows(wanted: Mapping[str, str]) -> list[dict[str, str]]:
    """As EC2 wants them."""
    return [{"Key": key, "Value": text} for key, text in wanted.items()]


class Orphanage(World):
    """The world, and one process after another in it. `points` may strike the operator's calls.

    The operator has never heard of objects in `unseen`.
    """

    def __init__(self, points: Points | None = None, **settings: Any) -> None:
        super().__init__(make_simulator(limits=False), namespaces={NAMESPACE: {}, "other": {}})
        rights.enforce(self.simulator, CLUSTER)
        self.points = points or Points()
        self.unseen: set[ObjectKey] = set()
        self.calls: list[str] = []
        self._settings = {"lease_namespace": NAMESPACE, **settings}
        self._parts: list[Any] = []
        self._session: boto3.Session | None = None
        self._clients: dict[str, Any] = {}
        lease = {"metadata": {"name": LEASE[1], "namespace": LEASE[0], "uid": "lease-1"}}
        self.kube.leases[LEASE] = lease | {"spec": {}}
        self.kube.leases[LEASE]["metadata"]["resourceVersion"] = "1"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """With an operator, and credentials for it."""
        with self.credentials(), cheap_sessions():
            self.begin()
            try:
                yield
            finally:
                await self.end()

    def begin(self) -> None:
        """Start a process, that has listed all objects and remembers nothing."""
        self.points.revive()
        wire = CrashingWire(self.points, self.wire(self._called), lambda _: None)
        kube = crashing_kube(self.points, self.kube, lambda _: None)
        self.process = Process(self, on_client=wire.connect, kube=kube, **self._settings)
        self.operator = self.process._operator
        for kind in ("AWSAccount", "ComputeEnvironment", "ExtendedAMI"):
            for body in self.kube.objects.of_kind(kind):
                self._heard(None, body)
        recording = asyncio.ensure_future(self.operator.recorder.run())
        self._parts = [recording, self.kube.subscribe(self._heard)]

    async def end(self) -> None:
        """Let the process be gone."""
        recording, unsubscribe = self._parts
        unsubscribe()
        recording.cancel()
        await asyncio.gather(recording, return_exceptions=True)

    async def look(self, times: int = 1) -> None:
        """So many passes, each after its pause; whoever dies in one is followed by another."""
        for _ in range(times):
            self.clock.skip(INTERVAL_SECONDS)
            try:
                await self.operator.orphans.once(asyncio.Event())
            except ProcessDied:
                await self.end()
                self.begin()
            await settle()

    def _called(self, service: str, operation: str) -> None:
        self.calls.append(f"{service}:{operation}")

    def _heard(self, event: str | None, body: Any) -> None:
        metadata = body["metadata"]
        key = ObjectKey(body["kind"], metadata.get("namespace", ""), metadata["name"])
        if key not in self.unseen:
            self.operator.engine.on_event(event, body)

    # --- what others do, and what is there ---

    def aws(self, service: str) -> Any:
        """A client of somebody else in the same account."""
        if self._session is None:
            key = self.simulator.keys.create(self.simulator.place.account, "somebody")
            self._session = session(self.simulator, self.wire(), loader=aws_models(), key=key)
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
            unburden(self._clients[service])
        return self._clients[service]

    def apply(self, key: ObjectKey, spec: Mapping[str, Any] | None = None) -> str:
        """An object's uid."""
        made = self.kube.apply(manifest(key, spec if spec is not None else unmanaged()))
        return str(made["metadata"]["uid"])

    def launch(self, wanted: Mapping[str, str], count: int = 1, cluster: str = "") -> list[str]:
        """Instances with a volume each that stays when they end; they join that cluster."""
        script = f"#!/bin/sh\necho ECS_CLUSTER={cluster} >> /etc/ecs/ecs.config\n"
        more = {"UserData": script} if cluster else {}
        disk = {"VolumeSize": 8, "DeleteOnTermination": False}
        answer = self.aws("ec2").run_instances(
            ImageId="ami-1",
            InstanceType="m7i.large",
            SubnetId="subnet-1",
            MinCount=count,
            MaxCount=count,
            IamInstanceProfile={"Arn": PROFILE},
            BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": disk}],
            TagSpecifications=[
                {"ResourceType": kind, "Tags": rows(wanted)} for kind in ("instance", "volume")
            ],
            **more,
        )
        return [each["InstanceId"] for each in answer["Instances"]]

    def template(self, wanted: Mapping[str, str], name: str = "template") -> None:
        self.aws("ec2").create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData={"ImageId": "ami-1"},
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": rows(wanted)}],
        )

    def reserve(self, wanted: Mapping[str, str]) -> None:
        self.aws("ec2").create_capacity_reservation(
            InstanceType="m7i.large",
            InstancePlatform="Linux/UNIX",
            AvailabilityZone=f"{self.simulator.place.region}a",
            InstanceCount=1,
            TagSpecifications=[{"ResourceType": "capacity-reservation", "Tags": rows(wanted)}],
        )

    def environment(self, name: str, wanted: Mapping[str, str]) -> str:
        """An UNMANAGED environment of AWS with these tags; the ARN of its cluster."""
        batch = self.aws("batch")
        batch.create_compute_environment(
            computeEnvironmentName=name, type="UNMANAGED", serviceRole=ROLE, tags=dict(wanted)
        )
        self.clock.skip(20)
        [made] = batch.describe_compute_environments(computeEnvironments=[name])[
            "computeEnvironments"
        ]
        return str(made["ecsClusterArn"])

    def left(self, uid: str) -> dict[str, int]:
        """How many things have that uid a minute later, by sort."""
        self.clock.skip(60)
        ec2 = self.aws("ec2")
        ours = [{"Name": "tag:awsbatch.dev/owner-uid", "Values": [uid]}]
        reservations = ec2.describe_capacity_reservations(Filters=ours)["CapacityReservations"]
        instances = [
            each["State"]["Name"]
            for some in ec2.describe_instances(Filters=ours)["Reservations"]
            for each in some["Instances"]
        ]
        counts = {
            "instances": sum(state not in _GOING for state in instances),
            "volumes": len(ec2.describe_volumes(Filters=ours)["Volumes"]),
            "templates": len(ec2.describe_launch_templates(Filters=ours)["LaunchTemplates"]),
            "reservations": sum(each["State"] not in _GOING for each in reservations),
        }
        return {sort: count for sort, count in counts.items() if count}

    def confirm(self, number: str | None) -> None:
        """kubectl annotate lease."""
        metadata = self.kube.leases[LEASE]["metadata"]
        metadata["annotations"] = {} if number is None else {CONFIRM_ORPHANS: number}

    def told(self, reason: str) -> list[str]:
        """The texts of the events about the Lease."""
        about = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "namespace": LEASE[0],
            "name": LEASE[1],
            "uid": "lease-1",
            "resourceVersion": "1",
        }
        return [
            event["note"]
            for event in self.kube.events.values()
            if event["reason"] == reason and event["regarding"] == about
        ]

    def fault(self, **spec: Any) -> None:
        self.simulator.world.faults.add(FaultSpec.model_validate(spec))

    def ends(self) -> list[str]:
        """The operator's calls that end or change something."""
        reads = ("Describe", "List", "Get", "Assume")
        return [call for call in self.calls if not call.partition(":")[2].startswith(reads)]


def inhabited(there: Orphanage, count: int = 12) -> str:
    """A live environment with so many things: a few orphans are no reason to doubt then."""
    uid = there.apply(OTHER)
    there.launch(tags(uid, OTHER))
    for number in range(count):
        there.template(tags(uid, OTHER), f"live-{number}")
    return uid
