"""The ComputeEnvironment, put together from the pieces of this room."""

from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.computeenvironment.desired import Desired, desired_environment
from awsbatch_operator.kinds.computeenvironment.observe import Observed, Observer
from awsbatch_operator.kinds.computeenvironment.plan import (
    environment_removal,
    plan_environment,
    plan_removal,
)
from awsbatch_operator.kinds.computeenvironment.spec import RESOURCE
from awsbatch_operator.kinds.computeenvironment.status import environment_status
from awsbatch_operator.kinds.infrastructure import Infrastructure
from awsbatch_operator.kinds.lasting import whose


def compute_environments(batch: BatchPort) -> Infrastructure[Desired, Observed]:
    """The kind, over AWS Batch."""
    return Infrastructure(
        declared=RESOURCE,
        batch=batch,
        desire=desired_environment,
        remove=environment_removal,
        look=Observer(batch),
        whose=whose,
        plan_for=plan_environment,
        plan_removal=plan_removal,
        show=environment_status,
    )
