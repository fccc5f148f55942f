"""examples/extended-ami in any order: images are built and tried, and used by environments."""

from typing import Any

import pytest
from tests.component.examples.test_examples import all_work, apply, delete, left_in_aws, warnings
from tests.component.extendedami.images import Darkroom
from tests.support.cheap_clients import cheap_sessions
from tests.support.examples import shuffled
from tests.support.installation import NAMESPACE

from awsbatch_operator.api.metadata import ObjectKey


@pytest.fixture(autouse=True, scope="module")
def _cheaply():
    with cheap_sessions():
        yield


def image(there: Darkroom, name: str) -> dict[str, Any]:
    return there.status(ObjectKey("ExtendedAMI", NAMESPACE, name))


def resources(there: Darkroom, environment: str) -> dict[str, Any]:
    """What AWS has of the environment's instances."""
    arn = there.status(ObjectKey("ComputeEnvironment", NAMESPACE, environment))["arn"]
    batch = there.aws()
    [found] = batch.describe_compute_environments(computeEnvironments=[arn])["computeEnvironments"]
    return dict(found["computeResources"])


def image_of(there: Darkroom, environment: str) -> str:
    [configuration] = resources(there, environment)["ec2Configuration"]
    return str(configuration["imageIdOverride"])


def the_job_ran_on_an_instance_of_the_image(there: Darkroom) -> None:
    made = image(there, "large-disk")["imageId"]
    assert image_of(there, "large-disk") == made
    job_id = there.status(ObjectKey("BatchJob", NAMESPACE, "show-disk"))["jobId"]
    [job] = there.aws().describe_jobs(jobs=[job_id])["jobs"]
    cluster, _, member = job["container"]["containerInstanceArn"].split("/", 1)[1].partition("/")
    ecs = there.aws("ecs")
    [host] = ecs.describe_container_instances(cluster=cluster, containerInstances=[member])[
        "containerInstances"
    ]
    assert there.ec2.instances[host["ec2InstanceId"]].image_id == made
    [root, *_] = there.ec2.images[made].disks
    assert root.size == 111


def a_larger_volume_takes_a_template_and_no_image(there: Darkroom) -> None:
    made = image(there, "bigger-disk")
    assert made["bake"]["needed"] is False
    assert "images" not in made
    template = resources(there, "bigger-disk")["launchTemplate"]
    assert template["launchTemplateId"] == made["launchTemplate"]["id"]
    described = there.aws("ec2").describe_launch_template_versions(
        LaunchTemplateId=template["launchTemplateId"]
    )
    [version] = described["LaunchTemplateVersions"]
    [root] = version["LaunchTemplateData"]["BlockDeviceMappings"]
    assert (root["Ebs"]["VolumeSize"], root["Ebs"]["VolumeType"]) == (200, "gp3")


def one_image_is_made_of_the_other_and_used_for_all_sizes(there: Darkroom) -> None:
    shared, mpi = image(there, "shared"), image(there, "mpi")
    assert mpi["base"]["imageId"] == shared["imageId"]
    used = {image_of(there, name) for name in ("r5-24xlarge", "r5-12xlarge", "c5n-18xlarge")}
    assert used == {mpi["imageId"]}


def what_no_image_has_is_in_a_launch_template(there: Darkroom) -> None:
    made = image(there, "prepulled")
    assert image_of(there, "prepulled") == made["imageId"]
    template = resources(there, "prepulled")["launchTemplate"]
    assert template["launchTemplateId"] == made["launchTemplate"]["id"]
    described = there.aws("ec2").describe_launch_template_versions(
        LaunchTemplateId=template["launchTemplateId"]
    )
    [version] = described["LaunchTemplateVersions"]
    [root] = version["LaunchTemplateData"]["BlockDeviceMappings"]
    assert root["Ebs"]["VolumeInitializationRate"] == 300


SHOWS = {
    "bigger-disk": a_larger_volume_takes_a_template_and_no_image,
    "large-disk": the_job_ran_on_an_instance_of_the_image,
    "efs-mpi": one_image_is_made_of_the_other_and_used_for_all_sizes,
    "prepulled": what_no_image_has_is_in_a_launch_template,
}


@pytest.mark.parametrize("folder", SHOWS)
async def test_an_example_of_images_works_in_whatever_order_it_is_applied_and_deleted(folder):
    seed = len(folder)
    there, applied = Darkroom(), shuffled(f"extended-ami/{folder}", seed)
    async with there.running():
        await apply(there, applied)
        await all_work(there, applied)
        SHOWS[folder](there)
        await delete(there, applied, seed + 1)
        assert left_in_aws(there) == []
        assert there.nothing_left()
        assert there.aws("ec2").describe_launch_templates()["LaunchTemplates"] == []
    assert warnings(there) == set()
