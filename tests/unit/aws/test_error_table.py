"""Every row of the tables has a case here; a row without one fails a test."""

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from awsbatch_operator.aws.error_table import ANSWERED, BROKEN, answered_kind, broken_row
from awsbatch_operator.aws.errors import ErrorKind

# service, operation, code, message, kind
ANSWERS = (
    ("batch", "SubmitJob", "TooManyRequestsException", "Too Many Requests", "THROTTLED"),
    ("batch", "DescribeJobs", "ThrottlingException", "Rate exceeded", "THROTTLED"),
    ("logs", "GetLogEvents", "Throttling", "Rate exceeded", "THROTTLED"),
    ("ec2", "RunInstances", "RequestLimitExceeded", "Request limit exceeded.", "THROTTLED"),
    ("ec2", "RunInstances", "PriorRequestNotComplete", "busy", "THROTTLED"),
    ("sts", "AssumeRole", "ExpiredTokenException", "Token expired", "TRANSIENT"),
    ("sts", "AssumeRole", "IDPCommunicationError", "IdP unreachable", "TRANSIENT"),
    ("batch", "SubmitJob", "AccessDeniedException", "User: a is not authorized", "DENIED"),
    ("ec2", "RunInstances", "UnauthorizedOperation", "You are not authorized", "DENIED"),
    ("ec2", "RunInstances", "OptInRequired", "You are not subscribed", "DENIED"),
    ("batch", "ListJobs", "UnrecognizedClientException", "The security token", "DENIED"),
    ("sts", "AssumeRole", "InvalidClientTokenId", "The security token", "DENIED"),
    ("batch", "ListJobs", "SignatureDoesNotMatch", "no", "DENIED"),
    ("batch", "ListJobs", "IncompleteSignatureException", "no", "DENIED"),
    ("batch", "ListJobs", "MissingAuthenticationTokenException", "Missing token", "DENIED"),
    ("sts", "AssumeRole", "InvalidIdentityToken", "no", "DENIED"),
    ("sts", "AssumeRole", "RegionDisabledException", "STS is not activated", "DENIED"),
    (
        "batch",
        "CreateComputeEnvironment",
        "ClientException",
        "User: arn:aws:iam::1:role/x is not authorized to perform: iam:PassRole on resource: y",
        "DENIED",
    ),
    (
        "batch",
        "DeleteComputeEnvironment",
        "ClientException",
        "Cannot delete, found existing JobQueue relationship",
        "CONFLICT",
    ),
    (
        "batch",
        "UpdateJobQueue",
        "ClientException",
        "Cannot update, resource is being modified",
        "CONFLICT",
    ),
    (
        "batch",
        "DeleteJobQueue",
        "ClientException",
        "Cannot delete, job queue state must be DISABLED",
        "CONFLICT",
    ),
    ("batch", "DeleteJobQueue", "ClientException", "The queue must be disabled", "CONFLICT"),
    ("batch", "DeleteSchedulingPolicy", "ClientException", "policy is in use", "CONFLICT"),
    (
        "batch",
        "CreateJobQueue",
        "ClientException",
        "compute environments must be in VALID state",
        "CONFLICT",
    ),
    (
        "batch",
        "CreateComputeEnvironment",
        "ClientException",
        "Object already exists",
        "ALREADY_EXISTS",
    ),
    ("batch", "SubmitJob", "ClientException", "JobQueue main not found.", "INVALID"),
    ("batch", "CreateJobQueue", "ClientException", "arn:… does not exist", "INVALID"),
    ("batch", "UpdateComputeEnvironment", "ClientException", "arn:… does not exist", "NOT_FOUND"),
    ("batch", "UpdateJobQueue", "ClientException", "main does not exist", "NOT_FOUND"),
    *(
        ("batch", "UpdateJobQueue", "ClientException", f"{what} does not exist", "INVALID")
        for what in (
            "ComputeEnvironment spot",
            "arn:aws:batch:…:compute-environment/spot",
            "arn:aws:batch:…:scheduling-policy/fair",
        )
    ),
    ("batch", "TerminateJob", "ClientException", "Job doesn't exist", "NOT_FOUND"),
    ("batch", "ListJobs", "ClientException", "Job queue not found", "NOT_FOUND"),
    (
        "batch",
        "DescribeJobs",
        "ClientException",
        "Maximum number of jobs supported is 100",
        "INVALID",
    ),
    ("logs", "GetLogEvents", "ResourceNotFoundException", "no such stream", "NOT_FOUND"),
    ("ec2", "DescribeInstances", "InvalidInstanceID.NotFound", "gone", "NOT_FOUND"),
    ("ecs", "DescribeClusters", "ClusterNotFoundException", "gone", "NOT_FOUND"),
    ("ec2", "RunInstances", "InsufficientInstanceCapacity", "no capacity", "CAPACITY"),
    ("ec2", "RunInstances", "InsufficientFreeAddressesInSubnet", "no address", "CAPACITY"),
    ("ec2", "RunInstances", "ReservationCapacityExceeded", "full", "CAPACITY"),
    ("ec2", "RunInstances", "VcpuLimitExceeded", "more than your limit", "CAPACITY"),
    ("ec2", "CreateFleet", "MaxSpotInstanceCountExceeded", "limit", "CAPACITY"),
    ("ec2", "RunInstances", "SpotMaxPriceTooLow", "your price is too low", "CAPACITY"),
    ("ec2", "CreateCapacityReservation", "InsufficientInstanceCapacity", "none", "CAPACITY"),
    ("ec2", "RunInstances", "InvalidSubnetID.NotFound", "no such subnet", "INVALID"),
    (
        "ec2",
        "CreateFleet",
        "InvalidLaunchTemplateName.NotFoundException",
        "no such template",
        "INVALID",
    ),
    ("ec2", "CreateTags", "InvalidInstanceID.NotFound", "not yet", "NOT_FOUND"),
    ("ec2", "TerminateInstances", "InvalidInstanceID.NotFound", "gone", "NOT_FOUND"),
    ("ec2", "DeleteLaunchTemplate", "InvalidLaunchTemplateId.NotFound", "gone", "NOT_FOUND"),
    ("ec2", "TerminateInstances", "IncorrectInstanceState", "busy", "CONFLICT"),
    ("ec2", "DeleteVolume", "VolumeInUse", "attached", "CONFLICT"),
    ("ec2", "DeletePlacementGroup", "InvalidPlacementGroup.Unknown", "unknown", "NOT_FOUND"),
    ("ec2", "DeletePlacementGroup", "InvalidPlacementGroup.InUse", "in use", "CONFLICT"),
    ("ec2", "CreatePlacementGroup", "InvalidPlacementGroup.Duplicate", "is", "ALREADY_EXISTS"),
    ("ec2", "DescribeInstances", "Unavailable", "overloaded", "TRANSIENT"),
    ("ec2", "RunInstances", "IdempotentParameterMismatch", "another request", "INVALID"),
    ("ec2", "RunInstances", "IdempotentInstanceTerminated", "it is terminated", "INVALID"),
    ("ec2", "RunInstances", "InvalidParameterValue", "BlockDurationMinutes is not", "INVALID"),
    (
        "ec2",
        "RunInstances",
        "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
        "no role",
        "DENIED",
    ),
    (
        "ecs",
        "DeregisterContainerInstance",
        "InvalidParameterException",
        "Referenced container instance not found.",
        "NOT_FOUND",
    ),
    ("ecs", "UpdateContainerInstancesState", "InvalidParameterException", "no", "INVALID"),
    ("ecs", "ListContainerInstances", "ThrottlingException", "Rate exceeded", "THROTTLED"),
    ("ssm", "GetParameter", "ParameterNotFound", "none", "NOT_FOUND"),
    ("sqs", "ReceiveMessage", "AWS.SimpleQueueService.NonExistentQueue", "none", "NOT_FOUND"),
    ("sqs", "ReceiveMessage", "QueueDoesNotExist", "none", "NOT_FOUND"),
    ("sqs", "ReceiveMessage", "AccessDenied", "Access to the resource is denied", "DENIED"),
    ("sqs", "ReceiveMessage", "KMS.AccessDeniedException", "no key", "DENIED"),
    ("sqs", "ReceiveMessage", "KmsAccessDenied", "no key", "DENIED"),
    ("sqs", "ReceiveMessage", "OverLimit", "120,000 in flight", "THROTTLED"),
    ("sqs", "DeleteMessageBatch", "RequestThrottled", "slower", "THROTTLED"),
    ("ec2", "CreateImage", "InvalidAMIName.Duplicate", "exists", "ALREADY_EXISTS"),
    ("logs", "CreateLogGroup", "OperationAbortedException", "busy", "CONFLICT"),
    ("ec2", "DeleteSecurityGroup", "DependencyViolation", "in use", "CONFLICT"),
    ("iam", "UpdateRole", "ConcurrentModification", "busy", "CONFLICT"),
    ("batch", "SubmitJob", "ServerException", "oops", "TRANSIENT"),
    ("sts", "AssumeRole", "ValidationError", "1 validation error detected", "INVALID"),
    ("ec2", "RunInstances", "LimitExceededException", "quota", "INVALID"),
)

