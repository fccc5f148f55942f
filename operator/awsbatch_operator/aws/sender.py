"""The one way to AWS: table, rate limit, thread, wire; then errors as AwsError.

A call is sent once: a worker that waited to repeat it, or for a rate token, would be missing to
all other accounts. Without a token it raises NoTokenError. Only the feeds, which have tasks of
their own, wait for tokens and repeat what was throttled or lost.
"""

import random
from collections.abc import AsyncGenerator, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from botocore import xform_name
from botocore.exceptions import BotoCoreError

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Fence, LeaseLostError, Permit, Scope
from awsbatch_operator.aws.answers import steady
from awsbatch_operator.aws.aws_settings import AwsSettings
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.calls import PAGES_MOST, Call, Priority
from awsbatch_operator.aws.errors import AwsError, ErrorKind, Obstacle
from awsbatch_operator.aws.failures import (
    Attempt,
    FailureLog,
    check_account,
    is_yes,
    malformed,
    translate,
)
from awsbatch_operator.aws.in_flight import Flight, InFlight
from awsbatch_operator.aws.limits import AccountRegion, Limits, Prepaid, WaitObserver
from awsbatch_operator.aws.notice_events import NoticeObserver
from awsbatch_operator.aws.own_standing import OwnStanding
from awsbatch_operator.aws.runner import Runner
from awsbatch_operator.aws.sessions import ClientHook, Identity, Sessions
from awsbatch_operator.aws.wire import Wire

CallObserver = Callable[[str, str, str, str, float], None]
"""(service, operation, "ok" or a kind of error, AWS's code or "", seconds), from any thread."""

_PASSING = (ErrorKind.TRANSIENT, ErrorKind.THROTTLED)
_STALE_CREDENTIALS = ("ExpiredToken", "InvalidClientTokenId", "UnrecognizedClient")
_FIRST_PAUSE = 0.2  # seconds before a read is repeated, doubling, with full jitter

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """Whom a call goes out as, and where."""

    identity: Identity
    account_id: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsContext:
    """What the AWS side needs from the rest of the process; all of it is injected.

    `loader` is botocore's data loader, which keeps the services' models: share one in a process.
    """

    clock: Clock
    fence: Fence
    runner: Runner
    jitter: random.Random
    observe: CallObserver
    on_wait: WaitObserver | None = None
    on_notice: NoticeObserver | None = None
    on_job_event: NoticeObserver | None = None
    on_client: ClientHook | None = None
    loader: Any = None


