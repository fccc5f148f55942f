"""The `script` runner: a job does what the settings say, in simulated time."""

from collections.abc import Sequence

from awsbatch_simulator.clock import Timer
from awsbatch_simulator.jobscript import JobScript
from awsbatch_simulator.region import Region
from awsbatch_simulator.runners.base import Done, Ended, Work

KILLED = 137  # 128 + SIGKILL
NO_CONTAINER = "CannotStartContainerError: Error response from daemon"


def script_for(scripts: Sequence[JobScript], work: Work) -> JobScript:
    """The first script that is meant for the attempt; without one, the built-in default."""
    for script in scripts:
        if script.matches(
            name=work.job_name,
            definition=work.definition,
            queue=work.queue,
            parameters=work.parameters,
            attempt=work.attempt,
            index=work.index,
            container=work.container,
        ):
            return script
    return JobScript()


class ScriptRun:
    """An attempt that follows a script."""

    def __init__(self, region: Region, work: Work, script: JobScript, done: Done) -> None:
        self._region = region
        self._work = work
        self._script = script
        self._done = done
        self._timers: list[Timer] = []

    def begin(self) -> None:
        """Set the timers: a line of output each, spread over the duration, then the end."""
        clock, script = self._region.world.clock, self._script
        for number, line in enumerate(script.output, start=1):
            when = script.duration_seconds * number / (len(script.output) + 1)
            self._timers.append(clock.call_after(when, self._print, line))
        ended = Ended(script.exit_code, script.reason or "", script.status_reason or "")
        self._timers.append(clock.call_after(script.duration_seconds, self._done, ended))

    def _print(self, line: str) -> None:
        self._region.world.logs.write(
            self._work.log_place,
            group=self._work.log_group,
            stream=self._work.log_stream,
            events=[(self._region.now_ms(), line)],
        )

    def abandon(self) -> None:
        """Nothing more happens."""
        for timer in self._timers:
            timer.cancel()

    def join(self, seconds: float) -> None:
        """There is nothing to wait for."""

    def stop(self) -> None:
        """The container is killed."""
        self.abandon()
        self._region.world.clock.call_after(0, self._done, Ended(KILLED))
