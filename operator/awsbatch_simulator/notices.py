"""What EventBridge would put into an SQS queue: notices about instances.

The setting `notices` names the queue, and one rule for all: an account or region that has no queue
of that name gets none. Sources: EC2 User Guide "Spot Instance interruption notices", "EC2 instance
rebalance recommendations", "Amazon EC2 instance state change events"; AWS Health User Guide "Amazon
EventBridge event schema"; EventBridge User Guide "Event structure".
"""

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.host import warned
from awsbatch_simulator.hosting import Notice
from awsbatch_simulator.region import Region

RETIREMENT = "AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED"
RETIREMENT_SECONDS = 14 * 86_400.0  # from the notice to the retirement


def tell(region: Region, kind: Notice, instance_id: str) -> None:
    """Send the notice as the instance is now; an unknown instance has none."""
    instance = region.ec2.instances.get(instance_id)
    if instance is None:
        return
    detail: dict[str, Any] = {"instance-id": instance.id}
    match kind:
        case Notice.SPOT_INTERRUPTION:
            detail["instance-action"] = _behavior(instance)
        case Notice.REBALANCE:
            pass
        case Notice.STATE_CHANGE:
            detail["state"] = instance.state.value
        case Notice.SCHEDULED_CHANGE:
            detail = _retirement(region, instance)
    pass_on(region, kind, detail)


def pass_on(region: Region, kind: str, detail: dict[str, Any]) -> None:
    """Send an event of that `detail-type` about the instance that its detail names.

    A warning of an interruption also reaches the instance itself, whose agent may drain.
    """
    instance = region.ec2.instances.get(_about(detail))
    if instance is None:
        return
    if kind == Notice.SPOT_INTERRUPTION:
        warned.drain(region, instance)
    settings = region.world.settings.notices
    if settings.queue and kind in settings.kinds:
        body = json.dumps(event(region, kind, instance, detail), separators=(",", ":"))
        region.world.messages.send(region.place, settings.queue, body)


def _about(detail: dict[str, Any]) -> str:
    entities = detail.get("affectedEntities") or [{}]
    return str(detail.get("instance-id") or entities[0].get("entityValue", ""))


def event(region: Region, kind: str, instance: Instance, detail: dict[str, Any]) -> dict[str, Any]:
    """The event as EventBridge delivers it."""
    now = datetime.fromtimestamp(region.world.clock.now(), UTC)
    source, where = "aws.ec2", region.arn("ec2", f"instance/{instance.id}")
    if kind in {Notice.SPOT_INTERRUPTION, Notice.REBALANCE}:  # by zone, and without account
        where = f"arn:aws:ec2:{instance.zone}:instance/{instance.id}"
    if kind == Notice.SCHEDULED_CHANGE:
        source, where = "aws.health", instance.id
    return {
        "version": "0",
        "id": region.world.uuid(),
        "detail-type": str(kind),
        "source": source,
        "account": region.place.account,
        "time": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "region": region.place.region,
        "resources": [where],
        "detail": detail,
    }


def _behavior(instance: Instance) -> str:
    options = instance.request.get("InstanceMarketOptions", {}).get("SpotOptions", {})
    return str(options.get("InstanceInterruptionBehavior", "terminate"))


def _retirement(region: Region, instance: Instance) -> dict[str, Any]:
    now = datetime.fromtimestamp(region.world.clock.now(), UTC)
    begin = datetime.fromtimestamp(now.timestamp() + RETIREMENT_SECONDS, UTC)
    return {
        "eventArn": region.arn("health", f"event/EC2/{RETIREMENT}/{RETIREMENT}_{instance.id}"),
        "service": "EC2",
        "eventTypeCode": RETIREMENT,
        "eventTypeCategory": "scheduledChange",
        "eventScopeCode": "ACCOUNT_SPECIFIC",
        "communicationId": region.world.hex_id(32),
        "startTime": format_datetime(begin, usegmt=True),
        "lastUpdatedTime": format_datetime(now, usegmt=True),
        "statusCode": "upcoming",
        "eventRegion": region.place.region,
        "eventDescription": [
            {"language": "en_US", "latestDescription": "The instance is scheduled for retirement."}
        ],
        "affectedEntities": [{"entityValue": instance.id, "status": "PENDING"}],
        "affectedAccount": region.place.account,
    }
