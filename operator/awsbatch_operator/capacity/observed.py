"""All that a plan of capacity looks at, as one value; and what EC2's answers to launches mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.capacity.block_record import Reservation
from awsbatch_operator.capacity.faults import (
    NOTHING_LAUNCHED,
    Extent,
    Fault,
    classify,
)
from awsbatch_operator.capacity.holdings import Prices, TypesByPool
from awsbatch_operator.capacity.instances import Life
from awsbatch_operator.capacity.launches import (
    Answered,
    Intent,
    Outcome,
    Refused,
    Throttled,
    TokenUsed,
)
from awsbatch_operator.capacity.leaving import Notice
from awsbatch_operator.capacity.machines import Machine
from awsbatch_operator.capacity.model import Need, Offer
from awsbatch_operator.capacity.offers import Pauses, after_fault, after_success
from awsbatch_operator.capacity.views import MemberView

_HELD_SECONDS = 300.0  # a person must mend it, and may do so where we do not see it: IAM, a quota


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What this process knows of a call, by the token of its intent or reservation.

    `outcome` is None if the answer was lost, or said that EC2 may have done it: a look tells.
    """

    at: Instant
    outcome: Outcome | None = None
    faults: tuple[tuple[Offer | None, Fault], ...] = ()  # with the offer that each speaks of


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """EC2 refused the launches of a pool for a reason that a person must mend."""

    fault: Fault
    until: Instant  # when it is tried again all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What EC2, ECS and Batch show, and what this process remembers. Types are by pool and name.

    `offers` are all that the pools may buy, the paused ones too; of a block's pool on demand, and
    Spot where its ladder lists it.
    """

    owner: Owner
    cluster: str  # ARN of the ECS cluster
    since: Instant  # when this process began to lead
    mark: str  # of the spec and of the annotation that asks for a reconcile; never ""
    serves: bool = True  # Batch would start jobs there now; else nothing is launched
    lives: Sequence[Life] = ()
    members: Sequence[MemberView] = ()
    unlisted: frozenset[str] = frozenset()  # ids that answers named and EC2 does not list yet
    needs: Sequence[Need] = ()
    queues: int = 1  # that have the environment in their order; only their jobs wake us
    types: TypesByPool = field(default_factory=dict)
    offers: Sequence[Offer] = ()
    prices: Prices = field(default_factory=dict)
    machines: Mapping[str, Machine] = field(default_factory=dict)  # of the pools that may launch
    templates: Mapping[str, Instant] = field(default_factory=dict)  # ours: when each was made
    reservations: Sequence[Reservation] = ()
    pauses: Pauses = field(default_factory=dict)
    held: Mapping[str, Held] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    notices: Mapping[str, Notice] = field(default_factory=dict)
    protected: Mapping[str, Instant] = field(default_factory=dict)  # ids: EC2 refused their end
    diagnoses: Mapping[str, str] = field(default_factory=dict)  # what was seen of who never joined
    other_types: TypesByPool = field(default_factory=dict)  # of instances; not to be bought (now)
    pace: float = 1.0  # of looks, times their usual intervals: less for AWS in fast motion
    blocks: Mapping[str, Shape] = field(default_factory=dict)  # as the status shows them, by pool
    checks: Sequence[Finding] = ()  # what the pools name and EC2 does not have so

    @property
    def all_types(self) -> TypesByPool:
        """The types of all instances that are there or may be bought."""
        if not self.other_types:
            return self.types
        names = {*self.types, *self.other_types}
        return {
            pool: {**self.other_types.get(pool, {}), **self.types.get(pool, {})} for pool in names
        }

    @property
    def cluster_name(self) -> str:
        """The ECS cluster's name."""
        return self.cluster.rpartition("/")[2]


def fleet_answer(intent: Intent, body: Shape, at: Instant) -> Answer:
    """Read the answer of CreateFleet or RunInstances to an intent."""
    ids = [str(each["InstanceId"]) for each in body.get("Instances") or () if "InstanceId" in each]
    ids += [str(one) for each in body.get("Instances") or () for one in each.get("InstanceIds", ())]
    faults = []
    for each in body.get("Errors") or ():
        fault = classify(str(each.get("ErrorCode", "")), str(each.get("ErrorMessage", "")))
        faults.append((_offer_of(intent, each), fault))
    if not ids and not faults:  # or it would be asked again at once
        faults.append((None, NOTHING_LAUNCHED))
    return Answer(at=at, outcome=Answered(tuple(ids)), faults=tuple(faults))


def refused_answer(intent: Intent, code: str, message: str, at: Instant) -> Answer:
    """What an error of the whole call means. No code: the answer was lost."""
    fault = classify(code, message)
    offer = intent.offers[0] if len(intent.offers) == 1 or intent.reservation else None
    outcome: Outcome | None = Refused()
    if fault.extent is Extent.UNKNOWN:
        outcome = None
    elif fault.extent is Extent.THROTTLED:
        outcome = Throttled()
    elif fault.extent is Extent.TOKEN:
        outcome = TokenUsed()
    return Answer(at=at, outcome=outcome, faults=((offer, fault),))


def _offer_of(intent: Intent, error: Shape) -> Offer | None:
    overrides = error.get("LaunchTemplateAndOverrides", {}).get("Overrides", {})
    name, subnet = overrides.get("InstanceType"), overrides.get("SubnetId")
    return next(
        (o for o in intent.offers if (o.instance_type, o.subnet) == (name, subnet)),
        None,
    )


def pauses_after(pauses: Pauses, intent: Intent, answer: Answer) -> Pauses:
    """The pauses after an answer: what was launched ends its offer's, errors begin others.

    An error that names no offer is one of all that were asked for.
    """
    short = {offer for offer, _ in answer.faults}
    if isinstance(answer.outcome, Answered) and answer.outcome.instances and not short:
        pauses = after_success(pauses, intent.offers[0])
    for offer, fault in answer.faults:
        for each in intent.offers if offer is None else (offer,):
            pauses = after_fault(pauses, each, fault, answer.at)
    return pauses


def held_after(held: Mapping[str, Held], intent: Intent, answer: Answer) -> Mapping[str, Held]:
    """The pools that are held back after an answer: for five minutes, or until one succeeds.

    The caller forgets it when the spec changes.
    """
    others = {pool: each for pool, each in held.items() if pool != intent.pool}
    if isinstance(answer.outcome, Answered) and answer.outcome.instances:
        return others
    faults = [fault for _, fault in answer.faults if fault.extent is Extent.POOL]
    if not faults:
        return held
    return {**others, intent.pool: Held(fault=faults[0], until=answer.at.plus(_HELD_SECONDS))}
