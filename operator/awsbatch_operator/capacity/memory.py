"""What this process remembers of each environment's capacity.

None of it is needed for safety, and all of it may be lost at any moment: instances are then kept a
little longer, and launches are looked up instead of being known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import LeadershipStart
from awsbatch_operator.capacity.demand import Size
from awsbatch_operator.capacity.instances import Memory
from awsbatch_operator.capacity.launches import Intent, Launches, Refused
from awsbatch_operator.capacity.observed import Answer, Held
from awsbatch_operator.capacity.offers import Pauses, from_status
from awsbatch_operator.capacity.views import Expected

_ANSWERS_SECONDS = 3600.0  # after which nothing asks for an answer any more


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why EC2 would refuse the launches of a pool, and until when that is not asked again."""

    findings: tuple[Finding, ...]
    until: Instant

    def holds(self, now: Instant) -> bool:
        """Whether nothing is to be launched."""
        return bool(self.findings) and now < self.until


@dataclass(slots=True)
class Remembered:
    """Of one environment, by its uid.

    `drafted` are the launches that this process has planned. One that stands in the record and has
    no answer was written down and never sent, since another step of its lane failed. A token alone
    does not say that: who begins with an API server that is behind plans what was launched already,
    with the same token, and then finds the record of who led before. The time tells them apart.
    """

    uid: str
    since: Instant
    idle: Memory = field(default_factory=dict)
    expected: tuple[Expected, ...] = ()
    answers: dict[str, Answer] = field(default_factory=dict)
    drafted: dict[tuple[str, str], Instant] = field(default_factory=dict)  # token, time: when
    buying: set[str] = field(default_factory=set)  # pools for which the last plan buys
    pauses: Pauses = field(default_factory=dict)
    held: Mapping[str, Held] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)  # by pool
    mark: str = ""  # of the spec under which `held` and `refused` were learned
    queues: int = 0  # that had the environment in their order at the last look
    waiting: dict[str, Instant] = field(default_factory=dict)  # jobs: since when they were seen
    taken: set[str] = field(default_factory=set)  # ids whose interruption has paused its offer
    owners: dict[str, tuple[Size, ObjectKey]] = field(default_factory=dict)  # of waiting jobs
    told: set[str] = field(default_factory=set)  # ids of jobs that were told that they fit nowhere
    protected: dict[str, Instant] = field(default_factory=dict)  # ids: when EC2 refused their end
    consoles: dict[str, str] = field(default_factory=dict)  # ids: what was seen of who never joined
    silent: dict[str, Instant] = field(default_factory=dict)  # ids: when theirs was read first
    joined: set[str] = field(default_factory=set)  # ids whose joining was told as a metric
    anew: bool = False  # since the mark changed nothing was looked up anew
    recorded: bool = False  # a record of the object was seen

    def draft(self, intent: Intent, now: Instant) -> None:
        """The launch has been planned by this process."""
        self.drafted.setdefault(_as_written(intent), now)

    def marked(self, mark: str) -> None:
        """The user has edited the spec, or asks for a look: what was refused is tried again."""
        if mark != self.mark:
            self.anew = True
            self.mark, self.held, self.refused = mark, {}, {}
            self.protected.clear()

    def asked(self) -> bool:
        """Whether the spec, or a person, has asked for a look since this was last answered."""
        anew, self.anew = self.anew, False
        return anew

    def known(self, record: Launches, now: Instant) -> Mapping[str, Answer]:
        """What is known of the open launches, those that were never sent too."""
        for token in [each for each, known in self.answers.items() if _is_old(known.at, now)]:
            del self.answers[token]
        for draft in [each for each, at in self.drafted.items() if _is_old(at, now)]:
            del self.drafted[draft]
        unsent = {
            intent.token: Answer(at=now, outcome=Refused())
            for intent in record.open_intents()
            if _as_written(intent) in self.drafted and intent.token not in self.answers
        }
        return {**unsent, **self.answers}


def _as_written(intent: Intent) -> tuple[str, str]:
    return intent.token, intent.time.rfc3339_micro()


def _is_old(at: Instant, now: Instant) -> bool:
    return now.since(at) > _ANSWERS_SECONDS


class Memories:
    """What is remembered of all environments. For one event loop."""

    def __init__(self, leadership: LeadershipStart) -> None:
        self._leadership = leadership
        self._kept: dict[ObjectKey, Remembered] = {}

    def of(self, key: ObjectKey, uid: str, status: Shape, now: Instant) -> Remembered:
        """The object's. When this process sees it first, its pauses come from its status."""
        kept = self._kept.get(key)
        if kept is None or kept.uid != uid:
            shown = (status.get("capacity") or {}).get("pools") or ()
            rows = [row for pool in shown for row in pool.get("paused") or ()]
            since = self._leadership.at or now
            kept = self._kept[key] = Remembered(uid, since, pauses=from_status(rows))
        return kept

    def forget(self, key: ObjectKey) -> None:
        """The object is gone."""
        self._kept.pop(key, None)
