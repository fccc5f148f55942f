"""What EC2 tells of instances by itself, as EventBridge would pass it on.

Sources: "Automate Amazon EC2 with EventBridge", "Spot Instance interruption notices" and
"EC2 instance rebalance recommendations" in the EC2 User Guide. Whoever wants to hear of it puts a
function into `world.ec2_listeners`; it is called with the region, EventBridge's detail type and the
detail, while the world's lock is held.
"""

from typing import Any

from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.region import Region

STATE_CHANGE = "EC2 Instance State-change Notification"
INTERRUPTION = "EC2 Spot Instance Interruption Warning"
REBALANCE = "EC2 Instance Rebalance Recommendation"
HEALTH = "AWS Health Event"


def state_changed(region: Region, instance: Instance) -> None:
    """An instance has another state."""
    detail: dict[str, Any] = {"instance-id": instance.id, "state": instance.state.value}
    _tell(region, STATE_CHANGE, detail)


def interruption(region: Region, instance: Instance, action: str) -> None:
    """A spot instance is going to be stopped or terminated."""
    detail: dict[str, Any] = {"instance-id": instance.id, "instance-action": action}
    _tell(region, INTERRUPTION, detail)


def rebalance(region: Region, instance: Instance) -> None:
    """A spot instance is likelier to be interrupted."""
    _tell(region, REBALANCE, {"instance-id": instance.id})


def scheduled(region: Region, instance: Instance, code: str, description: str) -> None:
    """Something is planned for an instance."""
    category: dict[str, Any] = {
        "service": "EC2",
        "eventTypeCode": f"AWS_EC2_{code.upper().replace('-', '_')}_SCHEDULED",
        "eventTypeCategory": "scheduledChange",
        "eventDescription": [{"language": "en_US", "latestDescription": description}],
        "affectedEntities": [{"entityValue": instance.id}],
    }
    _tell(region, HEALTH, category)


def _tell(region: Region, detail_type: str, detail: dict[str, Any]) -> None:
    for listener in region.world.ec2_listeners:
        listener(region, detail_type, detail)
