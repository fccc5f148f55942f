"""Queues into which EventBridge rules put what EC2 announces, and what Batch says of jobs.

They belong to the operator, whose own identity reads them, whatever accounts the events are of.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.aws.aws_settings import Cadence
from awsbatch_operator.aws.calls import LONGEST_WAIT
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.interruption_queue import Queue
from awsbatch_operator.aws.polling import Trouble
from awsbatch_operator.aws.sender import Sender, Sent
from awsbatch_operator.aws.sessions import Identity
from awsbatch_operator.waiting import first_of

AT_ONCE = 10  # messages of one call; SQS API reference, ReceiveMessage and DeleteMessageBatch
# Seconds in which a message that was received is shown to nobody else. If we die meanwhile, the
# next replica has it after that time.
VISIBILITY = 30
LINES = 8  # calls at the same time, while messages queue up
_MOST_OVER = 10_000  # receipts that wait to be deleted; what is left out comes again

_TIME = re.compile(r"[0-9]{1,15}")  # milliseconds

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as it was received. `receipt` is what deletes it, until it is received again."""

    id: str
    receipt: str
    body: Any
    sent: float | None  # epoch seconds; None: SQS does not say


class SqsQueue:
    """The calls. They wait for rate tokens, as polls do. Raise AwsError and LeaseLostError."""

    def __init__(self, sender: Sender, queue: Queue) -> None:
        self._sender = sender
        self._sent = Sent(Identity(), queue.account_id, queue.region)
        self.queue = queue

    async def receive(self, wait: int) -> Sequence[Mail]:
        """Messages that nobody else is shown for VISIBILITY seconds; waits for one so long."""
        request = {
            "QueueUrl": self.queue.url,
            "MaxNumberOfMessages": AT_ONCE,
            "WaitTimeSeconds": wait,
            "VisibilityTimeout": VISIBILITY,
            "MessageSystemAttributeNames": ["SentTimestamp"],
        }
        answer = await self._sender.call_as(self._sent, "sqs:ReceiveMessage", request, polling=True)
        return [_mail(each) for each in answer.get("Messages") or ()]

    async def delete(self, receipts: Sequence[str]) -> None:
        """Delete up to AT_ONCE messages. One that is not deleted comes again."""
        entries = [{"Id": str(at), "ReceiptHandle": each} for at, each in enumerate(receipts)]
        request = {"QueueUrl": self.queue.url, "Entries": entries}
        await self._sender.call_as(self._sent, "sqs:DeleteMessageBatch", request, polling=True)


def _mail(message: dict[str, Any]) -> Mail:
    attributes = message.get("Attributes") or {}
    sent = str(attributes.get("SentTimestamp", ""))
    return Mail(
        id=str(message.get("MessageId", "")),
        receipt=str(message.get("ReceiptHandle", "")),
        body=message.get("Body"),
        sent=int(sent) / 1000 if _TIME.fullmatch(sent) else None,
    )


class Mailbox:
    """Receives without end, and deletes what it is told to. For one event loop.

    Whatever is wrong with the queue is told once, and asked again more and more rarely. `name` is
    what the log calls it, `instead` what goes on without it.
    """

    def __init__(
        self,
        queue: SqsQueue,
        clock: Clock,
        cadence: Cadence,
        *,
        name: str = "interruption queue",
        instead: str = "instances are watched by polling alone",
    ) -> None:
        self._queue = queue
        self._name, self._instead = name, instead
        self._clock = clock
        self._cadence = cadence
        self._over: deque[str] = deque(maxlen=_MOST_OVER)
        self._any_over = asyncio.Event()
        self._troubles: dict[str, Trouble] = {}

    @property
    def failing(self) -> bool:
        """Whether the queue cannot be read, or nothing be deleted from it."""
        return bool(self._troubles)

    def delete(self, receipt: str) -> None:
        """Delete the message soon. What cannot be deleted comes again."""
        self._over.append(receipt)
        self._any_over.set()

    async def run(self, take: Callable[[Sequence[Mail]], None]) -> None:
        """Hand over what comes until cancelled. An error that is none of AWS's is raised."""
        await first_of(self._receive(take), self._remove())

    async def _receive(self, take: Callable[[Sequence[Mail]], None]) -> None:
        """Ask for messages, one call after the other; several at a time while they queue up."""
        longest, lines = int(min(self._cadence.notices, LONGEST_WAIT)), 1
        while True:
            asked_at = self._clock.monotonic()
            wait = longest if lines == 1 else 0
            answers = await asyncio.gather(
                *(self._queue.receive(wait) for _ in range(lines)), return_exceptions=True
            )
            full, empty, failure = True, True, None
            for answer in answers:
                if isinstance(answer, BaseException):
                    failure = answer
                    continue
                full, empty = full and len(answer) == AT_ONCE, empty and not answer
                take(answer)
                await asyncio.sleep(0)
            lines = min(LINES, lines * 2) if full and failure is None else 1
            await self._rest("receive messages", failure)
            if failure is None and empty:
                # SQS has waited for a message. Whoever answers at once is not asked without end.
                ready = asked_at + min(self._cadence.notices_pause, self._cadence.notices)
                await self._clock.sleep(ready - self._clock.monotonic())

    async def _remove(self) -> None:
        while True:
            await self._any_over.wait()
            self._any_over.clear()
            while self._over:
                most = min(len(self._over), LINES * AT_ONCE)
                some = [self._over.popleft() for _ in range(most)]
                batches = [some[at : at + AT_ONCE] for at in range(0, most, AT_ONCE)]
                answers = await asyncio.gather(
                    *(self._queue.delete(batch) for batch in batches), return_exceptions=True
                )
                failures = [each for each in answers if isinstance(each, BaseException)]
                await self._rest("delete messages", failures[0] if failures else None)

    async def _rest(self, doing: str, failure: BaseException | None) -> None:
        """Wait after a failure, longer each time; raise one that AWS has no part in."""
        log = _log.bind(queue=self._queue.queue.name, doing=doing)
        if failure is None:
            if self._troubles.pop(doing, None) is not None:
                log.info("the queue works again", which=self._name)
            return
        if not isinstance(failure, AwsError | LeaseLostError):
            raise failure
        before = self._troubles.get(doing)
        denied = isinstance(failure, AwsError) and failure.kind is ErrorKind.DENIED
        now = self._clock.monotonic()
        trouble = Trouble.after(before, cadence=self._cadence, denied=denied, now=now)
        self._troubles[doing] = trouble
        if before is None:
            words = f"the {self._name} fails; {self._instead}"
            log.warning(words, error=str(failure), again=trouble.delay)
        await self._clock.sleep(trouble.delay)
