"""What was done in AWS, and who is needed, as lines of the log: each once, whatever is retried."""

from collections.abc import Callable, Collection, Mapping
from enum import Enum

import structlog

from awsbatch_operator.api import catalogue, image_reasons, job_reasons
from awsbatch_operator.api.findings import Reason, Severity
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.repeats import Repeats
from awsbatch_operator.kinds.narration import EventSink

AGAIN_SECONDS = 600.0  # the same about the same object within this time is a retry: no new line

_log = structlog.get_logger(__name__)


class Activity(Enum):
    """What a line is about; its message. Words to search for: they stay as they are."""

    CREATED = "created"
    CHANGED = "changed"
    REPAIRED = "repaired"
    READY = "ready"
    ENDED = "ended"
    NEEDS_A_PERSON = "needs a person"
    NOTED = "noted"


_ACTIVITIES: Mapping[Reason, Activity] = {
    catalogue.CREATED: Activity.CREATED,
    catalogue.REGISTERED: Activity.CREATED,
    job_reasons.JOB_SUBMITTED: Activity.CREATED,
    catalogue.UPDATED: Activity.CHANGED,
    catalogue.REOWNED: Activity.CHANGED,
    catalogue.DRIFT_REPAIRED: Activity.REPAIRED,
    catalogue.READY: Activity.READY,
    catalogue.DISABLED: Activity.READY,
    catalogue.DELETED: Activity.ENDED,
    catalogue.DEREGISTERED: Activity.ENDED,
    catalogue.RETAINED: Activity.ENDED,
    job_reasons.JOB_SUCCEEDED: Activity.ENDED,
    image_reasons.BUILD_ATTEMPT_FAILED: Activity.NOTED,  # it is tried again by itself
}
_BY_NAME: Mapping[str, Reason] = {reason.name: reason for reason in catalogue.reasons()}


def activity_of(reason: str, *, warning: bool, ended: Collection[str]) -> Activity | None:
    """What a told reason is about; None for trouble that passes by itself.

    `ended` are reasons with which a job ends and that are not in the catalogue. Trouble of AWS is
    everybody's at once, and its metric tells it better than a line for each object.
    """
    known = _BY_NAME.get(reason)
    if reason in ended:
        return Activity.ENDED
    if known is not None and known.severity is Severity.WAIT:
        return None
    if known is not None and known in _ACTIVITIES:
        return _ACTIVITIES[known]
    return Activity.NEEDS_A_PERSON if warning else Activity.NOTED


class ActivityLog:
    """An EventSink that writes a line for what it is told, and hands it on."""

    def __init__(
        self,
        recorder: EventSink,
        *,
        clock: Clock,
        ended: Collection[str],
        aws_name: Callable[[Resource], str],
    ) -> None:
        self._recorder = recorder
        self._ended = frozenset(ended)
        self._aws_name = aws_name
        self._told = Repeats(clock, seconds=AGAIN_SECONDS)

    def event(
        self, resource: Resource, *, reason: str, message: str, warning: bool, action: str
    ) -> None:
        """Log it, unless that was done a moment ago, and record the event."""
        activity = activity_of(reason, warning=warning, ended=self._ended)
        if activity is not None and self._told.is_news((resource.uid, reason, message)):
            _log.info(
                activity.value,
                kind=resource.key.kind,
                namespace=resource.key.namespace,
                name=resource.key.name,
                aws_name=self._aws_name(resource),
                reason=reason,
                said=message,
            )
        self._recorder.event(
            resource, reason=reason, message=message, warning=warning, action=action
        )
