"""What a deletion waits for: other deletions, or a person (pure).

Whoever deletes many things with one command deletes them one after the other, the used often before
its user. What then goes by itself needs nobody. So what stands in the way calls for a person only
if it is not being deleted, some seconds after the deletion of what it holds up; or if its own
deletion is paused.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import SUBMISSION, Resource
from awsbatch_operator.api.words import SHOWN_AT_MOST
from awsbatch_operator.kinds.contract import Removal

TOGETHER_SECONDS = 5.0  # within which one command deletes its next object
# The moment of the deletion is the API server's, in whole seconds, and `now` is ours.
CLOCKS_APART_SECONDS = 30.0
LISTED_SECONDS = 60.0  # after which ListJobs shows a job; the default of --settling-seconds
LOOKED_AT = 1000  # users being deleted; each has to be read, and there may be a hundred thousand


@dataclass(frozen=True, slots=True)
class Sent:
    """The newest SubmitJob of a job, as its record has it: the ARNs that it names, and when."""

    queue: str
    definition: str
    time: Instant

    def lately(self, now: Instant) -> bool:
        """Whether AWS may have the job and not list it yet."""
        return now.since(self.time) < LISTED_SECONDS


_NOTHING = Sent("", "", Instant(0.0))


def sent(user: Resource, arn: str) -> Sent:
    """What the job's record says, if that ARN is in it; nothing where it cannot be read."""
    text = user.annotations.get(SUBMISSION, "")
    if arn in text:  # most need not be read
        with suppress(ValueError, LookupError, TypeError, RecursionError):
            body = json.loads(text)
            time = Instant.parse(body["time"])
            return Sent(str(body["queue"]), str(body["definition"]), time)
    return _NOTHING


def names(users: Iterator[Resource]) -> tuple[str, ...]:
    """A few of them, as "namespace/name", and one more than are shown if there are more."""
    few = islice(users, SHOWN_AT_MOST + 1)
    return tuple(f"{user.key.namespace}/{user.key.name}" for user in few)


def listed(found: Sequence[str]) -> str:
    """What `names` has found, as words."""
    more = " and more" if len(found) > SHOWN_AT_MOST else ""
    return ", ".join(found[:SHOWN_AT_MOST]) + more


def shown_by_going(removal: Removal, field: str) -> Iterator[str]:
    """What the statuses of users that are being deleted show as `field`: an ARN, or a job's id."""
    for user in islice(removal.going, LOOKED_AT):
        if field in user.status:
            yield str(user.status[field])


def blocked(removal: Removal, now: Instant, *, by_others: bool, finding: Finding) -> Finding:
    """What stands in the way of a deletion.

    `finding` says it to a person who can end it. It is a wait as long as nothing stays: not
    `by_others`, everything in the way is being deleted itself.
    """
    left = _together_left(removal, now) if by_others else None
    if left == 0.0:
        return finding
    return Finding(catalogue.WAITS_FOR_DELETIONS, finding.message, look_again_seconds=left)


def _together_left(removal: Removal, now: Instant) -> float:
    """Seconds for which the deletion may yet turn out to be one of many."""
    if removal.since is None:
        return 0.0
    left = removal.since.plus(TOGETHER_SECONDS).since(now)
    return left if 0.0 < left <= TOGETHER_SECONDS + CLOCKS_APART_SECONDS else 0.0
