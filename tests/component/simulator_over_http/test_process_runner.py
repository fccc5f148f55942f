"""Jobs that really run: what they see, what they leave, and that nothing outlives them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.simulator.cloud import Cloud
from tests.support.deadline import wait_until

from awsbatch_simulator.runners.start import stop_all
from awsbatch_simulator.settings import JobRunner, Settings


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    made = Cloud(settings=Settings(job_runner=JobRunner.PROCESS))
    made.fargate()
    made.queue("main", "serverless")
    yield made
    stop_all(made.world)


def until(cloud: Cloud, condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Let real and simulated time pass until the condition holds."""

    def after_a_step() -> object:
        cloud.step(0.1)
        return condition()

    wait_until(after_a_step, "it has happened", seconds=seconds, every=0.005)


def run(cloud: Cloud, *command: str, **fields: Any) -> dict[str, Any]:
    """Run a command as a job to its end; its JobDetail with the lines that it wrote."""
    cloud.definition(container={"command": list(command)}, **fields)
    job_id = cloud.submit()
    until(cloud, lambda: cloud.status(job_id) in {"SUCCEEDED", "FAILED"})
    job = cloud.job(job_id)
    stream = job["container"].get("logStreamName", "")
    return job | {"lines": cloud.lines.streams.get(stream, [])}


