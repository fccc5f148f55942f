"""Starting an attempt with whichever runner the settings name."""

from awsbatch_simulator.region import Region
from awsbatch_simulator.runners.base import Done, Ended, Run, Work
from awsbatch_simulator.runners.script import NO_CONTAINER, ScriptRun, script_for
from awsbatch_simulator.settings import JobRunner


def starting_seconds(region: Region, work: Work) -> float:
    """How long image pull and container start take."""
    settings = region.world.settings
    if settings.job_runner is JobRunner.SCRIPT:
        seconds = script_for(settings.job_scripts, work).starting_seconds
        if seconds is not None:
            return seconds
    return settings.delays.job_starting


def start_run(region: Region, work: Work, done: Done) -> Run | None:
    """Start the attempt; None when the container never starts (`done` has been told)."""
    settings = region.world.settings
    script = script_for(settings.job_scripts, work)
    if script.exit_code is None:
        reason = script.reason or NO_CONTAINER
        done(Ended(None, reason, script.status_reason or ""))
        return None
    run = ScriptRun(region, work, script, done)
    run.begin()
    return run