class Sender:
    """Sends calls of the table. For one event loop; the sending itself happens in the runner.

    `standing` is how AWS has received the operator so far.
    """

    def __init__(self, settings: AwsSettings, context: AwsContext) -> None:
        self._settings = settings
        self._context = context
        self._limits = Limits(context.clock, context.on_wait, poll_share=settings.poll_share)
        self._wire = Wire(context.fence, context.clock, settings.call_seconds)
        self._sessions = Sessions(
            settings,
            context.clock,
            self._wire,
            on_client=context.on_client,
            loader=context.loader,
        )
        self._in_flight, self._failures = InFlight(), FailureLog(context.clock)
        self.standing = OwnStanding()
        # How many pages a call took lately: tokens are taken for all of them together.
        self._pages: dict[tuple[AccountRegion, str], int] = {}

    @property
    def in_flight(self) -> int:
        """How many calls that change something are on the wire now, or about to be."""
        return self._in_flight.count

    async def call(
        self,
        scope: Scope,
        name: str,
        request: Shape,
        *,
        polling: bool = False,
        prepaid: Prepaid | None = None,
    ) -> Shape:
        """Send a call in a scope; its answer without metadata.

        Raises AwsError, LeaseLostError, NoTokenError; with `polling` it waits for tokens instead.
        """
        sent = Sent(Identity.of(scope), scope.account_id, scope.region)
        check_account(scope, CALLS[name])
        return await self.call_as(sent, name, request, polling=polling, prepaid=prepaid)

    async def pages(
        self,
        scope: Scope,
        name: str,
        request: Shape,
        member: str,
        *,
        polling: bool = False,
        prepaid: Prepaid | None = None,
    ) -> AsyncGenerator[list[Shape], None]:
        """The items of `member`, page by page, until AWS says that there are no more."""
        where = (_where(scope), name)
        expected = self._pages.get(where, 1)
        own = None if polling or prepaid else self.prepay(scope, name, expected)
        next_token, token = CALLS[name].page_token, None
        read: set[str | None] = set()  # the tokens of the pages so far
        try:
            while token not in read and len(read) < PAGES_MOST:
                more = {**request, next_token: token} if token else request
                answer = await self.call(scope, name, more, polling=polling, prepaid=prepaid or own)
                read.add(token)
                yield self.member(scope, name, answer, member)
                token = answer.get(next_token)
                if not token:
                    return
            raise self.no_answer(scope, name, "The pages of the answer have no end")
        finally:
            if own is not None:
                own.close()
                self._pages[where] = max(len(read), expected - 1, 1)

    def prepay(self, scope: Scope, name: str, calls: int) -> Prepaid:
        """Rate tokens for several calls that make sense only together. Raises NoTokenError."""
        return self._limits.prepay(_where(scope), CALLS[name], calls)

    def member(self, scope: Scope, name: str, answer: Shape, member: str) -> list[Shape]:
        """A list that AWS always sends, also when empty; AwsError if it is not there."""
        if member not in answer:
            raise self.no_answer(scope, name, f"The answer has no {member!r}")
        return list(answer[member])

    def no_answer(self, scope: Scope, name: str, why: str) -> AwsError:
        """The error for an answer that AWS never gives."""
        return malformed(Attempt.of(CALLS[name], Identity.of(scope), sent=True), why)

    async def call_as(
        self,
        sent: Sent,
        name: str,
        request: Shape,
        *,
        polling: bool = False,
        prepaid: Prepaid | None = None,
    ) -> Shape:
        """Send a call as somebody, somewhere."""
        call = CALLS[name]
        if not polling:
            if prepaid is None or not prepaid.use():
                self._limits.take(AccountRegion(sent.account_id, sent.region), call)
            return await self._sent_once(sent, call, request, call.priority)
        for attempt in range(1, self._settings.read_attempts):
            try:
                return await self._polled(sent, call, request)
            except AwsError as error:
                if error.kind not in _PASSING:
                    raise
            pause = self._context.jitter.uniform(0, _FIRST_PAUSE * 2**attempt)
            await self._context.clock.sleep(pause)
        return await self._polled(sent, call, request)

    async def _polled(self, sent: Sent, call: Call, request: Shape) -> Shape:
        await self._limits.wait(AccountRegion(sent.account_id, sent.region), call)
        return await self._sent_once(sent, call, request, Priority.POLLING)

    async def _sent_once(self, sent: Sent, call: Call, request: Shape, priority: Priority) -> Shape:
        flight = self._in_flight.enter(counted=call.mutating)
        asked_at = self._context.clock.monotonic()
        work = partial(self._fly, flight, sent, call, request, asked_at)
        runner = self._context.runner
        try:
            answer = await runner.run(work, priority=priority, account=sent.account_id)
        except AwsError as error:
            self._learn(sent, call, error)
            raise
        else:
            self.standing.done(call)
            return answer
        finally:
            self._in_flight.withdraw(flight)

    def _fly(
        self, flight: Flight, sent: Sent, call: Call, request: Shape, asked_at: float
    ) -> Shape:
        self._in_flight.begin(flight)
        try:
            return self.send(sent, call, request, asked_at)
        finally:
            self._in_flight.end(flight)

    def permit(self, scope: Scope, name: str, holder: Hashable) -> Permit:
        """A rate token, kept for the call that follows within seconds. Raises NoTokenError."""
        return self._limits.permit(_where(scope), CALLS[name], holder)

    def default_region(self) -> str:
        """The region of calls without a scope. AwsError (INVALID) if nobody set one."""
        try:
            return self._sessions.region()
        except BotoCoreError as error:
            attempt = Attempt.of(CALLS["sts:GetCallerIdentity"], Identity(), sent=False)
            raise translate(error, attempt) from error

    def send(self, sent: Sent, call: Call, request: Shape, asked_at: float) -> Shape:
        """One request on the wire, in this thread. Raises AwsError, LeaseLostError.

        `asked_at` (monotonic seconds): a change that was asked for too long ago is not sent.
        """
        started = self._context.clock.monotonic()
        outcome, code = "ok", ""
        try:
            return self._sent(sent, call, request, asked_at)
        except AwsError as error:
            outcome, code = error.kind.value, error.cause
            raise
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            seconds = self._context.clock.monotonic() - started
            self._context.observe(call.service, call.operation, outcome, code, seconds)

    def _sent(self, sent: Sent, call: Call, request: Shape, asked_at: float) -> Shape:
        with self._wire.sending(call, asked_at) as sending:
            try:
                client = self._sessions.client(
                    sent.identity, call.service, sent.region, self._assume, waits=call.waits
                )
                answer = getattr(client, xform_name(call.operation))(**request)
            except (AwsError, LeaseLostError):
                raise
            except Exception as error:
                if request.get("DryRun") and is_yes(error):
                    return {}
                if sending.refused is not None:
                    raise sending.refused from error  # botocore has wrapped it
                made = translate(error, Attempt.of(call, sent.identity, sent=sending.sent))
                raise self._sessions.placed(made, sent.region) from error
        return steady(answer)

    def _assume(self, identity: Identity, region: str) -> dict[str, Any]:
        """AssumeRole as the operator itself, for botocore's credentials, in the calling thread."""
        own = Sent(Identity(), "", region)
        call = CALLS["sts:AssumeRole"]
        now = self._context.clock.monotonic()
        return dict(self.send(own, call, self._sessions.assume_request(identity), now))

    def assume_request(self, identity: Identity) -> dict[str, Any]:
        """AssumeRole's request for an identity."""
        return self._sessions.assume_request(identity)

    def _learn(self, sent: Sent, call: Call, error: AwsError) -> None:
        """Adapt to what AWS said about the rate and about our credentials; log what it refused."""
        self._failures.log(error, account=sent.account_id, region=sent.region)
        self.standing.failed(error, own=not sent.identity.role_arn)
        if error.kind is ErrorKind.THROTTLED and error.service == call.service:
            share = self._limits.throttled(AccountRegion(sent.account_id, sent.region), call)
            if share is not None:
                log = _log.bind(call=call.name, region=sent.region)
                log.warning("AWS throttles; calling more slowly", rate_share=round(share, 2))
        if sent.identity.role_arn and error.code.startswith(_STALE_CREDENTIALS):
            self._sessions.discard(sent.identity, sent.region)
        if error.obstacle is Obstacle.CREDENTIALS:  # a client looks for them only when it is made
            self._sessions.discard(Identity(), "")


def _where(scope: Scope) -> AccountRegion:
    return AccountRegion(scope.account_id, scope.region)