def alive(marker: str) -> bool:
    """Whether any process has the marker on its command line."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                if marker in (entry / "cmdline").read_text(errors="replace"):
                    return True
            except OSError:
                continue
    return False


def test_the_command_starts_with_no_signal_ignored_whatever_our_parent_had_us_ignore(cloud):
    numbers = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        job = run(cloud, "grep", "SigIgn", "/proc/self/status")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    (line,) = job["lines"]
    # Two real-time signals belong to the C library, which lets nobody change what is inherited.
    ours = sum(1 << (number - 1) for number in signal.valid_signals())
    assert int(line.split()[1], 16) & ours == 0


def test_the_command_sees_batchs_variables_and_nothing_of_ours(cloud, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SIMULATOR", "x")
    job = run(cloud, "env")
    seen = dict(line.split("=", 1) for line in job["lines"])
    assert seen == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "AWS_BATCH_JOB_ID": job["jobId"],
        "AWS_BATCH_JQ_NAME": "main",
        "AWS_BATCH_CE_NAME": "serverless",
        "AWS_BATCH_JOB_ATTEMPT": "1",
    }
    assert job["status"] == "SUCCEEDED"


def test_parameters_are_substituted_and_no_shell_interprets_them(cloud):
    job = run(cloud, "echo", "Ref::what", "$HOME", parameters={"what": "a; touch /tmp/b && c"})
    assert job["lines"] == ["a; touch /tmp/b && c $HOME"]


def test_the_exit_code_of_the_command_is_the_jobs(cloud):
    job = run(cloud, "sh", "-c", "echo bad >&2; exit 7")
    assert (job["status"], job["container"]["exitCode"]) == ("FAILED", 7)
    assert job["lines"] == ["bad"]


def test_a_command_that_does_not_exist_never_starts(cloud):
    job = run(cloud, "no-such-program")
    assert job["status"] == "FAILED"
    assert "exitCode" not in job["container"]
    assert job["container"]["reason"].startswith("CannotStartContainerError: FileNotFoundError")


def test_a_job_works_in_a_directory_of_its_own_that_is_gone_afterwards(cloud):
    job = run(cloud, "sh", "-c", "pwd; echo x > file; ls")
    place, listed = job["lines"]
    assert listed == "file"
    assert not Path(place).exists()


def test_terminating_a_job_ends_all_of_its_processes(cloud):
    marker = f"sleep {10_000 + os.getpid()}.125"
    script = f"trap '' TERM; setsid {marker} & {marker} & echo up; wait"
    cloud.definition(container={"command": ["sh", "-c", script]})
    job_id = cloud.submit()
    until(cloud, lambda: alive(marker.replace(" ", "\0")))
    cloud("TerminateJob", jobId=job_id, reason="enough")
    until(cloud, lambda: cloud.status(job_id) == "FAILED")
    job = cloud.job(job_id)
    assert (job["statusReason"], job["isTerminated"]) == ("enough", True)
    assert job["container"]["exitCode"] == 137
    assert not alive(marker.replace(" ", "\0"))


def test_what_a_job_leaves_in_the_background_ends_with_it(cloud):
    marker = f"sleep {20_000 + os.getpid()}.125"
    job = run(cloud, "sh", "-c", f"setsid {marker} & exit 0")
    assert job["status"] == "SUCCEEDED"
    assert not alive(marker.replace(" ", "\0"))


def test_output_is_bounded_and_the_job_goes_on(cloud):
    cloud.world.change(cloud.world.settings.model_copy(update={"max_output_bytes": 1000}))
    job = run(cloud, "sh", "-c", "yes 0123456789 | head -n 5000; exit 0")
    assert job["status"] == "SUCCEEDED"
    assert len(job["lines"]) < 100
    assert job["lines"][-1] == "[the simulator keeps 1000 bytes of output; the rest is lost]"


def test_a_process_has_a_time_limit_of_its_own(cloud):
    cloud.world.change(cloud.world.settings.model_copy(update={"max_process_seconds": 0.3}))
    job = run(cloud, "sleep", "100")
    assert job["container"]["exitCode"] == 137
    assert job["container"]["reason"] == "The simulator ended the process after 0.3 s"


def test_stopping_the_simulator_ends_every_process(cloud):
    marker = f"sleep {30_000 + os.getpid()}.125"
    cloud.definition(container={"command": marker.split()})
    cloud.submit()
    until(cloud, lambda: alive(marker.replace(" ", "\0")))
    stop_all(cloud.world)
    assert not alive(marker.replace(" ", "\0"))


def test_no_process_survives_a_simulator_that_is_killed(tmp_path):
    marker = f"sleep {40_000 + os.getpid()}.125"
    place = tmp_path / "place"
    script = f"pwd > {place}.new; mv {place}.new {place}; setsid {marker} & wait"
    program = tmp_path / "simulator.py"
    program.write_text(
        "import time\n"
        "from awsbatch_simulator.settings import JobRunner, Settings\n"
        "from tests.simulator.cloud import Cloud\n"
        "cloud = Cloud(settings=Settings(job_runner=JobRunner.PROCESS))\n"
        "cloud.fargate(); cloud.queue('main', 'serverless')\n"
        f"cloud.definition(container={{'command': ['sh', '-c', '{script}']}})\n"
        "cloud.submit(); cloud.step(20)\n"
        "time.sleep(100)\n"
    )
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, program],
        env={"PYTHONPATH": f"{root}:{root / 'operator'}", "PATH": os.environ["PATH"]},
    )
    try:
        wait_until(lambda: alive(marker.replace(" ", "\0")), "the job runs")
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    wait_until(lambda: not alive(marker.replace(" ", "\0")), "the job has ended")
    wait_until(lambda: not Path(place.read_text().strip()).exists(), "its directory is gone")


def test_df_tells_the_disk_of_the_simulated_instance_and_not_this_machines(cloud):
    cloud.platform = "EC2"
    cloud.environment("pool")
    cloud.step(10)
    cloud.queue("on-instances", "pool")
    cloud.definition(container={"command": ["sh", "-c", "df -h; df /; df /proc"]})
    job_id = cloud.submit(jobQueue="on-instances")
    cloud.step(600)
    until(cloud, lambda: cloud.status(job_id) in {"SUCCEEDED", "FAILED"})
    [lines] = [cloud.lines.streams[cloud.job(job_id)["container"]["logStreamName"]]]
    assert lines[1].split() == ["overlay", "30G", "2.0G", "28G", "7%", "/"]
    assert lines[3].split() == ["overlay", "31457280", "2097152", "29360128", "7%", "/"]
    assert lines[-1].split()[-1] == "/proc"
