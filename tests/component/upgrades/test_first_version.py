"""What the first version has left is what this version finds: nothing is made, changed or run anew.

Each call to AWS that changes something would be one that this version cannot explain.
"""

from tests.support.first_version import brought_into
from tests.support.installation import NAMESPACE, Installation

from awsbatch_operator.api.metadata import ObjectKey

WAITING = ObjectKey("BatchJob", NAMESPACE, "second-run")
STAYS = ("arn", "awsName", "accountId", "region", "revision", "jobId")


async def test_over_what_the_first_version_left_this_one_changes_nothing_in_aws_and_comes_to_rest():
    there = Installation()
    version = await brought_into(there)
    lasting = [key for key in version.keys if key.kind != "BatchJob"]
    before = {key: there.kube.see(key) for key in version.keys}
    async with there.running():
        await there.until(WAITING, "Complete", within=3600)
        await there.clock.advance(600)
        rested = {key: there.kube.see(key) for key in version.keys}
        await there.clock.advance(1800)
        assert {key: there.kube.see(key) for key in version.keys} == rested
        assert there.ready(*lasting)
        assert there.changes() == []
    for key, was in before.items():
        now = rested[key]
        assert now["spec"] == was["spec"]
        assert now["metadata"]["finalizers"] == was["metadata"]["finalizers"]
        for name in STAYS:
            assert now["status"].get(name) == was["status"].get(name), (key, name)


async def test_what_the_first_version_left_can_be_deleted_by_this_one():
    there = Installation()
    version = await brought_into(there)
    async with there.running():
        for key in version.keys:
            there.remove(key)
        await there.until_gone(*version.keys, within=3600)
        assert there.aws().describe_job_queues()["jobQueues"] == []
