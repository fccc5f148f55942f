"""An image made of a host, copied and started from: all that was done to its disk is there."""

from tests.simulator.hosts import cluster, executing, launch, unmanaged, why
from tests.simulator.pictures import made
from tests.simulator.test_baked_images import BUILD, CHECK, EXECUTE, build


@executing
def test_what_was_put_on_a_disk_is_in_the_image_in_its_copies_and_in_hosts_that_start_from_it():
    cloud = unmanaged(user_data=EXECUTE)
    disks = [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 50}}]
    first, disk = build(cloud, BUILD, BlockDeviceMappings=disks)
    image_id = made(cloud, instance_id=first)
    there = cloud.elsewhere()
    source = {"SourceImageId": image_id, "SourceRegion": "eu-central-1"}
    copy = there("CopyImage", **source, Name="copy")["ImageId"]
    baked = there.region.images[copy].baked
    assert baked is not None
    assert baked.packages == disk.packages
    checks = f"{CHECK}echo ECS_CLUSTER={cluster(cloud)} >> /etc/ecs/ecs.config\n"
    second = launch(cloud, checks, ImageId=image_id)
    outcome = cloud.region.hosts.hosts[second].outcome
    assert outcome is not None
    assert outcome.failed == (), outcome.console
    assert why(cloud, second) == ""
