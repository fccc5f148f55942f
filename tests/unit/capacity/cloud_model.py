"""A small model of EC2, ECS and Batch on which plans of capacity are carried out step by step."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.unit.capacity.values import NOW, PRICES, TYPES, offers

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import LAUNCHES, ObjectKey
from awsbatch_operator.api.tags import CONTENT, Owner
from awsbatch_operator.capacity.block_record import Reservation
from awsbatch_operator.capacity.instances import lives, remembered, still_expected
from awsbatch_operator.capacity.launch_codec import parsed
from awsbatch_operator.capacity.launches import Launches
from awsbatch_operator.capacity.model import Market, Need
from awsbatch_operator.capacity.observed import (
    Observed,
    fleet_answer,
    pauses_after,
    refused_answer,
)
from awsbatch_operator.capacity.planner import AT_REST_SECONDS, plan_capacity
from awsbatch_operator.capacity.removal import plan_removal
from awsbatch_operator.capacity.requests import Machine
from awsbatch_operator.capacity.views import END, INTENT, POOL, Expected, InstanceView, MemberView
from awsbatch_operator.userdata.model import UserData

OWNER = Owner("test", ObjectKey("ComputeEnvironment", "team", "env"), "uid-1")
CLUSTER = "arn:aws:ecs:eu-central-1:111122223333:cluster/env"
BY_NAME = {each.name: each for each in TYPES}
SHOWN_LATE = 30.0  # until EC2 lists an instance with its tags
JOINS_AFTER = 60.0


class CrashError(Exception):
    """The operator's process ends here."""


def machine(pool):
    wish = UserData(
        cluster="env",
        cluster_id="test",
        environment_uid="uid-1",
        pool=pool.name,
        market=pool.market.value,
        region="eu-central-1",
        image_id="ami-1",
    )
    return Machine(user_data=wish, security_groups=("sg-1",), instance_profile="ecsInstanceRole")


@dataclass
class Job:
    vcpus: float
    mib: int
    seconds: float
    on: str = ""
    started: float = 0.0
    done: bool = False


