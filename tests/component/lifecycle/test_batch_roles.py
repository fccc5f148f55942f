"""deploy/iam/roles in a simulated account: enough for environments, and missed where absent."""

import pytest
from tests.support import manifests
from tests.support.cloudformation import Stack, create, create_one
from tests.support.installation import ACCOUNT, NAMESPACE, Installation

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_sandbox.paths import REPOSITORY
from awsbatch_simulator.jobscript import JobScript

TEMPLATE = REPOSITORY / "deploy" / "iam" / "roles" / "batch-roles.yaml"
STACK = Stack.read(TEMPLATE, ACCOUNT, Prefix="batch-mine")  # some of the names exist from the start
PROFILE, SERVICE, FLEET, EXECUTION, JOB = (
    STACK.output(name)
    for name in (
        *("InstanceProfileArn", "ServiceRoleArn", "SpotFleetRoleArn"),
        *("ExecutionRoleArn", "JobRoleArn"),
    )
)
MANAGED, SPOT, UNMANAGED = (
    ObjectKey("ComputeEnvironment", NAMESPACE, name) for name in ("managed", "spot", "unmanaged")
)
SPECS = {
    MANAGED: manifests.environment(instanceRole=PROFILE),
    SPOT: manifests.environment(
        type="SPOT", allocationStrategy="BEST_FIT", instanceRole=PROFILE, spotIamFleetRole=FLEET
    ),
    UNMANAGED: {"type": "UNMANAGED", "serviceRole": SERVICE},
}
# Which environment misses what, and what is then said. The fleet role is looked for as soon as the
# simulator's health check knows of it: add ("SpotFleetRole", SPOT, FLEET).
MISSED = [
    ("InstanceProfile", MANAGED, PROFILE),
    ("ServiceRole", UNMANAGED, SERVICE),
]


async def test_environments_and_a_job_work_with_exactly_these_roles():
    there = Installation()
    create(STACK, there.aws("iam"))
    definition = manifests.definition()
    definition["containerProperties"] |= {"jobRoleArn": JOB, "executionRoleArn": EXECUTION}
    job = ObjectKey("BatchJob", NAMESPACE, "one")
    async with there.running():
        for key, spec in SPECS.items():
            there.apply(key, spec)
        there.apply(manifests.QUEUE, manifests.queue("managed", "spot"))
        there.apply(manifests.DEFINITION, definition)
        await there.until_ready(*SPECS, manifests.QUEUE, manifests.DEFINITION, within=900)
        there.apply(job, manifests.job())
        await there.until(job, "Complete", within=3600)


@pytest.mark.parametrize(("role", "key", "arn"), MISSED)
async def test_an_absent_role_is_named_and_the_environment_heals_when_it_is_there(role, key, arn):
    there = Installation()
    iam = there.aws("iam")
    create(STACK, iam, without=role)
    async with there.running():
        there.apply(key, SPECS[key])
        said = await there.until(key, "Stalled", "EnvironmentInvalid", within=900)
        assert arn in said
        create_one(STACK, iam, role)
        await there.until_ready(key, within=900)


@pytest.mark.parametrize(("member", "arn"), [("jobRoleArn", JOB), ("executionRoleArn", EXECUTION)])
async def test_a_job_whose_role_is_absent_says_which_and_what_mends_it(member, arn):
    """ECS finds out when it starts the job; here the simulator is told what it says then."""
    there = Installation()
    world = there.simulator.world
    words = (
        f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify "
        "that the role being passed has the proper trust relationship and permissions and that "
        "your IAM user has permissions to pass this role."
    )
    script = JobScript(exit_code=None, status_reason=words)
    world.change(world.settings.model_copy(update={"job_scripts": (script,)}))
    definition = manifests.definition()
    definition["containerProperties"][member] = arn
    job = ObjectKey("BatchJob", NAMESPACE, "one")
    async with there.running():
        there.apply(manifests.ENVIRONMENT, manifests.environment())
        there.apply(manifests.QUEUE, manifests.queue())
        there.apply(manifests.DEFINITION, definition)
        there.apply(job, manifests.job())
        said = await there.until(job, "Failed", within=3600)
    assert arn in said
    assert "ecs-tasks.amazonaws.com" in said  # who has to be trusted
