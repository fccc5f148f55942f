"""Why a run begins after another one, and why we end one: in the record, and in words."""

from collections.abc import Mapping
from enum import StrEnum


class Cause(StrEnum):
    """Why a run began after another one of the same object."""

    CHANGED = "Changed"  # the spec says something else, or the attempt before was closed
    RESUMED = "Resumed"  # it was held, and is not any more
    RETRIED = "Retried"  # the failed indexes of an array
    LOST = "Lost"  # the run before was lost in a way that `fallback` lists
    DEPENDENCY = "DependencyStopped"  # as Stop.DEPENDENCY: it waits for what has taken its place


class Stop(StrEnum):
    """Why we end a job that runs; written down before the call that ends it.

    DEPENDENCY: AWS has ended it, because we ended a job that it waited for. HELD: AWS has no job of
    it, as a look within the time has shown for which AWS remembers jobs, and none is sent while the
    spec holds it.
    """

    SUSPENDED = "Suspended"
    CHANGED = "Changed"
    DEADLINE = "Deadline"
    DEPENDENCY = "DependencyStopped"
    HELD = "Held"


STOP_REASONS: Mapping[Stop, str] = {
    Stop.SUSPENDED: "The BatchJob is held by spec.suspend",
    Stop.CHANGED: "The BatchJob was changed and runs again",
    Stop.DEADLINE: "The BatchJob has had as long as spec.activeDeadlineSeconds allows",
    Stop.HELD: "The BatchJob was held by spec.suspend before this job came to light",
    Stop.DEPENDENCY: "A job that the BatchJob depends on was held, changed or deleted",
}


def stop_said(words: str) -> Stop | None:
    """Why we ended a job of which AWS says this; None: somebody else did, or nobody.

    AWS keeps the reason of the call that ended it. It is the word of whoever called, so it counts
    only where our own record is lost.
    """
    return next((stop for stop, reason in STOP_REASONS.items() if words.startswith(reason)), None)
