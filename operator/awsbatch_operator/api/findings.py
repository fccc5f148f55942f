"""Findings: what stands in the way, as data. Conditions, events and the docs are made of them."""

from dataclasses import dataclass
from enum import Enum

from awsbatch_operator.api.words import joined

SLOWLY = 600.0  # seconds; a person must act, and a change of the object or its targets wakes us
SOON = 5.0
TARGET_CHECK = 300.0  # a target's change wakes us at once; this only guards against a lost wake-up


class Severity(Enum):
    """Who can mend it."""

    WAIT = "Wait"  # it passes by itself: Reconciling
    STALL = "Stall"  # a person must act: Stalled
    NOTE = "Note"  # worth an event, in nobody's way


@dataclass(frozen=True, slots=True)
class Reason:
    """An entry of the catalogue: a stable CamelCase word with its meaning and its remedy."""

    name: str
    severity: Severity
    meaning: str
    remedy: str
    look_again_seconds: float
    warning: bool = False  # of a NOTE: its event is a Warning


def wait(name: str, meaning: str, remedy: str = "", seconds: float = SOON) -> Reason:
    """A reason that passes by itself."""
    return Reason(name, Severity.WAIT, meaning, remedy, seconds)


def stall(name: str, meaning: str, remedy: str, seconds: float = SLOWLY) -> Reason:
    """A reason that only a person can mend."""
    return Reason(name, Severity.STALL, meaning, remedy, seconds)


def note(name: str, meaning: str, remedy: str = "", *, warning: bool = False) -> Reason:
    """A reason that is only told."""
    return Reason(name, Severity.NOTE, meaning, remedy, SLOWLY, warning=warning)


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason as it applies to one object now: what, why and how to mend it."""

    reason: Reason
    message: str
    remedy: str = ""  # more exact than the catalogue's, where that is possible
    look_again_seconds: float | None = None

    @property
    def severity(self) -> Severity:
        """Who can mend it."""
        return self.reason.severity

    @property
    def again(self) -> float:
        """Seconds until it is worth looking again without any change."""
        if self.look_again_seconds is not None:
            return self.look_again_seconds
        return self.reason.look_again_seconds

    def text(self) -> str:
        """The message of the condition: what and why, then how to mend it."""
        return joined(self.message, self.remedy or self.reason.remedy)
