"""Plans by which instances only go: of an environment that is deleted, or is held back."""

from collections.abc import Sequence

from awsbatch_operator.api import capacity_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.choice import Choice
from awsbatch_operator.capacity.fitting import instances, place
from awsbatch_operator.capacity.instances import Life, Stage, rooms
from awsbatch_operator.capacity.launch_codec import written
from awsbatch_operator.capacity.launches import Launches
from awsbatch_operator.capacity.leaving import Situation, leave
from awsbatch_operator.capacity.leaving_steps import leaving_steps
from awsbatch_operator.capacity.model import Limits, Market, Pool, Wish
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.pacing import AT_REST_SECONDS, SOON_SECONDS
from awsbatch_operator.capacity.requests import Call
from awsbatch_operator.capacity.settling import reserving, settled
from awsbatch_operator.capacity.status import capacity_status
from awsbatch_operator.capacity.telling import protected


def plan_removal(
    pools: Sequence[Pool], seen: Observed, record: Launches, *, since: Instant, now: Instant
) -> Plan[Call]:
    """Drain, end all, cancel reservations, delete templates; nothing new is bought.

    `since` is when the deletion was asked for. `pools` give the drain deadlines: an instance of a
    pool that is not there is ended at once. Released is the object when EC2 shows nothing of ours
    any more, and nothing can come to light: no launch is open whose outcome is not known, no
    reservation was asked for, and the record was not lost, a moment ago.
    """
    wish = Wish(limits=Limits(), pools=tuple(pools))
    known = settled(record, wish, seen, now)
    leaving = leave(pools, seen.lives, Situation(now=now, deleting_since=since))
    steps = list(leaving_steps(leaving, seen, now))
    ours = [each for each in seen.reservations if each.ours and each.active]
    steps += [
        Step(requests.release("", each.id), lane=f"reservation/{each.id}")
        for each in sorted(ours, key=lambda found: found.id)
    ]
    unknown = bool(known.open_intents()) or (known.settled is not None and now < known.settled)
    if not unknown:  # else a launch may be on its way that names one of them
        steps += [
            Step(requests.delete_template(name), lane="templates")
            for name in sorted(seen.templates)
        ]
    unknown = unknown or reserving(known, seen, now)
    left = [life for life in seen.lives if life.stage is not Stage.GONE]
    body = capacity_status(wish, seen, known, Choice(), before=record, blocks={}, now=now)
    body["wanted"] = "nothing: the environment is being deleted"
    return Plan(
        steps=tuple(steps),
        findings=(*protected(seen), *_findings(left, unknown=unknown)),
        record=written(known, record),
        announce={"capacity": body},
        released=not (left or steps or unknown),
        look_again_seconds=SOON_SECONDS * seen.pace,
    )


def plan_held_back(
    wish: Wish, seen: Observed, findings: Sequence[Finding], now: Instant
) -> Plan[Call]:
    """Something holds back what is new: nothing is launched, and who is idle or late goes.

    `wish` may be of a spec that is unsound. Nobody goes because its pool is not in it: it counts as
    a pool with EC2's and our defaults then. The record is left as it is, for it may be damaged.
    """
    known = {pool.name for pool in wish.pools}
    others = sorted({life.pool for life in seen.lives if life.pool} - known)
    stand_ins = (Pool(name=name, market=Market.ON_DEMAND) for name in others)
    pools = (*wish.pools, *stand_ins)
    record = Launches(uid=seen.owner.uid)
    needed = place(seen.needs, rooms(seen.lives, seen.members, seen.types, now)).used
    situation = Situation(now=now, needed=needed, notices=seen.notices)
    steps = leaving_steps(leave(pools, seen.lives, situation), seen, now)
    body = capacity_status(wish, seen, record, Choice(), before=record, blocks={}, now=now)
    body["wanted"] = "nothing new: the conditions say what holds it back"
    moving = any(life.stage not in {Stage.GONE, Stage.IDLE, Stage.SERVING} for life in seen.lives)
    return Plan(
        steps=steps,
        findings=(*findings, *protected(seen)),
        announce={"capacity": body},
        look_again_seconds=(SOON_SECONDS if steps or moving else AT_REST_SECONDS) * seen.pace,
    )


def _findings(left: Sequence[Life], *, unknown: bool) -> tuple[Finding, ...]:
    if left:
        busy = sum(life.tasks > 0 for life in left)
        words = f"To be drained and ended: {instances(len(left))}, of which {busy} have tasks."
        return (Finding(capacity_reasons.INSTANCES_LEAVING, words),)
    if unknown:
        words = (
            "Whether a launch or a reservation reached EC2 is not known yet; it is looked for "
            "before all ends."
        )
        return (Finding(capacity_reasons.LAUNCH_SETTLING, words),)
    return ()
