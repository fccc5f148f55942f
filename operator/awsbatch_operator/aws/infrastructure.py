"""The shared poller of environments and queues: two calls a cycle for all of a scope.

It wakes the owner when something differs from the last time; what it means is the owner's to find
out. More often while AWS is creating, updating or deleting something of ours.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.batch import DESCRIBED_AT_ONCE
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.job_feed import Wake
from awsbatch_operator.aws.sender import Sender
from awsbatch_operator.aws.settings import AwsSettings
from awsbatch_operator.aws.sightings import Sighting, changed, moving, sight
from awsbatch_operator.aws.waiting import Trouble, pause

_log = structlog.get_logger()


@dataclass(slots=True)
class _Watched:
    """A scope that is in use. Times are monotonic seconds."""

    due: float
    used_at: float
    hurry_until: float = 0.0  # something was changed: AWS is at work even if it does not show yet
    seen: dict[str, Sighting] = field(default_factory=dict)
    trouble: Trouble | None = None


class InfrastructurePoller:
    """Polls the scopes that workers use. For one event loop."""

    def __init__(self, sender: Sender, clock: Clock, settings: AwsSettings, wake: Wake) -> None:
        self._sender = sender
        self._clock = clock
        self._cadence = settings.cadence
        self._cluster_id = settings.cluster_id
        self._wake = wake
        self._watched: dict[Scope, _Watched] = {}
        self._news = asyncio.Event()

    def follow(self, scope: Scope, *, changed: bool) -> None:
        """The scope is in use; `changed`: something was just created, updated or deleted in it."""
        now = self._clock.monotonic()
        watched = self._watched.get(scope)
        if watched is None:
            first = now + self._cadence.infrastructure
            watched = self._watched[scope] = _Watched(due=first, used_at=now)
            self._news.set()
        watched.used_at = now
        if changed:
            watched.hurry_until = now + self._cadence.infrastructure
            soon = now + self._cadence.infrastructure_moving
            if soon < watched.due:
                watched.due = soon
                self._news.set()

    async def run(self) -> None:
        """Poll for ever. Costs nothing while no scope is in use."""
        while True:
            self._news.clear()
            now = self._clock.monotonic()
            due = min((watched.due for watched in self._watched.values()), default=None)
            if due is not None and due <= now:
                await self.round()
                continue
            await pause(self._clock, None if due is None else due - now, self._news)

    async def round(self) -> None:
        """Look once at every scope that is due, the scopes side by side."""
        now = self._clock.monotonic()
        due = [scope for scope, watched in self._watched.items() if watched.due <= now]
        tasks = [asyncio.create_task(self._poll(scope, self._watched[scope])) for scope in due]
        try:
            for task in tasks:
                await task
        finally:
            for task in tasks:
                task.cancel()

    async def _poll(self, scope: Scope, watched: _Watched) -> None:
        try:
            environments = await self._all(scope, "DescribeComputeEnvironments")
            queues = await self._all(scope, "DescribeJobQueues")
        except AwsError as error:
            self._failed(scope, watched, error)
            return
        seen = sight(self._cluster_id, environments, "computeEnvironmentArn")
        seen |= sight(self._cluster_id, queues, "jobQueueArn")
        owners = changed(watched.seen, seen)
        watched.seen, watched.trouble = seen, None
        self._schedule(scope, watched)
        for owner in owners:
            self._wake(owner)

    async def _all(self, scope: Scope, operation: str) -> list[Shape]:
        member = operation.removeprefix("Describe")
        member = member[0].lower() + member[1:]
        request = {"maxResults": DESCRIBED_AT_ONCE}
        pages = self._sender.pages(scope, f"batch:{operation}", request, member, polling=True)
        return [item async for page in pages for item in page]

    def _schedule(self, scope: Scope, watched: _Watched) -> None:
        now = self._clock.monotonic()
        fast = moving(watched.seen) or now < watched.hurry_until
        cadence = self._cadence
        watched.due = now + (cadence.infrastructure_moving if fast else cadence.infrastructure)
        if not watched.seen and now - watched.used_at >= cadence.infrastructure_idle:
            del self._watched[scope]

    def _failed(self, scope: Scope, watched: _Watched, error: AwsError) -> None:
        """Leave the scope alone for a while; owners find out by their own calls what is wrong."""
        now = self._clock.monotonic()
        watched.trouble = Trouble.after(
            watched.trouble, cadence=self._cadence, denied=False, now=now
        )
        watched.due = watched.trouble.until
        _log.warning(
            "polling environments and queues failed",
            account=scope.account_id,
            region=scope.region,
            error=str(error),
            again_seconds=watched.trouble.delay,
        )
