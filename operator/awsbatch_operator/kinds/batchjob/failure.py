"""Why a job failed, from what AWS says about its last attempt: a table of AWS's texts (pure).

The texts are those of the ECS agent and of Fargate (`container.reason`), of Batch and ECS
(`statusReason`), and of Kubernetes (jobs on EKS). Sources: AWS Batch user guide, "Troubleshooting"
and "Automated job retries"; Amazon ECS developer guide, "Stopped tasks error messages"; public
reports. tests/unit/kinds/batchjob has whole texts for each row.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.batchjob import waiting
from awsbatch_operator.kinds.batchjob.actions import DELETED_REASON, SUPERSEDED_REASON, TWIN_REASON
from awsbatch_operator.kinds.batchjob.observed import Observed


class Failure(Enum):
    """The classes of failure in `status.failure`."""

    APPLICATION_EXIT = "ApplicationExit"
    OUT_OF_MEMORY = "OutOfMemory"
    IMAGE_PULL = "ImagePull"
    DISK_FULL = "DiskFull"
    TIMED_OUT = "TimedOut"
    HOST_LOST = "HostLost"
    CANCELLED = "Cancelled"
    DEPENDENCY_FAILED = "DependencyFailed"
    INFRASTRUCTURE = "Infrastructure"


REMEDIES: Mapping[Failure, str] = {
    Failure.APPLICATION_EXIT: "Read the job's output; status.logs says where it is.",
    Failure.OUT_OF_MEMORY: "Ask for more MEMORY in resourceRequirements.",
    Failure.IMAGE_PULL: (
        "Check the image's name, the execution role's right to pull it, and the subnet's way out."
    ),
    Failure.DISK_FULL: "Give the instances larger volumes, or the job less to write.",
    Failure.TIMED_OUT: "Raise timeout.attemptDurationSeconds if the job needs longer.",
    Failure.HOST_LOST: "Set retryStrategy.attempts, so that a lost host costs an attempt only.",
    Failure.CANCELLED: "Somebody cancelled or terminated the job in AWS.",
    Failure.DEPENDENCY_FAILED: "Mend the job that it depends on, and run both again.",
    Failure.INFRASTRUCTURE: (
        "AWS ended it, and what it says above is all that is known. If it is no lasting fault, "
        "retryStrategy.attempts lets AWS try again."
    ),
}


@dataclass(frozen=True, slots=True)
class Cause:
    """An end that is known by AWS's words for it: its class, and what helps.

    Without words it is what remains when no words are known.
    """

    failure: Failure
    words: re.Pattern[str] | None = None
    more_exact: str = ""

    @property
    def remedy(self) -> str:
        """How to mend it."""
        return self.more_exact or REMEDIES[self.failure]


def _row(failure: Failure, words: str, remedy: str = "") -> Cause:
    return Cause(failure, re.compile(words), remedy)


_OURS = "|".join(
    re.escape(reason).replace(r"\{\}", r"[^\n]*")
    for reason in (DELETED_REASON, TWIN_REASON, SUPERSEDED_REASON)
)
QUEUE_DELETED = _row(
    Failure.CANCELLED,
    r"(?i)\bjob ?queue\b[^\n]{0,300}?\b(?:deleted|deleting|deletion)\b",
    "Its job queue was deleted, and AWS ends the jobs of a queue that is deleted.",
)
# AWS's own words in statusReason, also of a job that AWS itself has cancelled or terminated.
ENDINGS: tuple[Cause, ...] = (
    _row(Failure.TIMED_OUT, r"Job attempt duration exceeded timeout"),
    _row(Failure.DEPENDENCY_FAILED, r"(?i)^dependent job failed"),
    _row(
        Failure.CANCELLED,
        rf"^(?:{_OURS})",
        "The operator ended it, and its words above say why.",
    ),
    QUEUE_DELETED,
)
_TIME_LIMIT = re.compile(
    r"^(?:Canceled|Terminated) by JobStateTimeLimit action due to reason: *([^\n]*)", re.MULTILINE
)

# What the start of a task could not get ready, on Fargate and on instances.
_START = (
    r"(?:ResourceInitializationError|[Ff]etching secret data|failed to initialize logging driver"
    r"|unable to pull secrets)[^\n]*?"
)
_PULL = r"(?:CannotPull\w*(?:Error)?\b|ErrImagePull|ImagePullBackOff)[^\n]*?"
_NO_WAY = (
    r"(?:i/o timeout|dial tcp|RequestError: send request failed|context deadline exceeded"
    r"|Client\.Timeout|RequestCanceled|connection issue|network configuration|network is unreach"
    r"|no such host|connection re(?:fused|set)|signal: killed)"
)
_NO_RIGHT = r"(?:AccessDenied|is not authorized to perform|no basic auth credentials|403 Forbidden)"
_NO_COMMAND = (
    r"(?:executable file not found|exec: |exec format error|no such file or directory"
    r"|permission denied|is a directory|OCI runtime create failed|starting container process)"
)

# The first row that fits counts: what is more exact stands before what is more general.
CAUSES: tuple[Cause, ...] = (
    _row(Failure.OUT_OF_MEMORY, r"OutOfMemory|OOMKilled|[Kk]illed due to memory usage"),
    _row(Failure.DISK_FULL, r"(?i)no space left on device"),
    _row(
        Failure.IMAGE_PULL,
        rf"{_PULL}(?:toomanyrequests|429 Too Many|pull rate limit)",
        "The registry lets nobody pull so often: pull from ECR (a pull-through cache, say), or "
        "give repositoryCredentials.",
    ),
    _row(
        Failure.IMAGE_PULL,
        rf"{_PULL}(?:no matching manifest|does not match the specified platform)",
        "The image is not built for the instances' architecture: build it for both, or choose "
        "instance types of its architecture.",
    ),
    _row(
        Failure.IMAGE_PULL,
        rf"{_PULL}{_NO_RIGHT}",
        "Grant the pull to the role that AWS names: the definition's executionRoleArn, or without "
        "one the instance role.",
    ),
    _row(
        Failure.IMAGE_PULL,
        rf"{_PULL}{_NO_WAY}",
        "The registry cannot be reached: give the subnet a way out (a NAT gateway, a public "
        "address, or VPC endpoints for ecr.api, ecr.dkr and s3).",
    ),
    _row(
        Failure.IMAGE_PULL,
        rf"{_PULL}(?:not found|manifest unknown|does not exist|access denied|invalid reference)",
        "Correct the image's name and tag; of a private registry, give repositoryCredentials.",
    ),
    _row(Failure.IMAGE_PULL, rf"{_PULL}|InvalidImageName"),
    _row(
        Failure.HOST_LOST,
        r"Host EC2 [^\n]*(?:terminated|stopped)|Spot Task was interrupted|SpotInterruption"
        r"|TerminationNotice|InfrastructureHealth|[Ii]nstance deregistration forced"
        r"|SpotInstanceTermination",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        r"(?:nvidia-container-cli|could not select device driver)",
        "The instance has no GPU driver that the container could use: use a GPU image "
        "(imageType ECS_AL2023_NVIDIA) and instance types with GPUs.",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        rf"{_START}(?:{_NO_RIGHT}|unable to assume)",
        "A role lacks a right: grant the action that AWS names to the role that it names (the "
        "definition's executionRoleArn, or the instance role).",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        rf"{_START}(?:EFS|efs|mount\.nfs)",
        "The EFS file system cannot be mounted: see that its id and path exist, that it has a "
        "mount target in the subnet's zone, and that its security group lets port 2049 in.",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        rf"{_START}(?:log group|log stream|logger args|logging driver|Log ?Group)"
        r"|failed to initialize logging driver",
        "The log cannot be written: make the log group that logConfiguration names (or set its "
        'option awslogs-create-group to "true"), and see that the subnet reaches CloudWatch Logs.',
    ),
    _row(
        Failure.INFRASTRUCTURE,
        rf"{_START}{_NO_WAY}",
        "The task's network has no way to the AWS service: set assignPublicIp in a public subnet, "
        "or give the subnet a NAT gateway or VPC endpoints (ecr.api, ecr.dkr, s3, logs, "
        "secretsmanager, ssm), and let its security group out on port 443.",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        rf"{_START}(?:secret from|secretsmanager|Secrets Manager|ssm|SSM|[Pp]arameter)",
        "A secret cannot be read: correct its ARN in secrets (valueFrom), which must exist in the "
        "region that it names.",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        r"must also specify a value for '?executionRoleArn",
        "Set executionRoleArn in the definition: ECS fetches secrets as that role.",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        r"unable to assume the (?:service linked )?role",
        "See that the role that AWS names exists and trusts ecs-tasks.amazonaws.com.",
    ),
    _row(
        Failure.APPLICATION_EXIT,
        rf"(?:CannotStartContainer|RunContainerError|ContainerCannotRun"
        rf"|ResourceInitializationError[^\n]*?container runtime)[^\n]*?{_NO_COMMAND}",
        "The container never started: correct command, or what the image has under that name; "
        '"exec format error" means an image of another architecture.',
    ),
    _row(
        Failure.APPLICATION_EXIT,
        r"CannotStartContainer|RunContainerError|ContainerCannotRun",
        "The container never started, which is due to the image, the command or the container's "
        "settings: AWS's words above say which.",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        r"CannotCreate(?:Container|Volume)|HostConfigError|CreateContainerConfigError",
        "The instance refused to make the container: correct what AWS names, often mount points "
        "or volumes.",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        r"DockerTimeout|DockerStateError|CannotInspectContainer|CannotStopContainer"
        r"|CannotListContainers|ContainerRuntime(?:Timeout)?Error|[Tt]imeout waiting for network"
        r"|\bAGENT\b|InternalError|Capacity is unavailable",
        "It passes: set retryStrategy.attempts. If it comes often, give the instances faster and "
        "larger volumes.",
    ),
)
CANCELLED = Cause(Failure.CANCELLED)
EXITED = Cause(Failure.APPLICATION_EXIT)
KILLED = Cause(
    Failure.APPLICATION_EXIT,
    more_exact=(
        "137 means that it was killed (SIGKILL). Read the job's output (status.logs says where it "
        "is); if it ends in the middle, ask for more MEMORY."
    ),
)
NOT_KNOWN = Cause(Failure.INFRASTRUCTURE)


def diagnose(observed: Observed, *, queue_deleted: bool = False) -> Cause:
    """Why a FAILED job failed. A recognised cause counts before a bare exit code.

    What stands in `statusReason` of a job that was cancelled or terminated are the words of whoever
    did it, unless they are AWS's own. `queue_deleted`: the JobQueue of the job is being deleted.
    """
    status, containers = _said_of_status(observed.detail), "\n".join(_reasons(observed.detail))
    limited = _TIME_LIMIT.search(status)
    if limited:
        return _by_time_limit(limited[1])
    said = containers if observed.stopping else f"{containers}\n{status}"
    for causes, text in ((ENDINGS, status), (CAUSES, said)):
        for cause in causes:
            if cause.words is not None and cause.words.search(text):
                return cause
    if observed.stopping:
        return QUEUE_DELETED if queue_deleted else CANCELLED
    match observed.container.get("exitCode"):
        case None | 0:
            return NOT_KNOWN
        case 137:
            return KILLED
        case _:
            return EXITED


def _by_time_limit(reason: str) -> Cause:
    words = "It waited in RUNNABLE for as long as the queue's jobStateTimeLimitActions allow."
    return Cause(Failure.CANCELLED, more_exact=f"{words} {waiting.remedy_for(reason)}".strip())


def _said_of_status(detail: Shape) -> str:
    """Batch's words on the job and its last attempt, a line each."""
    texts = [detail.get("statusReason")]
    texts += [
        attempt.get("statusReason")
        for name in ("attempts", "eksAttempts")
        for attempt in (detail.get(name) or ())[-1:]
    ]
    return "\n".join(str(text).replace("\n", " ") for text in texts if text)


def _reasons(detail: Shape) -> Iterator[str]:
    """What is said of the containers of the last attempt: one, several (ECS), or a pod's (EKS)."""
    containers = [detail.get("container") or {}]
    for attempt in (detail.get("attempts") or ())[-1:]:
        containers.append(attempt.get("container") or {})
        for task in attempt.get("taskProperties") or ():
            containers += task.get("containers") or ()
    for attempt in (detail.get("eksAttempts") or ())[-1:]:
        containers += [*(attempt.get("initContainers") or ()), *(attempt.get("containers") or ())]
    for container in containers:
        if container.get("reason"):
            yield str(container["reason"]).replace("\n", " ")
