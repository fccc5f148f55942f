"""Instances to which others do something, or which are not ours."""

from tests.support.instances import CALLS_A_MINUTE, Fleet, job_key, pool
from tests.support.manifests import ENVIRONMENT, PROFILE, QUEUE, job, queue

from awsbatch_operator.api.metadata import PAUSED

KEPT = pool(idleSeconds=600)


async def with_one(there: Fleet) -> None:
    """One instance that has run a job and is kept for ten minutes."""
    there.furnish(KEPT, jobs=1)
    await there.run_until(lambda: there.succeeded(1))


async def next_job(there: Fleet) -> None:
    """Another job runs."""
    there.apply(job_key(2), job())
    await there.run_until(lambda: there.succeeded(2))
    assert there.busiest_minute() <= CALLS_A_MINUTE


async def test_one_that_shuts_itself_down_is_gone_although_ec2_still_lists_it():
    there = Fleet()
    async with there.running():
        await with_one(there)
        there.aws("ec2").terminate_instances(InstanceIds=there.ids())
        await there.run_until(lambda: there.row()["launched"] == 0)
        await there.clock.advance(60)
        assert [each["State"]["Name"] for each in there.instances()] == ["terminated"]
        assert there.members() == []
        await next_job(there)
        assert there.launches() == 2
        assert "ec2:TerminateInstances" not in there.changes()


async def test_one_that_somebody_stops_is_ended_and_leaves_no_member_behind():
    there = Fleet()
    async with there.running():
        await with_one(there)
        there.aws("ec2").stop_instances(InstanceIds=there.ids())
        await there.run_until(lambda: not there.alive())
        await there.run_until(lambda: there.members() == [])
        (told,) = there.told("InstancesEnded")
        assert told == "Ended 1 instance of pool main: stopped by somebody, or from inside."
        await next_job(there)


async def test_those_of_a_former_ecs_cluster_go_and_do_not_count_as_never_joined():
    there = Fleet()
    async with there.running():
        there.furnish(pool(idleSeconds=600, instanceTypes=["m7i.large"]), jobs=6)
        await there.run_until(lambda: there.succeeded(*range(1, 7)))
        assert len(there.alive()) == 3
        there.remove(QUEUE)
        await there.until_gone(QUEUE)
        there.kube.annotate(ENVIRONMENT, **{PAUSED: "true"})
        name = {"computeEnvironment": there.status(ENVIRONMENT)["awsName"]}
        there.aws().update_compute_environment(**name, state="DISABLED")
        await there.clock.advance(10)
        there.aws().delete_compute_environment(**name)
        await there.clock.advance(60)
        there.kube.annotate(ENVIRONMENT, **{PAUSED: None})
        await there.run_until(lambda: not there.alive(), within=200)
        (told,) = there.told("InstancesEnded")
        assert (
            told
            == "Ended 3 instances of pool main: the environment has another ECS cluster by now."
        )
        there.apply(QUEUE, queue())
        there.apply(job_key(7), job())
        await there.run_until(lambda: there.succeeded(7))
        assert there.told("InstanceNotJoined") == there.told("PoolStopped") == []
        assert there.busiest_minute() <= CALLS_A_MINUTE


async def test_one_that_somebody_else_has_registered_serves_jobs_and_is_never_touched():
    there = Fleet()
    async with there.running():
        there.furnish()
        await there.until_ready(ENVIRONMENT, QUEUE)
        cluster = there.status(ENVIRONMENT)["ecsClusterArn"].rpartition("/")[2]
        image = there.aws("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        there.aws("ec2").run_instances(
            ImageId=image,
            InstanceType="m7i.large",
            MinCount=1,
            MaxCount=1,
            SubnetId="subnet-1",
            IamInstanceProfile={"Arn": PROFILE},
            UserData=f"#!/bin/sh\necho ECS_CLUSTER={cluster} >> /etc/ecs/ecs.config\n",
        )
        await there.run_until(lambda: len(there.members()) == 1)
        there.apply(job_key(1), job())
        await there.run_until(lambda: there.succeeded(1))
        await there.clock.advance(300)
        assert [each["status"] for each in there.members()] == ["ACTIVE"]
        assert there.launches() == 0
        assert not any(call.startswith(("ec2:", "ecs:")) for call in there.changes())


async def test_termination_protection_keeps_its_instance_and_none_of_the_others():
    there = Fleet()
    async with there.running():
        there.furnish(pool(instanceTypes=["m7i.large"]), jobs=6)
        await there.run_until(lambda: there.succeeded(*range(1, 7)))
        kept, ec2 = there.ids()[0], there.aws("ec2")
        ec2.modify_instance_attribute(InstanceId=kept, DisableApiTermination={"Value": True})
        text = await there.until(ENVIRONMENT, "Stalled", "InstanceProtected")
        assert f"EC2 refuses to end {kept}: termination protection is on. Turn it off:" in text
        await there.run_until(lambda: there.ids() == [kept])
        before = there.calls.count("ec2:TerminateInstances")
        await there.clock.advance(250)
        assert there.calls.count("ec2:TerminateInstances") == before
        ec2.modify_instance_attribute(InstanceId=kept, DisableApiTermination={"Value": False})
        await there.run_until(lambda: not there.alive(), within=400)
        await there.until(ENVIRONMENT, "Ready")
        idle = "of pool main: no task for idleSeconds."
        told = [f"Ended 2 instances {idle}", f"Ended 1 instance {idle}"]
        assert there.told("InstancesEnded") == told
        assert there.busiest_minute() <= CALLS_A_MINUTE


async def test_the_ecs_cluster_that_somebody_deletes_costs_its_instances_and_no_new_ones():
    there = Fleet()
    async with there.running():
        there.furnish(pool(registrationTimeoutSeconds=120), jobs=1)
        await there.run_until(lambda: there.succeeded(1))
        ecs, cluster = there.aws("ecs"), there.status(ENVIRONMENT)["ecsClusterArn"]
        for member in there.members():
            arn = member["containerInstanceArn"]
            ecs.deregister_container_instance(cluster=cluster, containerInstance=arn, force=True)
        ecs.delete_cluster(cluster=cluster)
        there.apply(job_key(2), job())
        text = await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        assert "An ECS cluster that was deleted never comes back by itself" in text
        await there.run_until(lambda: not there.alive(), within=400)
        assert there.launches() == 1
        assert there.told("PoolStopped") == []
        assert there.busiest_minute() <= CALLS_A_MINUTE


async def test_a_deletion_that_termination_protection_blocks_says_so_and_goes_on_without_it():
    there = Fleet()
    async with there.running():
        await with_one(there)
        kept, ec2 = there.ids()[0], there.aws("ec2")
        ec2.modify_instance_attribute(InstanceId=kept, DisableApiTermination={"Value": True})
        for key in (job_key(), QUEUE, ENVIRONMENT):
            there.remove(key)
        text = await there.until(ENVIRONMENT, "DeletionBlocked", "InstanceProtected")
        assert f"EC2 refuses to end {kept}" in text
        ec2.modify_instance_attribute(InstanceId=kept, DisableApiTermination={"Value": False})
        await there.until_gone(ENVIRONMENT)
        assert there.alive() == []
