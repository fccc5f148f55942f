"""A change that is to run in the place of a job at work (pure).

What is at work is given up for the change alone, so not before all is done that can be done, and
told that can be told, before the new run is sent: the spec is sound and can be resolved, the
request is one that AWS takes, there is a place in its queue, and AWS has registered its definition.
Otherwise a mistake in the spec, or a refusal of AWS, would cost a job and put nothing in its place.
"""

from collections.abc import Callable
from dataclasses import replace

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.batchjob import runs
from awsbatch_operator.kinds.batchjob.actions import Action, Register, Submit
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.inline import ahead_of_its_run
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.run_causes import Cause
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.submitting import next_run

Sendable = Callable[[Plan[Action]], Plan[Action]]
"""The plan as it may be sent now: its submission held back, or after what has to come first."""


def as_it_is(plan: Plan[Action]) -> Plan[Action]:
    """The plan itself: nothing is in its way."""
    return plan


def before_the_end(
    desired: Desired, observed: Observed, record: Submission, now: Instant, sendable: Sendable
) -> Plan[Action] | None:
    """What comes first of all, or stands in the way; None: nothing, or the job is not changed."""
    at_work = observed.knowledge is Knowledge.FOUND and not observed.ended
    changed = desired.wishes.on_change and desired.wishes.changed(record)
    if not (at_work and changed) or record.stop is not None or desired.wishes.suspend:
        return None
    following = runs.Next(runs.Fate.AGAIN, Cause.CHANGED)
    plan = sendable(next_run(desired, record, runs.End(), following, now))
    registering = [step for step in plan.steps if isinstance(step.action, Register)]
    if not registering and any(isinstance(step.action, Submit) for step in plan.steps):
        return None
    words = f"Run {record.run} goes on as it was submitted."
    steps = tuple(
        replace(
            step,
            action=replace(step.action, submission=None),
            record=ahead_of_its_run(desired.let_go, desired.definition),
            because=words,
        )
        for step in registering
        if isinstance(step.action, Register)
    )
    told = (replace(each, message=f"{each.message} {words}") for each in plan.findings)
    return Plan(steps=steps, findings=tuple(told), look_again_seconds=plan.look_again_seconds)
