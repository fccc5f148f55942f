"""BatchJobs on their ways: edited while they wait for a queue, submitted, edited, and deleted.

Until a submission stands in its status, every field of a BatchJob may be corrected, and what is
submitted in the end is its last spec, once. Afterwards only what never enters SubmitJob may change,
and that changes nothing in AWS.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from structlog.testing import capture_logs
from tests.campaign import oracle
from tests.campaign.admission import refused
from tests.campaign.driver import LOUD, SLOWLY, TOGETHER, Findings
from tests.campaign.expected import REFUSAL
from tests.campaign.ground import GRANTED, Ground, key
from tests.campaign.oracle import Seen
from tests.campaign.picture import Picture, lacks
from tests.campaign.routes import Act, Step
from tests.campaign.values import Change
from tests.support import manifests

from awsbatch_operator.api import tags as marks
from awsbatch_operator.api.conditions import condition, is_true
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.schema.canonical import differences

KIND = "BatchJob"
QUEUES: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys(("later", "later-still", "later-too"), manifests.queue("pool")),
    "later-fair": manifests.queue("pool", schedulingPolicyRef={"name": "fair"}),
}
OUTSIDE = ("outside", "other")  # queues that are nobody's here
_NO_QUEUE = re.compile(r"SubmitJob: JobQueue arn:\S+:job-queue/(?:outside|other) not found\.")
_SUBMITTED = {"run": 1, "jobId": "x"}


@dataclass(frozen=True, slots=True)
class JobRoute:
    """What is done before the queues are there, and after a job is submitted."""

    change: Change
    number: int
    waiting: tuple[Step, ...]
    running: tuple[Step, ...]
    refused: bool = False  # AWS refuses the submission of what `waiting` ends with

    @property
    def name(self) -> str:
        """What it is about."""
        change = self.change
        return f"{KIND} {change.field} (in {change.shape}, way {self.number})"

    @property
    def transitions(self) -> int:
        """How many; the creation is none, the submission is one."""
        return len(self.waiting) + len(self.running)


@dataclass
class _Led:
    """A BatchJob on its way."""

    route: JobRoute
    name: str
    spec: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> ObjectKey:
        return key(KIND, self.name)


def job_routes(change: Change) -> tuple[JobRoute, ...]:
    """All states of the field before the submission, and after it where it may still change."""
    begin, back = Step(Act.CREATE, change.base), Step(Act.BACK, change.base)
    first = Step(Act.SET, change.first)
    last = first if change.second is None else Step(Act.SET, change.second)
    mistake = Step(Act.MISTAKE, change.mistake, change.unsound)
    undone = Step(Act.BACK, change.first)
    gone = Step(Act.DELETE, {})
    further = () if last == first else (last,)
    late: tuple[Step, ...] = ()
    if not refused(KIND, change.first, change.base, _SUBMITTED):
        late = (first, *further, mistake, back)
    ways = (
        ((begin, first, *further, back), (*late, gone)),
        ((begin, mistake, back, last), (gone,)),
        ((begin, first, mistake, undone), (gone,)),
        ((begin, mistake), (gone,)),
    )
    led = [JobRoute(change, number, *way) for number, way in enumerate(ways, start=1)]
    if change.field.startswith("jobQueueRef"):
        return tuple(led)
    refusing = JobRoute(change, len(led) + 1, (begin, first), (back, gone), refused=True)
    return (*led, refusing)


async def job_campaign(routes: Sequence[JobRoute]) -> Findings:
    """All routes, so many at a time."""
    found = Findings()
    for start in range(0, len(routes), TOGETHER):
        found.add(await _together(routes[start : start + TOGETHER]))
    return found


async def _together(routes: Sequence[JobRoute]) -> Findings:
    ground, found = Ground(KIND), Findings()
    led = [_Led(route, f"o{number}") for number, route in enumerate(routes)]
    with capture_logs() as lines:
        async with ground.running():
            await ground.furnish()
            for number in range(max(len(route.waiting) for route in routes)):
                going = [one for one in led if number < len(one.route.waiting)]
                await _take(ground, going, [one.route.waiting[number] for one in going], found)
            await _submit(ground, led, found)
            for number in range(max(len(route.running) for route in routes)):
                going = [one for one in led if number < len(one.route.running)]
                steps = [one.route.running[number] for one in going]
                await _take(ground, going, steps, found, submitted=True)
    found.faults += [f"logged: {line}" for line in lines if line["log_level"] in LOUD]
    return found


async def _submit(ground: Ground, led: Sequence[_Led], found: Findings) -> None:
    """The queues come into being; AWS refuses some of the jobs."""
    for one in led:
        if one.route.refused:
            ground.fault(
                effect="error",
                service="batch",
                operation="SubmitJob",
                match={"jobName": f"{one.name}-*"},
                code="ClientException",
                message=REFUSAL,
                status=400,
            )
    for name, spec in QUEUES.items():
        ground.apply(key("JobQueue", name), spec)
    await ground.until_ready(*(key("JobQueue", name) for name in QUEUES))
    pool = ground.status(key("ComputeEnvironment", "pool"))["arn"]
    order = [{"order": 1, "computeEnvironment": pool}]
    for name in OUTSIDE:
        ground.aws().create_job_queue(jobQueueName=name, priority=1, computeEnvironmentOrder=order)
    await ground.clock.advance(2 * SLOWLY)  # nobody tells the operator of these
    await _rest(ground, led, "the submission", found)
    found.transitions += len(led)
    for one in led:
        last = one.route.waiting[-1]
        step = replace(last, act=Act.REFUSED) if one.route.refused else last
        _note(found, one, "submission", ground, _looked_at(ground, one, step, submitted=True))
    ground.mend()


async def _take(
    ground: Ground,
    going: Sequence[_Led],
    steps: Sequence[Step],
    found: Findings,
    *,
    submitted: bool = False,
) -> None:
    for one, step in zip(going, steps, strict=True):
        if step.act is Act.DELETE:
            ground.remove(one.key)
        else:
            one.spec = ground.written(one.name, step.spec)
            ground.apply(one.key, one.spec)
    await _rest(ground, going, f"{len(going)} steps", found)
    for one, step in zip(going, steps, strict=True):
        found.transitions += step.act is not Act.CREATE
        gone = step.act is Act.DELETE
        wrong = (
            _after_deletion(ground, one)
            if gone
            else _looked_at(ground, one, step, submitted=submitted)
        )
        _note(found, one, step.act.value, ground, wrong)


async def _rest(ground: Ground, going: Sequence[_Led], what: str, found: Findings) -> None:
    if not await ground.rest():
        found.faults.append(f"after {what}: {[one.name for one in going]} never come to rest")


def _note(found: Findings, one: _Led, what: str, ground: Ground, wrong: Iterator[str]) -> None:
    found.faults += [f"{one.route.name}, {what}: {each}" for each in wrong]
    there = ground.kube.exists(one.key)
    found.ends[f"{what}: {_verdict(ground.status(one.key)) if there else 'gone'}"] += 1


def _verdict(status: Mapping[str, Any]) -> str:
    for name in ("Failed", "Complete", "Stalled", "Reconciling"):
        if is_true(status, name):
            return f"{name} {(condition(status, name) or {})['reason']}"
    return "no condition"


def _lacks_inside(ground: Ground, inside: Mapping[str, Any], arn: str) -> Sequence[str]:
    """What the definition that was submitted has not of the one in the spec."""
    found = ground.aws().describe_job_definitions(jobDefinitions=[arn])["jobDefinitions"]
    return differences(inside, found[0], ignore=("tags",)) if found else ["jobDefinition"]


def _looked_at(ground: Ground, one: _Led, step: Step, *, submitted: bool) -> Iterator[str]:
    """It says how it stands, and AWS has at most one job of it: the one that it asks for.

    `submitted`: the queues are there that it waited for.
    """
    body = ground.kube.see(one.key)
    status = body.get("status", {})
    yield from oracle.conditions(body, under_way="jobId" in status)
    jobs, seen = _jobs(ground, one), _seen(ground, one, step, body)
    waits = not submitted and _NO_QUEUE.search(seen.said)
    if not waits and (is_true(status, "Stalled") or (submitted and not jobs)):
        yield from oracle.excuse(seen)
    elif step.unsound:
        yield f"a spec that breaks the schema is {_verdict(status)}"
    runs = Counter(job.tags[marks.RUN] for job in jobs)
    if any(number > 1 for number in runs.values()):
        yield f"a run was submitted more than once: {runs}"
    request = _request(ground, seen, jobs)
    if request is None:
        return
    own = {name: tag for name, tag in request["tags"].items() if "awsbatch.dev/" not in name}
    asked = {name: value for name, value in body["spec"].items() if name != "jobDefinition"}
    missing = lacks(KIND, asked, {**request, "tags": own}, ground.arns())
    inside = body["spec"].get("jobDefinition")
    if inside is not None:
        missing = [*missing, *_lacks_inside(ground, inside, request["jobDefinition"])]
    if missing:
        yield f"what was submitted has otherwise: {missing}"


def _request(ground: Ground, seen: Seen, jobs: Sequence[Any]) -> Mapping[str, Any] | None:
    """What AWS has taken of it, or has refused; None while there is nothing of this spec."""
    if seen.verdict == "Stalled InvalidRequest":
        return seen.refusals[-1].body if seen.refusals else None
    if is_true(seen.status, "Stalled") or not jobs:
        return None
    (request,) = [
        sent.body
        for sent in ground.listening.sent
        if sent.operation == "SubmitJob"
        and sent.status == GRANTED
        and sent.body["jobName"] == jobs[-1].name
    ]
    return request


def _seen(ground: Ground, one: _Led, step: Step, body: Mapping[str, Any]) -> Seen:
    """The job as the oracle sees it, with what AWS has answered to its submissions."""
    answers = (each for each in ground.listening.sent if each.operation == "SubmitJob")
    refusals = tuple(
        each
        for each in answers
        if each.status != GRANTED and each.body["jobName"].startswith(f"{one.name}-")
    )
    nothing = Picture()
    change = one.route.change
    return Seen(change, step, body, nothing, nothing, None, frozenset(), {}, refusals)


def _after_deletion(ground: Ground, one: _Led) -> Iterator[str]:
    if ground.kube.exists(one.key):
        yield f"it is not deleted: {ground.status(one.key).get('conditions')}"
        return
    retained = one.spec.get("deletionPolicy") == "Retain"
    going_on = [job for job in _jobs(ground, one) if not job.status.finished]
    if going_on and not retained:
        yield "it is gone, and its job goes on"


def _jobs(ground: Ground, one: _Led) -> list[Any]:
    """The jobs in AWS that were ever submitted for it, without what AWS makes of an array."""
    jobs = (job for job in ground.batch.jobs.values() if job.parent is None)
    return [job for job in jobs if job.tags.get(marks.NAME) == one.name]
