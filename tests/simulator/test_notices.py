"""Notices about instances, as EventBridge would put them into a queue, and agents that drain."""

import pytest
from tests.simulator.hosts import joined, joining, launch, unmanaged

from awsbatch_simulator import notices
from awsbatch_simulator.hosting import Notice, Notices

DRAINING = "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true"


@pytest.fixture
def cloud():
    made = unmanaged()
    settings = made.world.settings.model_copy(update={"notices": Notices(queue="interruptions")})
    made.world.change(settings)
    return made


def told(cloud):
    """All messages so far, which are taken away."""
    return cloud.mail.queues.pop("interruptions", [])


def test_every_change_of_state_is_told(cloud):
    instance_id = launch(cloud)
    cloud("TerminateInstances", InstanceIds=[instance_id])
    cloud.step(60)
    events = told(cloud)
    states = [each["detail"] for each in events]
    assert states == [
        {"instance-id": instance_id, "state": state}
        for state in ("pending", "running", "shutting-down", "terminated")
    ]
    arn = f"arn:aws:ec2:eu-central-1:111122223333:instance/{instance_id}"
    for event in events:
        assert event["detail-type"] == "EC2 Instance State-change Notification"
        assert (event["source"], event["resources"]) == ("aws.ec2", [arn])
        assert (event["account"], event["region"]) == ("111122223333", "eu-central-1")
    assert events[0]["time"] == "2027-01-15T08:00:15Z"


def test_warnings_name_the_instance_by_its_zone(cloud):
    instance_id = launch(cloud)
    told(cloud)
    for kind in (Notice.SPOT_INTERRUPTION, Notice.REBALANCE):
        notices.tell(cloud.region, kind, instance_id)
    warning, advice = told(cloud)
    arn = f"arn:aws:ec2:eu-central-1a:instance/{instance_id}"
    assert warning["detail-type"] == "EC2 Spot Instance Interruption Warning"
    assert warning["detail"] == {"instance-id": instance_id, "instance-action": "terminate"}
    assert advice["detail-type"] == "EC2 Instance Rebalance Recommendation"
    assert advice["detail"] == {"instance-id": instance_id}
    assert warning["resources"] == advice["resources"] == [arn]


def test_a_retirement_is_a_health_event(cloud):
    instance_id = launch(cloud)
    told(cloud)
    notices.tell(cloud.region, Notice.SCHEDULED_CHANGE, instance_id)
    [event] = told(cloud)
    assert (event["source"], event["detail-type"]) == ("aws.health", "AWS Health Event")
    assert event["detail"]["service"] == "EC2"
    assert event["detail"]["eventTypeCategory"] == "scheduledChange"
    assert event["detail"]["affectedEntities"][0]["entityValue"] == instance_id
    assert event["resources"] == [instance_id]


def test_only_the_kinds_that_have_a_rule_are_told_and_nothing_of_unknown_instances(cloud):
    rules = Notices(queue="interruptions", kinds=(Notice.REBALANCE,))
    cloud.world.change(cloud.world.settings.model_copy(update={"notices": rules}))
    instance_id = launch(cloud)
    notices.tell(cloud.region, Notice.REBALANCE, instance_id)
    notices.tell(cloud.region, Notice.REBALANCE, "i-0")
    assert [each["detail-type"] for each in told(cloud)] == [Notice.REBALANCE]


@pytest.mark.parametrize(
    ("settings", "may", "status"),
    [([DRAINING], True, "DRAINING"), ([DRAINING], False, "ACTIVE"), ([], True, "ACTIVE")],
)
def test_an_agent_drains_itself_at_a_warning_if_it_is_told_to_and_may(cloud, settings, may, status):
    instance_id = launch(cloud, joining(cloud, *settings))
    job_id = cloud.submit("long")
    cloud.step(10)
    if not may:
        cloud.fault("instance_role_lacks_permissions", action="ecs:UpdateContainerInstancesState")
    notices.tell(cloud.region, Notice.SPOT_INTERRUPTION, instance_id)
    assert joined(cloud)[0]["status"] == status
    assert cloud.status(job_id) == "RUNNING"
