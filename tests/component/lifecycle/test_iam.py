"""What the operator sends is what its own policy allows: nothing is made without its tag."""

import json

from tests.support import manifests
from tests.support.iam import allows
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, POLICY, QUEUE
from tests.support.one_process import CLUSTER
from tools import iam_policy

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.aws.calls import CLUSTER_ID

JOB = ObjectKey("BatchJob", NAMESPACE, "one")
MADE = {
    "CreateComputeEnvironment": "compute-environment/x",
    "CreateJobQueue": "job-queue/x",
    "CreateSchedulingPolicy": "scheduling-policy/x",
    "RegisterJobDefinition": "job-definition/x:1",
    "SubmitJob": "job/x",
}


async def test_everything_that_is_made_carries_the_tag_that_the_policy_demands(monkeypatch):
    there = Installation()
    sent = []

    def record(params, model, **_):
        if model.name in MADE:
            sent.append((model.name, params.get("tags", {})))

    connect = there.lagging.connect

    def watched(client):
        client.meta.events.register("provide-client-params.batch", record)
        return connect(client)

    monkeypatch.setattr(there.lagging, "connect", watched)
    async with there.running():
        there.apply(ENVIRONMENT, manifests.environment())
        there.apply(POLICY, manifests.policy())
        there.apply(QUEUE, manifests.queue("pool", schedulingPolicyRef={"name": "fair"}))
        there.apply(DEFINITION, manifests.definition())
        await there.until_ready(ENVIRONMENT, POLICY, QUEUE, DEFINITION)
        there.apply(JOB, manifests.job(shareIdentifier="a"))
        await there.clock.run_until(lambda: "jobId" in there.status(JOB), within=60)

    text = (iam_policy.FOLDER / "operator-policy.json").read_text().replace(CLUSTER_ID, CLUSTER)
    policy = json.loads(text)
    assert {operation for operation, _ in sent} == set(MADE)
    for operation, tags in sent:
        context = {f"aws:RequestTag/{name}": value for name, value in tags.items()}
        made = f"arn:aws:batch:eu-central-1:{ACCOUNT}:{MADE[operation]}"
        assert allows(policy, f"batch:{operation}", made, context)
        assert allows(policy, "batch:TagResource", made, context)
