"""The life cycles of all kinds whose AWS object lasts, wired."""

from awsbatch_operator.aws.ports import BatchPort, IdentityPort
from awsbatch_operator.engine.reconciler import Reconciler
from awsbatch_operator.kinds.awsaccount.kind import AccountPlaces, AwsAccountKind
from awsbatch_operator.kinds.computeenvironment.kind import ComputeEnvironmentKind
from awsbatch_operator.kinds.jobdefinition.kind import JobDefinitionKind
from awsbatch_operator.kinds.jobqueue.kind import JobQueueKind
from awsbatch_operator.kinds.lifecycle import Lifecycle, Places, Surroundings
from awsbatch_operator.kinds.schedulingpolicy.kind import SchedulingPolicyKind


def lasting_kinds(
    *,
    around: Surroundings,
    places: Places,
    batch: BatchPort,
    identity: IdentityPort,
    region: str,
) -> dict[str, Reconciler]:
    """The life cycles of all kinds but BatchJob; `region` is the operator's own, "" if none."""
    return {
        "AWSAccount": Lifecycle(
            AwsAccountKind(identity), around=around, places=AccountPlaces(region), scoped=False
        ),
        "ComputeEnvironment": Lifecycle(
            ComputeEnvironmentKind(batch), around=around, places=places
        ),
        "JobDefinition": Lifecycle(JobDefinitionKind(batch), around=around, places=places),
        "JobQueue": Lifecycle(JobQueueKind(batch), around=around, places=places),
        "SchedulingPolicy": Lifecycle(SchedulingPolicyKind(batch), around=around, places=places),
    }
