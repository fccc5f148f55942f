"""What AWS says when a task cannot start: image, roles, network, secrets, logs, file systems.

Sources: as in failure_texts.py.
"""

from collections.abc import Mapping

from tests.unit.kinds.batchjob.said import Said, ready, start

_AUTH = "unable to pull secrets or registry auth: execution resource retrieval failed: unable to "
_ROLE = "arn:aws:sts::111122223333:assumed-role/ecsTaskExecutionRole/0a1b"

STARTS: Mapping[str, Said] = {
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
    "registry-breaks-off": start(
        "ImagePull",
        "NAT gateway",
        "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: "
        "httpReadSeeker: failed open: failed to do request: Get "
        '"https://registry-1.docker.io/v2/library/busybox": net/http: TLS handshake timeout',
    ),
    "private-image": start(
        "ImagePull",
        "repositoryCredentials",
        "CannotPullContainerError: Error response from daemon: denied: requested access to the "
        "resource is denied",
    ),
    "pull-failed": start(
        "ImagePull", "image's name", "CannotPullImageManifestError: unexpected end of JSON input"
    ),
    "image-pull-back-off": Said(
        "ImagePull",
        "image's name",
        more={"eksAttempts": [{"containers": [{"reason": "ImagePullBackOff"}]}]},
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
    "network-to-registry-cut-off": ready(
        "NAT gateway",
        f"{_AUTH}retrieve ecr registry auth: service call has been retried 3 time(s)",
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
    "secret-gone-whose-name-has-efs-in-it": ready(
        "valueFrom",
        f"{_AUTH}retrieve secret from asm: service call has been retried 1 time(s): failed to "
        "fetch secret arn:aws:secretsmanager:eu-central-1:111122223333:secret:prefs from secrets "
        "manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
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
        "mount target",
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
    "no-service-linked-role": Said(
        "Infrastructure",
        "create-service-linked-role",
        status="ClientException: Unable to assume the service linked role. Please verify that the "
        "ECS service linked role exists.",
    ),
    "no-right-to-start-tasks": Said(
        "Infrastructure",
        "Grant the action",
        status="AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/batch/aws-"
        "batch is not authorized to perform: ecs:RunTask on resource: *",
    ),
    "refused-by-ecs": Said(
        "Infrastructure",
        "Correct in the definition",
        status="ClientException: Log driver awslogs requires options: awslogs-group, "
        "awslogs-region",
    ),
    "subnet-full": Said(
        "Infrastructure",
        "free addresses",
        status="Unexpected EC2 error while attempting to Create Network Interface with public IP "
        "assignment enabled in subnet 'subnet-0abc': InsufficientFreeAddressesInSubnet",
    ),
    "mount-onto-a-file": start(
        "Infrastructure",
        "mount points",
        "CannotStartContainerError: Error response from daemon: failed to create task for "
        "container: failed to create shim task: OCI runtime create failed: runc create failed: "
        "unable to start container process: error during container init: error mounting "
        '"/data/in" to rootfs at "/in": mount /data/in:/in: not a directory: unknown: Are you '
        "trying to mount a directory onto a file (or vice-versa)?",
    ),
    "bad-mount": start(
        "Infrastructure",
        "mount points",
        "CannotCreateContainerError: Error response from daemon: invalid mount config",
    ),
}
