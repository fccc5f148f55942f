"""How compute environments change: CREATING, VALID or INVALID, UPDATING, DELETING, DELETED, gone.

A health check looks every minute whether the role and the network are still there, as AWS does.
"""

from typing import Any

from awsbatch_simulator import scaling
from awsbatch_simulator.batch import attempts, environment_health, launching, queue_life
from awsbatch_simulator.batch.environment_rules import is_infrastructure
from awsbatch_simulator.batch.model import Environment, Job, JobStatus, Status
from awsbatch_simulator.batch.wake import look_soon
from awsbatch_simulator.ecs import life as ecs_life
from awsbatch_simulator.region import Region

HEALTHY = "ComputeEnvironment Healthy"


def after_creation(region: Region, environment: Environment) -> None:
    """CREATING begins. One of that name which is still seen as DELETED is seen no more."""
    region.batch.deleted_environments.pop(environment.name, None)
    _read(region, environment, newest=True)
    delay = region.world.settings.delays.environment_creating
    environment.timer = region.world.clock.call_after(delay, _settle, region, environment)


def _read(region: Region, environment: Environment, *, newest: bool) -> None:
    """Batch reads templates and images, if it launches instances of EC2 itself."""
    if environment.launches:
        launching.read(region, environment, newest=newest)


def after_update(
    region: Region, environment: Environment, *, replaces_instances: bool, newest_image: bool
) -> None:
    """UPDATING begins; an infrastructure update lasts until the old instances are gone.

    With it Batch reads launch templates anew, and with `newest_image` images.
    """
    environment.status = Status.UPDATING
    environment.status_reason = ""
    environment.nobody_joined = False
    environment.failed_update = ""
    if replaces_instances:
        _read(region, environment, newest=newest_image)
        scaling.retire_all(region, environment)
    delay = region.world.settings.delays.environment_updating
    if environment.timer:
        environment.timer.cancel()
    environment.timer = region.world.clock.call_after(delay, _updated, region, environment)
    look_soon(region)


def infrastructure_changes(environment: Environment, changes: dict[str, Any]) -> bool:
    """Whether an update replaces the environment's instances."""
    if not environment.launches:
        return False
    current = environment.resources or {}
    return any(is_infrastructure(name, current, changes) for name in changes)


def _updated(region: Region, environment: Environment) -> None:
    if scaling.has_retired(region, environment):
        delay = region.world.settings.delays.environment_updating or 1.0
        environment.timer = region.world.clock.call_after(delay, _updated, region, environment)
        return
    fault = region.world.faults.active("update_fails", computeEnvironment=environment.name)
    environment.failed_update = fault.spec.message if fault else ""
    _settle(region, environment)


def _settle(region: Region, environment: Environment) -> None:
    """VALID or INVALID, by what is found; looked at again every minute."""
    trouble = environment.failed_update or environment_health.trouble(region, environment)
    if environment.nobody_joined and not trouble:
        trouble = scaling.NOBODY_JOINED
    before = environment.status
    environment.status = Status.INVALID if trouble else Status.VALID
    environment.status_reason = trouble or HEALTHY
    _look_again(region, environment)
    if before is not environment.status:
        queue_life.environment_judged(region, environment)
        look_soon(region)


def _look_again(region: Region, environment: Environment) -> None:
    delay = region.world.settings.delays.environment_health
    environment.timer = region.world.clock.call_after(delay, _settle, region, environment)


def begin_deletion(region: Region, environment: Environment) -> None:
    """DELETING begins: what still runs in the environment is ended."""
    environment.status = Status.DELETING
    environment.status_reason = ""
    if environment.timer:
        environment.timer.cancel()
    if not environment.fargate:
        for job in _jobs_in(region, environment):
            attempts.lose(region, job, "The compute environment was deleted")
    delay = region.world.settings.delays.environment_deleting
    environment.timer = region.world.clock.call_after(delay, _deleted, region, environment)


def _jobs_in(region: Region, environment: Environment) -> list[Job]:
    active = {JobStatus.STARTING, JobStatus.RUNNING}
    return [
        job
        for jobs in region.batch.by_queue.values()
        for job in jobs.unfinished.values()
        if job.environment is environment and job.status in active
    ]


def _deleted(region: Region, environment: Environment) -> None:
    """DELETED, unless Batch cannot act for the account any more, or Fargate tasks still run.

    For a while those who ask by name still see that it is DELETED.
    """
    trouble = environment_health.role_trouble(region, environment)
    if not trouble and _jobs_in(region, environment) and environment.fargate:
        trouble = "CLIENT_ERROR - The compute environment has active jobs"
    if trouble:
        environment.status = Status.INVALID
        environment.status_reason = trouble
        _look_again(region, environment)
        return
    scaling.terminate_all(region, environment)
    environment.status = Status.DELETED
    if environment.cluster_arn:
        ecs_life.deactivate(region, environment.cluster_arn)
    del region.batch.environments[environment.name]
    region.batch.relations.pop(environment.arn, None)
    region.batch.deleted_environments[environment.name] = environment
    delay = region.world.settings.delays.deleted_seen
    region.world.clock.call_after(delay, _forget, region, environment)


def _forget(region: Region, environment: Environment) -> None:
    """Unless another environment of that name has been deleted since."""
    if region.batch.deleted_environments.get(environment.name) is environment:
        del region.batch.deleted_environments[environment.name]
