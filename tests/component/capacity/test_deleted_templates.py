"""Launch templates that somebody deletes: EC2 answers a token that it knows with the dead one."""

from tests.support.instances import Fleet, job_key
from tests.support.manifests import job

TEN_MINUTES = 600.0


async def test_a_template_that_somebody_has_deleted_is_made_anew_for_the_next_launch():
    there = Fleet()
    async with there.running():
        there.furnish(jobs=1)
        await there.run_until(lambda: there.succeeded(1) and not there.alive(), within=900)
        [made] = there.aws("ec2").describe_launch_templates()["LaunchTemplates"]
        there.aws("ec2").delete_launch_template(LaunchTemplateId=made["LaunchTemplateId"])
        await there.clock.advance(TEN_MINUTES)  # until the listing of templates is too old
        there.apply(job_key(2), job())
        await there.run_until(lambda: there.succeeded(2), within=300)
        [again] = there.aws("ec2").describe_launch_templates()["LaunchTemplates"]
        assert again["LaunchTemplateName"] == made["LaunchTemplateName"]
        assert again["LaunchTemplateId"] != made["LaunchTemplateId"]
