"""What AWS says of a job that waits in RUNNABLE, and what helps (pure).

Batch writes why its queue is blocked into the `statusReason` of the job at the queue's head, as a
code and a sentence (user guide, "Jobs stuck in a RUNNABLE status"; `JobStateTimeLimitAction`). It
writes some of these in passing, while the first instance is still booting: so they are shown and
told, and nothing is ever done because of them.
"""

import re
from collections.abc import Iterable, Mapping

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.words import sentence
from awsbatch_operator.engine.series import NOTE_BYTES, cut

REASON_LIMIT = 1024  # characters of AWS's words that are shown

_CODE = re.compile(r"[A-Z][A-Z0-9_]+(?::[A-Z0-9_]+)?(?= - |$)")
_VARYING = re.compile(r"[0-9a-f]{8,}(?:-[0-9a-f]+)*|[0-9]+")

REMEDIES: Mapping[str, str] = {
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY": (
        "AWS has no free instances of the wanted types at present. Allow more instance types or "
        "subnets in other zones, or give the queue another environment; else the job goes on when "
        "there is room."
    ),
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE": (
        "Raise maxvCpus of an environment of the queue to what the job asks for; or delete this "
        "job and create one that asks for less VCPU."
    ),
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT": (
        "Allow larger instance types in an environment of the queue (of an instance's memory, ECS "
        "keeps a part for itself, and of its vCPUs it counts those that the machine image uses: "
        "half of them where an ExtendedAMI has cpu.threadsPerCore 1); or delete this job and "
        "create one that asks for less. While the first instance boots, AWS says this in passing."
    ),
    "MISCONFIGURATION:EC2_INSTANCE_CONFIGURATION_UNSUPPORTED": (
        "Instance types, image, launch template and zones of the environments do not go together; "
        "change what AWS names."
    ),
    "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS": (
        "Attach the managed policy AWSBatchServiceRole to the serviceRole of the environments."
    ),
    "ACTION_REQUIRED": (
        "No environment of the queue can take jobs. Their conditions say why "
        "(kubectl describe awsce)."
    ),
    "UNDETERMINED": (
        "AWS cannot tell why. See that the serviceRole of the environments may call "
        "autoscaling:DescribeScalingActivities and ec2:DescribeSpotFleetRequestHistory; then look "
        "at quotas, and whether instances join the ECS cluster."
    ),
}


def code_of(words: str) -> str:
    """AWS's code at the start of its words; without one, the words, apart from ids and numbers."""
    found = _CODE.match(words)
    return found[0] if found else _VARYING.sub("#", words)


def remedy_for(words: str) -> str:
    """What helps, as far as the code tells; "" for an unknown one."""
    return REMEDIES.get(code_of(words), "")


def words_of(detail: Shape) -> str:
    """What AWS says about a job's state, cut to what is shown; "" if nothing."""
    return str(detail.get("statusReason") or "")[:REASON_LIMIT].strip()


def codes_shown(status: Shape) -> frozenset[str]:
    """The codes that the status shows already: of these, an event was told."""
    return frozenset(code_of(str(said["reason"])) for said in status.get("statusReasons", ()))


def blocked(words: str, shown: Iterable[str]) -> tuple[Finding, ...]:
    """The note of an event, once for each code."""
    if not words or code_of(words) in shown:
        return ()
    remedy = remedy_for(words)
    room = NOTE_BYTES - len(sentence(remedy).encode()) - 1  # an event without it is worth little
    message = cut(sentence(f"The job waits in RUNNABLE, and AWS says why: {words}"), room)
    return (Finding(job_reasons.JOB_BLOCKED, message, remedy),)
