"""The script of a packed array, really run in each of the array's jobs."""

from collections.abc import Iterator

import pytest
from tests.component.simulator_over_http.test_process_runner import until
from tests.simulator.cloud import Cloud

from awsbatch_operator.kinds.batchjob.packing import Packing, Report, nonce_of, report, wrapped
from awsbatch_simulator.runners.start import stop_all
from awsbatch_simulator.settings import JobRunner, Settings

NONCE = nonce_of("uid", 1)
PACKING = Packing(tasks=8, each=3)
TASK = """
echo "task $AWS_BATCH_JOB_ARRAY_INDEX of $AWS_BATCH_JOB_ARRAY_SIZE"
[ $((AWS_BATCH_JOB_ARRAY_INDEX % 4)) -ne 1 ]
"""


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    made = Cloud(settings=Settings(job_runner=JobRunner.PROCESS))
    made.fargate()
    made.queue("main", "serverless")
    yield made
    stop_all(made.world)


def test_each_task_runs_once_with_its_own_index_and_those_that_fail_are_named(cloud):
    cloud.definition()
    command = wrapped(["/bin/sh", "-c", TASK], packing=PACKING, nonce=NONCE)
    parent = cloud.submit(
        arrayProperties={"size": PACKING.jobs}, containerOverrides={"command": command}
    )
    until(cloud, lambda: cloud.status(parent) in {"SUCCEEDED", "FAILED"})
    children = [cloud.job(f"{parent}:{index}") for index in range(PACKING.jobs)]
    outputs = [cloud.lines.streams[each["container"]["logStreamName"]] for each in children]
    tasks = [line for lines in outputs for line in lines if line.startswith("task")]
    assert tasks == [f"task {index} of 8" for index in range(8)]
    assert [each["status"] for each in children] == ["FAILED", "FAILED", "SUCCEEDED"]
    assert [report(reversed(lines), nonce=NONCE) for lines in outputs] == [
        Report((1,), whole=True),
        Report((5,), whole=True),
        Report((), whole=True),
    ]
