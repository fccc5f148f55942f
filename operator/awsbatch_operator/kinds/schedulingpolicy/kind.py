"""The SchedulingPolicy, put together from the pieces of this room."""

from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.infrastructure import Infrastructure
from awsbatch_operator.kinds.lasting import lasting_removal, whose
from awsbatch_operator.kinds.schedulingpolicy.desired import Desired, desired_policy
from awsbatch_operator.kinds.schedulingpolicy.observe import Observed, Observer
from awsbatch_operator.kinds.schedulingpolicy.plan import plan_policy, plan_removal
from awsbatch_operator.kinds.schedulingpolicy.spec import RESOURCE
from awsbatch_operator.kinds.schedulingpolicy.status import policy_status


def scheduling_policies(batch: BatchPort) -> Infrastructure[Desired, Observed]:
    """The kind, over AWS Batch."""
    return Infrastructure(
        declared=RESOURCE,
        batch=batch,
        desire=desired_policy,
        remove=lasting_removal,
        look=Observer(batch),
        whose=whose,
        plan_for=plan_policy,
        plan_removal=plan_removal,
        show=policy_status,
    )
