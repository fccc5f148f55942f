"""StopInstances, StartInstances, RebootInstances and GetConsoleOutput.

Sources: their texts in the EC2 API reference; "Stop and start Amazon EC2 instances" in the EC2 User
Guide; the words for a spot instance that cannot stop: cloud-custodian/cloud-custodian#8003.
"""

import base64
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import launching, life, spot
from awsbatch_simulator.ec2.model import Instance, InstanceState
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.host import life as host_life
from awsbatch_simulator.host import sizes
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
_STARTABLE = frozenset({InstanceState.STOPPED, InstanceState.PENDING, InstanceState.RUNNING})
_STOPPABLE = _STARTABLE | {InstanceState.STOPPING}


def stop(region: Region, request: Fields) -> Fields:
    """StopInstances: all or none; again for what has stopped already."""
    if request.get("Hibernate"):
        raise not_implemented("ec2", "StopInstances with Hibernate")
    instances = launching.named(region, request["InstanceIds"])
    for each in instances:
        _check_stop(region, each)
    changes = []
    for each in instances:
        before = each.state
        life.stop(region, each)
        changes.append(launching.change(each, before))
    return {"StoppingInstances": changes}


def _check_stop(region: Region, instance: Instance) -> None:
    if instance.state not in _STOPPABLE:
        raise _wrong_state(instance, "stopped")
    if instance.setting("DisableApiStop", default=False):
        raise AwsFailure(
            "OperationNotPermitted",
            f"The instance '{instance.id}' may not be stopped. Modify its 'disableApiStop' "
            "instance attribute and try again.",
        )
    if instance.spot and not spot.persists(region, instance):
        raise AwsFailure(
            "UnsupportedOperation",
            f"You can't stop the Spot Instance '{instance.id}' because it is associated with a "
            "one-time Spot Instance request. You can only stop Spot Instances associated with "
            "persistent Spot Instance requests.",
        )


def start(region: Region, request: Fields) -> Fields:
    """StartInstances: each that is stopped; nothing for what runs already."""
    instances = launching.named(region, request["InstanceIds"])
    for each in instances:
        if each.state not in _STARTABLE:
            raise _wrong_state(each, "started")
    changes = []
    for each in instances:
        before = each.state
        if before is InstanceState.STOPPED:
            life.start(region, each)
        changes.append(launching.change(each, before))
    return {"StartingInstances": changes}


def reboot(region: Region, request: Fields) -> Fields:
    """RebootInstances: it stays running all the while."""
    for each in launching.named(region, request["InstanceIds"]):
        if each.state not in {InstanceState.PENDING, InstanceState.RUNNING}:
            raise _wrong_state(each, "rebooted")
    return {}


def _wrong_state(instance: Instance, done: str) -> AwsFailure:
    message = f"The instance '{instance.id}' is not in a state from which it can be {done}."
    return AwsFailure("IncorrectInstanceState", message)


def console(region: Region, request: Fields) -> Fields:
    """GetConsoleOutput: the end of what the instance has said, base64-encoded.

    Without `Latest` EC2 shows what it has posted some time after it was said.
    """
    [instance] = launching.named(region, [request["InstanceId"]])
    latest = bool(request.get("Latest"))
    if latest and sizes.xen(instance.type):
        message = "This instance type does not support retrieving the latest console logs."
        raise AwsFailure("UnsupportedOperation", message)
    ago = 0.0 if latest else region.world.settings.delays.console
    text = host_life.console(region, instance.id, ago=ago).encode()
    answer: Fields = {
        "InstanceId": instance.id,
        "Timestamp": datetime.fromtimestamp(int(region.world.clock.now()), UTC),
    }
    return answer | ({"Output": base64.b64encode(text).decode()} if text else {})
