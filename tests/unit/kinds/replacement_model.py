"""An object and its environments, by turns that may end anywhere, over a small model of AWS.

It takes the plans of turns as the life cycle does: the record first, then one call after the other.
What a replacement promises is asserted at each call.
"""

from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from tests.unit.kinds.environments import managed
from tests.unit.kinds.replacement_aws import Aws, arn, is_ours, name_of
from tests.unit.kinds.values import ACCOUNT, RECORDED, REGION, owner, resource

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.scope import Scope, ScopeRecord
from awsbatch_operator.kinds.account_limits import Room
from awsbatch_operator.kinds.computeenvironment.desired import (
    Desired,
    desired_environment,
    settled,
)
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment
from awsbatch_operator.kinds.computeenvironment.rediscovery import Rediscovery
from awsbatch_operator.kinds.computeenvironment.remaking import remaking_in
from awsbatch_operator.kinds.computeenvironment.removal import environment_removal
from awsbatch_operator.kinds.computeenvironment.replacing_removal import plan_whole_removal
from awsbatch_operator.kinds.computeenvironment.status import shown_plan
from awsbatch_operator.kinds.computeenvironment.surroundings import Surroundings, counted
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.gates import completed
from awsbatch_operator.kinds.queues import uses
from awsbatch_operator.kinds.scope_record import annotation, recorded_in

SCOPE = Scope(ACCOUNT, REGION)
NAMES_IT = {"computeEnvironmentOrder": [{"order": 1, "computeEnvironmentRef": {"name": "pool"}}]}
ENOUGH_TURNS = 120
JOB_TURNS = 6  # between two ends of jobs


def spec(subnet: str = "subnet-1", most: int = 16, **top: Any) -> dict[str, Any]:
    """An environment whose subnet AWS cannot change; `most` it can."""
    return managed(allocationStrategy="BEST_FIT", subnets=[subnet], maxvCpus=most, top=top)


