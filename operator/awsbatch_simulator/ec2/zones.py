"""Availability zones by id. Source: Placement.AvailabilityZoneId in the EC2 API reference."""

from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region


def of_id(region: Region, identifier: str) -> str:
    """The zone with that id. Raises AwsFailure if the region has none."""
    for name, zone_id in region.world.lookup.zone_ids(region.place).items():
        if zone_id == identifier:
            return name
    raise AwsFailure("InvalidParameterValue", f"Invalid availability zone: [{identifier}]")
