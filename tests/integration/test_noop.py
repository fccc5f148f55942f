"""What is as it should be costs no write; what changes costs few. Everything is compared often."""

import pytest
from tests.support import manifests, quickstart
from tests.support.cluster import is_complete, is_ready, is_stalled, shows
from tests.support.deadline import wait_until
from tests.support.recording import Recording
from tests.support.site import opened
from tests.support.whole_life import CHANGING, named

PASSES = 3
ENVIRONMENT = ("ComputeEnvironment", "on-demand")


def denied_so_often(site, fault, times):
    return lambda: site.struck(fault) >= times


@pytest.fixture(scope="module")
def site(control_plane, crds, tmp_path_factory):
    """With a pass over all objects every 2 s."""
    with opened(control_plane, tmp_path_factory.mktemp("site")) as site:
        site.script(durationSeconds=2)
        site.start(resync_seconds="2")
        yield site


@pytest.fixture
def ready(cluster):
    """The quickstart and a policy, when nothing changes any more: no instance is up either."""
    cluster.apply(*quickstart.bodies(), named("SchedulingPolicy", "fair", manifests.policy()))
    cluster.wait(*quickstart.JOB, is_complete, "is Complete")
    cluster.wait("SchedulingPolicy", "fair", is_ready, "is Ready")
    cluster.wait(*ENVIRONMENT, is_scaled_down, "has no instance any more")
    return cluster


def is_scaled_down(body):
    return body["status"].get("vCPUs", {}).get("desired") == 0


def passes(site):
    return site.metric("resync_passes_total", outcome="ok")


def versions(cluster):
    return {quickstart.named(body): body["metadata"]["resourceVersion"] for body in cluster.all()}


def changes_of_aws(site):
    return {operation: site.calls(operation) for operation in CHANGING}


def writes(site):
    return site.metric("kube_writes_total") + site.metric("events_total")


def test_passes_over_unchanged_objects_write_nothing_to_aws_and_nothing_to_kubernetes(site, ready):
    before = versions(ready), changes_of_aws(site), writes(site)
    assert writes(site) > 0  # they are counted, so none is not the same as not seen
    asked = site.calls("DescribeJobs")
    began = passes(site)
    wait_until(lambda: passes(site) >= began + PASSES, "some passes have ended")
    assert (versions(ready), changes_of_aws(site), writes(site)) == before
    assert site.calls("DescribeJobs") == asked  # nobody asks about a finished job


def test_a_simple_job_costs_four_writes_and_three_events_at_most(
    site, cluster, control_plane, measured
):
    environment, queue, definition, job = quickstart.bodies()
    cluster.apply(environment, queue, definition)
    cluster.wait("JobQueue", "main", is_ready, "is Ready")
    cluster.wait("JobDefinition", "disk-report", is_ready, "is Ready")
    with Recording(control_plane, cluster.namespace, kinds=["BatchJob"]) as recording:
        cluster.apply(job)
        cluster.wait(*quickstart.JOB, is_complete, "is Complete")
        began = passes(site)
        wait_until(lambda: passes(site) > began, "nothing is to be written any more")
        events = cluster.events(*quickstart.JOB)
    made = [change.event for change in recording.of(*quickstart.JOB)]
    told = sum(event.get("series", {}).get("count", 1) for event in events)
    measured("writes:", made.count("MODIFIED"))
    measured("events:", told)
    assert made.count("MODIFIED") <= 4
    assert told <= 3


def test_a_permission_that_is_granted_at_last_is_noticed_without_being_told(site, cluster):
    names = {"jobDefinitionName": f"{cluster.namespace}-*"}
    fault = site.fault("deny", operation="RegisterJobDefinition", match=names)
    cluster.apply(named("JobDefinition", "simulate", manifests.definition()))
    assert shows("PermissionDenied")(
        cluster.wait("JobDefinition", "simulate", is_stalled, "is Stalled")
    )
    for denials in (2, 3):
        cluster.nudge("JobDefinition", "simulate")
        wait_until(denied_so_often(site, fault, denials), "it is denied again")
    site.mend(fault)
    cluster.wait("JobDefinition", "simulate", is_ready, "is Ready", seconds=15)
    told = [what for what, _, _ in site.deeds(cluster.namespace, at_least=3)]
    assert told == ["needs a person", "created", "ready"], "a line each, whatever was tried again"
