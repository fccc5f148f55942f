"""Every kind that is held to the contract, and what is its own about it."""

from collections.abc import Callable
from typing import Any

from tests.conformance.image_subject import IMAGE
from tests.conformance.subject import Spec, Subject
from tests.support import manifests
from tests.support.installation import ACCOUNT as NUMBER
from tests.support.installation import NAMESPACE, Installation
from tests.support.research import RESEARCH, research

from awsbatch_operator.api.metadata import ObjectKey

JOB_KEY = ObjectKey("BatchJob", NAMESPACE, "run")
UNSEEN_SECONDS = 60.0  # AWS does it at once, as far as the operator's clock goes
ANOTHER_ROLE = "arn:aws:iam::222233334444:role/batch-operator"


def _environment_drifts(**request: Any) -> Callable[[Installation], object]:
    def drift(there: Installation) -> object:
        name = there.status(manifests.ENVIRONMENT)["awsName"]
        return there.aws().update_compute_environment(computeEnvironment=name, **request)

    return drift


def _environment_goes(there: Installation) -> None:
    name = there.status(manifests.ENVIRONMENT)["awsName"]
    there.aws().update_compute_environment(computeEnvironment=name, state="DISABLED")
    there.simulator.world.advance(UNSEEN_SECONDS)
    there.aws().delete_compute_environment(computeEnvironment=name)


def _queue_goes(there: Installation) -> None:
    name = there.status(manifests.QUEUE)["awsName"]
    there.aws().update_job_queue(jobQueue=name, state="DISABLED")
    there.simulator.world.advance(UNSEEN_SECONDS)
    there.aws().delete_job_queue(jobQueue=name)


def _policy_goes(there: Installation) -> object:
    return there.aws().delete_scheduling_policy(arn=there.status(manifests.POLICY)["arn"])


def _queue_drifts(there: Installation) -> object:
    name = there.status(manifests.QUEUE)["awsName"]
    return there.aws().update_job_queue(jobQueue=name, priority=99)


def _definition_drifts(there: Installation) -> object:
    name = there.status(manifests.DEFINITION)["awsName"]
    theirs = manifests.definition("theirs")
    return there.aws().register_job_definition(jobDefinitionName=name, **theirs)


def _definition_goes(there: Installation) -> object:
    arn = there.status(manifests.DEFINITION)["arn"]
    return there.aws().deregister_job_definition(jobDefinition=arn)


def _policy_drifts(there: Installation) -> object:
    arn = there.status(manifests.POLICY)["arn"]
    return there.aws().update_scheduling_policy(arn=arn, fairsharePolicy={"shareDecaySeconds": 1})


def _environment(name: str, spec: Spec, **own: Any) -> Subject:
    usual = {
        "key": manifests.ENVIRONMENT,
        "spec": spec,
        "makes": "batch:CreateComputeEnvironment",
        "unmakes": "batch:DeleteComputeEnvironment",
        "enters": "batch:CreateComputeEnvironment",
        "edit_calls": ("batch:UpdateComputeEnvironment",),
        "drift_calls": ("batch:UpdateComputeEnvironment",),
        "goes": _environment_goes,
        "unfelt": {**spec, "deletionPolicy": "Delete"},
        "selectors": (f"spec.type={spec['type']}", "status.awsStatus=VALID"),
        "name_field": "computeEnvironmentName",
    }
    return Subject(id=name, **{**usual, **own})


def _spot(**changes: Any) -> dict[str, Any]:
    strategy = "SPOT_PRICE_CAPACITY_OPTIMIZED"
    return manifests.environment(type="SPOT", allocationStrategy=strategy, **changes)


def _mistaken(spec: Spec) -> tuple[tuple[Spec, str], ...]:
    return (
        ({**spec, "type": "MANGED"}, "spec.type"),
        ({**spec, "servceRole": "x"}, "servceRole"),
        ({**spec, "awsName": "two words"}, "spec.awsName"),
    )


_SUBNETS = {"subnets": ["subnet-1", "subnet-2"]}
_LARGER = _environment_drifts(computeResources={"maxvCpus": 999})

