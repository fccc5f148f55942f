"""Leads many objects at once, each on a route of its own, and looks at each at every step."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from structlog.testing import capture_logs
from tests.campaign import oracle
from tests.campaign.expected import REFUSAL
from tests.campaign.ground import DENIED, GRANTED, Ground, Sent, key
from tests.campaign.oracle import Seen
from tests.campaign.picture import Picture
from tests.campaign.routes import Act, Route, Step

from awsbatch_operator.kinds.patience import Patience

TOGETHER = 40  # objects in one world; AWS's limit for environments and queues is 50
LOUD = frozenset({"error", "critical"})
_AT_FIRST = 2  # tries of what AWS refuses, before it is certain that the spec is at fault
SLOWLY = 540.0  # seconds: what only a person can mend is tried every ten minutes, less jitter
_NOT_SIMULATED = 501
# Which calls a step changes AWS with, and the member by which each names its object.
_REFUSED = (
    ("UpdateComputeEnvironment", "computeEnvironment"),
    ("CreateComputeEnvironment", "computeEnvironmentName"),
    ("UpdateJobQueue", "jobQueue"),
    ("RegisterJobDefinition", "jobDefinitionName"),
    ("UpdateSchedulingPolicy", "arn"),
    ("TagResource", "resourceArn"),
    ("UntagResource", "resourceArn"),
)


@dataclass
class Findings:
    """What came out: how many transitions, how they ended, and what is wrong."""

    transitions: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Findings") -> None:
        """Those of another world."""
        self.transitions += other.transitions
        self.ends += other.ends
        self.faults += other.faults


@dataclass
class _Led:
    """An object on its way."""

    route: Route
    name: str
    picture: Picture = field(default_factory=Picture)
    reached: list[tuple[Any, Picture, str]] = field(default_factory=list)  # specs, AWS, verdicts

    @property
    def kind(self) -> str:
        return self.route.change.kind

    def earlier(self, spec: Any) -> tuple[Picture, str] | None:
        """What AWS had when that spec was reached without a refusal, and what was said."""
        return next((tuple(seen) for wanted, *seen in self.reached if wanted == spec), None)  # type: ignore[return-value]


async def campaign(kind: str, routes: Sequence[Route]) -> Findings:
    """All routes, so many at a time."""
    found = Findings()
    for start in range(0, len(routes), TOGETHER):
        found.add(await _together(kind, routes[start : start + TOGETHER]))
    return found


async def _together(kind: str, routes: Sequence[Route]) -> Findings:
    """The routes in one world: all take their first step, then all their second, and so on."""
    ground, found = Ground(kind), Findings()
    led = [_Led(route, f"o{number}") for number, route in enumerate(routes)]
    with capture_logs() as lines:
        async with ground.running():
            await ground.furnish()
            for number in range(max(len(route.steps) for route in routes)):
                going = [one for one in led if number < len(one.route.steps)]
                await _take(ground, going, number, found)
    found.faults += [f"logged: {line}" for line in lines if line["log_level"] in LOUD]
    return found


async def _take(ground: Ground, going: Sequence[_Led], number: int, found: Findings) -> None:
    ground.plans.clear()
    for one in going:
        _do(ground, one, one.route.steps[number])
    began, since = len(ground.listening.sent), ground.clock.now()
    rested = await ground.rest()
    sent, lasted = ground.listening.sent[began:], ground.clock.now().since(since)
    if not rested:
        found.faults.append(f"step {number} of {[one.name for one in going]} never comes to rest")
    arns = ground.arns()
    for one in going:
        step = one.route.steps[number]
        found.transitions += step.act is not Act.CREATE
        wrong = [*_look(ground, one, step, arns, found), *_insistence(ground, one, sent, lasted)]
        where = f"{one.route.name}, step {number} ({step.act.value})"
        found.faults += [f"{where}: {each}" for each in wrong]
    ground.mend()


def _do(ground: Ground, one: _Led, step: Step) -> None:
    at = key(one.kind, one.name)
    match step.act:
        case Act.DELETE:
            ground.remove(at)
            return
        case Act.REFUSED:
            _let_aws_refuse(ground, ground.status(at).get("awsName", ""))
        case _:
            pass
    ground.apply(at, ground.written(one.name, step.spec))


def _let_aws_refuse(ground: Ground, name: str) -> None:
    for operation, member in _REFUSED:
        ground.fault(
            effect="error",
            service="batch",
            operation=operation,
            match={member: f"*{name}*"},
            code="ClientException",
            message=REFUSAL,
            status=400,
        )


def _look(
    ground: Ground, one: _Led, step: Step, arns: dict[str, str], found: Findings
) -> Iterator[str]:
    at, before = key(one.kind, one.name), one.picture
    if step.act is Act.DELETE:
        yield from _after_deletion(ground, one, step, found)
        return
    picture, name = ground.picture(one.kind, one.name), ground.status(at).get("awsName", "")
    seen = Seen(
        one.route.change,
        step,
        ground.kube.see(at),
        picture,
        before,
        one.earlier(step.spec),
        frozenset(ground.plans.get(one.name, ())),
        arns,
        tuple(
            each
            for each in ground.listening.sent
            if name and each.status != GRANTED and each.names(name)
        ),
    )
    one.picture = picture
    if step.act is not Act.REFUSED:
        one.reached.append((step.spec, picture, seen.verdict))
    found.ends[f"{step.act.value}: {seen.verdict}"] += 1
    yield from oracle.faults(seen)


def _after_deletion(ground: Ground, one: _Led, step: Step, found: Findings) -> Iterator[str]:
    """Gone, and nothing of it left in AWS; or all, if that was wanted."""
    at = key(one.kind, one.name)
    if ground.kube.exists(at):
        found.ends["delete: blocked"] += 1
        picture = ground.picture(one.kind, one.name)
        role = str((picture.content or {}).get("serviceRole", ""))
        there = ground.has_role(role)
        yield from oracle.blocked(ground.kube.see(at), picture, role_is_there=there)
        ground.kube.strip_finalizers(at)  # it would be tried again for ever
        return
    found.ends["delete: gone"] += 1
    left = ground.picture(one.kind, one.name)
    if step.spec.get("deletionPolicy") == "Retain":
        if left.differs(one.picture):
            yield f"it was to be retained, and differs in {left.differs(one.picture)}"
    elif left.content is not None:
        yield "it is gone, and AWS still has it"


def _insistence(ground: Ground, one: _Led, sent: Sequence[Sent], seconds: float) -> Iterator[str]:
    """What AWS refuses is not asked for over and over in that time."""
    at = key(one.kind, one.name)
    name = ground.status(at).get("awsName") if ground.kube.exists(at) else None
    if name is None:
        return
    refused = Counter(
        (each.operation, each.status == DENIED)
        for each in sent
        if each.names(name) and each.status != GRANTED
    )
    unknown = {each.operation for each in sent if each.status == _NOT_SIMULATED}
    yield from (f"the simulator does not know {operation} so" for operation in sorted(unknown))
    for (operation, denied), times in refused.items():
        if times > (_of_denied(seconds) if denied else _AT_FIRST + seconds // SLOWLY):
            yield f"{operation} was refused and sent again, {times} times"


def _of_denied(seconds: float) -> int:
    """How often what IAM denies is tried in that time.

    Nothing tells the operator that a permission was granted, and who grants one mostly does so soon
    and looks on: the pauses are short at first, and grow with the time that it is denied for.
    """
    patience, passed, times = Patience(), 0.0, 0
    while passed <= seconds:
        times, passed = times + 1, passed + patience.denied(key("", ""), passed)
    return times
