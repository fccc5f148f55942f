"""The examples of what jobs can do, on the real API server: their commands really run.

What becomes of their jobs otherwise is in tests/component/examples.
"""

import pytest
from tests.support.cluster import is_complete, is_stalled, shows
from tests.support.examples import bodies, shuffled
from tests.support.quickstart import named
from tests.support.site import opened

MINUTE = 60.0
# The job of each that says most, and what it says.
SAID = {
    "parameter-sweep": ("sweep", None),
    "retry-failed-indexes": ("shards", None),
    "dependency-chain": ("collect", "collect of all"),
    "spot-pipeline": ("call-variants", "call-variants, attempt 1"),
    "mpi": ("solve", "3 nodes have come"),
}
# Of arrays, of which no member speaks for the whole: what each says, in AWS's log.
MEMBERS = {
    "parameter-sweep": {f"simulated at {each} K" for each in ("270.5", "280", "290.5", "300")},
    "retry-failed-indexes": {
        *(f"shard {each} is done" for each in range(12)),
        *(f"shard {each}: no licence is free" for each in (3, 7, 11)),
    },
}


@pytest.fixture(scope="module")
def site(control_plane, crds, tmp_path_factory):
    """As in the sandbox: the jobs' commands really run."""
    with opened(control_plane, tmp_path_factory.mktemp("site"), runner="process") as site:
        site.start()
        yield site


def lines_of(site, name):
    """All that jobs of definitions of that name have written to CloudWatch Logs."""
    logs, found = site.client("logs"), set()
    for each in logs.describe_log_streams(logGroupName="/aws/batch/job")["logStreams"]:
        stream = each["logStreamName"]
        if stream.startswith(name):
            told = logs.get_log_events(logGroupName="/aws/batch/job", logStreamName=stream)
            found |= {event["message"] for event in told["events"]}
    return found


@pytest.mark.parametrize("folder", SAID)
def test_the_commands_of_an_example_do_what_it_says(site, cluster, folder):
    name, said = SAID[folder]
    applied = shuffled(folder, 5)
    cluster.apply(*applied)
    for body in applied:
        if body["kind"] == "BatchJob":
            done = cluster.wait(*named(body), is_complete, "is Complete", seconds=2 * MINUTE)
            if body["metadata"]["name"] == name:
                status = done["status"]
    if said is None:
        definition = status["jobDefinition"]["name"]
        assert MEMBERS[folder] == lines_of(site, definition)
    else:
        assert status["logs"]["lastLines"][-1] == said


def test_the_gate_of_the_readme_lets_held_jobs_go(site, cluster):
    cluster.apply(*shuffled("held-jobs", 5))
    for name in ("night-1", "night-2"):
        cluster.wait("BatchJob", name, shows("Suspended"), "is held")
    for name in ("night-1", "night-2"):
        cluster.edit("BatchJob", name, {"spec": {"suspend": False}})
        done = cluster.wait("BatchJob", name, is_complete, "is Complete", seconds=MINUTE)
        status = done["status"]
        assert status["logs"]["lastLines"] == [f"job {status['jobId']} was let go"]


def test_several_nodes_that_were_refused_on_spot_run_when_the_queue_is_mended(site, cluster):
    cluster.apply(*shuffled("multi-node-on-spot", 5))
    cluster.wait("BatchJob", "two-nodes", is_stalled, "is Stalled", seconds=MINUTE)
    [queue] = [each for each in bodies("multi-node-on-spot") if each["kind"] == "JobQueue"]
    order = [{"order": 1, "computeEnvironmentRef": {"name": "nodes-on-demand"}}]
    cluster.edit(*named(queue), {"spec": {"computeEnvironmentOrder": order}})
    done = cluster.wait("BatchJob", "two-nodes", is_complete, "is Complete", seconds=2 * MINUTE)
    assert done["status"]["logs"]["lastLines"] == ["node 0 of 2"]
