"""How an environment that a replacement has left behind goes away without harm to a job (pure).

    used by queues ──► in no queue ──► DISABLED ──► no task in its cluster ──► deleted ──► gone
        │                  │
        │                  └─ what is to be kept: our tags are taken off, and it stays as it is
        ├─ JobQueues that name the object follow by themselves, each in its own turn
        └─ others: exchanged in place by us, or waited for, as `replacement.foreignQueues` says

Deleting an environment ends its jobs, so they are waited for. A job may start just before the
environment is disabled and be seen in ECS only after that: what is counted is believed once the
environment has taken no new job for SETTLED_SECONDS. When that began stands in an annotation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api import replacing_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.tags import marks_in
from awsbatch_operator.api.words import some_of
from awsbatch_operator.kinds.computeenvironment.instances import OwnPlan
from awsbatch_operator.kinds.computeenvironment.invalid import RETRY_SECONDS, deletion_failed
from awsbatch_operator.kinds.computeenvironment.observed import LeftQueue, Observed, Other
from awsbatch_operator.kinds.computeenvironment.removal import (
    COUNT_SECONDS,
    HasRole,
    cure,
    ends_tasks,
    still_runs,
)
from awsbatch_operator.kinds.computeenvironment.replacing_record import Replacing
from awsbatch_operator.kinds.lasting import MOVING_SECONDS, ApiCall, IsDisabled, Vanishes
from awsbatch_operator.kinds.queues import Use, exchanged, uses

SETTLED_SECONDS = 30.0
SWAP_RIGHT = (
    "spec.replacement.foreignQueues Swap asks for what the policy "
    "deploy/iam/foreign-queues-policy.json allows."
)

Part = tuple[OwnPlan, Replacing]
"""A part of the plan, and the record of the replacement as it is with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """What decides how an environment goes.

    `queues` are those that use it. `heir` is the ARN of what takes its place there, "" as long as
    nothing can; `followers` are the ARNs of queues whose JobQueues name the object and so follow by
    themselves. `swap`: other queues are changed by us, once for all that it was `replaced` from
    (ARNs). `kept`: AWS keeps it. `role` is the service role that the spec names, for one that AWS
    cannot delete because its own is gone.
    """

    name: str
    environment: Observed
    queues: tuple[Shape, ...]
    heir: str = ""
    followers: frozenset[str] = frozenset()
    swap: bool = False
    kept: bool = False
    role: str = ""
    drain_seconds: float = 0.0
    replaced: frozenset[str] = frozenset()


def retire(it: Retirement, replacing: Replacing, now: Instant) -> Part:
    """The next step, in a lane of its own."""
    environment = it.environment
    if environment.at_work:
        return _waits(reasons.REPLACING, f"{it.name}: {environment.words}"), replacing
    if it.queues:
        return _out_of_queues(it), replacing
    if it.kept:
        return _let_go(it), replacing
    if environment.state != "DISABLED":
        body = {"computeEnvironment": it.name, "state": "DISABLED"}
        step = _step(it, "UpdateComputeEnvironment", body, expects=IsDisabled())
        return _taking(step), replacing.left(it.name, now)
    if it.name not in replacing.leaving:
        return _waits(reasons.DRAINING, _drains(it)), replacing.left(it.name, now)
    return _drained(it, replacing, now)


def _drained(it: Retirement, replacing: Replacing, now: Instant) -> Part:
    """DISABLED. It is deleted once no task of a job runs in its cluster."""
    leaving = replacing.leaving[it.name]
    age, tasks = now.since(leaving.since), it.environment.tasks
    if age < SETTLED_SECONDS:
        seconds = SETTLED_SECONDS - age
        return _waits(reasons.DRAINING, _drains(it), seconds), replacing
    over = 0 < it.drain_seconds <= age
    if tasks is None or (tasks and not over):
        left = it.drain_seconds - age if it.drain_seconds else COUNT_SECONDS
        seconds = max(0.0, min(COUNT_SECONDS, left))
        return _waits(reasons.DRAINING, _drains(it), seconds), replacing
    if it.environment.status == "INVALID":
        request = cure(it.role, it.environment)
        if request is not None:
            step = _step(it, "UpdateComputeEnvironment", request, expects=HasRole(it.role))
            return _taking(step), replacing
        gave_up = leaving.deleted is not None and now.since(leaving.deleted) < RETRY_SECONDS
        if gave_up:
            return Plan(findings=(deletion_failed(it.environment),)), replacing
    body = {"computeEnvironment": it.name}
    step = _step(it, "DeleteComputeEnvironment", body, expects=Vanishes())
    if tasks:
        step = replace(step, note=ends_tasks(it.name, tasks, it.drain_seconds))
    return _taking(step), replacing.deleting(it.name, now)


