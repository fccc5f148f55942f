"""The operator in a real cluster goes on when its leader or its node goes, however that goes."""

import pytest
from tests.support.deadline import wait_until
from tests.support.trial import ASKED_EVERY, OPERATOR

from awsbatch_operator.app import EVENTS_SECONDS
from awsbatch_operator.engine.elector import RELEASE_SECONDS
from awsbatch_operator.engine.lease import LeaseSettings
from awsbatch_operator.settings import Settings

# What the trial installs sets none of these.
SETTINGS = Settings(cluster_id="e2e")
LEASE = LeaseSettings("", "", "", duration_seconds=SETTINGS.lease_seconds)
# A lease that is not given back runs out no sooner, be it about to be renewed.
HANDED_OVER = LEASE.duration_seconds - LEASE.renew_seconds
# Calls in flight end, events are told, the lease is given back, and a standby looks at it.
LEAVING = SETTINGS.drain_seconds + EVENTS_SECONDS + RELEASE_SECONDS + LEASE.retry_seconds
SLACK = 10.0  # for kubelet and kubectl on a machine at work
RUN_OUT = LEASE.duration_seconds + LEASE.retry_seconds + SLACK


def wait_for_another(trial, before, *, seconds):
    wait_until(
        lambda: trial.holder() not in {before, ""},
        "another replica leads",
        seconds=seconds,
        every=ASKED_EVERY,
    )


def test_both_replicas_are_ready(trial):
    assert trial.ready_replicas(OPERATOR) == 2


def test_a_leader_has_the_time_to_leave_before_its_lease_would_run_out():
    assert LEAVING < HANDED_OVER


def test_a_deleted_leader_hands_over_and_jobs_run(trial, steps):
    before = trial.holder()
    with steps.step("leader deleted: another leads"):
        trial.delete_pod(trial.leader())
        wait_for_another(trial, before, seconds=HANDED_OVER)
    with steps.step("leader deleted: a new job Complete"):
        trial.work().run("after-deletion")
    trial.wait_until_ready(OPERATOR)


def test_a_killed_leader_is_followed_by_another_and_jobs_run(trial, steps):
    if trial.cluster.kill is None:
        pytest.skip("nobody can kill a container of this cluster from here")
    before, pod = trial.holder(), trial.leader()
    restarts = trial.restarts()[pod]
    with steps.step("leader killed with SIGKILL: another leads"):
        trial.cluster.kill(trial.container_of(pod))
        wait_for_another(trial, before, seconds=RUN_OUT)
    with steps.step("leader killed: a new job Complete"):
        trial.work().run("after-kill")
    trial.wait_until_ready(OPERATOR)
    assert trial.restarts()[pod] == restarts + 1


def test_a_drain_leaves_one_replica_until_another_can_run(trial, steps):
    if trial.cluster.stays:
        pytest.skip("other people's nodes are not drained")
    trial.wait_until_ready(OPERATOR)
    with steps.step("only node drained: the budget keeps one replica"), trial.drained() as done:
        assert done.returncode != 0
        assert "disruption budget" in done.stderr
        assert trial.ready_replicas(OPERATOR) == 1
    with steps.step("node back: both replicas Ready"):
        trial.wait_until_ready(OPERATOR)
        assert trial.ready_replicas(OPERATOR) == 2
    trial.work().run("after-drain")
