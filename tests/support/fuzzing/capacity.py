"""Sound requests for what EC2 sells: fleets, reservations, volumes, prices."""

from typing import Any

Fields = dict[str, Any]
RESERVATION: Fields = {
    "InstanceType": "m7i.large",
    "InstancePlatform": "Linux/UNIX",
    "AvailabilityZone": "eu-central-1a",
    "InstanceCount": 2,
}
FILTERS = [
    {"Type": "TERM_MATCH", "Field": "instanceType", "Value": "m7i.large"},
    {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-central-1"},
]


def fleet(template: str) -> Fields:
    specification = {"LaunchTemplateId": template, "Version": "1"}
    overrides = [
        {"InstanceType": "m7i.large", "SubnetId": "subnet-1", "MaxPrice": "9", "Priority": 1.0},
        {"InstanceType": "m5.large", "SubnetId": "subnet-2", "WeightedCapacity": 2.0},
    ]
    config = {"LaunchTemplateSpecification": specification, "Overrides": overrides}
    return {
        "Type": "instant",
        "LaunchTemplateConfigs": [config],
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": 2,
            "DefaultTargetCapacityType": "spot",
        },
        "SpotOptions": {"AllocationStrategy": "price-capacity-optimized", "MaxTotalPrice": "5"},
    }


def requests(known: dict[str, list[str]]) -> dict[str, Fields]:
    """Parameters with which each operation does something."""
    instances, stopped = known["InstanceIds"], known["InstanceId"][1]
    reservation, fleet_id = known["CapacityReservationId"][0], known["FleetId"][0]
    return {
        "CreateFleet": fleet(known["LaunchTemplateId"][0]),
        "DescribeFleets": {"FleetIds": [fleet_id]},
        "DescribeFleetInstances": {"FleetId": fleet_id},
        "DeleteFleets": {"FleetIds": [fleet_id], "TerminateInstances": True},
        "CreateCapacityReservation": RESERVATION | {"ClientToken": "token"},
        "DescribeCapacityReservations": {"CapacityReservationIds": [reservation]},
        "ModifyCapacityReservation": {"CapacityReservationId": reservation, "InstanceCount": 3},
        "CancelCapacityReservation": {"CapacityReservationId": reservation},
        "DescribeSpotInstanceRequests": {"MaxResults": 5},
        "CancelSpotInstanceRequests": {
            "SpotInstanceRequestIds": known["SpotInstanceRequestIds"][:1]
        },
        "DescribeInstanceTypes": {"MaxResults": 5},
        "DescribeSpotPriceHistory": {"InstanceTypes": ["m7i.large"], "MaxResults": 5},
        "GetSpotPlacementScores": {"InstanceTypes": ["m7i.large"], "TargetCapacity": 5},
        "DescribeVolumes": {"MaxResults": 5},
        "DeleteVolume": {"VolumeId": known["VolumeId"][0]},
        "StopInstances": {"InstanceIds": instances[:1]},
        "StartInstances": {"InstanceIds": [stopped]},
        "RebootInstances": {"InstanceIds": instances[:1]},
        "GetConsoleOutput": {"InstanceId": instances[0]},
        "DescribeInstanceStatus": {"IncludeAllInstances": True, "MaxResults": 5},
        "DescribeInstanceAttribute": {"InstanceId": instances[0], "Attribute": "userData"},
        "ModifyInstanceAttribute": {
            "InstanceId": instances[0],
            "DisableApiTermination": {"Value": True},
        },
    }
