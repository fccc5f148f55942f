"""JobFeed: asks AWS what the book says, tells the book, and wakes the owners of what changed."""

import asyncio
from collections.abc import Callable

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.job_book import JobBook
from awsbatch_operator.aws.job_rounds import LISTED_AT_ONCE, Listing
from awsbatch_operator.aws.sender import Sender
from awsbatch_operator.aws.settings import Cadence
from awsbatch_operator.aws.waiting import Trouble, pause

Wake = Callable[[ObjectKey], None]

_QUEUE_GONE = frozenset({ErrorKind.NOT_FOUND, ErrorKind.INVALID})

_log = structlog.get_logger()


class JobPoller:
    """The one poller of jobs that have not ended. For one event loop."""

    def __init__(self, sender: Sender, clock: Clock, cadence: Cadence, wake: Wake) -> None:
        self._sender = sender
        self._clock = clock
        self._cadence = cadence
        self._wake = wake
        self._book = JobBook(cadence)
        self._trouble: dict[Scope, Trouble] = {}
        self._news = asyncio.Event()
        self._asleep_until: float | None = None

    def follow(
        self,
        scope: Scope,
        job_id: str,
        queue_arn: str,
        wake: ObjectKey,
        *,
        detail: Shape | None = None,
    ) -> None:
        now = self._clock.monotonic()
        due = self._book.follow(scope, job_id, queue=queue_arn, owner=wake, now=now)
        if due is not None and detail is not None:
            self._book.baseline(job_id, detail, now)
        self._look_at(due)

    def seen(self, job_id: str) -> Shape | None:
        return self._book.seen(job_id)

    def gone(self, job_id: str) -> bool:
        return self._book.gone(job_id)

    def forget(self, job_id: str) -> None:
        self._book.forget(job_id)

    @property
    def followed(self) -> int:
        """How many jobs are asked about."""
        return len(self._book)

    def hurry(self, job_id: str) -> None:
        """The job was terminated or cancelled: what was seen of it is out of date."""
        self._look_at(self._book.hurry(job_id, self._clock.monotonic()))

    async def run(self) -> None:
        """Poll for ever. Costs nothing while no job is followed."""
        while True:
            self._news.clear()
            now = self._clock.monotonic()
            due = self._next_due()
            if due is not None and due <= now:
                await self.round()
                continue
            self._asleep_until = due
            await pause(self._clock, None if due is None else due - now, self._news)

    async def round(self) -> None:
        """Ask once about all that is due, the scopes side by side."""
        now = self._clock.monotonic()
        scopes = [scope for scope in self._book.scopes() if (self._due(scope) or now) <= now]
        tasks = [asyncio.create_task(self._poll(scope)) for scope in scopes]
        try:
            for task in tasks:
                await task
        finally:
            for task in tasks:
                task.cancel()

    async def _poll(self, scope: Scope) -> None:
        calls = 0
        try:
            for listing in self._book.listings(scope, self._clock.monotonic()):
                calls += await self._list(listing)
            for job_ids in self._book.describes(scope, self._clock.monotonic()):
                calls += 1
                await self._describe(scope, job_ids)
        except AwsError as error:
            self._failed(scope, error)
        else:
            if self._trouble.pop(scope, None):
                _log.info("polling jobs works again", account=scope.account_id, region=scope.region)
        self._book.ended_round(scope, calls=calls, now=self._clock.monotonic())

    async def _list(self, listing: Listing) -> int:
        request = {
            "jobQueue": listing.queue,
            "jobStatus": listing.state,
            "maxResults": LISTED_AT_ONCE,
        }
        marks: dict[str, str] = {}
        pages = 0
        try:
            async for page in self._sender.pages(
                listing.scope, "batch:ListJobs", request, "jobSummaryList", polling=True
            ):
                pages += 1
                marks.update(self._book.marks(listing.scope, page))
        except AwsError as error:
            if error.kind not in _QUEUE_GONE:
                raise
            # Its jobs have left the list with it, and are described; the other queues' go on.
            marks, pages = {}, 1
        self._book.listed(listing, marks, pages=pages, now=self._clock.monotonic())
        return pages

    async def _describe(self, scope: Scope, job_ids: list[str]) -> None:
        name = "batch:DescribeJobs"
        answer = await self._sender.call(scope, name, {"jobs": job_ids}, polling=True)
        jobs = self._sender.member(scope, name, answer, "jobs")
        found = {str(job["jobId"]): job for job in jobs}
        now = self._clock.monotonic()
        for owner in self._book.described(scope, job_ids, found, now):
            self._wake(owner)

    def _failed(self, scope: Scope, error: AwsError) -> None:
        """Leave the scope alone for a while. Owners find out by themselves why AWS denies it."""
        before = self._trouble.get(scope)
        denied = error.kind is ErrorKind.DENIED
        now = self._clock.monotonic()
        self._trouble[scope] = Trouble.after(before, cadence=self._cadence, denied=denied, now=now)
        _log.warning(
            "polling jobs failed",
            account=scope.account_id,
            region=scope.region,
            error=str(error),
            again_seconds=self._trouble[scope].delay,
        )
        if denied and not (before and before.denied):
            for owner in self._book.owners(scope):
                self._wake(owner)

    def _due(self, scope: Scope) -> float | None:
        due = self._book.due(scope)
        trouble = self._trouble.get(scope)
        return max(due, trouble.until) if due is not None and trouble else due

    def _next_due(self) -> float | None:
        dues = [self._due(scope) for scope in self._book.scopes()]
        return min((due for due in dues if due is not None), default=None)

    def _look_at(self, due: float | None) -> None:
        """Wake the poller if it would sleep past this moment."""
        if due is not None and (self._asleep_until is None or due < self._asleep_until):
            self._asleep_until = due
            self._news.set()
