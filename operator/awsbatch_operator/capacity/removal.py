"""Taking down all capacity of an environment that is being deleted."""

from collections.abc import Sequence

from awsbatch_operator.api import capacity_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.choice import Choice
from awsbatch_operator.capacity.instances import Life, Stage
from awsbatch_operator.capacity.launch_codec import annotation
from awsbatch_operator.capacity.launches import Launches
from awsbatch_operator.capacity.leaving import Situation, leave
from awsbatch_operator.capacity.leaving_steps import leaving_steps
from awsbatch_operator.capacity.model import Limits, Pool, Wish
from awsbatch_operator.capacity.observed import Observed, settled
from awsbatch_operator.capacity.requests import Call
from awsbatch_operator.capacity.status import capacity_status

_SOON_SECONDS = 15.0


def plan_removal(
    pools: Sequence[Pool], seen: Observed, record: Launches, *, since: Instant, now: Instant
) -> Plan[Call]:
    """Drain, end all, cancel reservations, delete templates; nothing new is bought.

    `since` is when the deletion was asked for. `pools` give the drain deadlines: an instance of a
    pool that is not there is ended at once. Released is the object when EC2 shows nothing of ours
    any more, and nothing can come to light: no launch is open whose outcome is not known, and the
    record was not lost a moment ago.
    """
    wish = Wish(limits=Limits(), pools=tuple(pools))
    known = settled(record, wish, seen, now)
    leaving = leave(pools, seen.lives, Situation(now=now, deleting_since=since))
    steps = list(leaving_steps(leaving, seen))
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
    left = [life for life in seen.lives if life.stage is not Stage.GONE]
    body = capacity_status(wish, seen, known, Choice(), blocks={}, now=now)
    body["wanted"] = "nothing: the environment is being deleted"
    return Plan(
        steps=tuple(steps),
        findings=_findings(left, unknown=unknown),
        record=annotation(known) if known.pools or record.pools else {},
        announce={"capacity": body},
        released=not (left or steps or unknown),
        look_again_seconds=_SOON_SECONDS,
    )


def _findings(left: Sequence[Life], *, unknown: bool) -> tuple[Finding, ...]:
    if left:
        busy = sum(life.tasks > 0 for life in left)
        words = f"{len(left)} instances are being drained and ended; {busy} of them have tasks."
        return (Finding(capacity_reasons.INSTANCES_LEAVING, words),)
    if unknown:
        words = "Whether a launch reached EC2 is not known yet; it is looked for before all ends."
        return (Finding(capacity_reasons.LAUNCH_SETTLING, words),)
    return ()