def _out_of_queues(it: Retirement) -> OwnPlan:
    """Each queue by whoever may change it."""
    steps, stay, follow = [], [], []
    for queue in it.queues:
        (use,) = uses((queue,), it.environment.arn)
        if use.going or use.arn in it.followers:
            follow.append(use)
        elif not may_swap(use, swap=it.swap):
            stay.append(use)
        elif it.heir and queue.get("status") in {"VALID", "INVALID"}:
            steps.append(_swap(it, queue))
        else:
            follow.append(use)
    findings = [blocked_by(it.name, stay, swap=it.swap)] if stay else []
    if follow:
        words = f"These job queues still use {it.name}: {some_of(follow)}."
        findings.append(Finding(reasons.REPLACING, words, look_again_seconds=MOVING_SECONDS))
    return Plan(steps=tuple(steps), findings=tuple(findings), look_again_seconds=MOVING_SECONDS)


def may_swap(use: Use, *, swap: bool) -> bool:
    """Whether we put another environment into the queue, which no JobQueue's turn does.

    Not into one that a JobQueue keeps as its spec says: it would put the old one back.
    """
    return swap and not use.owner


def blocked_by(name: str, queues: list[Use], *, swap: bool) -> Finding:
    """Queues that nobody takes from the old environment to the new one."""
    named = [use for use in queues if use.owner]
    others = [use for use in queues if not use.owner]
    words = f"No JobQueue takes these job queues from {name} to its successor: {some_of(queues)}."
    remedies = []
    if named:
        remedies.append(
            "Let those JobQueues name the environment by computeEnvironmentRef.name, in its "
            "namespace, instead of by arn"
        )
    if others and not swap:
        remedies.append(
            "Set spec.replacement.foreignQueues to Swap, so that the operator changes the queues "
            "of others, for which it needs the policy deploy/iam/foreign-queues-policy.json; or "
            "take the environment out of them"
        )
    remedy = f"{'; '.join(remedies)}. It goes on by itself."
    return Finding(reasons.REPLACEMENT_BLOCKED, words, remedy)


def _swap(it: Retirement, queue: Shape) -> Step[ApiCall]:
    """The same order with the heir in the place of the old one; once, if it is there already.

    Two old ones of one queue have the same call, or the second would put back what the first took.
    """
    old = it.environment.arn
    entries = exchanged(
        queue["computeEnvironmentOrder"], dict.fromkeys({old, *it.replaced}, it.heir)
    )
    name, arn = str(queue["jobQueueName"]), str(queue["jobQueueArn"])
    words = f"Put {it.heir.rpartition('/')[2]} in the place of {it.name} in job queue {name}."
    step = Step(
        ApiCall("UpdateJobQueue", {"jobQueue": name, "computeEnvironmentOrder": entries}),
        lane=f"queue {name}",
        note=Finding(reasons.SWAPPED, words),
        expects=LeftQueue(arn, old),
    )
    return replace(step, because=f"{name}, a job queue of others, keeps {it.name}: {SWAP_RIGHT}")


def _let_go(it: Retirement) -> OwnPlan:
    """Our tags are taken off: it is nobody's by them, and another object may take it over."""
    body = {"resourceArn": it.environment.arn, "tagKeys": list(marks_in(it.environment.tags))}
    words = f"{it.name} stays in AWS as it is, as the deletion policy says, and is nobody's now."
    step = Step(
        ApiCall("UntagResource", body),
        lane=it.name,
        note=Finding(catalogue.RETAINED, words),
        expects=Other(it.name, Vanishes()),
    )
    return _taking(step)


def _step(
    it: Retirement, operation: str, request: Mapping[str, Any], *, expects: Any
) -> Step[ApiCall]:
    call = ApiCall(operation, request)
    return Step(call, lane=it.name, expects=Other(it.name, expects))


def _taking(step: Step[ApiCall]) -> OwnPlan:
    return Plan(steps=(step,), look_again_seconds=MOVING_SECONDS)


def _waits(reason: Any, words: str, seconds: float = MOVING_SECONDS) -> OwnPlan:
    return Plan(findings=(Finding(reason, words, look_again_seconds=seconds),))


def _drains(it: Retirement) -> str:
    tasks = it.environment.tasks
    if tasks:
        return still_runs(it.name, tasks, it.drain_seconds)
    return f"{it.name} takes no new jobs any more and is deleted when none runs in it."


def together(*plans: Plan[Any]) -> Plan[Any]:
    """All of them at once; of two records of names the last counts."""
    looks = [each.look_again_seconds for each in plans]
    named = [each.recorded for each in plans if each.recorded is not None]
    compared = (each.drift for each in plans if each.drift is not None)
    return Plan(
        steps=tuple(step for each in plans for step in each.steps),
        findings=tuple(finding for each in plans for finding in each.findings),
        record={name: text for each in plans for name, text in each.record.items()},
        recorded=named[-1] if named else None,
        announce={name: value for each in plans for name, value in each.announce.items()},
        released=any(each.released for each in plans),
        look_again_seconds=min((each for each in looks if each is not None), default=None),
        drift=next(compared, None),
    )
