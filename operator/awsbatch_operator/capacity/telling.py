"""What is told of capacity: why jobs are left without instances, and what a person can mend."""

from collections.abc import Iterable, Mapping

from awsbatch_operator.api import capacity_reasons as reasons
from awsbatch_operator.api.findings import Finding, Reason, Severity
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.words import joined, some_of
from awsbatch_operator.capacity.choice import Choice
from awsbatch_operator.capacity.faults import quota_message
from awsbatch_operator.capacity.fitting import instances, jobs_do
from awsbatch_operator.capacity.instances import LIVING
from awsbatch_operator.capacity.joining import ended_message, stopped_message
from awsbatch_operator.capacity.launches import Intent, Launches
from awsbatch_operator.capacity.machines import rendered
from awsbatch_operator.capacity.model import Market, Wish
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.offers import ANY_ZONE, Key, is_paused, keys, next_end, quota_group
from awsbatch_operator.capacity.shortfalls import Short, Shortfall
from awsbatch_operator.userdata.model import Refused, Rendered, pool_path

_REASONS: Mapping[Short, Reason] = {
    Short.NEVER_FITS: reasons.JOB_FITS_NO_POOL,
    Short.LIMIT: reasons.CAPACITY_LIMIT_REACHED,
    Short.PRICE_UNKNOWN: reasons.PRICE_UNKNOWN,
    Short.PRICE: reasons.PRICE_ABOVE_LIMIT,
    Short.NO_OFFER: reasons.CAPACITY_SHORT,
}


def findings(
    wish: Wish,
    seen: Observed,
    record: Launches,
    choice: Choice,
    *,
    refused: Mapping[str, Refused],
    now: Instant,
) -> tuple[Finding, ...]:
    """All of them, what a person must mend first."""
    found: list[Finding] = list(seen.checks)
    for pool in wish.pools:
        if pool.name in refused:
            no = refused[pool.name]
            found.append(Finding(reasons.USER_DATA_REFUSED, no.message(), no.remedy))
        machine = seen.machines.get(pool.name)
        made = None if machine is None else rendered(machine.user_data)
        if isinstance(made, Rendered) and made.warnings:
            found.append(Finding(reasons.USER_DATA_DOUBTFUL, " ".join(made.warnings)))
        one = record.of(pool.name)
        signs = joined(ended_message(one, seen.lives), seen.diagnoses.get(pool.name, ""))
        if one.stopped:
            found.append(Finding(reasons.POOL_STOPPED, stopped_message(one, pool, signs)))
        elif one.unjoined and pool.name in seen.diagnoses:
            words = f"An instance of pool {pool.name} has not joined the ECS cluster in time."
            found.append(Finding(reasons.INSTANCE_NOT_JOINED, joined(words, signs)))
        held = seen.held.get(pool.name)
        if held is not None and now < held.until:
            members = (held.fault.field,) if held.fault.field else ()
            words = joined(f"{pool_path(pool.name, *members)}: {held.fault.message}")
            found.append(Finding(reasons.POOL_REFUSED, words, held.fault.remedy))
    found += _quotas(seen, now) if seen.needs else []
    found += _short(choice.short, seen, now)
    found += [_settling(each) for each in record.open_intents() if _lost(each, seen)]
    return tuple(found)


def _short(short: Iterable[Shortfall], seen: Observed, now: Instant) -> list[Finding]:
    """One finding a reason, with the message of the first need.

    What is told as an event names no numbers of jobs: each other number would be another event.
    """
    counts: dict[Short, int] = {}
    first: dict[Short, Shortfall] = {}
    for each in short:
        counts[each.reason] = counts.get(each.reason, 0) + each.need.count
        first.setdefault(each.reason, each)
    found = []
    for why in Short:
        reason = _REASONS.get(why)
        if why not in first or reason is None:
            continue
        only_told = reason.severity is Severity.NOTE
        who = f"Jobs {first[why].brief}" if only_told else jobs_do(counts[why], first[why].brief)
        more = _asked_again(seen, now) if why is Short.NO_OFFER else ""
        found.append(Finding(reason, joined(who, first[why].message, more)))
    return found


def _asked_again(seen: Observed, now: Instant) -> str:
    """What EC2 said last of the offers, and when it is asked again."""
    until = next_end(seen.pauses, seen.offers, now)
    if until is None:
        return ""
    keyed = {key for offer in seen.offers for key in keys(offer)} & seen.pauses.keys()
    last = max(keyed, key=lambda key: (seen.pauses[key].until, key))
    if last.zone == ANY_ZONE:
        return ""  # a quota, which is told by itself
    again = f"EC2 is asked again at {until.rfc3339()}"
    return joined(f"It said of {last}: {seen.pauses[last].reason}", again)


def _quotas(seen: Observed, now: Instant) -> list[Finding]:
    """The quotas that hold offers of ours back."""
    if all(key.zone != ANY_ZONE for key in seen.pauses):
        return []
    found = {
        key: seen.pauses[key]
        for offer in seen.offers
        for key in keys(offer)
        if key.zone == ANY_ZONE and key in seen.pauses and is_paused(seen.pauses, offer, now)
    }
    return [
        Finding(
            reasons.CAPACITY_QUOTA,
            joined(
                quota_message(
                    pause.reason,
                    group=f"{key.market} {key.instance_type}",
                    used=_vcpus(seen, key),
                    held=pause.vcpus,
                ),
                f"EC2 is asked again at {pause.until.rfc3339()}",
            ),
        )
        for key, pause in sorted(found.items(), key=lambda row: row[0])
        if now < pause.until
    ]


def _vcpus(seen: Observed, group: Key) -> int:
    """The vCPUs of ours that count against the quota."""
    types = seen.all_types
    return sum(
        about.vcpus
        for life in seen.lives
        if life.stage in LIVING
        and (about := types.get(life.pool, {}).get(life.instance.instance_type)) is not None
        and (life.instance.market is Market.SPOT) == (group.market is Market.SPOT)
        and quota_group(about.name) == group.instance_type
    )


def protected(seen: Observed) -> tuple[Finding, ...]:
    """The instances that are to go and that EC2 does not end."""
    if not seen.protected:
        return ()
    words = f"EC2 refuses to end {some_of(sorted(seen.protected))}: termination protection is on."
    return (Finding(reasons.INSTANCE_PROTECTED, words),)


def _lost(intent: Intent, seen: Observed) -> bool:
    """Whether nobody in this process knows what became of a launch that was recorded before."""
    answer = seen.answers.get(intent.token)
    return (answer is not None and answer.outcome is None) or intent.time < seen.since


def _settling(intent: Intent) -> Finding:
    what = f"a launch of {instances(intent.count)} for pool {intent.pool}"
    words = f"Whether {what} reached EC2 is "
    return Finding(reasons.LAUNCH_SETTLING, f"{words}not known yet.")
