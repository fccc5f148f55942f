"""Which definitions that jobs name by ARN are of multi-node parallel jobs."""

from collections import OrderedDict

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.batchjob.desired import MULTINODE

REMEMBERED = 4096  # revisions


class DefinitionTypes:
    """What AWS says of them. A revision never changes, so each is asked about once."""

    def __init__(self, batch: BatchPort) -> None:
        self._batch = batch
        self._multinode: OrderedDict[str, bool] = OrderedDict()

    async def learn(self, scope: Scope, arn: str) -> None:
        """Know the definition's type before a job of it may be submitted.

        Raises AwsError and NoTokenError. Of what AWS does not list nothing is learnt: SubmitJob
        refuses it.
        """
        name, _, revision = arn.rpartition("/")[2].partition(":")
        if revision and arn in self._multinode:
            return
        active = await self._batch.job_definitions(scope, name)  # the newest first
        for found in active:
            if not revision or found["jobDefinitionArn"] == arn:
                self._multinode[arn] = found.get("type") == MULTINODE
                break
        while len(self._multinode) > REMEMBERED:
            self._multinode.popitem(last=False)

    def is_multinode(self, arn: str) -> bool:
        """Whether it is known to be one; the ARN may have no revision, which means the newest."""
        return self._multinode.get(arn, False)
