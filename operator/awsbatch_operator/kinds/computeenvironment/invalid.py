"""What AWS's words about an INVALID environment mean, and what helps (pure).

AWS looks again by itself, about once a minute, and calls an environment VALID when what it lacked
is there. Some things never come back, and then the environment has to be another one.
"""

from collections.abc import Sequence
from dataclasses import replace

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.words import some_of
from awsbatch_operator.kinds.computeenvironment import images
from awsbatch_operator.kinds.computeenvironment.causes import Cause, lack_of
from awsbatch_operator.kinds.computeenvironment.changes import Change, Differences, how
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.members import SERVICE_LINKED_ROLE, Verb
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.updating import in_vain
from awsbatch_operator.kinds.terms import Terms

LOOK_SECONDS = 15.0  # at the queues that the feed has read: it costs no call
RETRY_SECONDS = 600.0  # before a deletion that AWS gave up is asked for again without any sign


def lost_for_good(observed: Observed) -> bool:
    """Whether nothing can make this environment VALID again, whatever the spec says."""
    return observed.status == "INVALID" and lack_of(observed).cause is Cause.CLUSTER


def is_made_anew(desired: Desired, observed: Observed, found: Differences) -> bool:
    """Whether the environment goes now, to be created again as the spec says.

    Only one that carries our tags: what is just being taken over is marked first, and kept then.
    """
    if observed.queues or desired.retained or desired.terms.adopts_only or not observed.mark:
        return False
    if not desired.tags.ours.items() <= observed.tags.items():
        return False
    if not _takes_another(desired, observed, found):
        return False
    if images.ended(desired.content):
        return False  # it could not be created again
    if desired.remaking.begun(observed.mark, desired.generation):
        return True  # it may be called VALID by now, because it is disabled
    if observed.status != "INVALID" or desired.remaking.generation == desired.generation:
        return False
    return "serviceRole" not in found.in_place  # AWS cannot delete it before it has its role


def _takes_another(desired: Desired, observed: Observed, found: Differences) -> bool:
    """Whether nothing but another environment helps."""
    replaces = found.change is Change.REPLACEMENT
    return replaces or lost_for_good(observed) or in_vain(desired, observed, found)


def findings(desired: Desired, observed: Observed, found: Differences) -> tuple[Finding, ...]:
    """Why the INVALID environment stays as it is, and what helps."""
    if _takes_another(desired, observed, found):
        return (_not_made_anew(desired, observed, found),)
    remedy = _remedy(desired, observed)
    return (Finding(catalogue.ENVIRONMENT_INVALID, observed.words, remedy),)


def _not_made_anew(desired: Desired, observed: Observed, found: Differences) -> Finding:
    """It takes another environment, and something forbids to remove this one."""
    replaces = found.change is Change.REPLACEMENT
    reason = catalogue.REPLACEMENT_NEEDED if replaces else catalogue.ENVIRONMENT_INVALID
    if replaces:
        why = f"AWS cannot change {', '.join(found.beyond)} of this environment."
    elif in_vain(desired, observed, found):
        why = f"AWS has made an update for {', '.join(found.beyond)}, which did not help."
    else:
        why = "An ECS cluster that was deleted never comes back by itself."
    if desired.remaking.generation == desired.generation and not observed.queues:
        remedy = (
            "It has been made anew for this spec already, which did not help: correct the spec, or "
            "delete this object and create it again."
        )
    else:
        remedy = f"{_another(desired, observed.queues)}."
    message = f"{observed.words} {why}"
    return Finding(reason, message, remedy, look_again_seconds=LOOK_SECONDS)


def _remedy(desired: Desired, observed: Observed) -> str:
    lack = lack_of(observed)
    if lack.cause is Cause.ROLE:
        return _role_remedy(observed)
    if not lack.field:
        mend = lack.again or "Mend what AWS names, in AWS or in the spec"
        if not lack.looks:
            return f"{mend}."
        return f"{mend}; AWS looks at the environment again by itself within some minutes."
    correct = lack.correct or f"Correct spec.{lack.field}"
    if lack.again:
        correct = f"{lack.again}; or {correct[0].lower()}{correct[1:]}"
    match how(lack.field, desired, observed):
        case Verb.IN_PLACE:
            return f"{correct}: it is changed in place."
        case Verb.INFRASTRUCTURE:
            return f"{correct}: AWS then exchanges the instances of the environment."
    return f"{correct}. {_another(desired, observed.queues)}."


def _another(desired: Desired, queues: Sequence[object]) -> str:
    """How the environment comes to be another one."""
    if first := images.ended(desired.content):
        why = "AWS makes no environment with that image type any more"
        return f"{first} {why}. {_then_another(desired, queues)}"
    return _then_another(desired, queues)


def _then_another(desired: Desired, queues: Sequence[object]) -> str:
    if queues and desired.replaceable:
        return "A new environment then takes its place in its job queues by itself"
    anew, policy = "it is then made anew by itself", " and ".join(_policies(desired))
    if not queues and not policy:
        return "No job queue uses the environment, so it is then made anew by itself"
    if not queues:
        return f"Its policies keep what AWS has: {policy}, and {anew}"
    if replace(desired, terms=Terms()).replaceable:
        adopting = "Set spec.adoptionPolicy to AdoptOrCreate"
        return f"{adopting}, and a new environment takes its place in its job queues by itself"
    used = (
        f"Job queues use the environment: {some_of(queues)}. Take it out of their "
        f"computeEnvironmentOrder, or delete them"
    )
    also = f", and {policy}" if policy else ""
    beside = ""
    if desired.replacement.refuse:
        beside = "; or set spec.replacement.policy to BlueGreen, and another takes its place"
    return f"{used}{also}; {anew}, once no job runs in it any more{beside}"


def _policies(desired: Desired) -> tuple[str, ...]:
    """What to change before the environment may be removed, and another one be made."""
    retains = ("set spec.deletionPolicy to Delete",) if desired.retained else ()
    adopts = ("set spec.adoptionPolicy to AdoptOrCreate",) if desired.terms.adopts_only else ()
    return (*retains, *adopts)


def _role_remedy(observed: Observed) -> str:
    role = str(observed.content.get("serviceRole", ""))
    if SERVICE_LINKED_ROLE in role:
        return (
            "Make AWS Batch's service-linked role again (aws iam create-service-linked-role "
            "--aws-service-name batch.amazonaws.com); AWS goes on by itself."
        )
    return (
        f"Make the role {role} again and let batch.amazonaws.com assume it, or set "
        "spec.serviceRole to another role that it may assume; it goes on by itself."
    )


def deletion_failed(observed: Observed) -> Finding:
    """AWS took the deletion, tried, and gave up: most often its role went first."""
    remedy = (
        _role_remedy(observed)
        if lack_of(observed).cause is Cause.ROLE
        else "AWS needs the environment's service role to clean up, and no job in it: mend what it "
        "names, and the deletion goes on by itself."
    )
    return Finding(
        catalogue.ENVIRONMENT_INVALID,
        f"AWS could not delete the compute environment. {observed.words}",
        remedy,
        look_again_seconds=RETRY_SECONDS,
    )
