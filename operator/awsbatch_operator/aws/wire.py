"""The last moment before a request goes out: is it in the table, may it still go, is it sent.

Asked twice. First at botocore's `before-send`, of all handlers first, so after signing (which may
have fetched new credentials, and that takes time): nobody connects in vain, and whoever answers in
the network's place is asked for as well. Then by the connection, when it is open (connection.py).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import Fence, LeaseLostError
from awsbatch_operator.aws.answers import whole_characters
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.calls import Call
from awsbatch_operator.aws.connection import guard_connections
from awsbatch_operator.aws.errors import AwsError, ErrorKind


@dataclass(slots=True)
class Sending:
    """One call on its way, in one thread."""

    call: Call
    asked_at: float  # monotonic seconds at which the caller asked for it
    sent: bool = False
    refused: AwsError | LeaseLostError | None = None  # why it may not go out


class Wire:
    """Knows for each thread which call it is about to send. Implements Guard."""

    def __init__(self, fence: Fence, clock: Clock, call_seconds: float) -> None:
        self._fence = fence
        self._clock = clock
        self._call_seconds = call_seconds
        self._thread = threading.local()

    def attach(self, client: Any, service: str) -> None:
        """Stand between this client and the network."""
        before_send = partial(self._before_send, service)
        client.meta.events.register_first("before-send", before_send)
        client.meta.events.register("before-parse", _make_whole)
        guard_connections(client, self)

    @contextmanager
    def sending(self, call: Call, asked_at: float) -> Iterator[Sending]:
        """While this call is made by this thread. Calls nest: credentials may be fetched inside."""
        outer = getattr(self._thread, "sending", None)
        self._thread.sending = sending = Sending(call, asked_at)
        try:
            yield sending
        finally:
            self._thread.sending = outer

    def connecting(self) -> None:
        sending = self._sending()
        if sending is not None:
            sending.sent = False

    def leaving(self) -> None:
        sending = self._sending()
        if sending is not None:
            self._let_go(sending)

    def _before_send(self, service: str, event_name: str, **_: Any) -> None:
        call = CALLS[f"{service}:{event_name.rpartition('.')[2]}"]
        sending = self._sending()
        if sending is not None and sending.call is call:
            self._let_go(sending)
        elif call.mutating:
            self._fence.check(self._call_seconds)

    def _let_go(self, sending: Sending) -> None:
        """Mark it as sent. Raises what is then kept in `refused`: botocore wraps what we raise."""
        try:
            if sending.call.mutating:
                self._check_age(sending)
                self._fence.check(self._call_seconds)
        except (AwsError, LeaseLostError) as error:
            sending.sent, sending.refused = False, error
            raise
        sending.sent = True

    def _check_age(self, sending: Sending) -> None:
        """A change that has waited longer than a whole call may take was asked for in the past.

        Whoever asked may have given it up and looked what became of it: it must not come after.
        """
        age = self._clock.monotonic() - sending.asked_at
        if age > self._call_seconds:
            raise AwsError(
                ErrorKind.TRANSIENT,
                service=sending.call.service,
                operation=sending.call.operation,
                code="NotSent",
                message=f"It took {age:.0f} s until a connection was there (threads, credentials, "
                "name resolution), so the request was not sent.",
            )

    def _sending(self) -> Sending | None:
        return getattr(self._thread, "sending", None)


def _make_whole(response_dict: dict[str, Any], **_: Any) -> None:
    response_dict["body"] = whole_characters(response_dict["body"])
