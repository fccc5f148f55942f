"""The last moment before a request goes out: is it in the table, do we still lead, is it sent.

Registered for botocore's `before-send`, first of all handlers, so it runs in the sending thread
after signing (which may have fetched new credentials, and that takes time).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from awsbatch_operator.api.scope import Fence
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.calls import Call


@dataclass(slots=True)
class Sending:
    """One call on its way, in one thread."""

    call: Call
    sent: bool = False


class Wire:
    """Knows for each thread which call it is about to send."""

    def __init__(self, fence: Fence, call_seconds: float) -> None:
        self._fence = fence
        self._call_seconds = call_seconds
        self._thread = threading.local()

    def attach(self, client: Any, service: str) -> None:
        """Stand between this client and the network."""
        before_send = partial(self._before_send, service)
        client.meta.events.register_first("before-send", before_send)

    @contextmanager
    def sending(self, call: Call) -> Iterator[Sending]:
        """While this call is made by this thread. Calls nest: credentials may be fetched inside."""
        outer = getattr(self._thread, "sending", None)
        self._thread.sending = sending = Sending(call)
        try:
            yield sending
        finally:
            self._thread.sending = outer

    def _before_send(self, service: str, event_name: str, **_: Any) -> None:
        call = CALLS[f"{service}:{event_name.rpartition('.')[2]}"]
        if call.mutating:
            self._fence.check(self._call_seconds)
        sending = getattr(self._thread, "sending", None)
        if sending is not None and sending.call is call:
            sending.sent = True
