"""What people get wrong in a BatchJob that is not submitted yet, and the remedies they are told.

Each remedy that changes the job is a patch of its spec: the operator has to heal by it, and the API
server has to let it through.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support import manifests
from tests.support.crd_cases.cases import Patch
from tests.support.installation import ACCOUNT, NAMESPACE
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE
from tests.support.remedies.rows import There

from awsbatch_operator.api.metadata import ObjectKey

ARN = f"arn:aws:batch:eu-central-1:{ACCOUNT}"
ELSEWHERE = f"arn:aws:batch:eu-west-1:{ACCOUNT}"
_REFUSED = "Correct the spec, or what it names in AWS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A mistake, as a patch of a right spec; how the job stands then, and what corrects it.

    `says` is the part of the condition's message that tells the remedy. A `mends` that is empty:
    the remedy is elsewhere.
    """

    spec: Patch
    reason: str
    says: str
    mends: Patch = field(default_factory=dict)
    condition: str = "Stalled"


def _named(reference: str, name: str, right: str) -> Wrong:
    return Wrong(
        spec={reference: {"name": name}},
        condition="Reconciling",
        reason="ReferenceNotFound",
        says="correct the name",
        mends={reference: {"name": right}},
    )


def _by_arn(reference: str, arn: str, right: str, **told: Any) -> Wrong:
    return Wrong(
        spec={reference: {"name": None, "arn": arn}},
        mends={reference: {"name": right, "arn": None}},
        **told,
    )


WRONG: Mapping[str, Wrong] = {
    "queue-name": _named("jobQueueRef", "mian", "main"),
    "definition-name": _named("jobDefinitionRef", "simulat", "simulate"),
    "awaited-name": Wrong(
        spec={"dependsOn": [{"jobRef": {"name": "prepar"}}]},
        condition="Reconciling",
        reason="ReferenceNotFound",
        says="correct the name",
        mends={"dependsOn": None},
    ),
    "account-name": Wrong(
        spec={"accountRef": {"name": "reserch"}},
        condition="Reconciling",
        reason="ReferenceNotFound",
        says="correct the name",
        mends={"accountRef": {"name": "research"}},
    ),
    "region": Wrong(
        spec={"region": "eu-west-1"},
        reason="ReferenceElsewhere",
        says="Refer to one in the same account and region",
        mends={"region": None},
    ),
    "queue-elsewhere": _by_arn(
        "jobQueueRef",
        f"{ELSEWHERE}:job-queue/main",
        "main",
        reason="ReferenceElsewhere",
        says="Refer to one in the same account and region",
    ),
    "queue-arn": _by_arn(
        "jobQueueRef", f"{ARN}:job-queue/none", "main", reason="InvalidRequest", says=_REFUSED
    ),
    "definition-arn": _by_arn(
        "jobDefinitionRef",
        f"{ARN}:job-definition/none:1",
        "simulate",
        reason="InvalidRequest",
        says=_REFUSED,
    ),
    "share-without-policy": Wrong(
        spec={"shareIdentifier": "team"},
        reason="InvalidRequest",
        says=_REFUSED,
        mends={"shareIdentifier": None},
    ),
    "overrides": Wrong(
        spec={"ecsPropertiesOverride": {"taskProperties": [{"containers": [{"name": "a"}]}]}},
        reason="InvalidRequest",
        says=_REFUSED,
        mends={"ecsPropertiesOverride": None, "containerOverrides": {"command": ["true"]}},
    ),
    "multinode": Wrong(
        spec={"jobQueueRef": {"name": "spot"}, "jobDefinitionRef": {"name": "nodes"}},
        reason="MultiNodeNotSupported",
        says="Set jobQueueRef to a queue whose environments are all MANAGED, of type EC2",
        mends={"jobQueueRef": {"name": "main"}},
    ),
    "multinode-newest": Wrong(
        spec={
            "jobQueueRef": {"name": "spot"},
            "jobDefinitionRef": {"name": None, "arn": f"{ARN}:job-definition/nodes"},
        },
        reason="MultiNodeNotSupported",
        says="Set jobQueueRef to a queue",
        mends={"jobQueueRef": {"name": "main"}},
    ),
    "request-too-long": Wrong(
        spec={"parameters": {"text": 30_500 * "x"}},
        reason="RequestTooLong",
        says="Put what is long into a file in S3",
        mends={"parameters": {"text": "s3://bucket/text"}},
    ),
    # --- the remedy is elsewhere ---
    "multinode-by-arn": Wrong(
        spec={
            "jobQueueRef": {"name": "mixed"},
            "jobDefinitionRef": {"name": None, "arn": f"{ARN}:job-definition/nodes:1"},
        },
        reason="MultiNodeNotSupported",
        says="take the named environment out of computeEnvironmentOrder of the queue",
    ),
    "queue-to-come": Wrong(
        spec={"jobQueueRef": {"name": "later"}},
        condition="Reconciling",
        reason="ReferenceNotFound",
        says="Create it",
    ),
    "queue-disabled": Wrong(
        spec={"jobQueueRef": {"name": "closed"}}, reason="InvalidRequest", says=_REFUSED
    ),
    "namespace-not-served": Wrong(
        spec={"accountRef": {"name": "closed"}},
        reason="NotAllowed",
        says="Add the namespace to spec.allowedNamespaces",
    ),
    "definition-not-ready": Wrong(
        spec={"jobDefinitionRef": {"name": "stalled"}},
        condition="Reconciling",
        reason="ReferenceNotReady",
        says="its own conditions say",
    ),
}

