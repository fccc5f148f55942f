"""Instances that never join: one is replaced, three in a row stop their pool.

Changed content (image, user data …) is tried with one instance before the rest follows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.capacity.instances import HAS_JOINED, LIVING, ON_ITS_WAY, Life, Stage
from awsbatch_operator.capacity.launches import PoolRecord
from awsbatch_operator.capacity.model import Pool, ReplacePolicy

STOP_AFTER = 3
# Why instances end that nobody has ended: from inside, or for what they were launched with (a key
# of their volumes, a snapshot). Source: EC2 user guide, "Troubleshoot instance launch issues" and
# StateReason.
_BY_ITSELF = frozenset(
    {
        "Client.InstanceInitiatedShutdown",
        "Client.InternalError",
        "Client.InvalidSnapshot.NotFound",
        "Client.VolumeLimitExceeded",
        "Server.InternalError",
    }
)


def overdue(life: Life, pool: Pool, now: Instant) -> bool:
    """Whether the instance should have joined by now and has not.

    ECS may leave a member out of a listing, or lose it and get it back: the time counts anew from
    when it was there last.
    """
    waited = now.since(max(life.instance.launched, life.member_at or life.instance.launched))
    return life.stage in ON_ITS_WAY and waited > pool.registration_timeout_seconds


def ended_early(life: Life, since: Instant, now: Instant) -> bool:
    """Whether the instance has ended by itself before it joined; another one would, too.

    Of one that was launched before `since`, when this process began to lead, nobody knows whether
    it had joined. One whose time is over has ended as it should.
    """
    over = life.instance.end is not None and now >= life.instance.end
    return (
        life.stage not in LIVING
        and life.instance.reason in _BY_ITSELF
        and life.instance.launched >= since
        and not over
    )


def joining(
    record: PoolRecord,
    current: Iterable[Life],
    pool: Pool,
    mark: str,
    now: Instant,
    *,
    since: Instant,
) -> PoolRecord:
    """The pool's record with what these lives say about its instances' joining.

    An instance counts once, however often it is looked at, and only as long as none of the pool has
    joined since its launch; one that ECS had and lost does not. `mark` changes when the user edits
    the spec, or asks for a reconcile: then a stopped pool begins anew.
    """
    mine = [life for life in current if life.pool == pool.name]
    last = max((life.member.registered for life in mine if life.member is not None), default=None)
    anew = bool(record.stopped) and record.stopped != mark
    counted = {} if anew else dict(record.unjoined)
    counted.update(
        (life.id, life.instance.launched)
        for life in mine
        if (overdue(life, pool, now) or ended_early(life, since, now))
        and life.member_at is None
        and not anew
    )
    row = sorted(
        ((name, at) for name, at in counted.items() if last is None or at > last),
        key=lambda each: (each[1], each[0]),
    )
    stopped = mark if len(row) >= STOP_AFTER else ""
    return replace(record, unjoined=tuple(row[-STOP_AFTER:]), stopped=stopped)


def stopped_message(record: PoolRecord, pool: Pool, seen: str) -> str:
    """What is told of a stopped pool: which instances, and what was seen of the last."""
    names = ", ".join(name for name, _ in record.unjoined)
    return (
        f"Pool {pool.name} is stopped: {len(record.unjoined)} instances in a row ({names}) did not "
        f"join the ECS cluster within {pool.registration_timeout_seconds} s. {seen}".rstrip()
    )


def ended_message(record: PoolRecord, current: Iterable[Life]) -> str:
    """What is told of the newest that has not joined, if it has ended by itself; else ""."""
    reasons = {life.id: life.instance.reason for life in current}
    name = record.unjoined[-1][0] if record.unjoined else ""
    if reasons.get(name) not in _BY_ITSELF:
        return ""
    return f"{name} has ended by itself ({reasons[name]})."


def proven(current: Iterable[Life], pool: str, content: str) -> bool:
    """Whether an instance of that content has joined."""
    ready = HAS_JOINED | {Stage.DRAINING}
    return any(
        life.pool == pool and life.instance.content == content and life.stage in ready
        for life in current
    )


def to_be_tried(
    current: Sequence[Life], pools: Iterable[Pool], contents: Mapping[str, str]
) -> frozenset[str]:
    """The pools that launch an instance of new content although nobody has a job for it.

    They keep a minimum, and instances of other content in it are idle, which may be replaced as
    soon as one of the new content has joined. Without it they would be kept for ever.
    """
    return frozenset(
        pool.name
        for pool in pools
        if pool.name in contents and _keeps_former(current, pool, contents[pool.name])
    )


def _keeps_former(current: Sequence[Life], pool: Pool, content: str) -> bool:
    if not pool.min_instances or pool.replace_policy is ReplacePolicy.NEVER:
        return False
    former = any(
        life.pool == pool.name
        and life.stage is Stage.IDLE
        and life.instance.content not in {"", content}
        for life in current
    )
    return former and not proven(current, pool.name, content)


def launch_bound(current: Sequence[Life], pool: str, content: str) -> int | None:
    """How many instances of new content may be launched now; None: any number.

    As long as instances of other content live and none of the new one has joined, one at a time.
    """
    mine = [life for life in current if life.pool == pool and life.stage in LIVING]
    others = [life for life in mine if life.instance.content not in {"", content}]
    if not others or proven(current, pool, content):
        return None
    tried = sum(life.instance.content == content for life in mine)
    return max(0, 1 - tried)
