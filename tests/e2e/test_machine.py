"""The operator goes on after its API server has hung, and after its node has lost its power."""

import pytest
from tests.support.deadline import wait_until
from tests.support.trial import OPERATOR, SIMULATOR

FROZEN_SECONDS = 45.0  # longer than the lease lasts
JOBS = [f"in-the-frost-{number}" for number in range(12)]


@pytest.fixture
def machine(trial):
    if trial.cluster.machine is None:
        pytest.skip("this cluster's machine is not ours to freeze or to switch off")
    return trial.cluster.machine


def test_an_api_server_that_hangs_longer_than_the_lease_makes_no_job_run_twice(
    trial, machine, steps
):
    work, before = trial.work(), wait_until(trial.holder, "somebody leads", every=1)
    for first in range(0, len(JOBS), 4):  # so that they are not all at the same point
        work.submit(JOBS[first : first + 4])
    wait_until(lambda: work.submitted(JOBS), "the first jobs are submitted", every=0.2)
    with steps.step(f"API server frozen for {FROZEN_SECONDS:.0f} s"):
        machine.freeze(FROZEN_SECONDS)
    with steps.step(f"API server goes on: {len(JOBS)} jobs Complete"):
        work.wait_complete(JOBS)
    with steps.step("API server goes on: nobody leads who led before"):
        trial.wait_for_another_holder(before)
    with steps.step("API server goes on: both replicas Ready"):
        trial.wait_until_ready(OPERATOR)
        assert trial.ready_replicas(OPERATOR) == 2
    assert work.times_in_aws(JOBS) == dict.fromkeys(JOBS, 1)


def test_after_a_power_cut_the_operator_and_its_work_come_back_by_themselves(trial, machine, steps):
    """The simulated AWS has lost everything, too: all of it lives in a pod's memory."""
    before = trial.restarts()
    with steps.step("node's power cut and back: node Ready"):
        machine.restart()
    with steps.step("power back: operator and simulator Ready"):
        wait_until(
            lambda: all(trial.restarts().get(pod, 0) > count for pod, count in before.items()),
            "every container has been started again",
            seconds=120,
            every=1,
        )
        trial.wait_until_ready(SIMULATOR)
        trial.wait_until_ready(OPERATOR)
    with steps.step("power back: a new job Complete"):
        trial.work().run("after-the-power-cut")
    wait_until(lambda: trial.ready_replicas(OPERATOR) == 2, "both replicas are Ready", every=1)
