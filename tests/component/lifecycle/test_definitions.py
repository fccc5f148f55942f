"""JobDefinitions: a revision per distinct content, only ours touched, none taken from a job."""

from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, SPECS

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.tags import CONTENT
from awsbatch_simulator.jobscript import JobScript

JOB = ObjectKey("BatchJob", NAMESPACE, "run")
REGISTER, DEREGISTER = "batch:RegisterJobDefinition", "batch:DeregisterJobDefinition"


def active(there):
    """Numbers of the ACTIVE revisions in AWS."""
    found = there.aws().describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    return sorted(definition["revision"] for definition in found)


async def applied(there, *commands, **changes):
    for command in commands:
        there.apply(DEFINITION, manifests.definition(command, **changes))
        await there.until_ready(DEFINITION)
        await there.clock.advance(2)


async def test_every_content_is_registered_once_and_the_newest_ones_are_kept():
    there = Installation()
    async with there.running():
        await applied(there, "one", "two", "three", "four", "five")
        assert there.changes().count(REGISTER) == 5
        assert active(there) == [3, 4, 5]
        status = there.status(DEFINITION)
        assert [entry["revision"] for entry in status["revisions"]] == [5, 4, 3]
        assert status["arn"].endswith(":5")
        assert status["contentHash"].startswith("v2:")


async def test_keep_revisions_is_obeyed_and_may_change():
    there = Installation()
    async with there.running():
        await applied(there, "one", "two", "three", keepRevisions=5)
        assert active(there) == [1, 2, 3]
        await applied(there, "three", keepRevisions=1)
    assert active(there) == [3]


def newest(there):
    """What AWS runs for those who submit by name: revision and command."""
    found = there.aws().describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    last = max(found, key=lambda definition: definition["revision"])
    return last["revision"], last["containerProperties"]["command"][0]


async def test_content_that_comes_back_is_registered_anew_and_is_what_a_name_leads_to():
    there = Installation()
    async with there.running():
        await applied(there, "one", "two", "one")
        assert there.changes() == [REGISTER] * 3
        assert there.status(DEFINITION)["revision"] == 3
        assert newest(there) == (3, "one")
        await there.clock.advance(700)
    assert there.changes() == [REGISTER] * 3


async def test_a_newer_revision_of_somebody_else_is_superseded_once_and_left_alone():
    there = Installation()
    async with there.running():
        await applied(there, "one", keepRevisions=1)
        name = there.status(DEFINITION)["awsName"]
        body = there.aws().describe_job_definitions(status="ACTIVE")["jobDefinitions"][0]
        theirs = manifests.definition("theirs")
        there.aws().register_job_definition(jobDefinitionName=name, **theirs)
        await there.clock.advance(700)
        assert newest(there) == (3, "one")
        assert active(there) == [2, 3]
        told = [note for reason, note in there.events(DEFINITION) if reason == "DriftRepaired"]
        assert told[0].endswith("Revision 2, the newest until now, had another content.")
        # Made out of ours, with our tags: the tags alone must not make us believe in it.
        there.aws().register_job_definition(jobDefinitionName=name, tags=body["tags"], **theirs)
        await there.clock.advance(1500)
        assert newest(there) == (5, "one")
    assert there.changes().count(REGISTER) == 3


async def test_who_updates_our_definition_in_awss_usual_way_is_superseded_too():
    there = Installation()
    async with there.running():
        await applied(there, "one")
        status = there.status(DEFINITION)
        theirs = manifests.definition("theirs")
        there.aws().register_job_definition(jobDefinitionName=status["awsName"], **theirs)
        there.aws().deregister_job_definition(jobDefinition=status["arn"])
        await there.clock.advance(700)
        assert there.ready(DEFINITION)
        assert newest(there) == (3, "one")
        there.kube.remove(DEFINITION)
        await there.until_gone(DEFINITION)
    assert active(there) == [2]


