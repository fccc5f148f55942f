"""Starting an attempt with whichever runner the settings name, and ending all of them."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from awsbatch_simulator.region import Region
from awsbatch_simulator.runners.base import Done, Ended, Run, Work
from awsbatch_simulator.runners.process import ProcessRun
from awsbatch_simulator.runners.script import NO_CONTAINER, ScriptRun, script_for
from awsbatch_simulator.runners.several import Container, SeveralRun
from awsbatch_simulator.settings import JobRunner
from awsbatch_simulator.world import World

GONE_SECONDS = 5.0


def starting_seconds(region: Region, work: Callable[[], Work]) -> float:
    """How long image pull and container start take; the work is asked for if a script says it."""
    settings = region.world.settings
    said = any(script.starting_seconds is not None for script in settings.job_scripts)
    if said and settings.job_runner is JobRunner.SCRIPT:
        seconds = script_for(settings.job_scripts, work()).starting_seconds
        if seconds is not None:
            return seconds
    return settings.delays.job_starting


def start_run(region: Region, work: Work, done: Done) -> Run | None:
    """Start the attempt; None when the container never starts (`done` has been told)."""
    settings = region.world.settings
    if settings.job_runner is JobRunner.PROCESS:
        process = ProcessRun(region, work, done)
        process.begin()
        return process
    script = script_for(settings.job_scripts, work)
    if script.exit_code is None:
        reason = NO_CONTAINER if script.reason is None else script.reason
        done(Ended(None, reason, script.status_reason or ""))
        return None
    run = ScriptRun(region, work, script, done)
    run.begin()
    return run


def start_several(region: Region, containers: Sequence[Container], done: Done) -> Run | None:
    """Start a task of several containers; None when none of them starts (`done` has been told)."""
    run = SeveralRun(containers, partial(start_run, region), done)
    run.begin()
    return None if run.over else run


def stop_all(world: World) -> None:
    """End everything that runs and wait until it is gone. Call it without the world's lock."""
    with world.lock:
        runs = [
            job.run
            for region in world.regions()
            for jobs in region.batch.by_queue.values()
            for job in jobs.unfinished.values()
            if job.run is not None
        ]
        for run in runs:
            run.abandon()
    deadline = time.monotonic() + GONE_SECONDS
    for run in runs:
        run.join(max(0.0, deadline - time.monotonic()))
