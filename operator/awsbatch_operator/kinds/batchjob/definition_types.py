"""What AWS says of definitions that jobs name by ARN, or whose earlier revisions they run."""

from collections import OrderedDict

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.batchjob.desired import MULTINODE
from awsbatch_operator.kinds.batchjob.environment import DefinitionShape, shape_of
from awsbatch_operator.kinds.batchjob.packed import Work, work_of

REMEMBERED = 4096  # revisions


class DefinitionTypes:
    """What AWS says of them. A revision never changes, so each is asked about once."""

    def __init__(self, batch: BatchPort) -> None:
        self._batch = batch
        self._multinode: OrderedDict[str, bool] = OrderedDict()
        self._shapes: dict[str, DefinitionShape] = {}
        self._works: dict[str, tuple[str, Work]] = {}  # with the revision's own ARN

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
                self._shapes[arn] = shape_of(found)
                self._works[arn] = (found["jobDefinitionArn"], work_of(found))
                break
        while len(self._multinode) > REMEMBERED:
            oldest, _ = self._multinode.popitem(last=False)
            self._shapes.pop(oldest, None)
            self._works.pop(oldest, None)

    def is_listed(self, arn: str) -> bool:
        """Whether AWS has listed it; once a revision was, it is not asked about again."""
        return arn in self._multinode

    def is_multinode(self, arn: str) -> bool:
        """Whether it is known to be one; the ARN may have no revision, which means the newest."""
        return self._multinode.get(arn, False)

    def shape(self, arn: str) -> DefinitionShape | None:
        """Its shape, if that is known."""
        return self._shapes.get(arn)

    def work(self, arn: str) -> tuple[str, Work] | None:
        """What it runs, and the revision that this is of: an ARN without one means the newest."""
        return self._works.get(arn)
