"""An infrastructure update: AWS exchanges the instances of an environment (pure).

It is announced in the status, written down (update_record.py), and sent once. AWS is UPDATING from
then on, for as long as jobs on the old instances may run, and takes no other update meanwhile.
"""

from collections.abc import Mapping

from awsbatch_operator.api import catalogue, replacing_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.plans import Step
from awsbatch_operator.kinds.computeenvironment import images
from awsbatch_operator.kinds.computeenvironment.changes import Change, Differences, compare
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.following import followed
from awsbatch_operator.kinds.computeenvironment.members import (
    IMAGE_UPDATE,
    RESOURCES,
    TEMPLATE,
    under,
)
from awsbatch_operator.kinds.computeenvironment.noops import LATEST_IMAGE
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.update_record import UpdateRecord
from awsbatch_operator.kinds.computeenvironment.update_requests import (
    infrastructure_request,
    update_policy,
)
from awsbatch_operator.kinds.lasting import ApiCall, NoLongerDiffers


def infrastructure_steps(
    desired: Desired, observed: Observed, found: Differences
) -> tuple[Step[ApiCall], ...]:
    """The update for all that needs one; none if AWS has taken this very one already."""
    request = infrastructure_request(desired, observed, found.beyond)
    if desired.update.has_taken(observed.mark, request):
        return ()
    newest = LATEST_IMAGE in request[RESOURCES]
    record = desired.update.asks(observed.mark, request, found.beyond, images=newest)
    step = Step(
        ApiCall("UpdateComputeEnvironment", request),
        record=record.record(),
        note=_note(desired, observed, found),
        expects=NoLongerDiffers(desired, found.beyond, _differing),
    )
    return (step,)


def in_vain(desired: Desired, observed: Observed, found: Differences) -> bool:
    """Whether AWS has made the update, and what it was about differs all the same."""
    if found.change is not Change.INFRASTRUCTURE or found.in_place:
        return False
    return not infrastructure_steps(desired, observed, found)


def not_shown(observed: Observed, found: Differences) -> Finding:
    """AWS has taken the update, has finished it, and shows something else."""
    return Finding(
        replacing_reasons.UPDATE_NOT_SHOWN,
        f"AWS has made an infrastructure update and does not show what it was asked for in "
        f"{', '.join(found.beyond)}. It is not asked for the same again, because each update "
        f"exchanges all instances. {observed.words}",
    )


def record_now(desired: Desired, observed: Observed, found: Differences) -> Mapping[str, str]:
    """What is to be written down of the update that was sent last, where nothing is sent now."""
    before = desired.update
    if not before.is_of(observed.mark):
        now = UpdateRecord()
    elif observed.status == "UPDATING":
        now = before.at_work()
    elif observed.at_work or before.concerns(found.beyond):
        now = before
    else:
        now = before.settled(announced=images.announced(observed))
    if _leaves_image(desired, observed) and not now.request:
        now = UpdateRecord(observed.mark, answered=now.answered, left=True)
    return {} if now == before else now.record()


def _leaves_image(desired: Desired, observed: Observed) -> bool:
    """Whether AWS had announced an image before the environment was taken over, just now."""
    follows = desired.terms.taking_over and desired.tracks_images
    return follows and bool(observed.mark) and images.announced(observed)


def why(desired: Desired, found: Differences) -> str:
    """What the announced update does, and what becomes of the jobs that run."""
    newest = any(under(path, (IMAGE_UPDATE, TEMPLATE)) for path in found.beyond)
    first = "AWS exchanges the instances: role and strategy allow it."
    if newest:
        first = "AWS exchanges the instances, and takes its newest machine image if it chooses one."
    policy = update_policy(desired)
    if policy["terminateJobsOnUpdate"]:
        return (
            f"{first} Jobs that run on the old ones are ended at once, as "
            "updatePolicy.terminateJobsOnUpdate says, and retried as their retry strategies say."
        )
    return (
        f"{first} Jobs that run on the old ones may go on for "
        f"{policy['jobExecutionTimeoutMinutes']} minutes, as "
        "updatePolicy.jobExecutionTimeoutMinutes says; then AWS ends them."
    )


def _differing(desired: Desired, observed: Observed) -> tuple[str, ...]:
    return compare(desired, observed).beyond


def _note(desired: Desired, observed: Observed, found: Differences) -> Finding:
    """What was followed on purpose is no drift."""
    others = set(found.beyond) - set(followed(desired, observed, found).beyond)
    reason = catalogue.DRIFT_REPAIRED if desired.reached and others else catalogue.UPDATED
    return Finding(reason, f"AWS exchanges the instances, to change {', '.join(found.beyond)}.")
