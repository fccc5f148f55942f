"""Definitions that stand in jobs, and a Batch that has some of them."""

from dataclasses import replace
from typing import Any

from tests.support.clock import SteppedClock
from tests.unit.kinds.batchjob.jobs import NOW, QUEUE_ARN, SCOPE, job

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import LeadershipStart
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.kinds.batchjob import inline
from awsbatch_operator.kinds.batchjob.inline import Place
from awsbatch_operator.kinds.batchjob.inline_registering import InlineDefinitions
from awsbatch_operator.kinds.batchjob.inline_users import DefinitionUsers

NEEDS = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}]
CONTENT = {
    "type": "container",
    "containerProperties": {"image": "busybox", "resourceRequirements": NEEDS},
}
OTHER = {**CONTENT, "retryStrategy": {"attempts": 2}}


def with_inline(content=CONTENT, **changes):
    spec = {"jobQueueRef": {"arn": QUEUE_ARN}, "jobDefinition": content}
    return job(spec=spec, **changes)


def named(content=CONTENT, cluster="test", namespace="climate"):
    key = ObjectKey("BatchJob", namespace, "any")
    found = inline.inline_of(replace(with_inline(content), key=key), cluster)
    assert found is not None
    return found.name


def place(content=CONTENT):
    return Place(SCOPE.account_id, SCOPE.region, named(content))


def arn(content=CONTENT, revision=""):
    return inline.arn_of(place(content), QUEUE_ARN) + revision


class Batch:
    """A BatchPort that lists nothing, and registers."""

    def __init__(self):
        self.sent = []
        self.listed: list[dict[str, Any]] = []

    async def job_definitions(self, *_, **__):
        return self.listed

    async def change(self, _scope, operation, request):
        self.sent.append(operation)
        if operation.startswith("Deregister"):
            return {}
        return {"jobDefinitionArn": arn(revision=":1"), "revision": 1}


def definitions(index=None):
    clock = SteppedClock(start=NOW.epoch)
    users = DefinitionUsers(Cache(clock=clock), index or ReferenceIndex(), "test")
    batch: Any = Batch()
    known = InlineDefinitions(
        batch=batch, clock=clock, leadership=LeadershipStart(), cluster_id="test", users=users
    )
    return known, batch


def described(revision):
    tags = {"awsbatch.dev/cluster": "test", "awsbatch.dev/purpose": "inline"}
    number = int(revision[1:])
    return {"jobDefinitionArn": arn(revision=revision), "revision": number, "tags": tags, **CONTENT}