@dataclass
class World:
    """What goes on in AWS; and, in `annotation` and below, what the operator keeps."""

    wish: object
    capacity: dict = field(default_factory=dict)  # (market, type, zone): how many; else any number
    now: Instant = NOW
    instances: dict = field(default_factory=dict)
    members: dict = field(default_factory=dict)
    templates: dict = field(default_factory=dict)
    reservations: dict = field(default_factory=dict)
    jobs: list = field(default_factory=list)
    launches: list = field(default_factory=list)  # requests as they arrived
    killed: list = field(default_factory=list)  # instances that were ended with tasks
    most: int = 0  # vCPUs at any moment
    lose: set = field(default_factory=set)  # numbers of launch calls whose answer is lost
    crash_at: int = -1  # the event at which the process ends
    events: int = 0
    annotation: str = ""
    since: Instant = NOW
    answers: dict = field(default_factory=dict)
    expected: tuple = ()
    memory: dict = field(default_factory=dict)
    pauses: dict = field(default_factory=dict)

    # --- the operator ---

    def observed(self):
        views = [each for each in self.instances.values() if self._listed(each)]
        members = list(self.members.values())
        current = lives(views, members, self.now, expected=self.expected, memory=self.memory)
        self.memory = dict(remembered(current))
        self.expected = still_expected(self.expected, views, self.now)
        waiting = [job for job in self.jobs if not job.on and not job.done]
        sizes = {}
        for job in waiting:
            sizes[job.vcpus, job.mib] = sizes.get((job.vcpus, job.mib), 0) + 1
        pools = self.wish.pools
        bought = offers(*pools)
        for pool in pools:
            if pool.market is Market.SPOT_BLOCK:
                mine = [each for each in bought if each.pool == pool.name]
                bought = tuple(each for each in bought if each.pool != pool.name)
                bought += tuple(replace(each, market=Market.ON_DEMAND) for each in mine)
        return Observed(
            owner=OWNER,
            cluster=CLUSTER,
            since=self.since,
            mark="1",
            lives=current,
            members=members,
            unlisted=frozenset(each.id for each in self.expected),
            needs=[
                Need(vcpus=cpu, memory_mib=mib, count=count)
                for (cpu, mib), count in sorted(sizes.items())
            ],
            types={p.name: {n: BY_NAME[n] for n in p.instance_types} for p in pools},
            offers=bought,
            prices={
                (market, name, zone): PRICES[name]
                for market in (Market.ON_DEMAND, Market.SPOT)
                for name in PRICES
                for zone in ("a", "b")
            },
            machines={each.name: machine(each) for each in pools},
            templates=dict(self.templates),
            reservations=list(self.reservations.values()),
            pauses=self.pauses,
            answers=self.answers,
        )

    def record(self):
        return parsed(self.annotation) if self.annotation else Launches(uid="uid-1")

    def plan(self):
        return plan_capacity(self.wish, self.observed(), self.record(), self.now)

    def turn(self, plan=None):
        """Carry a plan out as the life cycle does: record, then a step of each lane."""
        plan = plan or self.plan()
        waiting = {lane: list(steps) for lane, steps in plan.lanes().items()}
        record = dict(plan.record)
        if not waiting:
            self._write(record)
        while heads := {lane: steps.pop(0) for lane, steps in waiting.items() if steps}:
            for step in heads.values():
                record |= step.record
            self._write(record)
            record = {}
            for lane, step in heads.items():
                self._event()
                if not self._call(step.action):
                    waiting[lane] = []
        return plan

    def run(self, seconds, each=15.0):
        """Plan and step the clock; a crash forgets all but the annotation and the pauses."""
        end = self.now.plus(seconds)
        while self.now < end:
            try:
                plan = self.turn()
            except CrashError:
                self.crash_at, self.since = -1, self.now
                self.answers, self.expected, self.memory = {}, (), {}
            else:
                idle = not plan.steps and plan.look_again_seconds == AT_REST_SECONDS
                if idle and not self.alive() and all(job.done for job in self.jobs):
                    return
            self.step(each)

    def remove(self, seconds):
        """Until released, or for so long; whether it was."""
        since = self.now
        while self.now.since(since) < seconds:
            plan = plan_removal(
                self.wish.pools, self.observed(), self.record(), since=since, now=self.now
            )
            if plan.released:
                return True
            self.turn(plan)
            self.step(15.0)
        return False

    def _event(self):
        self.events += 1
        if self.events == self.crash_at:
            raise CrashError

    def _write(self, record):
        text = record.get(LAUNCHES)
        if text is not None and text != self.annotation:
            self.annotation = text
            self._event()

    def _call(self, call):
        """Whether AWS took it, and the answer came."""
        answer = getattr(self, call.operation)(call.request)
        if call.operation not in {"CreateFleet", "RunInstances"}:
            return True
        [intent] = [each for each in self.record().open_intents() if each.token == call.token]
        if len(self.launches) in self.lose:
            self.answers[call.token] = refused_answer(intent, "", "", self.now)
            return False
        made = fleet_answer(intent, answer, self.now)
        self.answers[call.token] = made
        self.pauses = pauses_after(self.pauses, intent, made)
        self._event()
        ids = made.outcome.instances
        self.expected += tuple(self._expect(self.instances[each]) for each in ids)
        return True

    def _expect(self, view):
        return Expected(
            id=view.id,
            pool=view.pool,
            instance_type=view.instance_type,
            zone=view.zone,
            market=view.market,
            launched=view.launched,
            intent=view.intent,
            content=view.content,
            end=view.end,
        )

    # --- AWS ---

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
            able = min(left, self.capacity.get(key, left))
            if key in self.capacity:
                self.capacity[key] -= able
            if able < left:
                named = {"Overrides": each}
                code = "InsufficientInstanceCapacity"
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
            if job.on and self.instances[job.on].state != "running":
                job.on = ""  # Batch tries it again
            elif job.on and self.now.epoch - job.started >= job.seconds:
                job.on, job.done = "", True
        for arn, member in self.members.items():
            about = BY_NAME[self.instances[member.instance].instance_type]
            mine = [job for job in self.jobs if job.on == member.instance]
            cpu = about.registered_cpu - sum(int(job.vcpus * 1024) for job in mine)
            mib = about.registered_mib - sum(job.mib for job in mine)
            running = self.instances[member.instance].state == "running"
            for job in self.jobs if running and member.status == "ACTIVE" else ():
                if not job.on and not job.done and job.vcpus * 1024 <= cpu and job.mib <= mib:
                    job.on, job.started = member.instance, self.now.epoch
                    mine.append(job)
                    cpu, mib = cpu - int(job.vcpus * 1024), mib - job.mib
            self.members[arn] = replace(
                member,
                tasks=len(mine),
                cpu_left=cpu,
                memory_left=mib,
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
