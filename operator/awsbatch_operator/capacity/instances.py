"""The lives of instances, put together from what EC2 and ECS show of them.

    pending ──► launched ──► joined ──► serving ◄──► idle ──► draining ──► terminating ──► gone
    (EC2 starts  (it runs)   (ECS has    (it has      (since)  (no new      (EC2 ends it)
     it, or does             it)          tasks)               tasks)
     not show it yet)

A life is made of the newest view of each side alone, so the order in which they came does not
matter. EC2 lists terminated instances for about an hour: those are gone. It lists new ones late,
and their tags later: what an answer of EC2 named is expected, and counts as pending until then.

Neither side says since when an instance is idle or draining. That is remembered in memory; after a
restart both begin anew, which only keeps an instance longer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.capacity.model import CPU_UNITS, InstanceType, Room
from awsbatch_operator.capacity.views import Expected, InstanceView, MemberView

EXPECTED_SECONDS = 300.0  # as long as EC2 may take to show an instance that it has launched
CONNECTING_SECONDS = 120.0  # as long as an agent may take to connect after it has registered


class Stage(StrEnum):
    """Where an instance stands in its life."""

    PENDING = "Pending"
    LAUNCHED = "Launched"
    JOINED = "Joined"  # ECS has it, and its agent is not connected
    SERVING = "Serving"
    IDLE = "Idle"
    DRAINING = "Draining"
    TERMINATING = "Terminating"
    GONE = "Gone"
    FORMER = "Former"  # it runs, and joins an ECS cluster that the environment has no more


ON_ITS_WAY = frozenset({Stage.PENDING, Stage.LAUNCHED})
HAS_JOINED = frozenset({Stage.JOINED, Stage.SERVING, Stage.IDLE})
WITHOUT_TASKS = frozenset({Stage.JOINED, Stage.IDLE})
LIVING = frozenset(Stage) - {Stage.GONE, Stage.TERMINATING}

_ENDING = frozenset({"shutting-down", "stopping", "stopped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One instance of ours: both views, and since when it is what it is."""

    instance: InstanceView
    member: MemberView | None
    stage: Stage
    idle_since: Instant | None = None
    draining_since: Instant | None = None
    member_at: Instant | None = None  # when ECS had it last, as far as is remembered

    @property
    def id(self) -> str:
        """Its id in EC2."""
        return self.instance.id

    @property
    def pool(self) -> str:
        """The pool that it belongs to, "" while that is unknown."""
        return self.instance.pool

    @property
    def tasks(self) -> int:
        """How many tasks ECS has on it."""
        return 0 if self.member is None else self.member.tasks


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of one instance only because we were there."""

    idle_since: Instant | None = None
    draining_since: Instant | None = None
    member_at: Instant | None = None


Memory = Mapping[str, Remembered]


def lives(
    instances: Iterable[InstanceView],
    members: Iterable[MemberView],
    now: Instant,
    *,
    expected: Iterable[Expected] = (),
    memory: Memory | None = None,
    cluster: str = "",
) -> tuple[Life, ...]:
    """All instances of ours, in the order of their ids.

    `cluster` is the name of the environment's ECS cluster, "" if it is not known.
    """
    awaited = {each.id: each for each in expected}
    views = {view.id: _tagged(view, awaited.get(view.id)) for view in instances}
    for each in awaited.values():
        if each.id not in views and now.since(each.launched) < EXPECTED_SECONDS:
            views[each.id] = each.view()
    joined = _by_instance(members)
    known = memory or {}
    return tuple(
        _life(view, joined.get(name), known.get(name, Remembered()), now, cluster)
        for name, view in sorted(views.items())
    )


def _tagged(view: InstanceView, awaited: Expected | None) -> InstanceView:
    """The view with what its tags will say, as long as EC2 does not show them."""
    if awaited is None or view.pool:
        return view
    return replace(
        awaited.view(),
        state=view.state,
        launched=view.launched,
        instance_type=view.instance_type,
        zone=view.zone,
    )


def _by_instance(members: Iterable[MemberView]) -> dict[str, MemberView]:
    """The member of each instance. Of several, the one that counts is active and the newest.

    An agent that lost its state registers once more, and leaves a member behind that is INACTIVE.
    """
    found: dict[str, MemberView] = {}
    for member in sorted(
        members, key=lambda each: (each.status in {"ACTIVE", "DRAINING"}, each.registered, each.arn)
    ):
        found[member.instance] = member
    return found


def _life(
    view: InstanceView, member: MemberView | None, memory: Remembered, now: Instant, cluster: str
) -> Life:
    stage = _stage(view, member)
    if stage in ON_ITS_WAY and cluster and view.cluster not in {"", cluster}:
        stage = Stage.FORMER
    idle = stage in WITHOUT_TASKS
    draining = stage is Stage.DRAINING
    return Life(
        instance=view,
        member=member,
        stage=stage,
        idle_since=(memory.idle_since or now) if idle else None,
        draining_since=(memory.draining_since or now) if draining else None,
        member_at=memory.member_at if member is None else now,
    )


def _stage(view: InstanceView, member: MemberView | None) -> Stage:
    if view.state == "terminated":
        return Stage.GONE
    if view.state in _ENDING:
        return Stage.TERMINATING
    if member is None or member.status in {"REGISTERING", "REGISTRATION_FAILED"}:
        return Stage.PENDING if view.state == "pending" else Stage.LAUNCHED
    if member.status == "DRAINING":
        return Stage.DRAINING
    if member.tasks:
        return Stage.SERVING
    return Stage.IDLE if member.connected else Stage.JOINED


def remembered(current: Iterable[Life]) -> Memory:
    """What to remember until the next look."""
    return {
        life.id: Remembered(life.idle_since, life.draining_since, life.member_at)
        for life in current
        if life.member_at is not None
    }


def still_expected(
    expected: Iterable[Expected], instances: Iterable[InstanceView], now: Instant
) -> tuple[Expected, ...]:
    """Those that EC2 does not show with their tags yet, and may still show."""
    shown = {view.id for view in instances if view.pool}
    return tuple(
        each
        for each in expected
        if each.id not in shown and now.since(each.launched) < EXPECTED_SECONDS
    )


def rooms(
    current: Iterable[Life],
    members: Sequence[MemberView],
    types: Mapping[str, Mapping[str, InstanceType]],
    now: Instant,
) -> tuple[Room, ...]:
    """Free room for jobs: on members, whoever launched them, and on what is on its way.

    In the order of their launch, so that what comes later takes nothing from what was there.
    `types` are those of each pool. What drains or ends gives none; neither does a member whose
    agent is not connected, for ECS places nothing there. An instance whose type is unknown counts
    from when it has joined.
    """
    own = {life.id: life for life in current}
    made = [
        room
        for member in _by_instance(members).values()
        if (room := _member_room(member, own.get(member.instance), now)) is not None
    ]
    for life in own.values():
        about = types.get(life.pool, {}).get(life.instance.instance_type)
        if life.stage in ON_ITS_WAY and about is not None:
            made.append(
                Room(
                    instance=life.id,
                    pool=life.pool,
                    vcpus=about.registered_cpu / CPU_UNITS,
                    memory_mib=about.registered_mib,
                    gpus=about.gpus,
                    seconds_left=_left(life, now),
                )
            )
    since = {member.instance: member.registered for member in members}
    since.update((life.id, life.instance.launched) for life in own.values())
    return tuple(sorted(made, key=lambda room: (since[room.instance], room.instance)))


def _member_room(member: MemberView, life: Life | None, now: Instant) -> Room | None:
    connects = now.since(member.registered) < CONNECTING_SECONDS
    if member.status != "ACTIVE" or not (member.connected or connects):
        return None
    if life is not None and life.stage not in HAS_JOINED:
        return None
    return Room(
        instance=member.instance,
        pool="" if life is None else life.pool,
        vcpus=member.cpu_left / CPU_UNITS,
        memory_mib=member.memory_left,
        gpus=member.gpus_left,
        seconds_left=None if life is None else _left(life, now),
    )


def _left(life: Life, now: Instant) -> float | None:
    end = life.instance.end
    return None if end is None else max(0.0, end.since(now))


def seen_memory(current: Iterable[Life]) -> Mapping[str, int]:
    """MiB that ECS has registered, by type: what InstanceType.described takes before estimates.

    Where instances of a type differ, the least.
    """
    seen: dict[str, int] = {}
    for life in current:
        if life.member is not None and life.member.memory_mib:
            name = life.instance.instance_type
            seen[name] = min(life.member.memory_mib, seen.get(name, life.member.memory_mib))
    return seen


def counts(current: Iterable[Life], pool: str) -> Mapping[Stage, int]:
    """How many instances of a pool are in each stage; all stages are there."""
    found = dict.fromkeys(Stage, 0)
    for life in current:
        if life.pool == pool:
            found[life.stage] += 1
    return found
