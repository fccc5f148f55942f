"""What an agent does when its instance is told of a spot interruption.

Source: aws/amazon-ecs-agent, README.md, ECS_ENABLE_SPOT_INSTANCE_DRAINING.
"""

from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ecs import life as ecs_life
from awsbatch_simulator.host.registration import may
from awsbatch_simulator.region import Region

ACTION = "ecs:UpdateContainerInstancesState"


def drain(region: Region, instance: Instance) -> None:
    """An agent that is told to drains itself, if its role lets it."""
    host = region.hosts.hosts.get(instance.id)
    config = host.config if host is not None else None
    if config is not None and config.spot_draining and may(region, instance, ACTION):
        ecs_life.drain_host(region, instance.id)
