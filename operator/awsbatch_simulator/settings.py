"""All that can be changed about the simulator while it runs.

The models are frozen: a change is a new `Settings`, put in place by `World.change`. Domain code
reads `world.settings` anew each time and keeps no part of it. JSON names are camelCase.
"""

from enum import StrEnum
from typing import Any, Self

from pydantic import Field, field_validator

from awsbatch_simulator.delays import Delays
from awsbatch_simulator.hosting import Hosts, JobEvents, Notices
from awsbatch_simulator.iam.policy import check
from awsbatch_simulator.jobscript import JobScript
from awsbatch_simulator.limits import RequestLimits
from awsbatch_simulator.market import Market
from awsbatch_simulator.model import Model


class JobRunner(StrEnum):
    """What running a job means."""

    SCRIPT = "script"  # the job follows a script of duration, exit code and output
    PROCESS = "process"  # the container's command really runs as a local process


class RoleTrust(Model):
    """What it takes to assume a role."""

    external_id: str | None = None
    assumable: bool = True


class Settings(Model):
    """The simulator's settings, as `GET /_simulator/settings` shows them."""

    speed: float = Field(default=1.0, gt=0)  # simulated seconds in a real one
    delays: Delays = Delays()
    limits: RequestLimits = RequestLimits()
    market: Market = Market()
    hosts: Hosts = Hosts()
    notices: Notices = Notices()
    job_events: JobEvents = JobEvents()
    batch_images: dict[str, str] = Field(default_factory=dict)  # Batch's newest, by imageType
    # Tasks a simulated second that ECS lets Batch place in an account and region; None: no limit.
    placement_rate: float | None = Field(default=None, gt=0)
    job_runner: JobRunner = JobRunner.SCRIPT
    job_scripts: tuple[JobScript, ...] = (JobScript(),)
    max_process_seconds: float = Field(default=600, gt=0)  # real; a job's process is then ended
    max_output_bytes: int = Field(default=1_048_576, ge=0)  # of a process; the rest is lost
    # Identity policies by the ARN of a user or a role, besides those that IAM has of them.
    policies: dict[str, tuple[dict[str, Any], ...]] = Field(default_factory=dict)
    roles: dict[str, RoleTrust] = Field(default_factory=dict)  # by role ARN, before what IAM says

    @field_validator("policies")
    @classmethod
    def _documents(cls, value: dict[str, tuple[dict[str, Any], ...]]) -> Any:
        for documents in value.values():
            for each in documents:
                check(each)
        return value

    def patched(self, patch: dict[str, Any]) -> Self:
        """These settings with a JSON merge patch (RFC 7396) applied and validated.

        Raises pydantic's ValidationError for unknown names and bad values.
        """
        return self.model_validate(merge(self.model_dump(mode="json", by_alias=True), patch))


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396: objects are merged, null removes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    base = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            base.pop(name, None)
        else:
            base[name] = merge(base.get(name), value)
    return base