@dataclass
class World(Aws):
    """What is in AWS and in Kubernetes."""

    spec: dict[str, Any] = field(default_factory=spec)
    annotations: dict[str, str] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)
    generation: int = 1
    uid: str = "uid-1"
    deleted_at: Instant | None = None
    records: list[dict[str, str]] = field(default_factory=list)  # that ever stood there
    calls: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    # --- what is there ---

    @property
    def deleting(self) -> bool:
        return self.deleted_at is not None

    def delete(self) -> None:
        """The object is deleted, and with it the queues, whose jobs have come to their end."""
        self.deleted_at, self.queues = self.now, []
        self.tasks.pop(self.recorded.serving, None)

    @property
    def object(self) -> Resource:
        return resource(
            "ComputeEnvironment",
            self.spec,
            uid=self.uid,
            generation=self.generation,
            annotations=dict(self.annotations),
            status=dict(self.status),
            deleting=self.deleting,
            deleted_at=self.deleted_at,
        )

    @property
    def recorded(self) -> ScopeRecord:
        of = self.object
        found = recorded_in(of)
        if found is not None:
            return completed(found, RECORDED)  # as the gate of the life cycle does
        looking: Any = self
        return Rediscovery(looking, owner(of)).named(RECORDED, self.environments.values())

    @property
    def desired(self) -> Desired:
        users = tuple(
            resource("JobQueue", NAMES_IT, name=queue.owner, status={"arn": queue.arn})
            for queue in self.queues
            if queue.follows
        )
        of = self.object
        targets = Targets(
            aws_name=self.recorded.serving,
            account_id=ACCOUNT,
            region=REGION,
            users=users,
            recorded=self.recorded,
        )
        room = Room("ComputeEnvironment", others=len(self.environments) - 1)
        return replace(desired_environment(of, targets, owner(of)), room=room)

    def look(self) -> Observed | None:
        """As the Observer does, over what is here."""
        of, recorded = self.object, self.recorded
        detail = self.environments.get(recorded.serving)
        looking = Surroundings(
            batch=self,  # type: ignore[arg-type]
            ecs=Clusters(self),  # type: ignore[arg-type]
            cluster_id="lab",
        ).look(of, recorded, SCOPE, there=detail is not None, fresh=True)
        around = result_of(looking)
        if detail is None:
            return None if around is None else Observed({"tags": owner(of).tags()}, around=around)
        shapes = [queue.shape() for queue in self.queues]
        found = Observed(detail, uses(shapes, arn(recorded.serving)), around=around)
        if not self.deleting and not remaking_in(of).is_of(found.mark):
            return found
        clusters: Any = Clusters(self)
        whole: Observed = result_of(counted(found, clusters, SCOPE, used=bool(found.queues)))
        return whole

    # --- turns ---

    def plan(self) -> Plan[Any]:
        observed = self.look()
        if self.deleting:
            of = self.object
            removal = environment_removal(of, Removal(owner(of), self.recorded))
            return plan_whole_removal(removal, observed, self.now)
        return plan_environment(self.desired, observed, self.now)

    def turn(self, *, ends_after: int = 99) -> Plan[Any]:
        """One round of a turn; `ends_after` so many writes and calls the process dies."""
        plan, left = self.plan(), ends_after
        recorded = self.recorded
        named = recorded if plan.recorded is None else recorded.named_as(plan.recorded)
        record = {**plan.record, **{k: v for s in plan.steps for k, v in s.record.items()}}
        if left > 0 and (record or named != recorded or (plan.steps and not self.annotations)):
            self.annotations |= {**annotation(named, self.now), **record}
            self.records.append(dict(self.annotations))
            left -= 1
        for step in plan.steps:
            if left <= 0:
                return plan
            self.take(step)
            left -= 1
            self.check()
        if left > 0:
            self.show()
        self.told += [finding.reason.name for finding in plan.findings]
        return plan

    def show(self) -> None:
        """What the status says afterwards."""
        name = self.recorded.serving
        detail = self.environments.get(name)
        self.status = {} if detail is None else {"arn": arn(name), "awsName": name}
        if detail is not None and not self.deleting:
            observed = self.look()
            assert observed is not None
            self.status["plan"] = shown_plan(settled(self.desired, observed), observed)
        self.status |= {"accountId": ACCOUNT, "region": REGION}

    def settle(self) -> Plan[Any]:
        """Turns and time until nothing is left to do; jobs come to their end."""
        for turn in range(ENOUGH_TURNS):
            before = (dict(self.annotations), repr(self.environments), repr(self.queues))
            plan = self.turn()
            self.tick()
            if not turn % JOB_TURNS:
                self.end_jobs()
            waits = any(each.reason.severity.value == "Wait" for each in plan.findings)
            after = (dict(self.annotations), repr(self.environments), repr(self.queues))
            if before == after and not plan.steps and not waits:
                return plan
            if plan.released:
                return plan
        raise AssertionError(f"it never comes to an end: {plan}")

    # --- what happens ---

    def take(self, step: Step[Any]) -> None:
        """A call goes out, and AWS does it."""
        request, operation = step.action.request, step.action.operation
        self.calls.append(operation)
        if step.note is not None:
            self.told.append(step.note.reason.name)
        name = request.get("computeEnvironmentName")
        assert name is None or name in self.recorded.names, "made before its name is recorded"
        if request.get("state") == "DISABLED" and self.spec.get("state") != "DISABLED":
            used = self.users(request["computeEnvironment"])
            assert not used, "it is taken out of service with queues"
        self.call(operation, request)

    def tick(self) -> None:
        """Time passes, for AWS and for JobQueues, which take their turns."""
        self.work()
        self.follow()
        self.check()

    def follow(self) -> None:
        """JobQueues put what the object shows in the place of what it showed before."""
        shown = self.status.get("arn")
        serving = self.environments.get(self.recorded.serving)
        if shown is None or serving is None or arn(self.recorded.serving) != shown:
            return
        if self.deleting or serving["status"] != "VALID":
            return
        for queue in self.queues:
            if queue.follows and shown not in queue.order:
                self.swap(queue, [shown])

    def check(self) -> None:
        """What holds at any time."""
        for queue in self.queues:
            for each in queue.order:
                have = self.environments.get(name_of(each))
                assert have is not None, f"{queue.name} is left without {each}"
                assert have["status"] != "DELETING"
                if self.spec.get("state") != "DISABLED":
                    assert have["state"] == "ENABLED", f"{queue.name} has a disabled environment"
        known = {self.recorded.serving, *self.recorded.predecessors}
        coming = [
            name
            for name, have in self.environments.items()
            if name not in known and have["status"] != "DELETING" and is_ours(have)
        ]
        assert len(coming) <= 1, f"two successors: {coming}"


class Clusters:
    """The port by which tasks are counted."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    async def tasks(self, scope: Scope, cluster: str) -> int:
        del scope
        return await self._aws.count_tasks(cluster)


def result_of(work: Coroutine[Any, Any, Any]) -> Any:
    """Of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")
