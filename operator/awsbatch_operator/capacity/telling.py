"""What is told of capacity: why jobs are left without instances, and what a person can mend."""

from collections.abc import Iterable, Mapping

from awsbatch_operator.api import capacity_reasons as reasons
from awsbatch_operator.api.findings import Finding, Reason
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.words import joined
from awsbatch_operator.capacity.choice import Choice
from awsbatch_operator.capacity.fitting import jobs
from awsbatch_operator.capacity.joining import stopped_message
from awsbatch_operator.capacity.launches import Intent, Launches
from awsbatch_operator.capacity.model import Wish
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.offers import ANY_ZONE, is_paused, keys
from awsbatch_operator.capacity.shortfalls import Short, Shortfall
from awsbatch_operator.userdata.model import Refused, pool_path

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
    found: list[Finding] = []
    for pool in wish.pools:
        if pool.name in refused:
            no = refused[pool.name]
            found.append(Finding(reasons.USER_DATA_REFUSED, no.message(), no.remedy))
        one = record.of(pool.name)
        if one.stopped:
            words = stopped_message(one, pool, seen.diagnoses.get(pool.name, ""))
            found.append(Finding(reasons.POOL_STOPPED, words))
        held = seen.held.get(pool.name)
        if held is not None and now < held.until:
            members = (held.fault.field,) if held.fault.field else ()
            words = joined(f"{pool_path(pool.name, *members)}: {held.fault.message}")
            found.append(Finding(reasons.POOL_REFUSED, words, held.fault.remedy))
    found += _quotas(seen, now) if seen.needs else []
    found += _short(choice.short)
    found += [_settling(each) for each in record.open_intents() if _lost(each, seen)]
    return tuple(found)


def _short(short: Iterable[Shortfall]) -> list[Finding]:
    """One finding a reason: how many jobs, and the message of the first need."""
    counts: dict[Short, int] = {}
    first: dict[Short, Shortfall] = {}
    for each in short:
        counts[each.reason] = counts.get(each.reason, 0) + each.need.count
        first.setdefault(each.reason, each)
    return [
        Finding(
            _REASONS[why], joined(f"{jobs(counts[why])} {first[why].brief}", first[why].message)
        )
        for why in Short
        if why in first and why in _REASONS
    ]


def _quotas(seen: Observed, now: Instant) -> list[Finding]:
    """The quotas that hold offers of ours back."""
    found = {
        key: seen.pauses[key]
        for offer in seen.offers
        for key in keys(offer)
        if key.zone == ANY_ZONE and key in seen.pauses and is_paused(seen.pauses, offer, now)
    }
    return [
        Finding(
            reasons.CAPACITY_QUOTA,
            joined(f"{key} instances: {pause.reason}", f"Tried again at {pause.until.rfc3339()}"),
        )
        for key, pause in sorted(found.items(), key=lambda row: row[0])
        if now < pause.until
    ]


def _lost(intent: Intent, seen: Observed) -> bool:
    """Whether nobody in this process knows what became of a launch that was recorded before."""
    answer = seen.answers.get(intent.token)
    return (answer is not None and answer.outcome is None) or intent.time < seen.since


def _settling(intent: Intent) -> Finding:
    words = f"Whether a launch of {intent.count} instances for pool {intent.pool} reached EC2 is "
    return Finding(reasons.LAUNCH_SETTLING, f"{words}not known yet.")
