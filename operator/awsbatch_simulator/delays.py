"""How long AWS takes, in simulated seconds; part of the settings.

AWS publishes none of these. The defaults are of AWS's order of magnitude (a queue within seconds,
an environment within tens of seconds, an instance that joins after most of a minute), on the short
side, so that a sandbox at speed 1 is usable.
"""

from pydantic import Field

from awsbatch_simulator.model import Model

DAY = 86_400.0


class Delays(Model):
    """One figure for each transition that AWS does in its own time."""

    environment_creating: float = Field(default=10, ge=0)
    environment_updating: float = Field(default=5, ge=0)
    environment_deleting: float = Field(default=10, ge=0)
    environment_health: float = Field(default=60, gt=0)  # between two looks at what it needs
    queue_creating: float = Field(default=5, ge=0)
    queue_updating: float = Field(default=3, ge=0)
    queue_deleting: float = Field(default=5, ge=0)
    deleted_seen: float = Field(default=30, ge=0)  # DELETED is described to those who ask by name
    relation_lag: float = Field(default=5, ge=0)  # an environment stays "in use" after its queue
    job_submitted: float = Field(default=0.5, ge=0)
    job_listed: float = Field(default=0, ge=0)  # until ListJobs shows a job that was submitted
    job_pending: float = Field(default=0.5, ge=0)
    job_starting: float = Field(default=5, ge=0)  # image pull and container start
    job_ending: float = Field(default=1, ge=0)  # from CancelJob or TerminateJob to its effect
    job_blocked: float = Field(default=180, ge=0)  # until the head of a line says why it waits
    job_event: float = Field(default=0.5, ge=0)  # until EventBridge has passed an event on
    scheduler: float = Field(default=1, ge=0)  # between two looks at the waiting jobs
    instance_pending: float = Field(default=20, ge=0)
    instance_shutting_down: float = Field(default=20, ge=0)
    instance_stopping: float = Field(default=20, ge=0)
    status_checks: float = Field(default=120, ge=0)  # from running to checks that have passed
    spot_request_forgotten: float = Field(default=4 * 3600, ge=0)  # after it is closed
    reservation_forgotten: float = Field(default=3600, ge=0)  # after its cancellation or end
    image_creating: float = Field(default=60, ge=0)  # from CreateImage to available
    image_copying: float = Field(default=60, ge=0)
    deregistered_image_seen: float = Field(default=10, ge=0)  # by those who ask for it
    snapshot_held: float = Field(default=5, ge=0)  # in use by an image that is deregistered
    parameter_validating: float = Field(default=5, ge=0)  # whether its value is an image's id
    agent_join: float = Field(default=20, ge=0)  # from running to registered in the cluster
    # From the start of user data to the end of it, where its last deed is to switch the host off.
    image_build: float = Field(default=120, ge=0)
    console: float = Field(default=60, ge=0)  # until GetConsoleOutput shows what a host has said
    agent_patience: float = Field(default=900, ge=0)  # Batch gives up an instance that never joins
    scale_down: float = Field(default=60, ge=0)  # an idle managed instance lives that long
    terminated_instance_forgotten: float = Field(default=3600, ge=0)
    job_forgotten: float = Field(default=7 * DAY, ge=0)
    definition_forgotten: float = Field(default=180 * DAY, ge=0)
