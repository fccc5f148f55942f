"""JobEventBook: what EventBridge says of jobs, heard through the event queue.

An event makes a job that is followed be looked at now instead of at its time, and nothing else: all
that is decided about a job is decided on what DescribeJobs answers. So an event that is lost,
repeated, late or made up changes no more than when AWS is asked; and each message is deleted as
soon as it has been read.

Sources: AWS Batch User Guide, "Example Job State Change Event" and "Job queue blocked events";
EventBridge User Guide, "Event structure".
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from awsbatch_operator.api.encoding import decoded
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.aws.job_feed import Heard, JobPoller
from awsbatch_operator.aws.notice_events import BODY_LIMIT, NoticeObserver
from awsbatch_operator.aws.sqs import Mail, Mailbox

# About no job of ours; about a child of an array or a node, whose parent has events of its own;
# what polling has found already.
UNREADABLE, FOREIGN, CHILD, KNOWN = "Unreadable", "Foreign", "Child", "Known"

_JOB = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})([:#][0-9]{1,5})?")
_STATUS = re.compile(r"[A-Z]{1,32}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z0-9-]{5,32}")


class JobNews(StrEnum):
    """What an event is about."""

    STATE_CHANGE = "StateChange"
    QUEUE_BLOCKED = "QueueBlocked"  # Batch says why the job at the head of a line waits


_BY_DETAIL_TYPE = {
    "Batch Job State Change": JobNews.STATE_CHANGE,
    "Batch Job Queue Blocked": JobNews.QUEUE_BLOCKED,
}


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One event: of which job, where, and in which status it was."""

    kind: JobNews
    account_id: str
    region: str
    job_id: str
    child: bool  # of an array, or a node
    status: str


def job_event_of(body: object) -> JobEvent | None:
    """Read the body of a message; None if it is no event of a job.

    Whoever may send to the queue can send anything. Nothing of a message but its kind, and a
    well-formed place, id and status, goes any further.
    """
    if not isinstance(body, str) or len(body) > BODY_LIMIT:
        return None
    try:
        event = decoded(body.encode())
    except (ValueError, RecursionError):  # no JSON, half a character, or nested without end
        return None
    if not isinstance(event, dict) or event.get("source") != "aws.batch":
        return None
    detail = event.get("detail")
    kind = _BY_DETAIL_TYPE.get(_text(event, "detail-type"))
    if kind is None or not isinstance(detail, dict):
        return None
    account_id, region = _text(event, "account"), _text(event, "region")
    job_id, status = _JOB.fullmatch(_text(detail, "jobId")), _text(detail, "status")
    where = _ACCOUNT.fullmatch(account_id) and _REGION.fullmatch(region)
    if job_id is None or not where or not _STATUS.fullmatch(status):
        return None
    return JobEvent(kind, account_id, region, job_id[1], job_id[2] is not None, status)


def _text(event: Shape, name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""


class JobEventBook:
    """Hears of jobs, and has those that are followed looked at. For one event loop.

    Without a queue it costs nothing.
    """

    def __init__(
        self,
        box: Mailbox | None,
        jobs: JobPoller,
        clock: Clock,
        observe: NoticeObserver | None = None,
    ) -> None:
        self._box = box
        self._jobs = jobs
        self._clock = clock
        self._observe: Callable[[str, float], None] = observe or (lambda _kind, _seconds: None)

    @property
    def failing(self) -> bool:
        """Whether the queue cannot be read, or nothing be deleted from it."""
        return self._box is not None and self._box.failing

    async def run(self) -> None:
        """Receive and delete until cancelled. An error that is none of AWS's is raised."""
        if self._box is None:
            await asyncio.get_running_loop().create_future()
        else:
            await self._box.run(self._take)

    def _take(self, mails: Sequence[Mail]) -> None:
        for mail in mails:
            age = 0.0 if mail.sent is None else max(0.0, self._clock.now().epoch - mail.sent)
            self._observe(self._heard(job_event_of(mail.body)), age)
            if self._box is not None:
                self._box.delete(mail.receipt)

    def _heard(self, event: JobEvent | None) -> str:
        """What becomes of an event, for the metric."""
        if event is None:
            return UNREADABLE
        if event.child:
            return CHILD
        status = event.status if event.kind is JobNews.STATE_CHANGE else ""
        match self._jobs.heard((event.account_id, event.region), event.job_id, status):
            case Heard.NOT_FOLLOWED:
                return FOREIGN
            case Heard.KNOWN:
                return KNOWN
            case Heard.LOOKED_AT:
                return event.kind
