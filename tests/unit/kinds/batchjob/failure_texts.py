"""What AWS says when jobs fail, as reported in public, with the class that each text belongs to.

Sources: the AWS Batch user guide ("Troubleshooting", "Automated job retries"), the Amazon ECS
developer guide ("Stopped tasks error messages" and its pages on CannotPullContainer,
CannotStartContainer, ResourceInitializationError and OutOfMemoryError), AWS's knowledge centre on
secrets and registry auth; and what public engines look for: Nextflow, Metaflow, Cromwell and
Snakemake retry on `Host EC2*`, AWS CDK's `Reason` knows `CannotPullContainerError:*`, and reports
to them quote `Your Spot Task was interrupted.`, DockerTimeoutError and CannotInspectContainerError.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EXITED = "Essential container in task exited"
NOT_STARTED = "Task failed to start"


@dataclass(frozen=True, slots=True)
class Said:
    """What DescribeJobs shows of a failed job; `mends` are words that the remedy must have."""

    failure: str
    mends: str
    reason: str = ""  # of the container
    status: str = EXITED  # of the job
    exit_code: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def detail(self) -> dict[str, Any]:
        """The members of JobDetail that tell it."""
        container: dict[str, Any] = {}
        if self.reason:
            container["reason"] = self.reason
        if self.exit_code is not None:
            container["exitCode"] = self.exit_code
        return {"container": container, "statusReason": self.status, **self.more}


def start(failure: str, mends: str, reason: str) -> Said:
    """A container that never ran."""
    return Said(failure, mends, reason, NOT_STARTED)


def ready(mends: str, words: str) -> Said:
    """A task whose resources could not be made ready."""
    return Said("Infrastructure", mends, "", f"ResourceInitializationError: {words}")


def ended(failure: str, mends: str, words: str, exit_code: int | None = None) -> Said:
    """A job that was cancelled or terminated, with whose words there are for it."""
    return Said(failure, mends, "", words, exit_code, {"isTerminated": True})


_AUTH = "unable to pull secrets or registry auth: execution resource retrieval failed: unable to "
_ROLE = "arn:aws:sts::111122223333:assumed-role/ecsTaskExecutionRole/0a1b"

SAID: Mapping[str, Said] = {
    # --- the application ---
    "exit": Said("ApplicationExit", "Read the job's output", exit_code=1),
    "killed": Said("ApplicationExit", "Read the job's output", exit_code=137),
    "command-not-found": start(
        "ApplicationExit",
        "correct command",
        "CannotStartContainerError: Error response from daemon: failed to create task for "
        "container: failed to create shim task: OCI runtime create failed: runc create failed: "
        'unable to start container process: exec: "simulate": executable file not found in $PATH: '
        "unknown",
    ),
    "no-such-file": start(
        "ApplicationExit",
        "correct command",
        "CannotStartContainerError: Error response from daemon: OCI runtime create failed: "
        'container_linux.go:370: starting container process caused: exec: "/run.sh": stat /run.sh: '
        "no such file or directory: unknown",
    ),
    "wrong-architecture": start(
        "ApplicationExit",
        "another architecture",
        "CannotStartContainerError: Error response from daemon: standard_init_linux.go:228: exec "
        "user process caused: exec format error",
    ),
    "not-executable-on-fargate": Said(
        "ApplicationExit",
        "correct command",
        "",
        "ResourceInitializationError: failed to create new container runtime task: failed to "
        'create shim task: OCI runtime create failed: exec: "/app/run.sh": permission denied: '
        "unknown",
    ),
    "cannot-start": start(
        "ApplicationExit",
        "image, the command",
        "CannotStartContainerError: failed to get container status: unknown",
    ),
    # --- memory and disk ---
    "out-of-memory": Said(
        "OutOfMemory",
        "more MEMORY",
        "OutOfMemoryError: Container killed due to memory usage",
        exit_code=137,
    ),
    "oom-killed-on-eks": Said(
        "OutOfMemory",
        "more MEMORY",
        more={"eksAttempts": [{"containers": [{"reason": "OOMKilled", "exitCode": 137}]}]},
    ),
    "disk-full-at-pull": start(
        "DiskFull",
        "larger volumes",
        "CannotPullContainerError: write /var/lib/docker/tmp/GetImageBlob111: no space left on "
        "device",
    ),
    "disk-full-at-create": start(
        "DiskFull",
        "larger volumes",
        "CannotCreateContainerError: API error (500): devmapper: mkdir /var/lib/docker: No space "
        "left on device",
    ),
    # --- the image ---
    "no-such-image": start(
        "ImagePull",
        "name and tag",
        "CannotPullContainerError: Error response from daemon: pull access denied for simulate, "
        "repository does not exist or may require 'docker login'",
    ),
    "no-such-tag": start(
        "ImagePull",
        "name and tag",
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "
        "resolve ref docker.io/library/busybox:lates: docker.io/library/busybox:lates: not found",
    ),
    "too-many-pulls": start(
        "ImagePull",
        "pull-through cache",
        "CannotPullContainerError: inspect image has been retried 5 time(s): httpReadSeeker: "
        "failed open: unexpected status code 429 Too Many Requests - Server message: "
        "toomanyrequests: You have reached your pull rate limit",
    ),
    "wrong-platform": start(
        "ImagePull",
        "architecture",
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform "
        "'linux/amd64': no matching manifest for linux/amd64 in the manifest list entries",
    ),
    "registry-unreachable": start(
        "ImagePull",
        "NAT gateway",
        "CannotPullContainerError: Error response from daemon: Get https://registry-1.docker.io/"
        "v2/: net/http: request canceled while waiting for connection (Client.Timeout exceeded "
        "while awaiting headers)",
    ),
    "pull-not-allowed": start(
        "ImagePull",
        "executionRoleArn",
        f"CannotPullECRContainerError: AccessDeniedException: User: {_ROLE} is not authorized to "
        "perform: ecr:GetAuthorizationToken on resource: *",
    ),
    "pull-failed": start(
        "ImagePull", "image's name", "CannotPullImageManifestError: unexpected end of JSON input"
    ),
    "image-pull-back-off": Said(
        "ImagePull",
        "image's name",
        more={"eksAttempts": [{"containers": [{"reason": "ImagePullBackOff"}]}]},
    ),
    # --- the host ---
    "spot-instance": Said(
        "HostLost", "retryStrategy", status="Host EC2 (instance i-0abc) terminated."
    ),
    "instance-stopped": Said(
        "HostLost", "retryStrategy", status="Host EC2 (instance i-0abc) stopped."
    ),
    "fargate-spot": Said("HostLost", "retryStrategy", status="Your Spot Task was interrupted."),
    "fargate-spot-killed": Said(
        "HostLost", "retryStrategy", status="Your Spot Task was interrupted.", exit_code=137
    ),
    "spot-in-the-attempt-alone": Said(
        "HostLost",
        "retryStrategy",
        status="",
        more={"attempts": [{"statusReason": "Host EC2 (instance i-0abc) terminated."}]},
    ),
    "deregistered": Said(
        "HostLost",
        "retryStrategy",
        status="Task stopped (instance i-0abc): container instance deregistration forced by user",
    ),
    # --- what a task needs before it starts ---
    "role-for-secret": ready(
        "grant the action",
        f"{_AUTH}retrieve secret from asm: service call has been retried 1 time(s): failed to "
        f"fetch secret arn:aws:secretsmanager:eu-central-1:111122223333:secret:key from secrets "
        "manager: "
        f"AccessDeniedException: User: {_ROLE} is not authorized to perform: "
        "secretsmanager:GetSecretValue",
    ),
    "role-for-log": ready(
        "grant the action",
        "failed to validate logger args: create stream has been retried 1 times: failed to create "
        f"Cloudwatch log stream: AccessDeniedException: User: {_ROLE} is not authorized to "
        "perform: logs:CreateLogStream",
    ),
    "network-to-registry": ready(
        "NAT gateway",
        f"{_AUTH}retrieve ecr registry auth: service call has been retried 3 time(s): "
        "RequestError: send request failed caused by: Post "
        '"https://api.ecr.eu-central-1.amazonaws.com/": dial '
        "tcp 10.0.0.1:443: i/o timeout. Please check your task network configuration.",
    ),
    "network-killed": ready(
        "NAT gateway",
        "unable to pull secrets or registry auth: pull command failed: : signal: killed",
    ),
    "network-in-words": ready(
        "NAT gateway",
        "unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon "
        "ECR: There is a connection issue between the task and Amazon ECR. Check your task network "
        "configuration.",
    ),
    "secret-gone": ready(
        "valueFrom",
        f"{_AUTH}retrieve secret from asm: service call has been retried 1 time(s): failed to "
        "fetch secret arn:aws:secretsmanager:eu-central-1:111122223333:secret:key from secrets "
        "manager: "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
    ),
    "parameter-gone": ready(
        "valueFrom",
        f"{_AUTH}retrieve secrets from ssm: service call has been retried 1 time(s): invalid "
        "parameters: /climate/token",
    ),
    "secret-on-an-instance": start(
        "Infrastructure",
        "grant the action",
        "Fetching secret data from SSM Parameter Store in eu-central-1: AccessDeniedException: "
        "User: arn:aws:sts::111122223333:assumed-role/ecsInstanceRole/i-0abc is not authorized to "
        "perform: ssm:GetParameters",
    ),
    "log-group-gone": ready(
        "awslogs-create-group",
        "failed to validate logger args: create stream has been retried 1 times: failed to create "
        "Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.",
    ),
    "log-check-killed": ready(
        "reaches CloudWatch Logs", "failed to validate logger args: : signal: killed"
    ),
    "log-group-gone-on-an-instance": start(
        "Infrastructure",
        "awslogs-create-group",
        "CannotStartContainerError: Error response from daemon: failed to initialize logging "
        "driver: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified "
        "log group does not exist.",
    ),
    "efs-path": ready(
        "mount target",
        "failed to invoke EFS utils commands to set up EFS volumes: stderr: b'mount.nfs4: mounting "
        "fs-0abc.efs.eu-central-1.amazonaws.com:/grid failed, reason given by server: No such file "
        "or directory' : unsuccessful EFS utils command execution; code: 32",
    ),
    "efs-unreachable": ready(
        "port 2049",
        "failed to invoke EFS utils commands to set up EFS volumes: stderr: b'mount.nfs4: "
        "Connection reset by peer' : unsuccessful EFS utils command execution; code: 32",
    ),
    "efs-denied": ready(
        "EFS",
        "failed to invoke EFS utils commands to set up EFS volumes: stderr: b'mount.nfs4: access "
        "denied by server while mounting 127.0.0.1:/' : unsuccessful EFS utils command execution",
    ),
    "no-execution-role": Said(
        "Infrastructure",
        "Set executionRoleArn",
        status="Error executing request, Exception : When you are specifying container secrets, "
        "you must also specify a value for 'executionRoleArn'., RequestId: "
        "5f4f0d53-0001-4000-8000-000000000000",
    ),
    "role-gone": Said(
        "Infrastructure",
        "ecs-tasks.amazonaws.com",
        status="ECS was unable to assume the role 'arn:aws:iam::111122223333:role/job' that was "
        "provided for this task. Please verify that the role being passed has the proper trust "
        "relationship and permissions and that your IAM user has permissions to pass this role.",
    ),
    "no-gpu-driver": start(
        "Infrastructure",
        "GPU image",
        "CannotStartContainerError: Error response from daemon: OCI runtime create failed: "
        "nvidia-container-cli: initialization error: driver error: failed to process request",
    ),
    "bad-mount": start(
        "Infrastructure",
        "mount points",
        "CannotCreateContainerError: Error response from daemon: invalid mount config",
    ),
    # --- AWS's own, which pass ---
    "docker-timeout": start(
        "Infrastructure",
        "It passes",
        "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s",
    ),
    "docker-inspect": start(
        "Infrastructure",
        "It passes",
        "CannotInspectContainerError: Could not transition to inspecting; timed out after waiting "
        "30s",
    ),
    "network-interface": Said(
        "Infrastructure",
        "It passes",
        status="Timeout waiting for network interface provisioning to complete.",
    ),
    "fargate-full": Said(
        "Infrastructure",
        "It passes",
        status="Capacity is unavailable at this time. Please try again later or in a different "
        "availability zone",
    ),
    "not-started": Said("Infrastructure", "all that is known", status=NOT_STARTED),
    # --- ended on purpose ---
    "timed-out": ended("TimedOut", "attemptDuration", "Job attempt duration exceeded timeout", 137),
    "dependency": Said("DependencyFailed", "depends on", status="Dependent Job failed"),
    "by-somebody": ended("Cancelled", "Somebody", "stop it"),
    "by-somebody-who-says-why": ended(
        "Cancelled", "Somebody", "no space left on device of the shared file system", 137
    ),
    "with-its-queue": ended("Cancelled", "Its job queue was deleted", "The job queue was deleted"),
    "by-the-time-limit": Said(
        "Cancelled",
        "jobStateTimeLimitActions",
        status="Canceled by JobStateTimeLimit action due to reason: "
        "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
        more={"isCancelled": True},
    ),
    "by-the-time-limit-at-capacity": Said(
        "Cancelled",
        "Allow more instance types",
        status="Canceled by JobStateTimeLimit action due to reason: "
        "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - All compute environments have insufficient "
        "capacity to service the job.",
        more={"isCancelled": True},
    ),
}
