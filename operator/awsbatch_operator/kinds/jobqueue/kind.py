"""The JobQueue, put together from the pieces of this room."""

from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.infrastructure import Infrastructure
from awsbatch_operator.kinds.jobqueue.desired import Desired, desired_queue
from awsbatch_operator.kinds.jobqueue.observe import Observed, Observer
from awsbatch_operator.kinds.jobqueue.plan import plan_queue, plan_removal, queue_removal
from awsbatch_operator.kinds.jobqueue.spec import RESOURCE
from awsbatch_operator.kinds.jobqueue.status import queue_status
from awsbatch_operator.kinds.lasting import whose


def job_queues(batch: BatchPort) -> Infrastructure[Desired, Observed]:
    """The kind, over AWS Batch."""
    return Infrastructure(
        declared=RESOURCE,
        batch=batch,
        desire=desired_queue,
        remove=queue_removal,
        look=Observer(batch),
        whose=whose,
        plan_for=plan_queue,
        plan_removal=plan_removal,
        show=queue_status,
    )
