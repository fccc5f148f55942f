"""Where a job ran: told with the writes that are made anyway, and asked once for each instance."""

from tests.component.batchjob.runs import JOB, SPEC, jobs, ready, script, shown
from tests.support.installation import NAMESPACE, Installation

from awsbatch_operator.api.metadata import ObjectKey


async def test_a_running_job_tells_its_instance_and_keeps_it_when_the_instance_is_gone():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, 600)
        there.apply(JOB, SPEC)
        await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=900)
        placement = shown(there, "placement")
        assert placement["instanceType"] == "m7i.large"
        assert placement["instanceId"].startswith("i-")
        assert placement["availabilityZone"].startswith("eu-central-1")
        assert placement["market"] == "OnDemand"
        await there.until(JOB, "Complete", within=3600)
        assert shown(there, "placement") == placement


async def test_jobs_on_one_instance_cost_no_call_each():
    there = Installation()
    async with there.running():
        await ready(there)
        script(there, 30)
        keys = [ObjectKey("BatchJob", NAMESPACE, f"job-{number}") for number in range(24)]
        for key in keys:
            there.apply(key, SPEC)
        for key in keys:
            await there.until(key, "Complete", within=3600)
        hosts = {there.status(key)["placement"]["instanceId"] for key in keys}
        asked = there.calls.count("ecs:DescribeContainerInstances")
        assert 1 <= asked <= len(hosts) < len(jobs(there))
        assert there.calls.count("ec2:DescribeInstances") <= len(hosts)


async def test_what_cannot_be_read_holds_no_job_up_and_is_not_asked_again_for_each():
    there = Installation()
    there.fault(effect="deny", service="ecs", operation="DescribeContainerInstances")
    async with there.running():
        await ready(there)
        script(there, 30)
        keys = [ObjectKey("BatchJob", NAMESPACE, f"job-{number}") for number in range(6)]
        for key in keys:
            there.apply(key, SPEC)
        for key in keys:
            await there.until(key, "Complete", within=3600)
            assert "placement" not in there.status(key)
        assert there.calls.count("ecs:DescribeContainerInstances") == 1
