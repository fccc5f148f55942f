"""Which queues hold environments that multi-node parallel jobs do not run in.

AWS Batch takes such a job into any queue, and leaves it in RUNNABLE without a word where it cannot
run: user guide, "Multi-node parallel jobs" (not on Spot, not in UNMANAGED environments, not on
Fargate) and "Compute environments for Amazon ECS Managed Instances". So it is not submitted there.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import CLUSTER, KIND, NAME, NAMESPACE
from awsbatch_operator.api.words import some_of
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.batchjob.definition_types import DefinitionTypes
from awsbatch_operator.kinds.batchjob.desired import MULTINODE
from awsbatch_operator.kinds.gates import Find

REMEMBERED = 4096  # queues
UNFIT: Mapping[str, str] = {
    "SPOT": "Spot instances",
    "FARGATE": "Fargate",
    "FARGATE_SPOT": "Fargate Spot",
    "ECS_MANAGED_INSTANCES": "ECS Managed Instances",
}


class NodeHosts:
    """What AWS says of the queues to which multi-node jobs would be submitted. For one event loop.

    It is what AWS has that counts, whoever has made it and however a job names it. Queues and
    environments are read from the feeds that look at them anyway, and only while such a job has not
    been submitted; one that cannot run there is woken when either changes. `unfit` says why nothing
    is submitted to a queue, by its ARN.
    """

    def __init__(
        self, batch: BatchPort, types: DefinitionTypes, find: Find, cluster_id: str
    ) -> None:
        self._batch = batch
        self._types = types
        self._find = find
        self._cluster_id = cluster_id
        self.unfit: OrderedDict[str, Finding] = OrderedDict()

    async def learn(self, scope: Scope, resource: Resource) -> None:
        """Look at the queues of a job that may be submitted now. Raises AwsError, NoTokenError."""
        if not self._has_nodes(resource):
            return
        for arn in self._queues(resource):
            finding = await self._looked_at(scope, arn, None)
            if finding is not None:
                finding = await self._looked_at(scope, arn, resource.key)
            self.unfit.pop(arn, None)
            if finding is not None:
                self.unfit[arn] = finding
        while len(self.unfit) > REMEMBERED:
            self.unfit.popitem(last=False)

    def _has_nodes(self, resource: Resource) -> bool:
        inline = resource.spec.get("jobDefinition")
        if inline is not None:
            return bool(inline.get("type") == MULTINODE)
        reference = resource.spec.get("jobDefinitionRef") or {}
        if "arn" in reference:
            return self._types.is_multinode(str(reference["arn"]))
        definition = self._object(resource, "JobDefinition", reference)
        return definition is not None and definition.spec.get("type") == MULTINODE

    def _queues(self, resource: Resource) -> Iterator[str]:
        """The queue, and the one that a run goes to after others were lost."""
        fallback = resource.spec.get("fallback") or {}
        for reference in (resource.spec.get("jobQueueRef"), fallback.get("jobQueueRef")):
            if reference and "arn" in reference:
                yield str(reference["arn"])
            elif reference:
                queue = self._object(resource, "JobQueue", reference)
                arn = queue.status.get("arn") if queue is not None else None
                if arn:
                    yield str(arn)

    def _object(self, resource: Resource, kind: str, reference: Shape) -> Resource | None:
        name = reference.get("name")
        return self._find(ObjectKey(kind, resource.key.namespace, str(name))) if name else None

    async def _looked_at(self, scope: Scope, arn: str, wake: ObjectKey | None) -> Finding | None:
        queue = await self._batch.job_queue(scope, arn, wake=wake)
        if queue is None:
            return None  # SubmitJob says so
        unfit = []
        for entry in queue.get("computeEnvironmentOrder", ()):
            named = str(entry["computeEnvironment"])
            detail = await self._batch.compute_environment(scope, named, wake=wake)
            why = _why(detail or {})
            if detail is not None and why:
                unfit.append(f"{self._named(detail)} ({why})")
        return _finding(self._named(queue), unfit) if unfit else None

    def _named(self, detail: Shape) -> str:
        """The object that it belongs to, or else what AWS calls it."""
        tags = detail.get("tags") or {}
        if tags.get(CLUSTER) == self._cluster_id and NAME in tags:
            return f"{tags.get(KIND)} {tags.get(NAMESPACE)}/{tags[NAME]}"
        if "jobQueueName" in detail:
            return f"queue {detail['jobQueueName']}"
        return f"environment {detail.get('computeEnvironmentName')}"


def _why(environment: Shape) -> str:
    """Why AWS places no nodes in it; "" if it does."""
    if environment.get("type") == "UNMANAGED":
        return "UNMANAGED"
    kind = str((environment.get("computeResources") or {}).get("type") or "")
    return UNFIT.get(kind, "")


def _finding(queue: str, unfit: list[str]) -> Finding:
    return Finding(
        job_reasons.MULTI_NODE_NOT_SUPPORTED,
        f"The job has several nodes, and {queue} holds {some_of(unfit)}, where AWS runs no "
        "multi-node parallel jobs: it would wait in RUNNABLE for ever. Nothing was sent.",
    )
