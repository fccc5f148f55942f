"""AWS's texts about ends of jobs: what class each belongs to, and what mends it (pure data).

The texts are those of the ECS agent and of Fargate (`container.reason`), of Batch and ECS
(`statusReason`), and of Kubernetes (jobs on EKS). Sources: AWS Batch user guide, "Troubleshooting"
and "Automated job retries"; Amazon ECS developer guide, "Stopped tasks error messages"; public
reports. tests/unit/kinds/batchjob has whole texts for each row.
The ECS agent cuts many of them after 255 characters, so a row goes by what stands at the beginning
where that is enough.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from awsbatch_operator.kinds.batchjob.actions import (
    DELETED_REASON,
    SUPERSEDED_REASON,
    TWIN_REASON,
)
from awsbatch_operator.kinds.batchjob.run_causes import STOP_REASONS


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
    Failure.DISK_FULL: (
        "Give the instances larger volumes (on Fargate, ephemeralStorage), or the job less to "
        "write."
    ),
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
    for reason in (DELETED_REASON, TWIN_REASON, SUPERSEDED_REASON, *STOP_REASONS.values())
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
# What the start of a task could not get ready, on Fargate and on instances.
_START = (
    r"(?:ResourceInitializationError|[Ff]etching secret data|failed to initialize logging driver"
    r"|unable to pull secrets)[^\n]*?"
)
_PULL = r"(?:CannotPull\w*(?:Error)?\b|ErrImagePull|ImagePullBackOff)[^\n]*?"
_NO_WAY = (
    r"(?:i/o timeout|dial tcp|RequestError: send request failed|context deadline exceeded"
    r"|Client\.Timeout|RequestCanceled|connection issue|network configuration|network is unreach"
    r"|no such host|connection re(?:fused|set)|TLS handshake timeout|unexpected EOF"
    r"|signal: killed)"
)
_NO_RIGHT = r"(?:AccessDenied|is not authorized to perform|no basic auth credentials|403 Forbidden)"
_NO_COMMAND = (
    r"(?:executable file not found|exec: |exec format error|no such file or directory"
    r"|permission denied|is a directory|OCI runtime create failed|starting container process)"
)
_NEVER_RAN = (
    r"(?:CannotStartContainer|RunContainerError|ContainerCannotRun|\bStartError\b"
    r"|ResourceInitializationError[^\n]*?container runtime)"
)
_TO_THE_SERVICE = (
    "The task's network has no way to the AWS service: set assignPublicIp in a public subnet, or "
    "give the subnet a NAT gateway or VPC endpoints (ecr.api, ecr.dkr, s3, logs, secretsmanager, "
    "ssm), and let its security group out on port 443."
)
_MOUNTS = "correct what AWS names, often mount points or volumes."

# The first row that fits counts: what is more exact stands before what is more general.
CAUSES: tuple[Cause, ...] = (
    _row(Failure.OUT_OF_MEMORY, r"OutOfMemory|OOMKilled|[Kk]illed due to memory usage"),
    _row(Failure.DISK_FULL, r"(?i)no space left on device|Thin Pool has \d+ free"),
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
        rf"{_PULL}(?:not found|manifest unknown|does not exist|access denied|invalid reference"
        r"|access to the resource is denied)",
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
        rf"{_NEVER_RAN}[^\n]*?(?:error mounting|trying to mount)",
        f"The container never started: {_MOUNTS}",
    ),
    # Before what a task lacks: paths and names of secrets are the user's, and may say anything.
    _row(
        Failure.APPLICATION_EXIT,
        rf"{_NEVER_RAN}(?![^\n]*?logging driver)[^\n]*?{_NO_COMMAND}",
        "The container never started: correct command, or what the image has under that name; "
        '"exec format error" means an image of another architecture.',
    ),
    _row(
        Failure.INFRASTRUCTURE,
        rf"{_START}(?:{_NO_RIGHT}|unable to assume)",
        "A role lacks a right: grant the action that AWS names to the role that it names (the "
        "definition's executionRoleArn, or the instance role).",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        rf"{_START}(?:EFS utils|EFS volume|EFS file system|mount\.nfs|efs-utils)",
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
        rf"{_START}(?:{_NO_WAY}|retrieve ecr registry auth)",
        _TO_THE_SERVICE,
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
        r"[Uu]nable to assume the service linked role",
        "Make the role that ECS works as: aws iam create-service-linked-role --aws-service-name "
        "ecs.amazonaws.com",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        r"unable to assume the role",
        "See that the role that AWS names exists and trusts ecs-tasks.amazonaws.com.",
    ),
    _row(
        Failure.APPLICATION_EXIT,
        _NEVER_RAN,
        "The container never started, which is due to the image, the command or the container's "
        "settings: AWS's words above say which.",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        r"CannotCreate(?:Container|Volume)|HostConfigError|CreateContainer(?:Config)?Error",
        f"The instance refused to make the container: {_MOUNTS}",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        r"InsufficientFreeAddresses",
        "The subnet has no free addresses: give the environment larger subnets, or more of them.",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        r"DockerTimeout|DockerStateError|CannotInspectContainer|CannotStopContainer"
        r"|CannotListContainers|ContainerRuntime(?:Timeout)?Error|[Tt]imeout waiting for network"
        r"|\bAGENT\b|InternalError|Capacity is unavailable",
        "It passes: set retryStrategy.attempts. If it comes often, give the instances faster and "
        "larger volumes.",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        _NO_RIGHT,
        "Grant the action that AWS names to the role that it names.",
    ),
    _row(
        Failure.INFRASTRUCTURE,
        r"\b(?:ClientException|InvalidParameterException)\b",
        "ECS refused the task. Correct in the definition what AWS names.",
    ),
)
