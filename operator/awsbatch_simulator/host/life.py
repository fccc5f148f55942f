"""A host from its boot to its end: user data, the agent, a shutdown from inside.

EC2 calls `begin` when an instance becomes running, `stopped` when it stops being so for a while,
and `gone` when it is terminated.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import partial

from awsbatch_simulator.ec2.model import Instance, InstanceState
from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.ecs import life as ecs_life
from awsbatch_simulator.host import agent, agent_log, machine, plan, sizes, userdata
from awsbatch_simulator.host.baking import BakedRoot, baked_in
from awsbatch_simulator.host.console import Console
from awsbatch_simulator.host.execution import Order
from awsbatch_simulator.host.metadata import metadata
from awsbatch_simulator.host.outcome import Outcome, ends_at, not_queued, why_no_agent
from awsbatch_simulator.host.registration import (
    NotRegistered,
    container_instance,
    register,
)
from awsbatch_simulator.host.store import Host
from awsbatch_simulator.region import Region

MANAGED = agent.AgentConfig(reserved_memory=sizes.MANAGED_RESERVED)
ShutDown = Callable[[Region, Instance], None]


def begin(region: Region, instance: Instance, shut_down: ShutDown) -> None:
    """The instance runs. `shut_down` is what a shutdown from inside does with it.

    After a stop the agent connects again as the container instance that it was; user data is for
    the first boot.
    """
    delay = region.world.settings.delays.agent_join
    if instance.cluster_arn is not None:
        region.world.clock.call_after(delay, _join_managed, region, instance)
        return
    ready_at = region.world.clock.now() + delay
    host = region.hosts.hosts.get(instance.id)
    if host is not None:
        host.ready_at = ready_at
        region.world.clock.call_after(delay, _start_agent, region, instance, host)
        return
    host = region.hosts.hosts[instance.id] = Host(instance.id, ready_at)
    order = _order(region, instance)
    host.booted_at = order.now
    done = partial(_booted, region, instance, host, shut_down)
    region.world.boots.start(order, done, now=region.world.clock.stepped)


def _order(region: Region, instance: Instance) -> Order:
    data = userdata.content(instance.setting("UserData", default="") or "")
    baked = baked_in(region, instance.image_id)
    return Order(
        plan=plan.plan(userdata.parts(data)),
        instance_id=instance.id,
        now=region.world.clock.now(),
        metadata=metadata(region, instance),
        settings=region.world.settings.hosts,
        machine=machine.about(region, instance, baked),
        baked=baked,
        faults=machine.command_faults(region, instance),
    )


def _booted(
    region: Region, instance: Instance, host: Host, shut_down: ShutDown, outcome: Outcome
) -> None:
    """The boot is over, or will never be; timers that it has set count in both cases."""
    host.outcome = outcome
    for fault_id, (seen, struck) in outcome.struck.items():
        region.world.faults.counted(fault_id, seen=seen, struck=struck)
    took = region.world.settings.delays.image_build
    when = ends_at(outcome.calls, host.booted_at, took=took)
    _print(region, instance, host, outcome, when)
    if instance.state.gone:
        return
    clock = region.world.clock
    if when is not None:
        host.end = clock.call_at(max(when, clock.now()), _end, region, instance, shut_down)
    if not _switches_off(host, outcome):  # else cloud-init never ends, which the agent waits for
        delay = max(0.0, host.ready_at - clock.now())
        clock.call_after(delay, _start_agent, region, instance, host)


def _switches_off(host: Host, outcome: Outcome) -> bool:
    """Whether the last deed of the user data is to switch the host off."""
    return ends_at(outcome.calls, host.booted_at) == host.booted_at


def _print(
    region: Region, instance: Instance, host: Host, outcome: Outcome, when: float | None
) -> None:
    """What the boot prints: at once, or over the time that it takes to switch its host off."""
    there = _console(region, instance.id)
    if _switches_off(host, outcome):
        seconds = region.world.settings.delays.image_build
        there.say_over(host.booted_at, seconds, outcome.console)
    else:
        there.say(region.world.clock.now(), outcome.console)
    if when is not None:
        there.say(when, outcome.later)
    if instance.state is not InstanceState.RUNNING:
        there.cut(region.world.clock.now())


def _end(region: Region, instance: Instance, shut_down: ShutDown) -> None:
    """The host shuts itself down."""
    if instance.state is InstanceState.RUNNING:
        shut_down(region, instance)


def say(region: Region, instance_id: str, text: str) -> None:
    """More on the console."""
    _console(region, instance_id).say(region.world.clock.now(), text)


def _console(region: Region, instance_id: str) -> Console:
    return region.hosts.consoles.setdefault(instance_id, Console())


def console(region: Region, instance_id: str, *, ago: float = 0.0) -> str:
    """What an instance had printed so many seconds ago, for GetConsoleOutput."""
    there = region.hosts.consoles.get(instance_id)
    return "" if there is None else there.text(region.world.clock.now() - ago)


def _never_joins(region: Region, instance: Instance) -> bool:
    fault = region.world.faults.active(
        "agent_never_joins",
        instanceType=instance.type,
        instanceId=instance.id,
        availabilityZone=instance.zone,
        tags=[f"{key}={value}" for key, value in instance.tags.items()],
    )
    return fault is not None


def _join_managed(region: Region, instance: Instance) -> None:
    """The agent of an instance that Batch has launched registers with its cluster."""
    cluster = region.ecs.cluster(instance.cluster_arn or "")
    size = instance_type(instance.type)
    if instance.state.gone or cluster is None or size is None or _never_joins(region, instance):
        return
    baked = baked_in(region, instance.image_id)
    if not_queued(baked) or (baked is not None and baked.agent_state):
        return
    made = container_instance(region, instance, size, cluster, MANAGED)
    ecs_life.join(region, cluster, made)


def _start_agent(region: Region, instance: Instance, host: Host) -> None:
    """ecs.service: after cloud-init, unless the boot hangs or something keeps it out."""
    if instance.state is not InstanceState.RUNNING or host.outcome is None:
        return
    if region.ecs.of_host(instance.id):
        ecs_life.connect(region, instance.id)
        return
    host.trouble = ""
    try:
        _check_start(region, instance, host.outcome)
        host.config = agent.parsed(host.outcome.baked_config, host.outcome.config)
        register(region, instance, host.config)
        for variables in agent.others(host.outcome.calls):
            register(region, instance, agent.configured(variables))
    except (NotRegistered, agent.BadConfigError) as why:
        host.trouble = str(why)
        logged = why.logged if isinstance(why, NotRegistered) else str(why)
        if logged:
            _print_log(region, instance, host, logged)


def _print_log(region: Region, instance: Instance, host: Host, logged: str) -> None:
    """The agent's log on the console, when the user data has asked for it."""
    clock, calls = region.world.clock, () if host.outcome is None else host.outcome.calls
    text = agent_log.lines(clock.now(), logged)
    for after in agent_log.printed_after(calls):
        clock.call_at(max(host.booted_at + after, clock.now()), _printed, region, instance, text)


