"""The fence: no mutating call is sent when the lease might run out before it has ended."""

import math

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import LeaseLostError


class LeaseFence:
    """How long this process may still act. Closed until the lease is won.

    Any thread may ask. It needs no lock: the moment is one number, replaced as a whole.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = -math.inf

    def open_until(self, moment: float) -> None:
        """Allow what ends before that moment of the monotonic clock."""
        self._until = moment

    def close(self) -> None:
        """Allow nothing any more."""
        self._until = -math.inf

    @property
    def left(self) -> float:
        """Seconds that the lease still lasts; not positive when it does not."""
        return self._until - self._clock.monotonic()

    def check(self, seconds: float) -> None:
        left = self.left
        if left <= seconds:
            rest = f"lasts {left:.1f} s more" if left > 0 else "is not held"
            raise LeaseLostError(
                f"The lease {rest} and the call may take {seconds:g} s: it was not sent, because "
                "another replica may act by then."
            )
