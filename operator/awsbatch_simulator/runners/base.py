"""What the two runners have in common: a work order, a running job, and how it ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from awsbatch_simulator.context import Place


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt of a job, ready to run."""

    job_id: str
    job_name: str
    definition: str  # name, without revision
    queue: str
    parameters: dict[str, str]
    attempt: int
    command: tuple[str, ...]  # parameters substituted
    environment: dict[str, str]  # the definition's and Batch's own
    memory_mib: int
    log_group: str
    log_stream: str
    log_place: Place
    index: int | None = None  # of an array's child, or of a node
    container: str = "default"  # its name in the task
    root_gib: int = 0  # the root disk of its instance; 0: there is none that is known


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended. `exit_code` None: the container never started."""

    exit_code: int | None
    reason: str = ""  # the container's
    status_reason: str = ""  # the job's; empty: AWS's usual text
    # Of several containers each by its name; exit code and reason above are those that count.
    parts: "Mapping[str, Ended]" = field(default_factory=dict)


Done = Callable[[Ended], None]


class Run(Protocol):
    """An attempt that is running."""

    def stop(self) -> None:
        """Make it end soon; how it ended is told as always."""
        ...

    def abandon(self) -> None:
        """End it at once and tell nobody."""
        ...

    def join(self, seconds: float) -> None:
        """Wait until nothing of it is left, at most so long."""
        ...
