"""Reasons of the catalogue about AWS exchanging instances, and environments that are replaced."""

from awsbatch_operator.api.findings import note, stall, wait

REPLACING = wait(
    "Replacing",
    "A new compute environment is made, and takes the place of the old one in its job queues. "
    "The old one is in service until then.",
)
DRAINING = wait(
    "Draining",
    "A compute environment that was replaced, or whose object is deleted, takes no new jobs. It is "
    "deleted when no job runs in it any more.",
    "Wait, end the jobs, or set spec.replacement.drainTimeoutSeconds, after which they are ended.",
)
REPLACEMENT_BLOCKED = stall(
    "ReplacementBlocked",
    "Job queues use the compute environment that nobody would take to the new one.",
    "Let the JobQueues name the environment by computeEnvironmentRef.name, or set "
    "spec.replacement.foreignQueues to Swap.",
    15.0,
)
REPLACEMENT_BEGUN = note(
    "ReplacementBegun", "A compute environment was made that is to take the place of another one."
)
PROMOTED = note("Promoted", "A new compute environment serves in the place of the one before it.")
SWAPPED = note(
    "Swapped", "In a job queue that is not ours a compute environment was exchanged in place."
)
REPLACED = note("Replaced", "A compute environment that was replaced is gone, or was let go.")
WITHDRAWN = note(
    "ReplacementWithdrawn",
    "A compute environment that was to take the place of another one is not wanted any more and "
    "gone; the other one has been in service all the time.",
)
DRAIN_TIMED_OUT = note(
    "DrainTimedOut",
    "A compute environment was deleted with jobs in it, after its drainTimeoutSeconds.",
    warning=True,
)
UPDATE_NOT_SHOWN = stall(
    "UpdateNotShown",
    "AWS has made an infrastructure update and does not show what it was asked for.",
    "Write into the spec what AWS shows, or something else. The same update is not asked for again "
    "before that: each one exchanges all instances.",
    60.0,
)
TEMPLATE_NOT_FOUND = stall(
    "LaunchTemplateNotFound",
    "The spec names a launch template by $Latest or $Default, and EC2 has none of that name or id.",
    "Make the launch template, or correct the name; this object goes on by itself.",
    60.0,
)
