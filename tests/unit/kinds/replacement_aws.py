"""AWS Batch as far as the environments of one object and the queues that use them go.

AWS's own guards are asserted: nobody should run into them.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.unit.kinds.environments import SLR
from tests.unit.kinds.values import ACCOUNT, NOW, REGION

from awsbatch_operator.api.instant import Instant

WRONG = "subnet-wrong"
TICK_SECONDS = 20.0
_BUSY = frozenset({"CREATING", "UPDATING", "DELETING"})


def arn(name: str) -> str:
    """The ARN of an environment."""
    return f"arn:aws:batch:{REGION}:{ACCOUNT}:compute-environment/{name}"


def name_of(environment: str) -> str:
    """The name in an ARN."""
    return environment.rpartition("/")[2]


def is_ours(have: dict[str, Any]) -> bool:
    """Whether its tags say that it is the object's."""
    return "awsbatch.dev/owner-uid" in have["tags"]


@dataclass
class Queue:
    """A queue in AWS; `follows`: a JobQueue of ours names the object, and takes its turns."""

    name: str
    order: list[str]
    follows: bool = True
    owner: str = "main"  # the JobQueue's name; "": nobody's

    @property
    def arn(self) -> str:
        return f"arn:aws:batch:{REGION}:{ACCOUNT}:job-queue/{self.name}"

    def shape(self) -> dict[str, Any]:
        tags = {"awsbatch.dev/namespace": "science", "awsbatch.dev/name": self.owner}
        entries = [
            {"order": at, "computeEnvironment": each} for at, each in enumerate(self.order, start=1)
        ]
        return {
            "jobQueueName": self.name,
            "jobQueueArn": self.arn,
            "status": "VALID",
            "tags": tags if self.owner else {},
            "computeEnvironmentOrder": entries,
        }


@dataclass
class Aws:
    """What is there; `tasks` are those of jobs that run, by environment."""

    queues: list[Queue] = field(default_factory=list)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    now: Instant = NOW
    may_end_jobs: bool = False
    made: int = 0  # environments, so far
    clusterless: set[str] = field(default_factory=set)  # AWS's marks of environments

    def call(self, operation: str, request: Any) -> None:
        """Do what AWS does with a call."""
        match operation:
            case "CreateComputeEnvironment":
                self._create(request)
            case "UpdateComputeEnvironment":
                self._update(request)
            case "DeleteComputeEnvironment":
                self._delete(request["computeEnvironment"])
            case "UpdateJobQueue":
                (queue,) = (each for each in self.queues if each.name == request["jobQueue"])
                entries = request["computeEnvironmentOrder"]
                self.swap(queue, [each["computeEnvironment"] for each in entries])
            case "UntagResource":
                tags = self.environments[name_of(request["resourceArn"])]["tags"]
                self._tag(request, {k: v for k, v in tags.items() if k not in request["tagKeys"]})
            case "TagResource":
                tags = self.environments[name_of(request["resourceArn"])]["tags"]
                self._tag(request, {**tags, **request["tags"]})
            case _:
                raise AssertionError(operation)

    def _tag(self, request: Any, tags: dict[str, str]) -> None:
        name = name_of(request["resourceArn"])
        self.environments[name] = {**self.environments[name], "tags": tags}

    def _create(self, request: Any) -> None:
        name = request["computeEnvironmentName"]
        if name in self.environments:
            return  # AWS refuses it
        self.made += 1
        resources = {"minvCpus": 0, "desiredvCpus": 0, **request["computeResources"]}
        self.environments[name] = {
            "serviceRole": SLR,
            **request,
            "computeResources": resources,
            "computeEnvironmentArn": arn(name),
            "ecsClusterArn": f"cluster/{name}",
            "status": "CREATING",
            "uuid": f"{name}#{self.made}",
            "containerOrchestrationType": "ECS",
        }

    def _update(self, request: Any) -> None:
        name = request["computeEnvironment"]
        have = self.environments[name]
        assert have["status"] not in _BUSY
        changes = {k: v for k, v in request.items() if k != "computeEnvironment"}
        resources = {**have["computeResources"], **changes.pop("computeResources", {})}
        updated = {**have, **changes, "computeResources": resources, "status": "UPDATING"}
        self.environments[name] = updated

    def _delete(self, name: str) -> None:
        have = self.environments[name]
        assert have["state"] == "DISABLED"
        assert have["status"] not in _BUSY
        assert not self.users(name), f"{name} is deleted with queues"
        assert self.may_end_jobs or not self.tasks.get(name), f"jobs of {name} are ended"
        self.environments[name] = {**have, "status": "DELETING"}

    def users(self, name: str) -> list[Queue]:
        """The queues that have the environment."""
        return [queue for queue in self.queues if arn(name) in queue.order]

    def swap(self, queue: Queue, order: list[str]) -> None:
        """AWS takes only VALID environments into a queue, and never none."""
        assert order
        for each in set(order) - set(queue.order):
            assert self.environments[name_of(each)]["status"] == "VALID"
        queue.order = order

    def work(self) -> None:
        """Time passes: AWS finishes what it is at."""
        self.now = self.now.plus(TICK_SECONDS)
        for name, have in list(self.environments.items()):
            if have["status"] == "DELETING":
                del self.environments[name]
                self.tasks.pop(name, None)
                continue
            self.environments[name] = {**have, **self._health(have)}

    def _health(self, have: dict[str, Any]) -> dict[str, str]:
        if have["uuid"] in self.clusterless:
            words = "CLIENT_ERROR - The ECS cluster was not found"
        elif WRONG in have["computeResources"]["subnets"]:
            words = f"The subnet ID '{WRONG}' does not exist"
        else:
            return {"status": "VALID"}
        return {"status": "INVALID", "statusReason": words}

    def drop_cluster(self, name: str) -> None:
        """Somebody deletes the ECS cluster of an environment."""
        have = self.environments[name]
        self.clusterless.add(have["uuid"])
        self.environments[name] = {**have, **self._health(have)}

    def start_job(self, queue: Queue) -> None:
        """A job starts in the first environment of the queue, if that takes any."""
        name = name_of(queue.order[0])
        have = self.environments[name]
        if (have["state"], have["status"]) == ("ENABLED", "VALID"):
            self.tasks[name] = self.tasks.get(name, 0) + 1

    def end_jobs(self) -> None:
        """In each environment one job comes to its end."""
        self.tasks = {name: max(0, count - 1) for name, count in self.tasks.items()}

    # --- the ports by which it is looked at ---

    async def compute_environments(self, scope: Any, *, fresh: bool) -> list[dict[str, Any]]:
        del scope, fresh
        return list(self.environments.values())

    async def job_queues(self, scope: Any, *, fresh: bool) -> list[dict[str, Any]]:
        del scope, fresh
        return [queue.shape() for queue in self.queues]

    async def count_tasks(self, cluster: str) -> int:
        return self.tasks.get(cluster.partition("/")[2], 0)
