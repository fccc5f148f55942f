"""What AWS says when jobs fail, as reported in public, with the class that each text belongs to.

Sources: the AWS Batch user guide ("Troubleshooting", "Automated job retries"), the Amazon ECS
developer guide ("Stopped tasks error messages"), AWS's knowledge centre on secrets and registry
authorization, and public reports that quote a text. Some are made up of the forms that those
describe, with names of our own.
"""

from collections.abc import Mapping

from tests.unit.kinds.batchjob.said import NOT_STARTED, Said, ended, start

from awsbatch_operator.kinds.batchjob.actions import DELETED_REASON, SUPERSEDED_REASON

ENDS: Mapping[str, Said] = {
    # --- the application ---
    "exit": Said("ApplicationExit", "Read the job's output", exit_code=1),
    "killed": Said("ApplicationExit", "more MEMORY", exit_code=137),
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
    "no-such-file-below-a-mount-on-fargate": Said(
        "ApplicationExit",
        "correct command",
        "",
        "ResourceInitializationError: failed to create new container runtime task: failed to "
        "create shim task: OCI runtime create failed: runc create failed: unable to start "
        'container process: exec: "/efs/run.sh": stat /efs/run.sh: no such file or directory',
    ),
    "not-started-on-eks": Said(
        "ApplicationExit",
        "image, the command",
        more={"eksAttempts": [{"containers": [{"reason": "StartError", "exitCode": 128}]}]},
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
    "thin-pool-full": start(
        "DiskFull",
        "larger volumes",
        "CannotCreateContainerError: API error (500): devmapper: Thin Pool has 4350 free data "
        "blocks which is less than minimum required 4454 free data blocks. Create more free space "
        "in thin pool or use dm.min_free_space option to change behavior",
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
    "by-somebody-in-similar-words": ended("Cancelled", "Somebody", "Run it later"),
    "by-us-for-a-newer-run": ended(
        "Cancelled", "The operator ended it", SUPERSEDED_REASON.format(2)
    ),
    "by-us": ended("Cancelled", "The operator ended it", DELETED_REASON),
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
