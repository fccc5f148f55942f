"""DescribeInstanceStatus: states, status checks and scheduled events.

Sources: its fields in the EC2 API reference; "Status checks for your instances" and "Scheduled
events for your instances" in the EC2 User Guide.
"""

from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import filters, launching, paging
from awsbatch_simulator.ec2.model import Instance, InstanceState, ScheduledEvent
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
MOST_IDS = 100
CHECKS = ("instance", "system")
_FILTERS = {
    "availability-zone": ("AvailabilityZone",),
    "event.code": ("Events", "Code"),
    "event.description": ("Events", "Description"),
    "event.instance-event-id": ("Events", "InstanceEventId"),
    "event.not-after": ("Events", "NotAfter"),
    "event.not-before": ("Events", "NotBefore"),
    "event.not-before-deadline": (),
    "instance-state-code": ("InstanceState", "Code"),
    "instance-state-name": ("InstanceState", "Name"),
    "instance-status.reachability": ("InstanceStatus", "Details", "Status"),
    "instance-status.status": ("InstanceStatus", "Status"),
    "operator.managed": (),
    "operator.principal": (),
    "system-status.reachability": ("SystemStatus", "Details", "Status"),
    "system-status.status": ("SystemStatus", "Status"),
    "attached-ebs-status.status": ("AttachedEbsStatus", "Status"),
}


def describe(region: Region, request: Fields) -> Fields:
    """By ids or filters, by page; only running instances unless all are asked for."""
    ids = request.get("InstanceIds") or []
    if len(ids) > MOST_IDS:
        raise AwsFailure("InvalidParameterValue", f"InstanceIds: up to {MOST_IDS} in a request.")
    if ids and "MaxResults" in request:
        message = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise AwsFailure("InvalidParameterCombination", message)
    found = launching.named(region, ids) if ids else region.ec2.instances.values()
    hidden = region.world.faults.hidden_seconds("ec2", "DescribeInstanceStatus")
    youngest = region.world.clock.now() - hidden
    every = request.get("IncludeAllInstances", False)
    views = [
        _view(region, each)
        for each in found
        if (every or each.state is InstanceState.RUNNING)
        and (not hidden or each.launched_at <= youngest)
    ]
    kept = filters.kept(views, request.get("Filters") or (), _FILTERS, tags=False)
    return paging.answer("InstanceStatuses", kept, request, key="InstanceId", least=5, most=1000)


def _view(region: Region, instance: Instance) -> Fields:
    return {
        "InstanceId": instance.id,
        "AvailabilityZone": instance.zone,
        "InstanceState": {"Code": instance.state.code, "Name": instance.state.value},
        "InstanceStatus": _check(region, instance, "instance"),
        "SystemStatus": _check(region, instance, "system"),
        "AttachedEbsStatus": _check(region, instance, "attached-ebs"),
        "Events": [_event(each) for each in instance.events],
    }


def _check(region: Region, instance: Instance, kind: str) -> Fields:
    since = instance.running_since
    if instance.state is not InstanceState.RUNNING or since is None:
        return {"Status": "not-applicable"}
    impaired = instance.impaired.get(kind)
    if impaired is not None:
        failed = {"Name": "reachability", "Status": "failed", "ImpairedSince": _moment(impaired)}
        return {"Status": "impaired", "Details": [failed]}
    wait = region.world.settings.delays.status_checks
    passed = region.world.clock.now() - since >= wait
    detail = {"Name": "reachability", "Status": "passed" if passed else "initializing"}
    return {"Status": "ok" if passed else "initializing", "Details": [detail]}


def _event(event: ScheduledEvent) -> Fields:
    shown: Fields = {
        "InstanceEventId": event.id,
        "Code": event.code,
        "Description": event.description,
        "NotBefore": _moment(event.not_before),
    }
    if event.not_after is not None:
        shown["NotAfter"] = _moment(event.not_after)
    return shown


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
