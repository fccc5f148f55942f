"""What AWS describes of an object is its spec: applied as a manifest, it causes no call."""

from tests.support import manifests, quickstart
from tests.support.described import spec_of
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import ENVIRONMENT, POLICY, QUEUE
from tests.support.published import PUBLISHED
from tests.support.simulated_aws import make_simulator

from awsbatch_operator.api.metadata import ObjectKey

EXAMPLES = {
    ObjectKey(body["kind"], NAMESPACE, body["metadata"]["name"]): body["spec"]
    for body in quickstart.bodies()
    if body["kind"] != "BatchJob"
}
DEFINITIONS = {ObjectKey("JobDefinition", NAMESPACE, name): PUBLISHED[name] for name in PUBLISHED}
FAIR = ObjectKey("JobQueue", NAMESPACE, "fair")
ALIKE = ObjectKey("SchedulingPolicy", NAMESPACE, "alike")
OTHERS = {
    ENVIRONMENT: manifests.environment(),
    QUEUE: manifests.queue("pool"),
    POLICY: manifests.policy(),
    ALIKE: {},
    FAIR: manifests.queue("pool", schedulingPolicyRef={"name": POLICY.name}),
}
ALL = {**EXAMPLES, **DEFINITIONS, **OTHERS}


def described(there, key):
    """What AWS says of the object."""
    aws, status = there.aws(), there.status(key)
    name = status["awsName"]
    match key.kind:
        case "ComputeEnvironment":
            found = aws.describe_compute_environments(computeEnvironments=[name])
            return found["computeEnvironments"][0]
        case "JobQueue":
            return aws.describe_job_queues(jobQueues=[name])["jobQueues"][0]
        case "SchedulingPolicy":
            found = aws.describe_scheduling_policies(arns=[status["arn"]])
            return found["schedulingPolicies"][0]
        case _:
            found = aws.describe_job_definitions(jobDefinitions=[status["arn"]])
            return found["jobDefinitions"][0]


async def test_every_example_and_published_definition_survives_the_way_to_aws_and_back():
    there = Installation(make_simulator(limits=False))
    async with there.running():
        for key, spec in ALL.items():
            there.apply(key, spec)
        await there.until_ready(*ALL, within=900)
        await there.clock.advance(30)
        there.calls.clear()
        for key in ALL:
            there.apply(key, spec_of(key.kind, described(there, key)))
        await there.until_ready(*ALL, within=60)
        await there.clock.advance(700)
        assert there.changes() == []
        assert [key for key in ALL if there.status(key).get("revision", 1) != 1] == []


async def test_a_description_made_anew_is_the_same_again():
    there = Installation(make_simulator(limits=False))
    async with there.running():
        for key, spec in DEFINITIONS.items():
            there.apply(key, spec)
        await there.until_ready(*DEFINITIONS)
        copies = {
            ObjectKey(key.kind, "other", key.name): spec_of(key.kind, described(there, key))
            for key in DEFINITIONS
        }
        for key, spec in copies.items():
            there.apply(key, spec)
        await there.until_ready(*copies)
        for key, spec in copies.items():
            assert spec_of(key.kind, described(there, key)) == spec
