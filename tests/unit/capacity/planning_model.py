"""The operator's side of the model: observe, plan, carry out, remember, crash."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.unit.capacity.cloud_model import BY_NAME, Aws
from tests.unit.capacity.values import NOW, PRICES, offers

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import LAUNCHES, ObjectKey
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.capacity.instances import lives, remembered, still_expected
from awsbatch_operator.capacity.launch_codec import parsed
from awsbatch_operator.capacity.launches import Answered, Launches
from awsbatch_operator.capacity.machines import Machine
from awsbatch_operator.capacity.model import Limits, Market, Need, Wish
from awsbatch_operator.capacity.observed import (
    Held,
    Observed,
    fleet_answer,
    held_after,
    pauses_after,
    refused_answer,
)
from awsbatch_operator.capacity.offers import Key, Pause
from awsbatch_operator.capacity.pacing import AT_REST_SECONDS
from awsbatch_operator.capacity.planner import plan_capacity
from awsbatch_operator.capacity.removal import plan_removal
from awsbatch_operator.capacity.views import Expected
from awsbatch_operator.userdata.model import UserData

OWNER = Owner("test", ObjectKey("ComputeEnvironment", "team", "env"), "uid-1")
CLUSTER = "arn:aws:ecs:eu-central-1:111122223333:cluster/env"


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
class World(Aws):
    """AWS; and, in `annotation` and below, what the operator keeps."""

    wish: Wish = field(default_factory=lambda: Wish(limits=Limits()))
    refused: list = field(default_factory=list)  # launch calls that EC2 refused
    refusals: list = field(default_factory=list)  # (code, message) of the next launch calls
    held: Mapping[str, Held] = field(default_factory=dict)
    crash_at: int = -1  # the event at which the process ends
    events: int = 0
    annotation: str = ""
    since: Instant = NOW
    answers: dict = field(default_factory=dict)
    expected: tuple = ()
    memory: dict = field(default_factory=dict)
    pauses: Mapping[Key, Pause] = field(default_factory=dict)

    def observed(self):
        views = [each for each in self.instances.values() if self._listed(each)]
        members = list(self.members.values())
        current = lives(views, members, self.now, expected=self.expected, memory=self.memory)
        self.memory = dict(remembered(current))
        self.expected = still_expected(self.expected, views, self.now)
        pools = self.wish.pools
        return Observed(
            owner=OWNER,
            cluster=CLUSTER,
            since=self.since,
            mark="1",
            lives=current,
            members=members,
            unlisted=frozenset(each.id for each in self.expected),
            needs=self._needs(),
            types={p.name: {n: BY_NAME[n] for n in p.instance_types} for p in pools},
            offers=self._offers(),
            prices={
                (market, name, zone): PRICES[name]
                for market in (Market.ON_DEMAND, Market.SPOT)
                for name in PRICES
                for zone in ("a", "b")
            },
            machines={each.name: machine(each) for each in pools},
            templates=dict(self.templates),
            reservations=[
                each
                for token, each in self.reservations.items()
                if self.now.since(self.reserved[token]) >= self.reservations_late
            ],
            pauses=self.pauses,
            held=self.held,
            answers=self.answers,
        )

    def _needs(self):
        sizes: dict[tuple[float, int, int], int] = {}
        for job in self.jobs:
            if not job.on and not job.done:
                size = (job.vcpus, job.mib, job.gpus)
                sizes[size] = sizes.get(size, 0) + 1
        return [
            Need(vcpus=cpu, memory_mib=mib, gpus=gpus, count=count)
            for (cpu, mib, gpus), count in sorted(sizes.items())
        ]

    def _offers(self):
        """A pool of blocks buys on demand."""
        blocks = {each.name for each in self.wish.pools if each.market is Market.SPOT_BLOCK}
        return tuple(
            replace(each, market=Market.ON_DEMAND) if each.pool in blocks else each
            for each in offers(*self.wish.pools)
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
        if self.refusals and call.operation == "CreateFleet":
            self.refused.append(call.request)
            [intent] = self.record().open_intents()
            code, message = self.refusals.pop(0)
            self._learn(intent, refused_answer(intent, code, message, self.now))
            return False
        answer = getattr(self, call.operation)(call.request)
        if call.operation not in {"CreateFleet", "RunInstances"}:
            return True
        [intent] = [each for each in self.record().open_intents() if each.token == call.token]
        if len(self.launches) in self.lose:
            self.answers[call.token] = refused_answer(intent, "", "", self.now)
            return False
        made = fleet_answer(intent, answer, self.now)
        self._learn(intent, made)
        self._event()
        assert isinstance(made.outcome, Answered)
        ids = made.outcome.instances
        self.expected += tuple(self._expect(self.instances[each]) for each in ids)
        return True

    def _learn(self, intent, answer):
        self.answers[intent.token] = answer
        self.pauses = pauses_after(self.pauses, intent, answer)
        self.held = held_after(self.held, intent, answer)

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
