"""What EventBridge would put into an SQS queue about jobs, by the setting `jobEvents`.

Sources: the user guide's "AWS Batch events", "Example Job State Change Event" and "Job queue
blocked events": an event for each change of a job's status, none for its submission, and the detail
is what DescribeJobs answers; EventBridge User Guide, "Event structure".
"""

import json
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.batch.details import fragment
from awsbatch_simulator.batch.model import Job
from awsbatch_simulator.hosting import JobEvent
from awsbatch_simulator.region import Region


def tell(region: Region, kind: JobEvent, job: Job) -> None:
    """Send an event of that `detail-type` about the job as it is now, if there is a rule for it."""
    rule = region.world.settings.job_events
    if not rule.queue or kind not in rule.kinds:
        return
    body = _envelope(region, kind, job) + ',"detail":' + fragment(region.batch, job).decode() + "}"
    delay = region.world.settings.delays.job_event
    region.world.clock.call_after(delay, region.world.messages.send, region.place, rule.queue, body)


def _envelope(region: Region, kind: JobEvent, job: Job) -> str:
    """All but the detail, without the closing brace."""
    now = datetime.fromtimestamp(region.world.clock.now(), UTC)
    queues = [job.queue.arn] if kind is JobEvent.QUEUE_BLOCKED else []
    event: dict[str, Any] = {
        "version": "0",
        "id": region.world.uuid(),
        "detail-type": str(kind),
        "source": "aws.batch",
        "account": region.place.account,
        "time": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "region": region.place.region,
        "resources": [job.arn, *queues],
    }
    return json.dumps(event, separators=(",", ":"))[:-1]
