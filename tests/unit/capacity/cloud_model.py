"""A small model of EC2, ECS and Batch on which plans of capacity are carried out step by step."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.unit.capacity.values import NOW, PRICES, TYPES

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.tags import CONTENT, END, INTENT, POOL
from awsbatch_operator.capacity.block_record import Reservation
from awsbatch_operator.capacity.model import Market
from awsbatch_operator.capacity.views import InstanceView, MemberView

BY_NAME = {each.name: each for each in TYPES}
SHOWN_LATE = 30.0  # until EC2 lists an instance with its tags
JOINS_AFTER = 60.0


@dataclass
class Job:
    vcpus: float
    mib: int
    seconds: float
    gpus: int = 0
    on: str = ""
    started: float = 0.0
    done: bool = False


@dataclass
class Aws:
    """What goes on in EC2, ECS and Batch."""

    capacity: dict = field(default_factory=dict)  # (market, type, zone): how many; else any number
    now: Instant = NOW
    instances: dict = field(default_factory=dict)
    members: dict = field(default_factory=dict)
    templates: dict = field(default_factory=dict)
    reservations: dict = field(default_factory=dict)
    reservations_late: float = 0.0  # seconds after which EC2 shows a new one
    reserved: dict = field(default_factory=dict)  # tokens: when
    jobs: list = field(default_factory=list)
    launches: list = field(default_factory=list)  # requests as they arrived
    killed: list = field(default_factory=list)  # instances that were ended with tasks
    quotas: dict = field(default_factory=dict)  # market: vCPUs that may live; else any number
    outside: dict = field(default_factory=dict)  # the types of instances that others have launched
    most: int = 0  # vCPUs at any moment
    most_instances: int = 0
    most_of: dict = field(default_factory=dict)  # instances of each pool at any moment
    dearest: Decimal = Decimal(0)  # US dollars an hour at any moment
    lose: set = field(default_factory=set)  # numbers of launch calls whose answer is lost

    def CreateLaunchTemplate(self, request):  # noqa: N802 - AWS's name
        self.templates.setdefault(request["LaunchTemplateName"], self.now)

    def DeleteLaunchTemplate(self, request):  # noqa: N802
        del self.templates[request["LaunchTemplateName"]]

    def CreateFleet(self, request):  # noqa: N802
        self.launches.append(request)
        [config] = request["LaunchTemplateConfigs"]
        assert config["LaunchTemplateSpecification"]["LaunchTemplateName"] in self.templates
        target = request["TargetCapacitySpecification"]
        market = Market.SPOT if target["SpotTargetCapacity"] else Market.ON_DEMAND
        tags = {each["Key"]: each["Value"] for each in request["TagSpecifications"][1]["Tags"]}
        left, ids, errors = target["TotalTargetCapacity"], [], []
        for each in config["Overrides"]:
            key = (market, each["InstanceType"], each["SubnetId"].removeprefix("subnet-"))
            able, room = min(left, self.capacity.get(key, left)), self._in_quota(key)
            code = "VcpuLimitExceeded" if room < able else "InsufficientInstanceCapacity"
            able = min(able, room)
            if key in self.capacity:
                self.capacity[key] -= able
            if able < left:
                named = {"Overrides": each}
                errors.append({"ErrorCode": code, "LaunchTemplateAndOverrides": named})
            ids += [self._start(key, tags) for _ in range(able)]
            left -= able
        return {"Instances": [{"InstanceIds": ids}], "Errors": errors}

    def RunInstances(self, request):  # noqa: N802
        self.launches.append(request)
        target = request["CapacityReservationSpecification"]["CapacityReservationTarget"]
        assert target["CapacityReservationId"] in self.reservations
        tags = {each["Key"]: each["Value"] for each in request["TagSpecifications"][0]["Tags"]}
        zone = request["SubnetId"].removeprefix("subnet-")
        key = (Market.ON_DEMAND, request["InstanceType"], zone)
        ids = [self._start(key, tags) for _ in range(request["MaxCount"])]
        return {"Instances": [{"InstanceId": each} for each in ids]}

    def _in_quota(self, key):
        """How many more of the type the account's quota allows."""
        market, name, _ = key
        if market not in self.quotas:
            return 1000
        used = sum(BY_NAME[e.instance_type].vcpus for e in self.alive() if e.market is market)
        return max(0, self.quotas[market] - used) // BY_NAME[name].vcpus

    def _start(self, key, tags):
        market, name, zone = key
        end = tags.get(END)
        made = InstanceView(
            id=f"i-{len(self.instances):04}",
            instance_type=name,
            zone=zone,
            state="pending",
            launched=self.now,
            pool=tags[POOL],
            market=market,
            intent=tags[INTENT],
            content=tags[CONTENT],
            end=None if end is None else Instant.parse(end),
        )
        self.instances[made.id] = made
        self.most = max(self.most, self.vcpus())
        self.dearest = max(self.dearest, self.cost())
        self.most_instances = max(self.most_instances, len(self.alive()))
        mine = sum(each.pool == made.pool for each in self.alive())
        self.most_of[made.pool] = max(self.most_of.get(made.pool, 0), mine)
        return made.id

    def TerminateInstances(self, request):  # noqa: N802
        for each in request["InstanceIds"]:
            if any(job.on == each for job in self.jobs):
                self.killed.append((each, self.now))
            if self.instances[each].state != "terminated":
                self.instances[each] = replace(self.instances[each], state="shutting-down")

    def UpdateContainerInstancesState(self, request):  # noqa: N802
        assert len(request["containerInstances"]) <= 10
        for arn in request["containerInstances"]:
            self.members[arn] = replace(self.members[arn], status="DRAINING")

    def DeregisterContainerInstance(self, request):  # noqa: N802
        del self.members[request["containerInstance"]]

    def CreateCapacityReservation(self, request):  # noqa: N802
        token = request["ClientToken"]
        self.reserved.setdefault(token, self.now)
        self.reservations.setdefault(
            token,
            Reservation(
                id=token,
                instance_type=request["InstanceType"],
                zone=request["AvailabilityZone"],
                available=request["InstanceCount"],
                active=True,
                ours=True,
                token=token,
                pool={
                    each["Key"]: each["Value"] for each in request["TagSpecifications"][0]["Tags"]
                }[POOL],
                end=Instant.parse(request["EndDate"]),
            ),
        )

    def CancelCapacityReservation(self, request):  # noqa: N802
        del self.reservations[request["CapacityReservationId"]]

    def step(self, seconds):
        """Time goes by: instances start, join and end, Batch places jobs, jobs end."""
        self.now = self.now.plus(seconds)
        for name, view in self.instances.items():
            age = self.now.since(view.launched)
            if view.state == "shutting-down":
                self.instances[name] = replace(view, state="terminated")
            elif view.state == "pending" and age >= 20:
                self.instances[name] = replace(view, state="running")
            elif (
                view.state == "running" and age >= JOINS_AFTER and f"arn:{name}" not in self.members
            ):
                self.members[f"arn:{name}"] = MemberView(
                    arn=f"arn:{name}",
                    instance=name,
                    status="ACTIVE",
                    connected=True,
                    tasks=0,
                    registered=self.now,
                    cpu_left=0,
                    memory_left=0,
                )
        for token, each in tuple(self.reservations.items()):
            if each.end <= self.now:
                del self.reservations[token]
        self._work()

    def _work(self):
        for job in self.jobs:
            if job.on in self.instances and self.instances[job.on].state != "running":
                job.on = ""  # Batch tries it again
            elif job.on and self.now.epoch - job.started >= job.seconds:
                job.on, job.done = "", True
        for arn, member in self.members.items():
            about = self._type_of(member.instance)
            mine = [job for job in self.jobs if job.on == member.instance]
            cpu = about.registered_cpu - sum(int(job.vcpus * 1024) for job in mine)
            mib = about.registered_mib - sum(job.mib for job in mine)
            gpus = about.gpus - sum(job.gpus for job in mine)
            others = member.instance in self.outside
            running = others or self.instances[member.instance].state == "running"
            for job in self.jobs if running and member.status == "ACTIVE" else ():
                fits = job.vcpus * 1024 <= cpu and job.mib <= mib and job.gpus <= gpus
                if not job.on and not job.done and fits:
                    job.on, job.started = member.instance, self.now.epoch
                    mine.append(job)
                    cpu, mib = cpu - int(job.vcpus * 1024), mib - job.mib
                    gpus -= job.gpus
            self.members[arn] = replace(
                member,
                tasks=len(mine),
                cpu_left=cpu,
                memory_left=mib,
                gpus_left=gpus,
                memory_mib=about.registered_mib,
            )

    def _type_of(self, instance):
        return self.outside.get(instance) or BY_NAME[self.instances[instance].instance_type]

    def join(self, name, about):
        """An instance that is none of ours joins the cluster."""
        self.outside[name] = about
        self.members[f"arn:{name}"] = MemberView(
            arn=f"arn:{name}",
            instance=name,
            status="ACTIVE",
            connected=True,
            tasks=0,
            registered=self.now,
            cpu_left=about.registered_cpu,
            memory_left=about.registered_mib,
            gpus_left=about.gpus,
            memory_mib=about.registered_mib,
        )

    def _listed(self, view):
        return self.now.since(view.launched) >= SHOWN_LATE

    def alive(self):
        return [each for each in self.instances.values() if each.state in {"pending", "running"}]

    def vcpus(self):
        return sum(BY_NAME[each.instance_type].vcpus for each in self.alive())

    def cost(self):
        return sum((PRICES[each.instance_type] for each in self.alive()), Decimal(0))
