"""The quickstart on a local control plane and simulated AWS, told while it goes on.

Applies examples/quickstart as a user would, waits until its jobs have ended, and shows what
kubectl shows of them.
"""

import json
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from awsbatch_sandbox import background, binaries, commands, state
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.interrupts import uninterrupted
from awsbatch_sandbox.kubectl import Kubectl
from awsbatch_sandbox.paths import REPOSITORY, Layout
from awsbatch_sandbox.progress import Progress, duration
from awsbatch_sandbox.sandbox import Sandbox

QUICKSTART = REPOSITORY / "examples" / "quickstart"
JOB_SECONDS = 180.0  # about 15 s when all goes well
LOOK_SECONDS = 0.5


def run(progress: Progress, *, speed: float) -> int:
    """Run the demo in a sandbox of its own, which goes with all that is in it."""
    found = binaries.find(progress=progress)
    with _passing(found) as sandbox:
        _show_all(sandbox, progress, speed=speed)
    progress.say("\nEverything has been ended and removed. To look around: make demo KEEP=1")
    return 0


def run_and_keep(directory: Path, progress: Progress, *, speed: float) -> int:
    """Run the demo in a sandbox that stays, and say how to look around."""
    layout = Layout(directory)
    found = binaries.find(progress=progress)
    with background.locked(layout):
        if background.running(layout):
            raise SandboxError(
                f"A sandbox is already running in {layout.root}: end it with make down, or use "
                f"it as it is: KUBECONFIG={layout.kubeconfig} kubectl apply -k {QUICKSTART}"
            )
        background.clean(layout, state.read(layout.state))
        with background.lasting(layout, found) as sandbox:
            _show_all(sandbox, progress, speed=speed)
    print(commands.summary(layout, found, "\nThe sandbox stays."))
    print("  Look around:      kubectl describe awsbatch")
    return 0


@contextmanager
def _passing(found: binaries.Binaries) -> Iterator[Sandbox]:
    """A sandbox in a temporary directory, both gone afterwards however the body ends."""
    directory: Path | None = None
    sandbox: Sandbox | None = None
    try:
        with uninterrupted():
            directory = Path(tempfile.mkdtemp(prefix="awsbatch-demo-"))
        sandbox = Sandbox(directory, controllers=True, binaries=found)
        yield sandbox
    finally:
        with uninterrupted():
            if sandbox is not None:
                sandbox.stop()
            if directory is not None:
                shutil.rmtree(directory, ignore_errors=True)


def _show_all(sandbox: Sandbox, progress: Progress, *, speed: float) -> None:
    commands.start_all(sandbox, progress, speed=speed)
    kubectl = sandbox.control_plane.kubectl
    progress.say("")
    _show(kubectl, ["apply", f"--kustomize={QUICKSTART}"], progress)
    progress.say("")
    jobs = wait_for_jobs(kubectl, sandbox, progress)
    _show(kubectl, ["get", "awsbatch"], progress)
    for job in jobs:
        _show(kubectl, ["events", f"--for=batchjob/{job.name}"], progress)
        progress.say(f"\nThe last lines that {job.name} printed (status.logs.lastLines):")
        progress.say("\n".join(f"  {line}" for line in job.last_lines))
    failed = [job.name for job in jobs if not job.complete]
    if failed:
        raise SandboxError(f"Not all jobs are Complete: {', '.join(failed)} failed.")


@dataclass(frozen=True, slots=True)
class Job:
    """What the demo reads of a BatchJob."""

    name: str
    stage: str  # AWS's status, or why there is none yet
    complete: bool
    failed: bool
    last_lines: tuple[str, ...]

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """Read it from what the API server has."""
        status = body.get("status", {})
        true = [each for each in status.get("conditions", []) if each["status"] == "True"]
        types = {each["type"] for each in true}
        waiting = next((each["message"] for each in true), "not seen by the operator yet")
        return cls(
            name=body["metadata"]["name"],
            stage=status.get("awsStatus") or waiting,
            complete="Complete" in types,
            failed="Failed" in types,
            last_lines=tuple(status.get("logs", {}).get("lastLines", [])),
        )


def wait_for_jobs(kubectl: Kubectl, sandbox: Sandbox, progress: Progress) -> list[Job]:
    """Wait until every BatchJob has ended, telling each change; returns them."""
    started, told = time.monotonic(), dict[str, str]()
    while True:
        sandbox.check()
        jobs = _jobs(kubectl)
        seconds = time.monotonic() - started
        for job in jobs:
            if told.get(job.name) != job.stage:
                progress.say(f"{duration(seconds):>6}  batchjob/{job.name}: {job.stage}")
                told[job.name] = job.stage
        if jobs and all(job.complete or job.failed for job in jobs):
            return jobs
        if seconds > JOB_SECONDS:
            _show(kubectl, ["get", "awsbatch"], progress)
            raise SandboxError(
                f"The jobs have not ended after {duration(seconds)}.{sandbox.operator_last_words()}"
            )
        sandbox.wait(LOOK_SECONDS)


def _jobs(kubectl: Kubectl) -> list[Job]:
    answer = json.loads(kubectl("get", "batchjobs", "--output=json").stdout)
    return [Job.read(body) for body in answer["items"]]


def _show(kubectl: Kubectl, arguments: Sequence[str], progress: Progress) -> None:
    """Run kubectl before the eyes of the person: the command, and what it prints."""
    progress.say(f"\n$ kubectl {shlex.join(arguments)}")
    progress.say(kubectl(*arguments).stdout.rstrip())