BREAKS = (
    (boto.ConnectTimeoutError(endpoint_url="http://x"), ErrorKind.TRANSIENT, False),
    (boto.ProxyConnectionError(proxy_url="http://x"), ErrorKind.TRANSIENT, False),
    (boto.EndpointConnectionError(endpoint_url="http://x"), ErrorKind.TRANSIENT, False),
    (
        boto.SSLError(endpoint_url="https://x", error="[SSL] certificate verify failed"),
        ErrorKind.DENIED,
        False,
    ),
    (boto.SSLError(endpoint_url="https://x", error="EOF"), ErrorKind.TRANSIENT, True),
    (boto.ReadTimeoutError(endpoint_url="http://x"), ErrorKind.TRANSIENT, True),
    (boto.ConnectionClosedError(endpoint_url="http://x"), ErrorKind.TRANSIENT, True),
    (boto.ResponseStreamingError(error="cut"), ErrorKind.TRANSIENT, True),
    (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), ErrorKind.TRANSIENT, True),
    (boto.HTTPClientError(error="?"), ErrorKind.TRANSIENT, True),
    (ResponseParserError("no JSON"), ErrorKind.UNKNOWN, True),
    (boto.NoCredentialsError(), ErrorKind.DENIED, False),
    (boto.PartialCredentialsError(provider="env", cred_var="x"), ErrorKind.DENIED, False),
    (boto.CredentialRetrievalError(provider="x", error_msg="y"), ErrorKind.DENIED, False),
    (boto.UnknownCredentialError(name="x"), ErrorKind.DENIED, False),
    (boto.NoAuthTokenError(), ErrorKind.DENIED, False),
    (boto.TokenRetrievalError(provider="x", error_msg="y"), ErrorKind.DENIED, False),
    (boto.UnknownTokenProviderError(name="x"), ErrorKind.DENIED, False),
    (boto.UnauthorizedSSOTokenError(), ErrorKind.DENIED, False),
    (boto.LoginTokenLoadError(error_msg="x"), ErrorKind.DENIED, False),
    (boto.RefreshWithMFAUnsupportedError(), ErrorKind.DENIED, False),
    (boto.ProfileNotFound(profile="x"), ErrorKind.DENIED, False),
    (boto.ConfigNotFound(path="x"), ErrorKind.DENIED, False),
    (boto.ConfigParseError(path="x"), ErrorKind.DENIED, False),
    (boto.InvalidConfigError(error_msg="x"), ErrorKind.DENIED, False),
    (boto.InvalidIMDSEndpointError(endpoint="x"), ErrorKind.DENIED, False),
    (boto.InvalidIMDSEndpointModeError(mode="x", valid_modes="y"), ErrorKind.DENIED, False),
    (boto.MetadataRetrievalError(error_msg="x"), ErrorKind.TRANSIENT, False),
    (boto.ParamValidationError(report="missing jobName"), ErrorKind.INVALID, False),
    (boto.NoRegionError(), ErrorKind.INVALID, False),
    (boto.InvalidRegionError(region_name="x"), ErrorKind.INVALID, False),
    (boto.UnknownRegionError(region_name="x", error_msg="y"), ErrorKind.INVALID, False),
    (boto.UnknownEndpointError(service_name="x", region_name="y"), ErrorKind.INVALID, False),
    (boto.EndpointProviderError(msg="x"), ErrorKind.INVALID, False),
    (boto.BotoCoreError(), ErrorKind.UNKNOWN, True),
)


