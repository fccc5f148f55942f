"""The operator in a real cluster goes on when its leader or its node goes, however that goes."""

import pytest
from tests.support.trial import OPERATOR


def test_both_replicas_are_ready(trial):
    assert trial.ready_replicas(OPERATOR) == 2


def test_a_deleted_leader_hands_over_and_jobs_run(trial, steps):
    before = trial.holder()
    with steps.step("leader deleted: another leads"):
        trial.delete_pod(trial.leader())
        trial.wait_for_another_holder(before)
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
        trial.wait_for_another_holder(before)
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