async def test_a_content_tag_that_was_taken_away_is_set_again_with_one_call():
    there = Installation()
    async with there.running():
        await applied(there, "one")
        arn = there.status(DEFINITION)["arn"]
        there.aws().untag_resource(resourceArn=arn, tagKeys=[CONTENT])
        there.calls.clear()
        await there.clock.advance(1500)
        assert there.changes() == ["batch:TagResource"]
        tags = there.aws().list_tags_for_resource(resourceArn=arn)["tags"]
        assert tags[CONTENT] == there.status(DEFINITION)["contentHash"]


async def test_another_order_and_awss_defaults_are_the_same_content():
    there = Installation()
    spec = manifests.definition("one")
    async with there.running():
        await applied(there, "one")
        container = spec["containerProperties"]
        container["resourceRequirements"].reverse()
        container["privileged"] = False
        there.apply(DEFINITION, spec)
        await there.until_ready(DEFINITION)
    assert there.changes() == [REGISTER]


async def test_a_revision_that_a_running_job_uses_is_kept_until_the_job_ends():
    there = Installation()
    script = JobScript(job_name="run-*", duration_seconds=5000)
    world = there.simulator.world
    world.change(world.settings.model_copy(update={"job_scripts": (script,)}))
    async with there.running():
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        there.apply(QUEUE, SPECS[QUEUE])
        await applied(there, "one", keepRevisions=1)
        there.apply(
            JOB, {"jobQueueRef": {"name": "main"}, "jobDefinitionRef": {"name": "simulate"}}
        )
        await there.clock.run_until(lambda: "jobId" in there.status(JOB), within=300)
        await applied(there, "two", "three", keepRevisions=1)
        await there.clock.advance(900)
        assert active(there) == [1, 3]
        await there.until(JOB, "Complete", within=9000)
        await there.clock.advance(900)
        assert active(there) == [3]


async def test_revisions_of_others_under_our_name_are_never_deregistered():
    there = Installation()
    async with there.running():
        await applied(there, "one", keepRevisions=1)
        name = there.status(DEFINITION)["awsName"]
        spec = manifests.definition("theirs")
        there.aws().register_job_definition(jobDefinitionName=name, **spec)
        await applied(there, "three", "four", keepRevisions=1)
        assert active(there) == [2, 4]
        there.kube.remove(DEFINITION)
        await there.until_gone(DEFINITION)
    assert active(there) == [2]


async def test_a_name_that_others_use_is_refused():
    there = Installation()
    there.aws().register_job_definition(jobDefinitionName="theirs", **SPECS[DEFINITION])
    async with there.running():
        there.apply(DEFINITION, SPECS[DEFINITION] | {"awsName": "theirs"})
        await there.until(DEFINITION, "Stalled", "AlreadyExists")
    assert there.changes() == []


async def test_an_operator_that_hashes_differently_registers_nothing_anew():
    there = Installation()
    async with there.running():
        await applied(there, "one")
        arn = there.status(DEFINITION)["arn"]
    there.aws().tag_resource(resourceArn=arn, tags={CONTENT: "v0:something-else"})
    body = there.kube.objects.get(DEFINITION)
    body["status"]["revisions"][0]["contentHash"] = "v0:something-else"
    there.kube.objects.save(DEFINITION, body)
    there.calls.clear()
    async with there.running():
        await there.until_ready(DEFINITION)
        await there.clock.advance(700)
    assert there.changes() == []


async def test_deleting_a_definition_deregisters_all_of_its_revisions():
    there = Installation()
    async with there.running():
        await applied(there, "one", "two")
        there.kube.remove(DEFINITION)
        await there.until_gone(DEFINITION)
    assert active(there) == []
    assert there.changes().count(DEREGISTER) == 2


async def test_revisions_without_a_status_are_found_by_their_tags():
    there = Installation()
    async with there.running():
        await applied(there, "one", "two", "three", "four")
        await there.clock.advance(10)
    body = there.kube.objects.get(DEFINITION)
    there.kube.objects.save(DEFINITION, {**body, "status": {"observedGeneration": -1}})
    there.calls.clear()
    async with there.running():
        await there.until_ready(DEFINITION)
        await there.clock.advance(10)
        assert there.status(DEFINITION)["revision"] == 4
    assert there.changes() == []