def _printed(region: Region, instance: Instance, text: str) -> None:
    if instance.state is InstanceState.RUNNING:
        say(region, instance.id, text)


def _check_start(region: Region, instance: Instance, outcome: Outcome) -> None:
    """Whether the agent starts at all. Raises NotRegistered."""
    images = region.world.settings.hosts.agent_images
    if _never_joins(region, instance):
        raise NotRegistered("The fault agent_never_joins")
    if not any(fnmatchcase(instance.image_id, glob) for glob in images):
        raise NotRegistered(f"The image {instance.image_id} has no ECS agent")
    if why := why_no_agent(outcome):
        raise NotRegistered(why)
    if state := _cloned_state(baked_in(region, instance.image_id), outcome):
        said = f"The image has the state of another host's agent: {state[0]}"
        raise NotRegistered(said, agent_log.CLONED)


def _cloned_state(image: BakedRoot | None, outcome: Outcome) -> list[str]:
    """Files of an agent's state that the image has and the boot has left as they were."""
    if image is None:
        return []
    now = image if outcome.disk is None else outcome.disk
    return [path for path in image.agent_state if now.files.get(path) == image.files[path]]


def stopped(region: Region, instance: Instance) -> None:
    """The instance stops: ECS keeps it, without a connected agent; its jobs are lost."""
    _cut(region, instance.id)
    host = region.hosts.hosts.get(instance.id)
    if host is not None and host.end is not None:
        host.end.cancel()
    ecs_life.host_stopped(region, instance.id)


def gone(region: Region, instance: Instance) -> None:
    """The instance is terminated, and its agent with it."""
    _cut(region, instance.id)
    host = region.hosts.hosts.pop(instance.id, None)
    if host is not None and host.end is not None:
        host.end.cancel()
    ecs_life.host_gone(region, instance.id)


def _cut(region: Region, instance_id: str) -> None:
    if (there := region.hosts.consoles.get(instance_id)) is not None:
        there.cut(region.world.clock.now())


def forgotten(region: Region, instance_id: str) -> None:
    """EC2 no longer knows the instance, and so not its console."""
    region.hosts.consoles.pop(instance_id, None)
