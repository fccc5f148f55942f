"""Job definitions that existed before: what others registered stays theirs."""

from tests.support import manifests
from tests.support.installation import Installation
from tests.support.made_elsewhere import FOREIGN, SHARED, described, make, spec_of
from tests.support.manifests import DEFINITION

from awsbatch_operator.api.tags import CLUSTER, KIND, NAME
from awsbatch_operator.api.tags import NAMESPACE as NAMESPACE_TAG

LAG = 20.0  # seconds for which AWS does not list what was registered


def allowing():
    return Installation(allow_adoption=True)


async def test_revisions_of_others_are_never_deregistered_not_even_the_one_that_was_taken_over():
    there = allowing()
    async with there.running():
        await make(there, DEFINITION)
        there.apply(DEFINITION, spec_of(DEFINITION, keepRevisions=1))
        await there.until_ready(DEFINITION)
        for command in ("two", "three"):
            spec = spec_of(DEFINITION, keepRevisions=1) | manifests.definition(command)
            there.apply(DEFINITION, spec)
            await there.until_ready(DEFINITION)
            await there.clock.advance(10)
        assert sorted(described(there)) == [f"JobDefinition {SHARED}:{n}" for n in (1, 3)]
        there.apply(DEFINITION, spec_of(DEFINITION, deletionPolicy="Delete"))
        await there.until_ready(DEFINITION)
        there.aws().register_job_definition(
            jobDefinitionName=SHARED, **manifests.definition("theirs")
        )
        there.kube.remove(DEFINITION)
        await there.until_gone(DEFINITION)
    left = [each["containerProperties"]["command"] for each in described(there).values()]
    assert left == [["theirs"]]


async def test_a_revision_that_aws_does_not_list_yet_is_let_go_by_one_call():
    there = allowing()
    await make(there, DEFINITION)
    async with there.running():
        there.apply(DEFINITION, spec_of(DEFINITION))
        await there.until_ready(DEFINITION)
        there.lagging.seconds = LAG
        there.apply(DEFINITION, spec_of(DEFINITION) | manifests.definition("two"))
        await there.until_ready(DEFINITION)
        there.calls.clear()
        there.kube.remove(DEFINITION)
        await there.until_gone(DEFINITION)
        assert there.changes() == ["batch:UntagResource"] * 2
    there.lagging.seconds = 0
    tags = {name: each["tags"] for name, each in described(there).items()}
    assert tags == {f"JobDefinition {SHARED}:1": FOREIGN, f"JobDefinition {SHARED}:2": {}}


async def test_a_name_of_which_another_operator_has_marked_a_revision_is_not_adopted():
    """Somebody has registered a newer one past it, which nobody has marked."""
    there = allowing()
    theirs = {CLUSTER: "theirs", KIND: "JobDefinition", NAMESPACE_TAG: "ours", NAME: "first"}
    await make(there, DEFINITION, tags=theirs)
    await make(there, DEFINITION)
    async with there.running():
        there.apply(DEFINITION, spec_of(DEFINITION))
        message = await there.until(DEFINITION, "Stalled", "AlreadyExists")
    assert "it belongs to JobDefinition ours/first of the cluster theirs." in message
    assert there.changes() == []
