"""How job queues change: CREATING, VALID or INVALID, UPDATING, DELETING, DELETED, forgotten.

A queue is INVALID while all of its environments are: none of its jobs can run.
"""

from awsbatch_simulator.batch import ending
from awsbatch_simulator.batch.model import Environment, Queue, Status
from awsbatch_simulator.batch.wake import look_soon
from awsbatch_simulator.region import Region

HEALTHY = "JobQueue Healthy"
UNHEALTHY = "CLIENT_ERROR - All compute environments of the job queue are INVALID"
DELETED_WITH_QUEUE = "The job queue was deleted"
_SETTLED = {Status.VALID, Status.INVALID}


def after_creation(region: Region, queue: Queue) -> None:
    """CREATING begins. A queue of that name which is still seen as DELETED is seen no more."""
    region.batch.deleted_queues.pop(queue.name, None)
    relate(region, queue, before=[])
    delay = region.world.settings.delays.queue_creating
    queue.timer = region.world.clock.call_after(delay, _settle, region, queue)


def after_update(region: Region, queue: Queue, *, before: list[str]) -> None:
    """UPDATING begins. `before`: the environments (ARNs) that it had until now."""
    relate(region, queue, before=before)
    queue.status, queue.status_reason = Status.UPDATING, ""
    delay = region.world.settings.delays.queue_updating
    queue.timer = region.world.clock.call_after(delay, _settle, region, queue)


def environment_judged(region: Region, environment: Environment) -> None:
    """An environment has become VALID or INVALID, and with it perhaps the queues that use it."""
    for queue in region.batch.queues_of(environment):
        if queue.status in _SETTLED:
            _judge(region, queue)


def _settle(region: Region, queue: Queue) -> None:
    _judge(region, queue)
    look_soon(region)


def _judge(region: Region, queue: Queue) -> None:
    users = [each for each in region.batch.environments.values() if each.arn in queue.environments]
    if all(each.status is Status.INVALID for each in users):
        queue.status, queue.status_reason = Status.INVALID, UNHEALTHY
    else:
        queue.status, queue.status_reason = Status.VALID, HEALTHY


def relate(region: Region, queue: Queue, *, before: list[str]) -> None:
    """Note which environments the queue uses; AWS forgets a relation only some time later."""
    relations = region.batch.relations
    for arn in queue.environments:
        relations.setdefault(arn, set()).add(queue.arn)
    for arn in set(before) - set(queue.environments):
        _unrelate_later(region, queue, arn)


def _unrelate_later(region: Region, queue: Queue, environment: str) -> None:
    lag = region.world.settings.delays.relation_lag
    fault = region.world.faults.active(
        "relation_lag", jobQueue=queue.name, computeEnvironment=environment.rpartition("/")[2]
    )
    lag = max(lag, fault.spec.seconds) if fault else lag
    region.world.clock.call_after(lag, _unrelate, region, queue.name, queue.arn, environment)


def _unrelate(region: Region, name: str, arn: str, environment: str) -> None:
    """Unless a queue of that name uses the environment again, be it one that was made since."""
    queue = region.batch.queues.get(name)
    if queue is None or environment not in queue.environments:
        region.batch.relations.get(environment, set()).discard(arn)


def begin_deletion(region: Region, queue: Queue) -> None:
    """DELETING begins: its jobs are ended."""
    queue.status, queue.status_reason = Status.DELETING, ""
    for job in list(region.batch.queue_jobs(queue).unfinished.values()):
        ending.end_with_queue(region, job, DELETED_WITH_QUEUE)
    _deleted_later(region, queue)


def _deleted_later(region: Region, queue: Queue) -> None:
    delay = region.world.settings.delays.queue_deleting or 0.1
    queue.timer = region.world.clock.call_after(delay, _deleted, region, queue)


def _deleted(region: Region, queue: Queue) -> None:
    """DELETED once no job of it is left; for a while those who ask by name still see that."""
    if region.batch.queue_jobs(queue).unfinished:
        _deleted_later(region, queue)
        return
    queue.status = Status.DELETED
    del region.batch.queues[queue.name]
    for arn in queue.environments:
        _unrelate_later(region, queue, arn)
    region.batch.deleted_queues[queue.name] = queue
    delay = region.world.settings.delays.deleted_seen
    region.world.clock.call_after(delay, _forget, region, queue)


def _forget(region: Region, queue: Queue) -> None:
    """Unless another queue of that name has been deleted since."""
    if region.batch.deleted_queues.get(queue.name) is queue:
        del region.batch.deleted_queues[queue.name]
