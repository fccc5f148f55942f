"""A task of several containers: each runs as one of its own, and an essential one ends them all.

Sources: TaskContainerProperties.essential and .dependsOn, TaskContainerDependency.condition.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from awsbatch_simulator.runners.base import Done, Ended, Run, Work

NEVER_STARTED = Ended(None, "The container that it depends on did not succeed")


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a task, ready to run."""

    name: str
    work: Work
    essential: bool
    after: tuple[tuple[str, str], ...]  # names and conditions: START, COMPLETE, SUCCESS


class SeveralRun:
    """An attempt of several containers; `start` starts one, as `start_run` does."""

    def __init__(
        self,
        containers: Sequence[Container],
        start: Callable[[Work, Done], Run | None],
        done: Done,
    ) -> None:
        self._containers = containers
        self._start = start
        self._done = done
        self._begun: set[str] = set()
        self._runs: dict[str, Run] = {}
        self._ended: dict[str, Ended] = {}
        self._verdict: Ended | None = None  # of the essential container that ended first
        self._stopping = self.over = False

    def begin(self) -> None:
        """Start what waits for nothing; the others follow."""
        self._go_on()

    def stop(self) -> None:
        """Make all of them end."""
        self._stopping = True
        for run in list(self._runs.values()):
            run.stop()

    def abandon(self) -> None:
        """End all of them at once and tell nobody."""
        self.over = True
        for run in self._runs.values():
            run.abandon()

    def join(self, seconds: float) -> None:
        """Wait until nothing of them is left."""
        for run in list(self._runs.values()):
            run.join(seconds)

    def _go_on(self) -> None:
        while not self._stopping and (ready := self._ready()):
            for each in ready:
                self._begun.add(each.name)
                run = self._start(each.work, partial(self._container_ended, each))
                if run is not None and each.name not in self._ended:
                    self._runs[each.name] = run
        if not self._runs and not self.over:
            self._finish()

    def _ready(self) -> list[Container]:
        return [
            each
            for each in self._containers
            if each.name not in self._begun and all(self._met(*wish) for wish in each.after)
        ]

    def _met(self, name: str, condition: str) -> bool:
        if condition == "START":
            return name in self._begun
        ended = self._ended.get(name)
        return ended is not None and (condition == "COMPLETE" or ended.exit_code == 0)

    def _container_ended(self, container: Container, ended: Ended) -> None:
        self._ended[container.name] = ended
        self._runs.pop(container.name, None)
        if container.essential and self._verdict is None:
            self._verdict = ended
            self.stop()
        self._go_on()

    def _finish(self) -> None:
        """All have ended. One that never started counts as failed, if the task needed it."""
        self.over = True
        verdict = self._verdict or NEVER_STARTED
        self._done(replace(verdict, parts=dict(self._ended)))
