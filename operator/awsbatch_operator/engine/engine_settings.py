"""How the engine runs, and how a run ended."""

from dataclasses import dataclass

from awsbatch_operator.api.metadata import ObjectKey


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Times in seconds."""

    workers: int = 32
    # One pass over all objects, spread over that time; and each is looked at that long after its
    # last turn.
    resync_seconds: float = 600.0
    resync_jitter: float = 0.1  # of any of these delays, either way
    first_list_retry_seconds: float = 2.0  # nothing works before everything was listed once
    drain_seconds: float = 14.0
    conflicts_in_a_row: int = 5  # repeated at once; further ones with backoff
    excluded_namespaces: frozenset[str] = frozenset()  # whose objects do not exist for us
    conflict_seconds: float = 0.1  # "at once", spread so that two writers do not keep colliding


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended.

    `in_flight` are the objects whose turns had to be cut short. A call for them may still be on its
    way in a thread, so the lease must not be released: it has to run out.
    """

    in_flight: tuple[ObjectKey, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether no call can be under way any more, so that the lease may be released."""
        return not self.in_flight
