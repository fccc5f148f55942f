"""A machine image, told while it goes on: built, tried, used by a job, and removed again.

Applies examples/extended-ami/large-disk as a user would. AWS's transitions are in fast motion.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from awsbatch_sandbox.account import Account
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.paths import EXAMPLES
from awsbatch_sandbox.quickstart_demo import Job
from awsbatch_sandbox.stage import Seen, Stage

LARGE_DISK = EXAMPLES / "extended-ami" / "large-disk"
NAME = "large-disk"
PART_SECONDS = 150.0  # about 60 s when all goes well
DELETE_SECONDS = 120
MACHINES = {"builder": "builder, which nobody logs in to", "verifier": "boot test of the new image"}

Lines = Iterator[tuple[str, str]]


def image(stage: Stage) -> None:
    """Tell it."""
    account = Account(stage.sandbox.aws)
    stage.show("apply", f"--kustomize={LARGE_DISK}")
    stage.say("")
    story = Story(stage, account)
    stage.follow(
        story.look,
        seconds=PART_SECONDS,
        what="The job has not run on the image",
        tell=lambda _, seconds, text: stage.say(f"{seconds:6.1f} s  {text}"),
    )
    story.show_end()
    stage.show("get", "extendedamis,computeenvironments")
    stage.show("delete", f"--kustomize={LARGE_DISK}", f"--timeout={DELETE_SECONDS}s")
    account.nothing_is_left(stage.say, stage.sandbox.wait)


@dataclass(slots=True)
class Story:
    """What happens to the image and to the job that is to run on it."""

    stage: Stage
    account: Account
    status: dict[str, Any] = field(default_factory=dict)
    printed: tuple[str, ...] = ()

    def look(self) -> Seen:
        """One look."""
        found = self.stage.objects("extendedamis", "computeenvironments", "batchjobs")
        bodies = {body["kind"]: body for body in found}
        made = bodies.get("ExtendedAMI", {}).get("status", {})
        job = Job.read(bodies["BatchJob"]) if "BatchJob" in bodies else None
        self.status = made
        if job is not None:
            self.printed = job.last_lines
        if job is not None and job.failed:
            raise SandboxError(f"The job failed: {job.stage}")
        lines = [*self._image(made), *_use(bodies.get("ComputeEnvironment", {}), made, job)]
        return Seen(lines, job is not None and job.complete, _said(made))

    def _image(self, status: dict[str, Any]) -> Lines:
        bake = status.get("bake", {})
        if bake.get("needed"):
            yield "needed", f"an image has to be made, because of {', '.join(bake['because'])}"
        if "imageId" in status.get("base", {}):
            yield "base", f"the base is {status['base']['imageId']}"
        # The status is written after the launch that it explains: what it says comes first.
        for one in self.account.machines() if "needed" in bake else ():
            yield one["InstanceId"], f"launched {one['InstanceId']}: the {MACHINES[one['role']]}"
            if one["State"]["Name"] == "terminated":
                yield f"{one['InstanceId']} gone", f"{one['InstanceId']} is terminated"
        build = status.get("build", {})
        for name in ("stage", "step"):
            if build.get(name):
                yield f"{name} {build[name]}", f"    status.build.{name}: {build[name]}"
        for each in status.get("images", ()):
            yield f"{each['imageId']} {each['state']}", f"{each['imageId']}: {each['state']}"

    def show_end(self) -> None:
        """What was measured, and what the job has printed."""
        self.stage.say("\nWhat the boot test has measured (status.measured):")
        for name, value in self.status.get("measured", {}).items():
            self.stage.say(
                f"  {name:14} {value if not isinstance(value, list) else ', '.join(value)}"
            )
        self.stage.say("\nWhat the job printed on an instance of it (status.logs.lastLines):")
        self.stage.say("\n".join(f"  {line}" for line in self.printed))
        if not any("111G" in line for line in self.printed):
            raise SandboxError("The job did not run on a disk of 111 GiB.")


def _use(environment: dict[str, Any], made: dict[str, Any], job: Job | None) -> Lines:
    if made.get("imageId"):
        yield "in use", f"{made['imageId']} has passed its boot test and is in use"
    if environment.get("status", {}).get("awsStatus") == "VALID":
        yield "environment", "the compute environment that names it is VALID"
    if job is not None:
        yield f"job {job.stage}", f"batchjob/{job.name}: {job.stage}"


def _said(status: dict[str, Any]) -> str:
    true = [each for each in status.get("conditions", ()) if each["status"] == "True"]
    return " ".join(f"{each['type']} ({each['reason']}): {each['message']}" for each in true)
