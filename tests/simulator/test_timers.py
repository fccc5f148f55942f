"""No timer of the simulator can be wedged: neither by what others hold nor by what people write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulator.cloud import Cloud, serverless
from tests.simulator.known import KnownThings

from awsbatch_simulator.context import Place
from awsbatch_simulator.jobscript import JobScript

TEXT = st.text(max_size=20)
WORDS = st.lists(st.one_of(TEXT, TEXT.map("Ref::{}".format)).filter(bool), max_size=3)
OPTIONS = st.dictionaries(
    st.sampled_from(["awslogs-group", "awslogs-stream-prefix", "awslogs-region", "other"]),
    TEXT,
    max_size=3,
)


class Unreadable(KnownThings):
    """What a Lookup is while somebody's data cannot be read."""

    broken = False

    def role_exists(self, place: Place, role: str) -> bool:
        if self.broken:
            raise ValueError("the trust policy is no JSON")
        return super().role_exists(place, role)


@pytest.mark.parametrize("step", ["CREATING", "UPDATING", "DELETING"])
def test_an_environment_goes_on_once_the_data_that_broke_its_timer_is_mended(step, failed_timers):
    cloud = Cloud()
    cloud.world.lookup = known = Unreadable()
    cloud("CreateComputeEnvironment", computeEnvironmentName="own", type="UNMANAGED",
          serviceRole="role/own")  # fmt: skip
    environment = cloud.region.batch.environments["own"]
    if step != "CREATING":
        cloud.step(10)
        cloud("UpdateComputeEnvironment", computeEnvironment="own", state="DISABLED")
    if step == "DELETING":
        cloud.step(5)
        cloud("DeleteComputeEnvironment", computeEnvironment="own")
    known.broken = True
    cloud.step(60)
    assert environment.status == step
    known.broken = False
    cloud.step(60)
    assert environment.status == ("DELETED" if step == "DELETING" else "VALID")
    assert "no JSON" in failed_timers[0]
    failed_timers.clear()


def test_the_scheduler_looks_again_after_a_look_that_failed(failed_timers):
    cloud = serverless()
    job_id = cloud.submit()
    store = cloud.region.batch
    look, store.look = store.look, lambda _: [].pop()
    cloud.step(30)
    assert store.jobs[job_id].status == "RUNNABLE"
    store.look = look
    cloud.step(100)
    assert cloud.status(job_id) == "SUCCEEDED"
    assert "IndexError" in failed_timers[0]
    failed_timers.clear()


@given(
    command=WORDS,
    parameters=st.dictionaries(TEXT, TEXT, max_size=2),
    environment=st.lists(st.fixed_dictionaries({}, optional={"name": TEXT, "value": TEXT})),
    options=OPTIONS,
    exit_code=st.sampled_from([0, 1, None]),
)
def test_a_job_comes_to_its_end_whatever_its_texts_are(
    command, parameters, environment, options, exit_code
):
    cloud = serverless(JobScript(duration_seconds=1, exit_code=exit_code))
    cloud.definition(
        parameters=parameters,
        container={
            "command": command,
            "environment": environment,
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        },
        retryStrategy={"attempts": 2},
    )
    job_id = cloud.submit()
    cloud.step(60)
    assert cloud.status(job_id) in {"SUCCEEDED", "FAILED"}
    assert cloud.world.clock.failed_timers == 0
