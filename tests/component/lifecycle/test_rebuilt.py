"""A cluster that was built anew from Git has its infrastructure again, as it is in AWS."""

import itertools

from tests.component.lifecycle.test_replacement import NEW as REPLACED
from tests.component.lifecycle.test_replacement import begin, environments, order, with_a_job
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.made_elsewhere import described, make, spec_of
from tests.support.manifests import DEFINITION, ENVIRONMENT, LASTING, POLICY, QUEUE, SPECS

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.names import successor_name
from awsbatch_operator.api.tags import ORIGIN, OWNER_UID

NEW = ObjectKey("ComputeEnvironment", ENVIRONMENT.namespace, "replaced")
TAGS = {"tags": {"team": "climate"}}


def without_owners(things):
    for each in things.values():
        each["tags"].pop(OWNER_UID, None)
        each.pop("statusReason", None)
    return things


async def rebuilt(before, specs, **settings):
    """Another cluster of the same id, with the objects from Git and nothing else."""
    there = Installation(simulator=before.simulator, **settings)
    there.kube.objects._uids = itertools.count(1000)
    await there.clock.advance(before.clock.now().epoch - there.clock.now().epoch)
    async with there.running():
        for key, spec in specs.items():
            there.apply(key, spec)
        await there.until_ready(*specs)
        await there.clock.advance(700)
        assert there.ready(*specs)
    return there


async def test_all_kinds_are_owned_again_and_only_the_owners_uid_changes():
    there = Installation()
    specs = {key: {**SPECS[key], **TAGS} for key in LASTING}
    specs[QUEUE] = {**specs[QUEUE], "schedulingPolicyRef": {"name": POLICY.name}}
    async with there.running():
        for key, spec in specs.items():
            there.apply(key, spec)
        await there.until_ready(*specs)
        there.apply(DEFINITION, {**manifests.definition("two"), **TAGS})
        await there.until_ready(DEFINITION)
        there.apply(DEFINITION, specs[DEFINITION])
        await there.until_ready(DEFINITION)
    before = without_owners(described(there))
    anew = await rebuilt(there, specs)
    assert anew.changes() == ["batch:TagResource"] * len(LASTING)
    assert without_owners(described(anew)) == before
    for key in LASTING:
        assert there.status(key)["arn"] == anew.status(key)["arn"]
        assert "Reowned" in [reason for reason, _ in anew.events(key)]
        assert anew.status(key)["deletionPolicy"] == "Delete"
    async with anew.running():
        for key in LASTING:
            anew.kube.remove(key)
        await anew.until_gone(*LASTING, within=900)
    assert described(anew) == {}


async def test_what_was_adopted_is_known_as_such_and_stays_when_its_objects_go():
    there = Installation(allow_adoption=True)
    specs = {key: spec_of(key) for key in LASTING}
    async with there.running():
        await make(there, *LASTING)
        for key, spec in specs.items():
            there.apply(key, spec)
        await there.until_ready(*specs)
    anew = await rebuilt(there, {key: spec_of(key) for key in LASTING}, allow_adoption=True)
    assert anew.changes() == ["batch:TagResource"] * len(LASTING)
    assert {anew.status(key)["deletionPolicy"] for key in LASTING} == {"Retain"}
    async with anew.running():
        for key in LASTING:
            anew.kube.remove(key)
        await anew.until_gone(*LASTING)
    left = described(anew)
    assert len(left) == len(LASTING)
    assert not any(ORIGIN in each["tags"] for each in left.values())


async def test_an_environment_is_found_under_the_name_that_a_replacement_gave_it():
    """And its queue is left as it is: the ARN that the reference leads to is the same again."""
    there = Installation()
    async with there.running():
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        await there.until_ready(ENVIRONMENT)
        first = there.status(ENVIRONMENT)["awsName"]
        tags = described(there)[f"ComputeEnvironment {first}"]["tags"]
    spec = {**SPECS[ENVIRONMENT], "tags": tags}
    aws = there.aws()
    second = successor_name(first, (first,), "later")
    aws.create_compute_environment(computeEnvironmentName=second, **spec)
    await there.clock.advance(60)
    aws.update_compute_environment(computeEnvironment=first, state="DISABLED")
    await there.clock.advance(60)
    aws.delete_compute_environment(computeEnvironment=first)
    await there.clock.advance(120)
    arn = described(there)[f"ComputeEnvironment {second}"]["computeEnvironmentArn"]
    before = without_owners(described(there))
    anew = await rebuilt(there, {ENVIRONMENT: SPECS[ENVIRONMENT]})
    assert anew.changes() == ["batch:TagResource"]
    assert without_owners(described(anew)) == before
    assert anew.status(ENVIRONMENT)["arn"] == arn
    assert anew.status(ENVIRONMENT)["awsName"] == second
    async with anew.running():
        anew.apply(QUEUE, SPECS[QUEUE])
        await anew.until_ready(QUEUE)
        # Without its record, the object still knows the name from its status.
        anew.kube.annotate(ENVIRONMENT, **{"awsbatch.dev/resolved": None})
        await anew.clock.advance(400)
        assert anew.ready(ENVIRONMENT)
        anew.kube.remove(QUEUE)
        anew.kube.remove(ENVIRONMENT)
        await anew.until_gone(QUEUE, ENVIRONMENT, within=900)
    assert described(anew) == {}


async def test_in_the_midst_of_a_replacement_the_new_environment_goes_on_serving():
    """The one before drains: it keeps its own name, and its job comes to its end."""
    there = Installation()
    async with there.running():
        old = await begin(there)
        await with_a_job(there, 3000)
        there.apply(ENVIRONMENT, REPLACED)
        await there.clock.run_until(
            lambda: there.status(ENVIRONMENT).get("replacement", {}).get("step") == "Draining",
            within=900,
        )
    (new,) = order(there)
    assert set(environments(there)) == {old, new}
    anew = Installation(simulator=there.simulator)
    anew.kube.objects._uids = itertools.count(1000)
    await anew.clock.advance(there.clock.now().epoch - anew.clock.now().epoch)
    async with anew.running():
        for key, spec in {ENVIRONMENT: REPLACED, QUEUE: SPECS[QUEUE]}.items():
            anew.apply(key, spec)
        await anew.until_ready(QUEUE)
        await anew.clock.advance(700)
        assert order(anew) == [new]
        assert anew.status(ENVIRONMENT)["awsName"] == new
        await anew.until_ready(ENVIRONMENT, within=4000)
        assert set(environments(anew)) == {new}
        assert "batch:CreateComputeEnvironment" not in anew.changes()
    (job,) = anew.simulator.world.region(anew.simulator.place).batch.jobs.values()
    assert job.status == "SUCCEEDED"
