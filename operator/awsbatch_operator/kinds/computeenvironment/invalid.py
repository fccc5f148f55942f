"""What AWS's words about an INVALID environment mean, and what helps (pure).

AWS looks again by itself, about once a minute, and calls an environment VALID when what it lacked
is there. Some things never come back, and then the environment has to be another one. The words are
those of public reports and of the user guide's page "INVALID compute environment".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.words import some_of
from awsbatch_operator.kinds.computeenvironment import images
from awsbatch_operator.kinds.computeenvironment.changes import (
    SERVICE_LINKED_ROLE,
    Differences,
    changes_in_place,
)
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.observed import Observed

LOOK_SECONDS = 15.0  # at the queues that the feed has read: it costs no call
RETRY_SECONDS = 600.0  # before a deletion that AWS gave up is asked for again without any sign


@dataclass(frozen=True, slots=True)
class Lack:
    """A row: words of AWS (all of one of the tuples, in lower case), and what they are about.

    `field` is the member to be corrected, "" if none is, and `correct` how, where naming something
    else there is not enough. `again` says what makes the environment VALID as it is, "" if nothing
    does.
    """

    words: tuple[tuple[str, ...], ...]
    field: str = ""
    again: str = ""
    correct: str = ""


_TEMPLATE = "computeResources.launchTemplate"
_ANOTHER_VERSION = (
    f"Make a version of the launch template that has {{}}, and name it in spec.{_TEMPLATE}.version"
)
_ROLE = Lack((("sts:assumerole",), ("assume", "role")))
_CLUSTER = Lack((("cluster", "blank"), ("cluster", "not found"), ("cluster", "inactive")))
_IMAGE = Lack(
    (("image id",), ("invalidami",), ("ami cannot be described",)),
    "computeResources.ec2Configuration",
)
_IN_TEMPLATE = Lack((), _TEMPLATE, correct=_ANOTHER_VERSION.format("something that exists there"))
_LACKS = (
    _CLUSTER,
    _ROLE,
    Lack(
        (("instance profile",),),
        "computeResources.instanceRole",
        "Make the instance profile, and it becomes VALID by itself",
    ),
    Lack((("not authorized",), ("access denied",)), again="Grant it to the role that AWS names"),
    Lack((("subnet",),), "computeResources.subnets"),
    Lack((("security group",), ("securitygroup",)), "computeResources.securityGroupIds"),
    _IMAGE,
    Lack(
        (("key pair",), ("keypair",)),
        "computeResources.ec2KeyPair",
        "Make or import a key pair of that name, and it becomes VALID by itself",
    ),
    Lack(
        (("placement group",), ("placementgroup",)),
        "computeResources.placementGroup",
        "Make a placement group of that name, and it becomes VALID by itself",
    ),
    Lack(
        (("mime",),),
        _TEMPLATE,
        correct=_ANOTHER_VERSION.format("its user data in MIME multipart form"),
    ),
    Lack(
        (("launch template", "template name"),),
        _TEMPLATE,
        "Make a launch template of that name, and it becomes VALID by itself",
    ),
    Lack((("launch template",), ("launchtemplate",)), _TEMPLATE),
)
_UNKNOWN = Lack(())
# What people have named may contain any word; and an ARN of an assumed role, or how Auto Scaling
# begins whatever EC2 says of the template that Batch has made, is not what is lacking.
_NOT_THE_LACK = re.compile(
    r"(?<!\w)'[^']*'|\"[^\"]*\"|\barn:\S+|(?<=\btemplate name )\S+|(?<=\bprofile name: )\S+"
    r"|you must use a valid fully-formed launch template"
)


def lack_of(observed: Observed) -> Lack:
    """The first row whose words AWS uses, about where this environment has what they are about."""
    said = _NOT_THE_LACK.sub("", observed.reason.lower())
    for lack in _LACKS:
        if any(all(word in said for word in words) for words in lack.words):
            return _where_it_is(lack, observed)
    return _UNKNOWN


def _where_it_is(lack: Lack, observed: Observed) -> Lack:
    """An image may be named in two members; and a launch template may name what they do not."""
    resources = observed.content.get("computeResources") or {}
    given = resources.get(lack.field.rpartition(".")[2])
    if lack is _IMAGE:
        if (image := resources.get("imageId")) and image in observed.reason:
            return replace(lack, field="computeResources.imageId")
        given = [each for each in given or () if each.get("imageIdOverride")]
    return _IN_TEMPLATE if lack.field and not given and "launchTemplate" in resources else lack


def lost_for_good(observed: Observed) -> bool:
    """Whether nothing can make this environment VALID again, whatever the spec says."""
    return observed.status == "INVALID" and lack_of(observed) is _CLUSTER


def is_made_anew(desired: Desired, observed: Observed, found: Differences) -> bool:
    """Whether the environment goes now, to be created again as the spec says.

    Only one that carries our tags: what is just being taken over is marked first, and kept then.
    """
    if observed.queues or desired.retained or not observed.mark:
        return False
    if not desired.tags.ours.items() <= observed.tags.items():
        return False
    if not found.beyond and not lost_for_good(observed):
        return False
    if images.ended(desired.content):
        return False  # it could not be created again
    if desired.remaking.begun(observed.mark, desired.generation):
        return True  # it may be called VALID by now, because it is disabled
    if observed.status != "INVALID" or desired.remaking.generation == desired.generation:
        return False
    return "serviceRole" not in found.in_place  # AWS cannot delete it before it has its role


def findings(desired: Desired, observed: Observed, found: Differences) -> tuple[Finding, ...]:
    """Why the INVALID environment stays as it is, and what helps."""
    if found.beyond or lost_for_good(observed):
        return (_not_made_anew(desired, observed, found),)
    remedy = _remedy(desired, observed)
    return (Finding(catalogue.ENVIRONMENT_INVALID, observed.words, remedy),)


def _not_made_anew(desired: Desired, observed: Observed, found: Differences) -> Finding:
    """It takes another environment, and something forbids to remove this one."""
    reason = catalogue.REPLACEMENT_NEEDED if found.beyond else catalogue.ENVIRONMENT_INVALID
    if found.beyond:
        why = f"AWS cannot change {', '.join(found.beyond)} of this environment."
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
    if lack is _ROLE:
        return _role_remedy(observed)
    if not lack.field:
        mend = lack.again or "Mend what AWS names, in AWS or in the spec"
        return f"{mend}; AWS looks at the environment again by itself within some minutes."
    correct = lack.correct or f"Correct spec.{lack.field}"
    if lack.again:
        correct = f"{lack.again}; or {correct[0].lower()}{correct[1:]}"
    if changes_in_place(lack.field, desired, observed):
        return f"{correct}: it is changed in place."
    return f"{correct}. {_another(desired, observed.queues)}."


def _another(desired: Desired, queues: Sequence[object]) -> str:
    """How the environment comes to be another one."""
    if first := images.ended(desired.content):
        why = "AWS makes no environment with that image type any more"
        return f"{first} {why}. {_then_another(desired, queues)}"
    return _then_another(desired, queues)


def _then_another(desired: Desired, queues: Sequence[object]) -> str:
    anew = "it is then made anew by itself"
    policy = "set spec.deletionPolicy to Delete"
    if queues:
        used = (
            f"Job queues use the environment: {some_of(queues)}. Take it out of their "
            f"computeEnvironmentOrder, or delete them"
        )
        also = f", and {policy}" if desired.retained else ""
        return f"{used}{also}; {anew}, which ends jobs that still run in it"
    if desired.retained:
        return f"Its deletionPolicy keeps what AWS has: {policy}, and {anew}"
    return "No job queue uses the environment, so it is then made anew by itself"


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
        if lack_of(observed) is _ROLE
        else "AWS needs the environment's service role to clean up, and no job in it: mend what it "
        "names, and the deletion goes on by itself."
    )
    return Finding(
        catalogue.ENVIRONMENT_INVALID,
        f"AWS could not delete the compute environment. {observed.words}",
        remedy,
        look_again_seconds=RETRY_SECONDS,
    )
