"""The calls that a BatchJob makes, as steps of a plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.plans import Step
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.run_causes import Stop, stop_said
from awsbatch_operator.kinds.batchjob.submission import Submission

SUBMIT_LANE = "submit"

DELETED_REASON = "The BatchJob was deleted in Kubernetes"
TWIN_REASON = "A second submission of the same run; job {} goes on"
SUPERSEDED_REASON = "Run {} of the BatchJob has taken the place of this one"


def said_by_us(words: str) -> bool:
    """Whether the operator has ended a job of which AWS says this, out of time ones aside."""
    if words.startswith(DELETED_REASON):
        return True
    return stop_said(words) not in {None, Stop.DEADLINE}


@dataclass(frozen=True, slots=True)
class Submit:
    """SubmitJob, once on the wire. `submission` is the recorded intent that `request` is of."""

    key: ObjectKey
    submission: Submission
    request: Mapping[str, Any]
    operation: str = "SubmitJob"


@dataclass(frozen=True, slots=True)
class Terminate:
    """TerminateJob: cancels what has not started, stops what has."""

    job_id: str
    reason: str
    operation: str = "TerminateJob"


@dataclass(frozen=True, slots=True)
class Register:
    """RegisterJobDefinition of the definition in a job, before the job's run is submitted.

    `submission` is the recorded intent of that run: it names the definition. None while the run
    before is still at work, which is ended only when AWS has the definition.
    """

    key: ObjectKey
    submission: Submission | None
    request: Mapping[str, Any]
    operation: str = "RegisterJobDefinition"


@dataclass(frozen=True, slots=True)
class Deregister:
    """DeregisterJobDefinition of a revision of a definition that stood in jobs."""

    key: ObjectKey
    arn: str
    operation: str = "DeregisterJobDefinition"


JobCall = Submit | Terminate
DefinitionCall = Register | Deregister
Action = JobCall | DefinitionCall


@dataclass(frozen=True, slots=True)
class Ending:
    """What the next look must show of a termination. Until it does, AWS is given time."""

    job_id: str

    def met(self, observed: Observed | None) -> bool:
        """Whether the job has ended, or AWS shows that it is ending it."""
        if observed is None:
            return True
        if observed.knowledge in {Knowledge.FOUND, Knowledge.FORGOTTEN} and (
            observed.job_id == self.job_id
        ):
            return observed.ended or observed.stopping
        return self.job_id not in observed.strays


def termination(
    job_id: str, reason: str, note: Finding | None = None, record: Mapping[str, str] | None = None
) -> Step[Action]:
    """The step that ends a job; the endings of several jobs do not wait for each other."""
    action = Terminate(job_id, reason)
    return Step(action, record or {}, lane=job_id, note=note, expects=Ending(job_id))
