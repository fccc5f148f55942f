"""All that can be changed about the simulator while it runs.

The models are frozen: a change is a new `Settings`, put in place by `World.change`. Domain code
reads `world.settings` anew each time and keeps no part of it. JSON names are camelCase.
"""

from enum import StrEnum
from typing import Any, Self

from pydantic import Field

from awsbatch_simulator.delays import Delays
from awsbatch_simulator.jobscript import JobScript
from awsbatch_simulator.model import Model


class JobRunner(StrEnum):
    """What running a job means."""

    SCRIPT = "script"  # the job follows a script of duration, exit code and output
    PROCESS = "process"  # the container's command really runs as a local process


class Bucket(Model):
    """A token bucket: `burst` calls at once, refilled by `rate` calls per real second."""

    rate: float = Field(gt=0)
    burst: float = Field(gt=0)
    shared: bool = False  # one bucket for all operations that match, instead of one for each


def published_limits() -> dict[str, Bucket]:
    """AWS's request limits per account and region, keyed `service:operation` (globs).

    The first key that matches counts, so the special ones stand first. Sources: Batch, "AWS Batch
    service quotas" (50 SubmitJob a second) and AWS's knowledge centre (about 50 a second for the
    rest together). EC2, "Request throttling for the Amazon EC2 API"; the figures for CreateTags
    and TerminateInstances are those that Karpenter uses in its simulated EC2. ECS, "Request
    throttling for the Amazon ECS API".
    """
    return {
        "batch:SubmitJob": Bucket(rate=50, burst=50),
        "batch:*": Bucket(rate=50, burst=50, shared=True),
        "ec2:RunInstances": Bucket(rate=2, burst=5),
        "ec2:TerminateInstances": Bucket(rate=5, burst=100),
        "ec2:CreateTags": Bucket(rate=10, burst=100),
        "ec2:Describe*": Bucket(rate=20, burst=100),
        "ec2:Get*": Bucket(rate=20, burst=100),
        "ec2:*": Bucket(rate=5, burst=50),
    }


class RequestLimits(Model):
    """AWS's request limits, as real token buckets per account and region."""

    enabled: bool = True
    buckets: dict[str, Bucket] = Field(default_factory=published_limits)
    instances: Bucket = Bucket(rate=2, burst=1000)  # RunInstances also pays per instance


class RoleTrust(Model):
    """What it takes to assume a role."""

    external_id: str | None = None
    assumable: bool = True


class Settings(Model):
    """The simulator's settings, as `GET /_simulator/settings` shows them."""

    speed: float = Field(default=1.0, gt=0)  # simulated seconds in a real one
    delays: Delays = Delays()
    limits: RequestLimits = RequestLimits()
    job_runner: JobRunner = JobRunner.SCRIPT
    job_scripts: tuple[JobScript, ...] = (JobScript(),)
    max_process_seconds: float = Field(default=600, gt=0)  # real; a job's process is then ended
    roles: dict[str, RoleTrust] = Field(default_factory=dict)  # by role ARN, before what IAM says

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
