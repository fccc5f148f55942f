"""The JobDefinition, put together from the pieces of this room."""

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import LeadershipStart
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.definition_faults import definition_faults
from awsbatch_operator.kinds.infrastructure import Infrastructure
from awsbatch_operator.kinds.jobdefinition.desired import (
    Desired,
    definition_removal,
    desired_definition,
)
from awsbatch_operator.kinds.jobdefinition.observe import Observed, Observer, Registering, whose
from awsbatch_operator.kinds.jobdefinition.plan import plan_definition, plan_removal
from awsbatch_operator.kinds.jobdefinition.spec import RESOURCE
from awsbatch_operator.kinds.jobdefinition.status import definition_status
from awsbatch_operator.kinds.registrations import Registrations


def job_definitions(
    batch: BatchPort, clock: Clock, leadership: LeadershipStart
) -> Infrastructure[Desired, Observed]:
    """The kind, over AWS Batch."""
    registrations = Registrations(clock, leadership)
    return Infrastructure(
        declared=RESOURCE,
        batch=batch,
        desire=desired_definition,
        remove=definition_removal,
        look=Observer(batch, registrations),
        whose=whose,
        plan_for=plan_definition,
        plan_removal=plan_removal,
        show=definition_status,
        faults=lambda resource: definition_faults(resource.spec),
        answers=Registering(registrations),
        marked_first=False,
    )
