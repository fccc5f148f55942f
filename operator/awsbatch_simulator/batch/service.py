"""AWS Batch: which operation is answered by what."""

from collections.abc import Callable, Mapping
from typing import Any

from awsbatch_simulator.batch import (
    definitions,
    ending,
    environments,
    launching,
    listing,
    policies,
    queues,
    scheduler,
    snapshot,
    submission,
    tags,
)
from awsbatch_simulator.batch.model_limits import check_request
from awsbatch_simulator.context import Caller, Place
from awsbatch_simulator.ports import Handler, RawJson, World
from awsbatch_simulator.region import Region

Operation = Callable[[Region, dict[str, Any]], dict[str, Any] | RawJson]


def operations() -> Mapping[str, Operation]:
    """Every operation of Batch that is simulated."""
    return {
        "CreateComputeEnvironment": environments.create,
        "UpdateComputeEnvironment": environments.update,
        "DescribeComputeEnvironments": environments.describe,
        "DeleteComputeEnvironment": environments.delete,
        "CreateJobQueue": queues.create,
        "UpdateJobQueue": queues.update,
        "DescribeJobQueues": queues.describe,
        "DeleteJobQueue": queues.delete,
        "GetJobQueueSnapshot": snapshot.snapshot,
        "RegisterJobDefinition": definitions.register,
        "DescribeJobDefinitions": definitions.describe,
        "DeregisterJobDefinition": definitions.deregister,
        "CreateSchedulingPolicy": policies.create,
        "UpdateSchedulingPolicy": policies.update,
        "DescribeSchedulingPolicies": policies.describe,
        "ListSchedulingPolicies": policies.list_policies,
        "DeleteSchedulingPolicy": policies.delete,
        "SubmitJob": submission.submit,
        "DescribeJobs": listing.describe,
        "ListJobs": listing.list_jobs,
        "CancelJob": ending.cancel_job,
        "TerminateJob": ending.terminate_job,
        "CancelJobs": ending.cancel_jobs,
        "TerminateJobs": ending.terminate_jobs,
        "TagResource": tags.tag,
        "UntagResource": tags.untag,
        "ListTagsForResource": tags.list_tags,
    }


class BatchService:
    """AWS Batch in every account and region of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._handlers: dict[str, Handler] = {
            name: self._handler(name, operation) for name, operation in operations().items()
        }

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return self._handlers

    def report(self, place: Place) -> dict[str, Any]:
        """What the state page shows: environments and queues, and jobs by queue and status."""
        store = self._world.region(place).batch
        return {
            "computeEnvironments": {each.name: each.status for each in store.environments.values()},
            "launching": {
                each.name: launching.report(each)
                for each in store.environments.values()
                if each.launches
            },
            "jobQueues": {each.name: each.status for each in store.queues.values()},
            "jobDefinitions": sum(len(each) for each in store.definitions.values()),
            "schedulingPolicies": len(store.policies),
            "jobs": {
                queue.name: {
                    status: len(jobs)
                    for status, jobs in store.queue_jobs(queue).by_status.items()
                    if jobs
                }
                for queue in store.queues.values()
            },
        }

    def _handler(self, name: str, operation: Operation) -> Handler:
        def handle(caller: Caller, request: dict[str, Any]) -> dict[str, Any] | RawJson:
            check_request(name, request)
            region = self._world.region(caller.place)
            region.batch.look = scheduler.look
            return operation(region, request)

        return handle
