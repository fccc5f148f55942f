"""What a submission has to pass between the plan that begins it and the call.

There is one way for all of them, first runs and further ones alike, and a change that is about to
take the place of a job at work goes it as well, before that job is ended.
"""

from dataclasses import dataclass, field, replace

from awsbatch_operator.api import catalogue, job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.batchjob.actions import Action, Submit
from awsbatch_operator.kinds.batchjob.definition_types import DefinitionTypes
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.in_flight import InFlight
from awsbatch_operator.kinds.batchjob.inline_plans import registered_first
from awsbatch_operator.kinds.batchjob.inline_registering import InlineDefinitions
from awsbatch_operator.kinds.batchjob.run_causes import Cause

LOOK_SECONDS = 0.2


@dataclass(slots=True)
class Looks:
    """Whose turn knows of AWS what a submission has to know: for one event loop.

    Before a turn looks, it is guessed whether its plan may have a submission, since a look that is
    not needed costs calls. A guess may be wrong. Then the submission is held back, and the next
    turn looks whatever is guessed: nothing is sent that was not looked at, and nothing waits for
    ever for a look that nobody makes.
    """

    _owed: set[ObjectKey] = field(default_factory=set)
    _done: set[ObjectKey] = field(default_factory=set)

    def needed(self, key: ObjectKey, *, guessed: bool) -> bool:
        """Whether the turn that begins has to look."""
        self._done.discard(key)
        return guessed or key in self._owed

    def done(self, key: ObjectKey) -> None:
        """The turn has looked."""
        self._done.add(key)

    def sent(self, key: ObjectKey) -> None:
        """A submission is about to go out. Until then each look of a turn has to be whole."""
        self._owed.discard(key)

    def passed(self, plan: Plan[Action], key: ObjectKey) -> Plan[Action]:
        """The plan, without its submission if the turn did not look."""
        if key in self._done or not has_submission(plan):
            return plan
        self._owed.add(key)
        return held_back(plan, _NOT_LOOKED)

    def forget(self, key: ObjectKey) -> None:
        """The object has reached its end, or is gone."""
        self._owed.discard(key)
        self._done.discard(key)


_NOT_LOOKED = Finding(
    job_reasons.JOB_SUBMITTING,
    "The job is about to be submitted; AWS is asked first about its definition and its queue.",
    look_again_seconds=LOOK_SECONDS,
)


@dataclass(frozen=True, slots=True)
class Way:
    """The way of one turn's plan; called with it, it answers what may be sent of it now."""

    desired: Desired
    looks: Looks
    places: InFlight
    definitions: InlineDefinitions
    types: DefinitionTypes

    def __call__(self, plan: Plan[Action]) -> Plan[Action]:
        plan = self.looks.passed(plan, self.desired.owner.key)
        plan = self._with_definition(plan)
        plan = self._with_place(plan)
        return registered_first(plan, self.desired, self.definitions)

    def _with_definition(self, plan: Plan[Action]) -> Plan[Action]:
        """Without the submission of a change to a definition that AWS is known not to have.

        Of a first run SubmitJob tells.
        """
        arn, by_arn = self.desired.definition, not self.desired.definition_name
        if self.desired.inline is not None or not by_arn or self.types.is_listed(arn):
            return plan
        if all(_cause(step) is not Cause.CHANGED for step in plan.steps):
            return plan
        words = f"spec.jobDefinitionRef: AWS lists no ACTIVE definition {arn}."
        return held_back(plan, Finding(catalogue.REFERENCE_NOT_FOUND, words))

    def _with_place(self, plan: Plan[Action]) -> Plan[Action]:
        """Without the submission as long as there is no place for it in its queue."""
        created = self.desired.created
        for step in plan.steps:
            if isinstance(step.action, Submit) and created is not None:
                full = self.places.held_back(step.action.key, created, step.action.submission.queue)
                if full is not None:
                    return held_back(plan, full)
        return plan


def _cause(step: Step[Action]) -> Cause | None:
    return step.action.submission.cause if isinstance(step.action, Submit) else None


def has_submission(plan: Plan[Action]) -> bool:
    """Whether it submits anything."""
    return any(isinstance(step.action, Submit) for step in plan.steps)


def held_back(plan: Plan[Action], why: Finding) -> Plan[Action]:
    """The plan without its submission."""
    rest = tuple(step for step in plan.steps if not isinstance(step.action, Submit))
    return replace(plan, steps=rest, findings=(why, *plan.findings))
