"""The last lines that a job has written, for its status."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.ports import LogsPort
from awsbatch_operator.kinds.batchjob.masking import masked_lines
from awsbatch_operator.kinds.batchjob.observed import Observed
from awsbatch_operator.kinds.batchjob.readings import Readings
from awsbatch_operator.kinds.outcomes import backs_off

DEFAULT_GROUP = "/aws/batch/job"  # AWS Batch user guide, "Use the awslogs log driver"
DEFAULT_LINES = 5
PATIENCE_SECONDS = 3.0  # how long a job that wrote nothing yet may still be writing
# The longest that an end is held back while other jobs' lines are read. A failure's are worth more.
HELD_BACK_SECONDS = {"SUCCEEDED": 15.0, "FAILED": 120.0}


@dataclass(frozen=True, slots=True)
class Output:
    """Reads them, unless the installation wants no output in any status."""

    logs: LogsPort
    clock: Clock
    wanted: bool = True
    readings: Readings = field(default_factory=Readings)

    async def added(self, resource: Resource, observed: Observed, scope: Scope) -> Observed:
        """What is known of an ended job, with its last lines if they can be had."""
        count = resource.spec.get("logs", {}).get("statusLines", DEFAULT_LINES)
        stream = observed.container.get("logStreamName")
        if not (self.wanted and count and stream):
            return replace(observed, log_lines=())
        group, trouble = log_group(observed), ""
        now, patience = self.clock.now(), HELD_BACK_SECONDS[observed.state]
        due = self.readings.due(resource.key, scope, now, patience=patience)
        if due is None:
            return replace(observed, log_lines=(), log_group=group, log_skipped=True)
        if due > now:
            return replace(observed, log_due=due)
        waited = now.since(observed.since or now) >= PATIENCE_SECONDS
        lines: Sequence[str] = ()
        try:
            lines = await self.logs.last_lines(scope, group, stream, count=count)
        except AwsError as error:
            trouble = str(error)
            waited = waited or not backs_off(error)
        known = masked_lines(lines) if lines or waited else None
        return replace(observed, log_lines=known, log_group=group, log_trouble=trouble)

    def forget(self, key: ObjectKey) -> None:
        """The object has reached its end, or is gone."""
        self.readings.forget(key)


def log_group(observed: Observed) -> str:
    """Where the container's driver writes, unless the definition says otherwise."""
    configuration = observed.container.get("logConfiguration") or {}
    return str((configuration.get("options") or {}).get("awslogs-group", DEFAULT_GROUP))