@pytest.mark.parametrize(("service", "operation", "code", "message", "kind"), ANSWERS)
def test_an_answered_error_has_the_kind_of_its_row(service, operation, code, message, kind):
    found = answered_kind(
        service=service, operation=operation, code=code, message=message, status=400
    )
    assert found is ErrorKind[kind]


def test_every_row_for_answers_is_the_first_match_of_a_case():
    deciding = {
        next(
            index
            for index, row in enumerate(ANSWERED)
            if row.matches(service=service, operation=operation, code=code, message=message)
        )
        for service, operation, code, message, _ in ANSWERS
    }
    assert [str(ANSWERED[index]) for index in range(len(ANSWERED)) if index not in deciding] == []


@pytest.mark.parametrize(
    ("error", "kind", "may_be_done"), BREAKS, ids=lambda value: str(value)[:40]
)
def test_a_broken_call_has_the_kind_of_its_row(error, kind, may_be_done):
    row = broken_row(error)
    assert (row.kind, row.may_be_done) == (kind, may_be_done)
    assert not (row.obstacle and may_be_done)  # what AWS was never asked, it has not done


def test_every_row_for_broken_calls_is_the_first_match_of_a_case():
    deciding = {BROKEN.index(broken_row(error)) for error, _, _ in BREAKS}
    assert sorted(deciding) == list(range(len(BROKEN)))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "Strange", ErrorKind.THROTTLED),
        (503, "Strange", ErrorKind.TRANSIENT),
        (501, "NotImplemented", ErrorKind.INVALID),
        (403, "403", ErrorKind.DENIED),
        (409, "Strange", ErrorKind.CONFLICT),
        (400, "Strange", ErrorKind.INVALID),
        (400, "", ErrorKind.UNKNOWN),
    ],
)
def test_an_error_that_no_row_knows_goes_by_its_status(status, code, kind):
    found = answered_kind(service="x", operation="Y", code=code, message="z", status=status)
    assert found is kind


def test_a_bare_404_never_means_that_a_thing_is_gone():
    found = answered_kind(
        service="batch", operation="DescribeJobs", code="404", message="Not Found", status=404
    )
    assert found is ErrorKind.UNKNOWN


def test_an_exception_of_no_known_kind_may_have_been_carried_out():
    assert broken_row(ValueError("?")).may_be_done
