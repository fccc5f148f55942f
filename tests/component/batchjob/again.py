"""Jobs that are held, and that run more than once, for the tests beside this file."""

from typing import Any

from tests.component.batchjob.runs import (
    JOB,
    SPEC,
    alive,
    jobs,
    ready,
    running,
    shown,
    submitted,
)
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import queue

from awsbatch_operator.api.metadata import RESOLVED, SUBMISSION, ObjectKey
from awsbatch_simulator.jobscript import JobScript

HELD = SPEC | {"suspend": True}
ON_CHANGE = SPEC | {"rerunPolicy": "OnChange"}
CHANGED = ON_CHANGE | {"parameters": {"year": "2025"}}
SAFE = ObjectKey("JobQueue", NAMESPACE, "on-demand")
LOST = "Host EC2 (instance i-0a1b2c3d4e5f67890) terminated."
SECONDS = 900
LIMITED = {"activeDeadlineSeconds": SECONDS}


def conditions(there: Installation) -> set[str]:
    """The types of those that are True."""
    listed = there.status(JOB).get("conditions", ())
    return {each["type"] for each in listed if each["status"] == "True"}


def versions(there: Installation) -> list[str]:
    """The versions that the job is written in from now on."""
    seen: list[str] = []

    def note(_: str, body: dict[str, Any]) -> None:
        if body["kind"] == "BatchJob":
            seen.append(body["metadata"]["resourceVersion"])

    there.kube.subscribe(note)
    return seen


def without_record(there: Installation) -> None:
    """As `kubectl replace` leaves it."""
    there.kube.annotate(JOB, **{SUBMISSION: None, RESOLVED: None})
    there.kube.strip_finalizers(JOB)


def of_jobs(there: Installation) -> int:
    """How many calls about jobs the operator has made."""
    return sum(call.endswith(("Job", "Jobs", "GetLogEvents")) for call in there.calls)


async def held_while_it_runs(there: Installation) -> None:
    await running(there)
    there.apply(JOB, HELD)
    await there.until(JOB, "Suspended")


def true_conditions(there: Installation) -> dict[str, int]:
    """The generations that the conditions which are True are of."""
    listed = there.status(JOB)["conditions"]
    return {each["type"]: each["observedGeneration"] for each in listed if each["status"] == "True"}


def ends(there: Installation) -> list[tuple[int, str]]:
    """The history."""
    return [(each["run"], each["result"]) for each in shown(there, "history") or ()]


async def at_work(there: Installation, run: int = 1) -> None:
    await there.clock.run_until(
        lambda: (shown(there, "run"), shown(there, "awsStatus")) == (run, "RUNNING"), within=3600
    )
    assert alive(there) == 1


async def complete(there: Installation) -> None:
    await submitted(there, 5, **ON_CHANGE)
    await there.until(JOB, "Complete", within=900)


def falling_back(after: int = 1, *when: str, **more: Any) -> dict[str, Any]:
    fallback = {"jobQueueRef": {"name": SAFE.name}, "when": list(when or ("HostLost",))}
    return SPEC | {"fallback": fallback | {"afterFailures": after}} | more


def scripted(there: Installation, *scripts: JobScript) -> None:
    world = there.simulator.world
    world.change(world.settings.model_copy(update={"job_scripts": scripts}))


def lost(name: str = "*", reason: str = LOST) -> JobScript:
    return JobScript(
        job_queue=name, duration_seconds=5, exit_code=None, reason="", status_reason=reason
    )


async def with_both_queues(there: Installation, *scripts: JobScript) -> None:
    await ready(there)
    there.apply(SAFE, queue())
    await there.until_ready(SAFE)
    scripted(there, *scripts)


def failed_ever(there: Installation) -> list[bool]:
    """Whether the job was ever called Failed, from now on."""
    seen: list[bool] = []

    def note(_: str, body: dict[str, Any]) -> None:
        if body["kind"] == "BatchJob":
            listed = body.get("status", {}).get("conditions", ())
            seen.extend(each["type"] == "Failed" for each in listed)

    there.kube.subscribe(note)
    return seen


async def until_late(there: Installation, within: float = 3600) -> None:
    """Until the job has failed for that, and for a good while after."""
    message = await there.until(JOB, "Failed", "DeadlineExceeded", within=within)
    assert "spec.activeDeadlineSeconds" in message
    assert shown(there, "failure") == "TimedOut"
    await there.clock.advance(1500)
    assert there.is_true(JOB, "Failed", "DeadlineExceeded")
    assert alive(there) == 0


def began(there: Installation) -> float:
    return float(jobs(there)[0].created_at) / 1000