RESEARCH, CLOSED = (ObjectKey("AWSAccount", "", name) for name in ("research", "closed"))
SPOT_STRATEGY = "SPOT_PRICE_CAPACITY_OPTIMIZED"
SERVES = {"allowedNamespaces": {"names": [NAMESPACE]}}
CLOSED_QUEUE, LATER_QUEUE = (ObjectKey("JobQueue", NAMESPACE, name) for name in ("closed", "later"))
SPOT = ObjectKey("ComputeEnvironment", NAMESPACE, "spot")
SPOT_QUEUE, MIXED_QUEUE = (ObjectKey("JobQueue", NAMESPACE, name) for name in ("spot", "mixed"))
NODES, BROKEN = (ObjectKey("JobDefinition", NAMESPACE, name) for name in ("nodes", "stalled"))
BODY = manifests.definition()["containerProperties"]
SECRET = {"secrets": [{"name": "KEY", "valueFrom": "key"}]}  # and no role to fetch it as
MULTINODE: dict[str, Any] = {
    "type": "multinode",
    "nodeProperties": {
        "numNodes": 2,
        "mainNode": 0,
        "nodeRangeProperties": [{"targetNodes": "0:1", "container": BODY}],
    },
}


def job_of(name: str) -> ObjectKey:
    """The job that makes this mistake."""
    return ObjectKey("BatchJob", NAMESPACE, name.lower())


async def with_all_that_jobs_name(there: There) -> None:
    """What the mistakes are about, and what mends them."""
    for each in (ENVIRONMENT, QUEUE, DEFINITION):
        there.apply(each, manifests.SPECS[each])
    there.apply(RESEARCH, SERVES)
    there.apply(CLOSED, {})
    there.apply(CLOSED_QUEUE, manifests.queue(state="DISABLED"))
    there.apply(SPOT, manifests.environment(type="SPOT", allocationStrategy=SPOT_STRATEGY))
    there.apply(SPOT_QUEUE, manifests.queue("spot"))
    there.apply(MIXED_QUEUE, manifests.queue("pool", "spot"))
    there.apply(NODES, MULTINODE | {"awsName": "nodes"})
    there.apply(BROKEN, {"type": "container", "containerProperties": {**BODY, **SECRET}})
    await there.until_ready(
        *(ENVIRONMENT, QUEUE, DEFINITION, RESEARCH, CLOSED, CLOSED_QUEUE, NODES),
        *(SPOT, SPOT_QUEUE, MIXED_QUEUE),
        within=900,
    )
    await there.until(BROKEN, "Stalled", "ExecutionRoleMissing")


def mend_elsewhere(there: There) -> None:
    """The remedies that are no change of the job."""
    there.apply(LATER_QUEUE, manifests.queue())
    there.apply(CLOSED_QUEUE, manifests.queue(state="ENABLED"))
    there.apply(MIXED_QUEUE, manifests.queue("pool"))
    there.apply(CLOSED, SERVES)
    there.apply(BROKEN, manifests.definition())