EC2 = _environment(
    "EC2",
    manifests.environment(),
    edited=manifests.environment(maxvCpus=64),
    heavy=manifests.environment(instanceTypes=["c7i"]),
    beyond=manifests.environment() | {"serviceRole": manifests.ROLE},  # not AWS's own any more
    drift=_LARGER,
    mistakes=(
        *_mistaken(manifests.environment()),
        (manifests.environment(minvCpus=32), "minvCpus"),
    ),
)
SPOT = _environment(
    "Spot",
    _spot(),
    edited=_spot(maxvCpus=64),
    heavy=_spot(**_SUBNETS),
    beyond=_spot(spotIamFleetRole=manifests.ROLE),
    drift=_LARGER,
    mistakes=(*_mistaken(_spot()), (_spot(bidPercentage=101), "bidPercentage")),
)
FARGATE = _environment(
    "Fargate",
    manifests.fargate(),
    edited=manifests.fargate(**_SUBNETS),
    beyond=manifests.fargate(type="FARGATE_SPOT"),
    drift=_LARGER,
    mistakes=(
        *_mistaken(manifests.fargate()),
        (manifests.fargate(instanceTypes=["m7i"]), "instanceTypes"),
    ),
)
UNMANAGED = _environment(
    "UNMANAGED",
    manifests.unmanaged(),
    edited={**manifests.unmanaged(), "state": "DISABLED"},
    drift=_environment_drifts(unmanagedvCpus=7),
    mistakes=(
        *_mistaken(manifests.unmanaged()),
        (manifests.environment() | {"type": "UNMANAGED"}, "computeResources"),
    ),
)
QUEUE = Subject(
    id="JobQueue",
    key=manifests.QUEUE,
    spec=manifests.queue(schedulingPolicyRef={"name": manifests.POLICY.name}),
    makes="batch:CreateJobQueue",
    unmakes="batch:DeleteJobQueue",
    enters="batch:CreateJobQueue",
    needs=(manifests.ENVIRONMENT, manifests.POLICY),
    edited=manifests.queue(priority=20, schedulingPolicyRef={"name": manifests.POLICY.name}),
    edit_calls=("batch:UpdateJobQueue",),
    unfelt=manifests.queue(
        schedulingPolicyRef={"name": manifests.POLICY.name}, deletionPolicy="Delete"
    ),
    drift=_queue_drifts,
    goes=_queue_goes,
    drift_calls=("batch:UpdateJobQueue",),
    mistakes=(
        (manifests.queue("one", "two", "three", "four"), "computeEnvironmentOrder"),
        (manifests.queue(priority="high"), "priority"),
        (manifests.queue(prioritie=1), "prioritie"),
    ),
    selectors=("spec.schedulingPolicyRef.name=fair", "status.awsStatus=VALID"),
    name_field="jobQueueName",
)
DEFINITION = Subject(
    id="JobDefinition",
    key=manifests.DEFINITION,
    spec=manifests.definition(),
    makes="batch:RegisterJobDefinition",
    unmakes="batch:DeregisterJobDefinition",
    enters="batch:RegisterJobDefinition",
    edited=manifests.definition("false"),
    edit_calls=("batch:RegisterJobDefinition",),
    unfelt=manifests.definition(deletionPolicy="Delete"),
    drift=_definition_drifts,
    goes=_definition_goes,
    drift_calls=("batch:RegisterJobDefinition",),
    mistakes=(
        ({"type": "container", "containerProperties": {"image": "busybox"}}, "containerProperties"),
        (manifests.definition(keepRevisions=-1), "keepRevisions"),
        (manifests.definition(timeout={"attemptDurationSeconds": 10}), "attemptDurationSeconds"),
    ),
    name_field="jobDefinitionName",
)
POLICY = Subject(
    id="SchedulingPolicy",
    key=manifests.POLICY,
    spec=manifests.policy(),
    makes="batch:CreateSchedulingPolicy",
    unmakes="batch:DeleteSchedulingPolicy",
    enters="batch:CreateSchedulingPolicy",
    edited=manifests.policy("2.5"),
    edit_calls=("batch:UpdateSchedulingPolicy",),
    unfelt=manifests.policy(deletionPolicy="Delete"),
    drift=_policy_drifts,
    goes=_policy_goes,
    drift_calls=("batch:UpdateSchedulingPolicy",),
    mistakes=(
        (manifests.policy("0"), "weightFactor"),
        (manifests.policy(tags={"aws:team": "a"}), "tags"),
    ),
    name_field="name",
)
JOB = Subject(
    id="BatchJob",
    key=JOB_KEY,
    spec=manifests.job(),
    makes="batch:SubmitJob",
    unmakes="batch:TerminateJob",
    enters="batch:SubmitJob",
    reached="Complete",
    needs=(manifests.ENVIRONMENT, manifests.QUEUE, manifests.DEFINITION),
    edited=manifests.job(logs={"statusLines": 3}),
    unfelt=manifests.job(logs={"statusLines": 3}),
    mistakes=(
        ({"jobDefinitionRef": {"name": "simulate"}}, "jobQueueRef"),
        (manifests.job(arrayProperties={"size": 1}), "arrayProperties"),
        (manifests.job(retryStratgy={"attempts": 2}), "retryStratgy"),
    ),
    selectors=("spec.jobQueueRef.name=main", "status.awsStatus=SUCCEEDED"),
)
ACCOUNT = Subject(
    id="AWSAccount",
    key=RESEARCH,
    spec=research(),
    enters="sts:AssumeRole",
    edited=research(roleArn=ANOTHER_ROLE),
    unfelt=research(allowedRegions=["eu-central-1"]),
    mistakes=(
        (research(region="frankfurt"), "spec.region"),
        ({"externalId": "x1"}, "externalId"),
        (research(roleArn=f"arn:aws:iam::{NUMBER}:user/me"), "spec.roleArn"),
    ),
)

ENVIRONMENTS = (EC2, SPOT, FARGATE, UNMANAGED)
LASTING = (*ENVIRONMENTS, QUEUE, DEFINITION, POLICY)
SUBJECTS = (*LASTING, IMAGE, JOB, ACCOUNT)
