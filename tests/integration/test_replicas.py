"""Replicas as processes: they take turns in leading, and end without leaving anything undone."""

import json
import os
import signal
import time
from contextlib import contextmanager

import pytest
from tests.support import manifests
from tests.support.cluster import is_complete, is_ready
from tests.support.deadline import wait_until
from tests.support.namespaces import new_namespace
from tests.support.site import opened
from tests.support.whole_life import CHANGING, named

ENDS_WITHIN = 15.0  # seconds after SIGTERM; a pod is given 30
LEASE = 5.0
LASTING = {
    ("ComputeEnvironment", "pool"): manifests.environment(),
    ("JobQueue", "main"): manifests.queue("pool"),
    ("JobDefinition", "simulate"): manifests.definition(),
}


@pytest.fixture(scope="module")
def site(control_plane, crds, tmp_path_factory):
    """Without an operator: each test starts its own, all of them candidates for one lease."""
    with opened(control_plane, tmp_path_factory.mktemp("site")) as site:
        site.script(durationSeconds=0.5)
        yield site


@pytest.fixture
def cluster(site, control_plane):
    """With a lease that nobody holds, and no call counted."""
    site.aws.admin("DELETE", "/_simulator/calls")
    where = f"--namespace={site.sandbox.operator_namespace}"
    control_plane.kubectl("delete", "leases", "--all", where)
    with new_namespace(control_plane) as namespace, site.cluster(namespace) as cluster:
        yield cluster


@contextmanager
def replica(site, name, **flags):
    """An operator that is ready, whether it leads or not; ended at the end if it still runs."""
    part = site.start(name, **flags)
    try:
        yield part
    finally:
        site.sandbox.kill_operator(name)


def leads(site, name):
    return site.metric("leader", operator=name) == 1


def stop(part):
    """SIGTERM; how long it took to end, and its exit code."""
    began = time.monotonic()
    os.kill(part.identity.pid, signal.SIGTERM)
    wait_until(lambda: not part.running(), f"{part.name} ends", seconds=ENDS_WITHIN)
    return time.monotonic() - began, part.exit_code()


def said(part):
    """What it has said of itself, without what it watches and does."""
    whole, _, _ = part.log.read_text().rpartition("\n")  # it may be writing another line
    lines = [json.loads(line) for line in whole.splitlines()]
    of_itself = ("awsbatch_operator.app", "awsbatch_operator.engine.elector")
    return [line["message"] for line in lines if line["logger"] in of_itself]


STANDING_BY = "standing by: another replica leads"
STOPPING = "stopping: nothing new is begun"


def lease(site, control_plane):
    where = f"--namespace={site.sandbox.operator_namespace}"
    shown = control_plane.kubectl("get", "lease/aws-batch-operator", where, "--output=json").stdout
    return json.loads(shown)


def holder(site, control_plane):
    return lease(site, control_plane)["spec"]["holderIdentity"]


def written(body):
    """When it was written last: what is written later, of any kind, has a higher number."""
    return int(body["metadata"]["resourceVersion"])  # of the one etcd that all of them are in


def test_a_rolling_restart_finishes_and_the_work_goes_on(site, cluster, control_plane, measured):
    with replica(site, "old") as old:
        wait_until(lambda: leads(site, "old"), "the first one leads")
        for each, spec in LASTING.items():
            cluster.apply(named(*each, spec))
        cluster.wait("JobQueue", "main", is_ready, "is Ready")
        with replica(site, "new"):  # ready, or this would not return
            assert leads(site, "old")
            assert not leads(site, "new")
            assert site.metric("objects", operator="old") > 0
            seconds, code = stop(old)
            ended = time.monotonic()
            assert code == 0
            assert said(old) == ["lease won", STOPPING, "lease released", "stopped"]
            wait_until(lambda: leads(site, "new"), "the new one leads", seconds=LEASE)
            measured("seconds from SIGTERM to the end:", round(seconds, 2))
            measured("seconds until the new one led:", round(time.monotonic() - ended, 2))
            assert holder(site, control_plane).startswith("new_")
            cluster.apply(named("BatchJob", "run", manifests.job()))
            cluster.wait("BatchJob", "run", is_complete, "is Complete")


def test_a_standby_ends_at_once_and_leaves_the_lease_alone(site, cluster, control_plane):
    def held():
        spec = lease(site, control_plane)["spec"]
        return spec["holderIdentity"], spec["leaseTransitions"]

    with replica(site, "leader"), replica(site, "bystander") as standby:
        wait_until(lambda: leads(site, "leader"), "the first one leads")
        before = held()
        assert before[0].startswith("leader_")
        wait_until(lambda: STANDING_BY in said(standby), "the standby says that it waits")
        seconds, code = stop(standby)
        assert (code, seconds < LEASE) == (0, True)
        assert said(standby)[-2:] == [STOPPING, "stopped"]
        assert "lease released" not in said(standby)
        assert held() == before
        assert leads(site, "leader")


def test_a_leader_that_is_killed_is_followed_once_its_lease_has_run_out(site, cluster):
    with replica(site, "killed") as killed:
        wait_until(lambda: leads(site, "killed"), "the first one leads")
        with replica(site, "standby"):
            killed.kill()
            wait_until(lambda: leads(site, "standby"), "the standby leads", seconds=4 * LEASE)
            cluster.apply(named("JobDefinition", "simulate", manifests.definition()))
            cluster.wait("JobDefinition", "simulate", is_ready, "is Ready")


def test_a_leader_that_stood_still_too_long_ends_without_another_change_to_aws(site, cluster):
    with replica(site, "frozen") as frozen:
        wait_until(lambda: leads(site, "frozen"), "the first one leads")
        with replica(site, "standby") as standby:
            os.kill(frozen.identity.pid, signal.SIGSTOP)
            wait_until(lambda: leads(site, "standby"), "the standby leads", seconds=4 * LEASE)
            cluster.apply(named("JobDefinition", "simulate", manifests.definition()))
            cluster.wait("JobDefinition", "simulate", is_ready, "is Ready")
            standby.kill()
            # Work that nobody else does: whoever wakes finds it, and could only do it unfenced.
            cluster.apply(named("JobDefinition", "later", manifests.definition()))
            before = {operation: site.calls(operation) for operation in CHANGING}
            os.kill(frozen.identity.pid, signal.SIGCONT)
            wait_until(lambda: not frozen.running(), "the frozen one ends")
            assert frozen.exit_code() == 1
            assert "leadership is lost" in frozen.last_words()
            assert {operation: site.calls(operation) for operation in CHANGING} == before
            assert site.calls("RegisterJobDefinition", outcome="OK") == 1


def test_a_call_on_its_way_comes_to_its_end_before_the_lease_is_given_back(
    site, cluster, control_plane
):
    with replica(site, "leader") as leader:
        for each, spec in LASTING.items():
            cluster.apply(named(*each, spec))
        cluster.wait("JobQueue", "main", is_ready, "is Ready")
        queue = {"jobQueue": f"*{cluster.namespace}*"}
        slow = site.fault("delay", operation="SubmitJob", match=queue, seconds=0.7, times=1)
        cluster.apply(named("BatchJob", "run", manifests.job()))
        wait_until(lambda: site.struck(slow), "the call is on its way")
        seconds, code = stop(leader)
    assert (code, seconds < ENDS_WITHIN) == (0, True)
    given_back = lease(site, control_plane)
    assert given_back["spec"]["holderIdentity"] == ""
    job = cluster.get("BatchJob", "run")
    assert job["status"]["jobId"]  # its answer was waited for, and is not lost
    assert written(job) < written(given_back)
