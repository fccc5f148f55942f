"""The JobQueue, put together from the pieces of this room."""

from dataclasses import replace

from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.account_limits import QUEUES, Rooms
from awsbatch_operator.kinds.infrastructure import Infrastructure
from awsbatch_operator.kinds.jobqueue.desired import Desired, desired_queue
from awsbatch_operator.kinds.jobqueue.observe import Observed, Observer
from awsbatch_operator.kinds.jobqueue.plan import plan_queue, plan_removal, queue_removal
from awsbatch_operator.kinds.jobqueue.spec import RESOURCE
from awsbatch_operator.kinds.jobqueue.status import queue_status
from awsbatch_operator.kinds.lasting import whose


def job_queues(batch: BatchPort, rooms: Rooms) -> Infrastructure[Desired, Observed]:
    """The kind, over AWS Batch."""

    def desire(resource: Resource, targets: Targets, owner: Owner) -> Desired:
        return replace(desired_queue(resource, targets, owner), room=rooms.of(QUEUES, targets))

    return Infrastructure(
        declared=RESOURCE,
        batch=batch,
        desire=desire,
        remove=queue_removal,
        look=Observer(batch, rooms),
        whose=whose,
        plan_for=plan_queue,
        plan_removal=plan_removal,
        show=queue_status,
    )
