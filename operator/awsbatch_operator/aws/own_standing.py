"""Whether AWS lets the operator do anything as itself: what /readyz and the log tell of it.

One denied action is told by the object that needs it. Here it is about an operator that can do
nothing at all: there are no credentials, or AWS refuses whatever it is asked.
"""

from dataclasses import dataclass, field

from awsbatch_operator.aws.calls import Call
from awsbatch_operator.aws.errors import AwsError, ErrorKind, Obstacle

REFUSALS = 3  # different calls, one after the other: until then single actions may be missing
_ALWAYS_ALLOWED = "GetCallerIdentity"  # whoever has credentials may ask that (STS API reference)


@dataclass(slots=True)
class OwnStanding:
    """For one event loop. `trouble` is the latest error that stands for it; None: all is well."""

    trouble: AwsError | None = None
    _allowed: bool = False  # whether AWS has done anything yet for this process
    _refused: set[str] = field(default_factory=set)  # calls, since AWS did anything last

    def done(self, call: Call) -> None:
        """AWS has done it, as ourselves or as a role that it let us assume."""
        if call.operation != _ALWAYS_ALLOWED:
            self.trouble, self._allowed = None, True
            self._refused.clear()
            return
        self._refused.discard(call.name)
        if self.trouble is not None and (not self._refused or _none_found(self.trouble)):
            self.trouble = None

    def failed(self, error: AwsError, *, own: bool) -> None:
        """A call has failed. `own`: it was made as ourselves, not as a role of an AWSAccount."""
        if _none_found(error):
            self.trouble = error
        elif own and error.kind is ErrorKind.DENIED and error.obstacle is None:
            self._refused.add(f"{error.service}:{error.operation}")
            if not self._allowed or len(self._refused) >= REFUSALS:
                self.trouble = error


def _none_found(error: AwsError) -> bool:
    """Whether there is nothing to sign with. A role's are fetched with our own, so: of whomever."""
    return error.obstacle is Obstacle.CREDENTIALS
